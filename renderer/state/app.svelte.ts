// Owns what the host tells every page at all times: engine, settings, the connection itself; and what the program says about itself.
import type { AppContract } from '../../app/contract/contract.ts'
import type { StateOf } from '../../app/contract/define.ts'
import type { AppInfo, EngineStatus, Settings } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import type { PageClient } from './page.ts'

const FIRST_RETRY_MS = 400
const LAST_RETRY_MS = 10_000

export class AppState {
  /** null until the host has spoken. */
  engine = $state.raw<EngineStatus | null>(null)
  settings = $state.raw<Settings | null>(null)
  info = $state.raw<AppInfo | null>(null)
  connection = $state<'connecting' | 'open' | 'lost'>('connecting')
  /** The loopback did not accept this window: its address has been used before. */
  refused = $state(false)
  /** What could not be done, for a person; shown until dismissed. */
  problem = $state.raw<{ code: string; message: string } | null>(null)
  readonly demonstration = $derived(this.engine?.model?.demonstration ?? false)
  readonly #client: PageClient

  constructor(client: PageClient) {
    this.#client = client
  }

  /** Listens to the host, again and again if it goes away. `onBack` runs on every connection. Returns the end of it. */
  follow(onBack: () => void): () => void {
    let wait = FIRST_RETRY_MS
    let timer: ReturnType<typeof setTimeout> | undefined
    let leave = () => {}
    let over = false
    const connect = () => {
      leave = this.#client.watch(
        (name, state) => {
          if (this.connection !== 'open') {
            wait = FIRST_RETRY_MS
            this.connection = 'open'
            this.refused = false
            void this.#readInfo()
            onBack()
          }
          this.#take(name, state)
        },
        () => {
          if (over) return
          if (this.connection === 'open') this.connection = 'lost'
          else void this.#readInfo()
          timer = setTimeout(connect, wait)
          wait = Math.min(wait * 2, LAST_RETRY_MS)
        },
      )
    }
    connect()
    return () => {
      over = true
      clearTimeout(timer)
      leave()
    }
  }

  /** Changes a setting here at once and at the host; the topic then confirms it or puts it back. */
  async set(change: Partial<Settings>): Promise<void> {
    const before = this.settings
    if (before) this.settings = { ...before, ...change }
    await this.try(async () => void (this.settings = await this.#client.call('settings.set', change)))
    if (this.problem) this.settings = before
  }

  /** Runs an action of the user's and shows its failure; true when it went well. */
  async try(action: () => Promise<unknown>): Promise<boolean> {
    this.problem = null
    try {
      await action()
      return true
    } catch (error) {
      const { code, message } = AppError.wire(error)
      this.problem = { code, message }
      return false
    }
  }

  restartEngine = () => this.try(() => this.#client.call('engine.restart', null))
  chooseModel = (id: string) => this.try(() => this.#client.call('model.choose', { id }))

  #take(name: string, state: unknown): void {
    if (name === 'engine.status') this.engine = state as StateOf<AppContract['engine.status']>
    else if (name === 'settings') this.settings = state as StateOf<AppContract['settings']>
  }

  async #readInfo(): Promise<void> {
    try {
      this.info = await this.#client.call('app.info', null)
    } catch (error) {
      const { code } = AppError.wire(error)
      this.refused = code === 'UNTRUSTED'
      if (this.connection === 'connecting') this.connection = 'lost'
    }
  }
}
