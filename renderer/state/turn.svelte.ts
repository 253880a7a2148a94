// Owns one turn on the page: the stored turn, and while it is written everything that arrives. Events are applied in one place, once per frame.
import type { AskEvent, AskStage, Turn } from '../../app/contract/entities.ts'
import type { WireError } from '../../app/contract/define.ts'
import { assertNever } from '../../app/contract/errors.ts'
import { perFrame } from '../lib/frame.ts'
import { GrowingMarkdown, countWords, plainText, unitsIn, type Unit } from '../lib/markdown.ts'
import { m } from '../lib/messages.ts'
import { asSentence, takeSentences } from '../lib/sentences.ts'

export interface Stage {
  readonly stage: AskStage
  readonly progress: number | null
  readonly remainingMs: number | null
}

export class AskTurn {
  turn: Turn = $state.raw()!
  units = $state.raw<readonly Unit[]>([])
  reasoning = $state.raw('')
  stage = $state.raw<Stage | null>(null)
  /** This window reads the answer's stream. */
  live = $state(false)
  stopping = $state(false)
  readonly words = $derived(this.units.reduce((sum, unit) => sum + unit.words, 0))
  readonly reasoningWords = $derived(countWords(this.reasoning))

  readonly #growing = new GrowingMarkdown()
  #pending: AskEvent[] = []
  #unsaid = ''
  /** What has arrived of the answer; the stored turn has it only at the end. */
  #answer = ''
  #say: (text: string) => void = () => {}
  readonly #flush = perFrame(() => this.#apply())

  constructor(turn: Turn) {
    this.turn = turn
    this.units = unitsIn(turn.answer)
    this.reasoning = turn.reasoning
  }

  /** A turn whose events will follow. `say` is told whole sentences and stages. */
  static live(turn: Turn, say: (text: string) => void): AskTurn {
    const own = new AskTurn(turn)
    own.live = true
    own.#say = say
    return own
  }

  take(event: AskEvent): void {
    this.#pending.push(event)
    if (event.type === 'done') this.#flush.now()
    else this.#flush.ask()
  }

  /** The stream broke: what is here stays, and says so. The host keeps the same text. */
  lose(error: WireError): void {
    this.#flush.now()
    if (!this.live) return
    const { code, message } = error
    this.#end({ ...this.turn, status: 'partial', answer: this.#answer, reasoning: this.reasoning, error: { code, message } })
  }

  #apply(): void {
    const events = this.#pending
    this.#pending = []
    let text = ''
    let reasoning = ''
    for (const event of events) {
      switch (event.type) {
        case 'accepted':
          break
        case 'stage': {
          const { stage, progress, remainingMs } = event
          if (stage !== this.stage?.stage) this.#say(m.answer.said[stage])
          this.stage = { stage, progress, remainingMs }
          break
        }
        case 'reasoning':
          reasoning += event.text
          break
        case 'text':
          text += event.text
          break
        case 'done':
          this.#write(text, reasoning)
          text = reasoning = ''
          this.#end(event.turn)
          break
        default:
          assertNever(event)
      }
    }
    this.#write(text, reasoning)
  }

  #write(text: string, reasoning: string): void {
    if (reasoning !== '') this.reasoning += reasoning
    if (text === '') return
    this.#answer += text
    this.#growing.push(text)
    this.units = this.#growing.units
    const { sentences, rest } = takeSentences(this.#unsaid + text)
    this.#unsaid = rest
    this.#say(sentences.map(plainText).map(asSentence).join(' ').trim())
  }

  #end(turn: Turn): void {
    this.#say(asSentence(plainText(this.#unsaid)))
    this.#say(turn.error?.message ?? m.answer.said.done)
    this.#unsaid = ''
    // the stored text is the truth; it differs only when pieces were lost on the way
    const streamed = this.turn
    this.turn = turn.supersededBy === null ? { ...turn, supersededBy: streamed.supersededBy } : turn
    if (turn.answer !== '') this.units = unitsIn(turn.answer)
    this.stage = null
    this.live = false
    this.stopping = false
  }
}
