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
  /** Asked in this window since it was opened, for good: a quick answer must not end what a screen reader is about to say. */
  asked = $state(false)
  stopping = $state(false)
  #demonstration = false
  /** What is written stays folded until it has been compared with the card: the model is a demonstration. */
  readonly comparing = $derived(this.live && this.#demonstration && (this.turn.clinical?.cards.length ?? 0) > 0)
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

  /** A turn whose events will follow. `say` is told whole sentences and stages. `demonstration`: the model that will answer is one. */
  static live(turn: Turn, say: (text: string) => void, demonstration: boolean): AskTurn {
    const own = new AskTurn(turn)
    own.#demonstration = demonstration
    own.live = true
    own.asked = true
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
        // the turn that was accepted holds what the other two say
        case 'accepted':
        case 'emergency':
        case 'facts':
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
    if (!this.comparing) this.#say(sentences.map(plainText).map(asSentence).join(' ').trim())
  }

  #end(turn: Turn): void {
    if (turn.clinical?.checks?.withheld) this.#say(m.clinical.withheldSaid)
    else this.#say(asSentence(plainText(this.comparing ? this.#answer : this.#unsaid)))
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
