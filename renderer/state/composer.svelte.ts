// Owns what is being typed: the text of each conversation's draft, its previewed category, its length, and why it was not sent.
import type { AppContract } from '../../app/contract/contract.ts'
import type { OutputOf } from '../../app/contract/define.ts'
import type { AskInput, Category, Turn } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import { countWords } from '../lib/markdown.ts'
import { m } from '../lib/messages.ts'
import type { PageClient } from './page.ts'

type Preview = OutputOf<AppContract['question.preview']>
const PREVIEW_WAIT_MS = 150
const DRAFTS = 'rushlight.drafts'
/** The contract takes no more; said here so that nothing larger is sent just to be refused. */
const MOST_CHARACTERS = 250_000

export interface Refusal {
  readonly title: string
  readonly text: string
}

export class Composer {
  text = $state('')
  /** The user's own category for what is typed; null leaves it to the rules. */
  chosen = $state<Category | null>(null)
  preview = $state.raw<Preview | null>(null)
  refusal = $state.raw<Refusal | null>(null)
  /** What tells who a person is, found when the question was about to be sent; the user then chooses. */
  identifiable = $state.raw<Preview | null>(null)
  sending = $state(false)
  /** The turn whose question is being edited; asking replaces it. */
  editing = $state.raw<Turn | null>(null)
  readonly category = $derived<Category>(this.chosen ?? this.preview?.classification.category ?? 'general')
  /** Share of the model's limit that the question takes; null while no model is loaded. */
  readonly share = $derived(
    this.preview?.tokens != null && this.preview.limit != null && this.preview.limit > 0 ? this.preview.tokens / this.preview.limit : null,
  )
  readonly #client: PageClient
  #drafts: Record<string, string> = readDrafts()
  #key = 'new'
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The shown preview belongs to the text as it stands. */
  #fresh = false

  constructor(client: PageClient) {
    this.#client = client
    this.text = this.#drafts[this.#key] ?? ''
  }

  /** Changes to the draft of another conversation; null is the new question. */
  load(conversation: string | null): void {
    const key = conversation ?? 'new'
    if (key === this.#key) return
    if (this.editing) this.cancelEdit()
    this.#key = key
    this.#put(this.#drafts[key] ?? '')
  }

  write(text: string): void {
    this.text = text
    this.identifiable = null
    if (!this.editing) this.#keep(text)
    this.refusal = null
    this.#previewSoon()
  }

  edit(turn: Turn): void {
    this.editing = turn
    this.#put(turn.question, turn.classification.decidedBy === 'user' ? turn.classification.category : null)
  }

  /** Back to the draft that was there before. */
  cancelEdit(): void {
    this.editing = null
    this.#put(this.#drafts[this.#key] ?? '')
  }

  /**
   * Sends what is typed through `send`. The text leaves the field only once it is stored; a refusal keeps it and says why.
   * True when it was sent. A text that tells who a person is waits for the user's choice, unless `anyway`.
   */
  async submit(conversation: string | null, send: (input: AskInput) => Promise<void>, anyway = false): Promise<boolean> {
    if (this.sending || this.text.trim() === '') return false
    const refusal = this.#refuse()
    this.refusal = refusal
    if (refusal) return false
    if (!anyway && (await this.#asksFirst())) return false
    this.identifiable = null
    const { text, editing, chosen } = this
    const key = this.#key
    this.sending = true
    try {
      await send({
        question: text,
        conversation: editing?.conversation ?? conversation,
        ...(chosen === null ? {} : { category: chosen }),
        ...(editing ? { supersedes: editing.id } : {}),
      })
      this.#sent(text, editing ? null : key)
      return true
    } catch (error) {
      const { code, message, data } = AppError.wire(error)
      const { tokens, limit } = (data ?? {}) as { tokens?: number; limit?: number }
      this.refusal =
        code === 'QUESTION_TOO_LONG' && tokens !== undefined && limit !== undefined ? tooLong(text, tokens, limit) : { title: message, text: '' }
      return false
    } finally {
      this.sending = false
    }
  }

  /** `key` is the draft that was sent: by now the question may have a conversation of its own. null for an edited question. */
  #sent(text: string, key: string | null): void {
    this.editing = null
    if (key !== null && this.#drafts[key] === text) this.#keep('', key)
    // typing may have gone on while the host stored the question
    if (this.text === text) this.#put(this.#drafts[this.#key] ?? '')
  }

  /** The shown preview may be of an older text, so the text is looked at once more. */
  async #asksFirst(): Promise<boolean> {
    const { text } = this
    if (text.length > MOST_CHARACTERS) return false
    if (!this.#fresh) await this.#readPreview(text)
    if (this.text !== text || !this.preview || this.preview.identifiers.length === 0) return this.text !== text
    this.identifiable = this.preview
    return true
  }

  /** Writes the question without what tells who a person is. */
  removeIdentifiers(): void {
    const without = this.identifiable?.without
    if (without !== null && without !== undefined) this.write(without)
  }

  #refuse(): Refusal | null {
    const { text, preview } = this
    if (text.length > MOST_CHARACTERS) return { title: m.composer.tooManyCharacters(text.length, MOST_CHARACTERS), text: '' }
    if (preview?.tokens != null && preview.limit != null && preview.tokens > preview.limit && this.#fresh)
      return tooLong(text, preview.tokens, preview.limit)
    return null
  }

  #put(text: string, chosen: Category | null = null): void {
    this.text = text
    this.chosen = chosen
    this.preview = null
    this.refusal = null
    this.identifiable = null
    this.#previewSoon()
  }

  #keep(text: string, key = this.#key): void {
    if (text === '') delete this.#drafts[key]
    else this.#drafts[key] = text
    try {
      sessionStorage.setItem(DRAFTS, JSON.stringify(this.#drafts))
    } catch {
      // a text larger than the browser keeps is still in the field
    }
  }

  #previewSoon(): void {
    clearTimeout(this.#timer)
    this.#fresh = false
    if (this.text.trim() === '' || this.text.length > MOST_CHARACTERS) {
      this.preview = null
      return
    }
    this.#timer = setTimeout(() => void this.#readPreview(this.text), PREVIEW_WAIT_MS)
  }

  async #readPreview(question: string): Promise<void> {
    try {
      const preview = await this.#client.call('question.preview', { question })
      if (question !== this.text) return
      this.preview = preview
      this.#fresh = true
    } catch {
      // only a preview: asking says what is wrong
    }
  }
}

function tooLong(text: string, tokens: number, limit: number): Refusal {
  const over = Math.max(1, Math.ceil((countWords(text) * (tokens - limit)) / tokens))
  return { title: m.composer.tooLong(over), text: `${m.composer.tooLongText} ${m.composer.gauge(tokens, limit)}.` }
}

function readDrafts(): Record<string, string> {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(DRAFTS) ?? '{}')
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, string>) : {}
  } catch {
    return {}
  }
}
