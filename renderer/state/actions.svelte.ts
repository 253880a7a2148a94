// Owns what a person can do with an answer, from a button or a key: copy, print, ask again, edit and resend, stop.
import { tick } from 'svelte'
import type { Category } from '../../app/contract/entities.ts'
import { m } from '../lib/messages.ts'
import { copyText } from '../lib/origin.ts'
import type { Announcer } from './announcer.svelte.ts'
import type { AppState } from './app.svelte.ts'
import type { Ask } from './ask.svelte.ts'
import type { Composer } from './composer.svelte.ts'
import type { AskTurn } from './turn.svelte.ts'

const SAID_MS = 4000

export class Actions {
  /** A short confirmation beside the buttons of one turn. */
  said = $state.raw<{ turn: string; text: string } | null>(null)
  /** The one turn that goes on paper; null for all of them. */
  printing = $state<string | null>(null)
  /** The record whose leaflet for the patient goes on paper instead. */
  leaflet = $state<string | null>(null)
  /** The turn of which a problem is being reported. */
  reporting = $state.raw<AskTurn | null>(null)
  readonly #parts: { app: AppState; ask: Ask; composer: Composer; announcer: Announcer }
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(parts: { app: AppState; ask: Ask; composer: Composer; announcer: Announcer }) {
    this.#parts = parts
  }

  async copy(own: AskTurn): Promise<void> {
    let text = m.answer.copied
    try {
      await navigator.clipboard.writeText(copyText(own.turn))
    } catch {
      text = m.answer.notCopied
    }
    this.#confirm(own, text)
  }

  /** One answer, or with `record` the leaflet made from that card. */
  async print(own: AskTurn, record: string | null = null): Promise<void> {
    this.printing = own.turn.id
    this.leaflet = record
    await tick()
    addEventListener('afterprint', () => (this.printing = this.leaflet = null), { once: true })
    window.print()
  }

  /** Asks the question of a finished turn again; while an answer is being written here, that one has to end first. */
  async again(own: AskTurn, category?: Category, keep?: readonly string[]): Promise<void> {
    const { app, ask } = this.#parts
    if (ask.running) return this.#confirm(own, m.answer.busy)
    await app.try(() => ask.again(own, category, keep))
  }

  edit(own: AskTurn): void {
    this.#parts.composer.edit(own.turn)
    focusComposer()
  }

  async stop(): Promise<void> {
    const { app, ask } = this.#parts
    const { running } = ask
    if (running && !running.stopping) await app.try(() => ask.stop(running))
  }

  #confirm(own: AskTurn, text: string): void {
    this.said = { turn: own.turn.id, text }
    this.#parts.announcer.say(text)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => (this.said = null), SAID_MS)
  }
}

/** The field may have just been drawn, so this waits for it. */
export function focusComposer(): void {
  void tick().then(() => document.querySelector<HTMLElement>('[data-composer]')?.focus())
}
