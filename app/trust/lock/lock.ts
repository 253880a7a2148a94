// Owns whether the program is locked: idle time, panic key, PIN, and the stored state behind them. Hides and closes; it does not encrypt.
import * as z from 'zod'
import { AppError } from '../../contract/errors.ts'
import { hashPin, isPin, PinHash } from './pin.ts'
import { Attempts, beginAttempt, noAttempts, waitLeft } from './waits.ts'

export type LockState = 'open' | 'locked'
/** `monotonic` never jumps and orders what happens in one run; `wall` outlasts a restart. Both in milliseconds. */
export interface Clock {
  monotonic(): number
  wall(): number
}
/** Where the state outlasts a restart: the database's trust_state. `get` gives what `set` was last given, or undefined. */
export interface LockMemory {
  get(): unknown
  set(value: unknown): void
}
export const LockMemoryValue = z.strictObject({ pin: PinHash.nullable(), attempts: Attempts })
type Kept = z.infer<typeof LockMemoryValue>

export interface LockOptions {
  memory: LockMemory
  clock: Clock
  /** 0: no idle lock. */
  idleMs: number
  leastDigits: number
  pepper?: Buffer
  /** Called after every change, with the reason. The host hides the page and, on a lock, lets the vault forget its keys. */
  onChange(state: LockState, why: 'idle' | 'panic' | 'start' | 'unlocked' | 'refused'): void
  /** scrypt's cost, for tests. */
  cost?: { log2N: number; r: number; p: number }
}

export class Lock {
  readonly #o: LockOptions
  #state: LockState
  #active: number
  /** Of this run: a clock that is set forward meanwhile shortens nothing. */
  #waitUntil = 0
  #trying = false

  /** Begins locked when there is a PIN: a restart is no way round it. Throws STORE_CORRUPT for a damaged memory: that must not open it. */
  constructor(options: LockOptions) {
    this.#o = options
    this.#active = options.clock.monotonic()
    const kept = this.#kept()
    this.#waitUntil = this.#active + this.#wallWait(kept)
    this.#state = kept.pin === null ? 'open' : 'locked'
    if (this.#state === 'locked') options.onChange('locked', 'start')
  }

  get state(): LockState {
    return this.#state
  }

  get hasPin(): boolean {
    return this.#kept().pin !== null
  }

  /** Milliseconds until the next PIN may be typed. */
  get waitMs(): number {
    return Math.max(0, this.#waitUntil - this.#o.clock.monotonic(), this.#wallWait(this.#kept()))
  }

  /** A key or a click. While locked it changes nothing. */
  activity(): void {
    if (this.#state === 'open') this.#active = this.#o.clock.monotonic()
  }

  /** Call every few seconds; a computer that slept is judged at its waking. */
  tick(): void {
    const { idleMs, clock } = this.#o
    if (this.#state === 'open' && idleMs > 0 && this.hasPin && clock.monotonic() - this.#active >= idleMs) this.#lock('idle')
  }

  /** Hides everything at once, also where no PIN is set; then `unlock` takes an empty one. */
  panic(): void {
    if (this.#state === 'open') this.#lock('panic')
  }

  /** Sets or changes the PIN. The old one is needed where there is one. Throws pin_form, pin_weak, pin_wrong, pin_wait. */
  async setPin(pin: string, old: string): Promise<void> {
    if (this.hasPin) await this.#prove(old)
    const { leastDigits: least, pepper, cost } = this.#o
    const hash = await hashPin(pin, { least, ...(pepper ? { pepper } : {}), ...(cost ? { cost } : {}) })
    this.#o.memory.set({ pin: hash, attempts: noAttempts } satisfies Kept)
  }

  /** Throws pin_wrong, pin_wait. */
  async removePin(old: string): Promise<void> {
    await this.#prove(old)
    this.#o.memory.set({ pin: null, attempts: noAttempts } satisfies Kept)
  }

  /** Throws pin_wrong, with the wait that follows, or pin_wait when it is not over; a wait is the same for the right PIN. */
  async unlock(pin: string): Promise<void> {
    if (this.#state === 'open') return
    if (this.hasPin) await this.#prove(pin)
    this.#state = 'open'
    this.#active = this.#o.clock.monotonic()
    this.#o.onChange('open', 'unlocked')
  }

  async #prove(pin: string): Promise<void> {
    const { memory, clock, pepper } = this.#o
    // two at once would both be judged by the wait before them
    if (this.#trying || this.waitMs > 0) throw tooSoon(Math.max(this.waitMs, 1000))
    this.#trying = true
    try {
      const kept = this.#kept()
      const tried: Kept = { ...kept, attempts: beginAttempt(kept.attempts, clock.wall()) }
      memory.set(tried)
      const right = kept.pin !== null && (await isPin(pin, kept.pin, pepper))
      if (right) {
        memory.set({ ...kept, attempts: noAttempts } satisfies Kept)
        this.#waitUntil = 0
        return
      }
      this.#waitUntil = clock.monotonic() + this.#wallWait(tried)
      this.#o.onChange(this.#state, 'refused')
      throw wrong(this.waitMs)
    } finally {
      this.#trying = false
    }
  }

  #lock(why: 'idle' | 'panic'): void {
    this.#state = 'locked'
    this.#o.onChange('locked', why)
  }

  #wallWait(kept: Kept): number {
    const { ms, attempts } = waitLeft(kept.attempts, this.#o.clock.wall())
    if (attempts !== kept.attempts) this.#o.memory.set({ ...kept, attempts } satisfies Kept)
    return ms
  }

  #kept(): Kept {
    const value = this.#o.memory.get()
    if (value === undefined) return { pin: null, attempts: noAttempts }
    const parsed = LockMemoryValue.safeParse(value)
    if (!parsed.success)
      throw new AppError('STORE_CORRUPT', 'The stored PIN is damaged, so Rushlight stays locked. Restore the newest snapshot.', {
        reason: 'pin_damaged',
      })
    return parsed.data
  }
}

function wrong(wait: number): AppError {
  const then = wait === 0 ? 'Try again.' : `Wait ${inWords(wait)}, then try again.`
  return new AppError('BAD_INPUT', `That is not the PIN. ${then}`, { reason: 'pin_wrong', waitMs: wait })
}

function tooSoon(wait: number): AppError {
  return new AppError('BAD_INPUT', `Too many wrong PINs. Wait ${inWords(wait)}, then try again.`, { reason: 'pin_wait', waitMs: wait })
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 100 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}
