// Owns work that may wait: it is done once nobody has needed the engine for a while, and put off again by whoever does.
import type { Log } from '../base/log.ts'
import { failure } from '../base/log.ts'

/** Of the first quiet time. */
const AGAIN = 6

export class IdleWork {
  readonly #quietMs: number
  readonly #isIdle: () => boolean
  readonly #work: () => Promise<void>
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #working = false

  /** `work` runs when `isIdle` after `quietMs` without wait(); and again in longer intervals while nothing happens; a failure of it is logged. */
  constructor(parts: { quietMs: number; isIdle: () => boolean; work: () => Promise<void>; log: Log }) {
    this.#quietMs = parts.quietMs
    this.#isIdle = parts.isIdle
    this.#work = parts.work
    this.#log = parts.log
  }

  /** Somebody needs the engine, or has just needed it. */
  wait(): void {
    this.#arm(this.#quietMs)
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#begin(), ms)
    this.#timer.unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #begin(): Promise<void> {
    if (this.#working) return
    if (!this.#isIdle()) return this.wait()
    this.#working = true
    try {
      await this.#work()
    } catch (error) {
      this.#log.warn('work for a quiet time failed', failure(error))
    } finally {
      this.#working = false
      this.#arm(this.#quietMs * AGAIN)
    }
  }
}
