// Owns the open conversation and the answers being written: opening, asking, stopping, asking again. The host decides; this shows.
import type { AskEvent, AskInput, Category, Conversation, Turn } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import type { Announcer } from './announcer.svelte.ts'
import type { Conversations } from './conversations.svelte.ts'
import type { PageClient } from './page.ts'
import type { Route } from './route.svelte.ts'
import { AskTurn } from './turn.svelte.ts'

interface Parts {
  client: PageClient
  route: Route
  announcer: Announcer
  conversations: Conversations
  /** The model in use is a demonstration. */
  demonstration(): boolean
}

export class Ask {
  conversation = $state.raw<Conversation | null>(null)
  /** Every turn of the open conversation, oldest first, replaced ones too. */
  turns = $state.raw<readonly AskTurn[]>([])
  opening = $state(false)
  /** The turn that the view should bring to the top, and when it was wished. */
  reveal = $state.raw<{ turn: string; at: number } | null>(null)
  readonly current = $derived(this.turns.filter(({ turn }) => turn.supersededBy === null))
  readonly last = $derived(this.current.at(-1) ?? null)
  readonly running = $derived(this.current.findLast(({ live }) => live) ?? null)
  /** Answers of every conversation that this window is reading, by turn. */
  readonly #live = new Map<string, AskTurn>()
  readonly #parts: Parts
  #reveals = 0
  #opened = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The turns that `turn` replaced, oldest first. */
  replacedBy(turn: Turn): AskTurn[] {
    const byId = new Map(this.turns.map((own) => [own.turn.id, own.turn.supersededBy]))
    const end = (id: string): string => {
      const next = byId.get(id) ?? null
      return next === null ? id : end(next)
    }
    return this.turns.filter((own) => own.turn.supersededBy !== null && end(own.turn.id) === turn.id)
  }

  /** Shows a conversation, or a new question for null. Throws what the host says, and then shows a new question. */
  async open(id: string | null, reveal = true): Promise<void> {
    const opened = ++this.#opened
    this.#parts.route.show(id)
    if (id === null) return this.#show(null, [])
    this.opening = true
    try {
      const found = await this.#parts.client.call('conversation.open', { id })
      if (opened !== this.#opened) return
      const live = (turn: Turn) => this.#live.get(turn.id) ?? new AskTurn(turn)
      this.#show(found.conversation, found.turns.map(live))
      if (reveal && this.last) this.#revealTurn(this.last.turn.id)
    } catch (error) {
      if (opened === this.#opened) {
        this.#show(null, [])
        this.#parts.route.show(null, true)
      }
      throw error
    } finally {
      if (opened === this.#opened) this.opening = false
    }
  }

  /** Reads the open conversation again, after a lost connection or when another window was writing in it. */
  async reopen(): Promise<void> {
    if (this.conversation && !this.running) await this.open(this.conversation.id, false)
  }

  /** True when a turn is being written that this window gets no events of. */
  get stale(): boolean {
    return this.turns.some(({ turn, live }) => turn.status === 'answering' && !live)
  }

  /**
   * Asks. Resolves as soon as the question is stored; the answer goes on by itself. Throws when nothing was stored
   * (QUESTION_TOO_LONG and the like): the text must then stay with the person.
   */
  send(input: AskInput): Promise<void> {
    return new Promise((resolve, reject) => void this.#run(input, resolve, reject))
  }

  /** Asks a finished turn's question afresh, in its place; with `category`, as that; with `keep`, also without those terms understood. */
  async again({ turn }: AskTurn, category?: Category, keep: readonly string[] = []): Promise<void> {
    const chosen = category ?? (turn.classification.decidedBy === 'user' ? turn.classification.category : undefined)
    await this.send({
      question: turn.question,
      conversation: turn.conversation,
      supersedes: turn.id,
      keep: [...(turn.clinical?.kept ?? []), ...keep],
      ...(chosen === undefined ? {} : { category: chosen }),
    })
  }

  async stop(own: AskTurn): Promise<void> {
    own.stopping = true
    try {
      await this.#parts.client.call('ask.stop', { turn: own.turn.id })
    } finally {
      own.stopping = own.live
    }
  }

  async #run(input: AskInput, accepted: () => void, refused: (error: unknown) => void): Promise<void> {
    let own: AskTurn | null = null
    try {
      for await (const event of this.#parts.client.stream('ask.run', input, new AbortController().signal)) {
        if (event.type === 'accepted') {
          own = this.#accept(event, input)
          accepted()
        } else own?.take(event)
        if (event.type === 'done') this.#parts.conversations.touch(event.conversation)
      }
      // an end without `done` is a connection that broke; after `done` this changes nothing
      this.#lose(own, new AppError('CONNECTION_LOST'))
      refused(new AppError('CONNECTION_LOST'))
    } catch (error) {
      this.#lose(own, error)
      refused(error)
    } finally {
      if (own) this.#live.delete(own.turn.id)
    }
  }

  #lose(own: AskTurn | null, error: unknown): void {
    if (!own?.live) return
    own.lose(AppError.wire(error))
    this.#parts.conversations.mark(own.turn.conversation, 'partial')
  }

  #accept({ conversation, turn }: Extract<AskEvent, { type: 'accepted' }>, input: AskInput): AskTurn {
    const { announcer, conversations, route } = this.#parts
    const own = AskTurn.live(
      turn,
      (text) => {
        if (this.conversation?.id === turn.conversation) announcer.say(text)
      },
      this.#parts.demonstration(),
    )
    this.#live.set(turn.id, own)
    conversations.touch(conversation)
    // the person may have gone to another conversation in between
    if ((this.conversation?.id ?? null) !== input.conversation || route.conversation !== input.conversation) return own
    const replaced = this.turns.findIndex((other) => other.turn.id === input.supersedes)
    if (replaced >= 0)
      for (const other of this.turns.slice(replaced)) if (other.turn.supersededBy === null) other.turn = { ...other.turn, supersededBy: turn.id }
    this.turns = [...this.turns, own]
    this.conversation = conversation
    route.show(conversation.id, input.conversation === null)
    this.#revealTurn(turn.id)
    return own
  }

  #show(conversation: Conversation | null, turns: AskTurn[]): void {
    this.conversation = conversation
    this.turns = turns
  }

  #revealTurn(turn: string): void {
    this.reveal = { turn, at: ++this.#reveals }
  }
}
