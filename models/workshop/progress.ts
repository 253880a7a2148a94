// Owns how a long command says how far it is: a bar with an estimate on standard error, which --json leaves in place.
const DRAW_MS = 100
/** A log wants a line now and then, not a bar. */
const LINE_MS = 5000
/** Before this an estimate is a guess. */
const ESTIMATE_MS = 800
const BAR = 24

export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export class Progress {
  readonly #sink: Sink | null
  readonly #now: () => number
  #label = ''
  #total = 0
  #startedAt = 0
  #drawnAt = -Infinity
  #open = false

  /** `null` is silent. */
  constructor(sink: Sink | null, now: () => number = () => performance.now()) {
    this.#sink = sink
    this.#now = now
  }

  /** Begins a stage of `total` units of work (bytes, tensors, texts; the unit does not matter). */
  stage(label: string, total: number): void {
    this.end()
    this.#label = label
    this.#total = total
    this.#startedAt = this.#now()
    // a log hears of a stage only when it has lasted
    this.#drawnAt = this.#sink?.isTTY ? -Infinity : this.#startedAt
    this.at(0)
  }

  /** `done` of the stage's total; `note` names what is being worked on. */
  at(done: number, note = ''): void {
    const now = this.#now()
    if (!this.#sink || now - this.#drawnAt < (this.#sink.isTTY ? DRAW_MS : LINE_MS)) return
    this.#drawnAt = now
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : 0
    const spent = now - this.#startedAt
    const left = share > 0 && spent > ESTIMATE_MS ? `${duration((spent / share) * (1 - share))} left` : ''
    const facts = [`${String(Math.floor(share * 100)).padStart(3)} %`, left, note].filter((part) => part !== '').join('  ')
    if (!this.#sink.isTTY) {
      this.#sink.write(`${this.#label}: ${facts.trim()}\n`)
      return
    }
    const filled = Math.round(share * BAR)
    const line = `${this.#label}  ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}  ${facts}`
    this.#sink.write(`\r\u001B[2K${line.slice(0, (this.#sink.columns ?? 100) - 1)}`)
    this.#open = true
  }

  /** Clears the bar, so that what is written next begins on a clean line. */
  end(): void {
    if (this.#open) this.#sink?.write('\r\u001B[2K')
    this.#open = false
  }
}

/** Milliseconds in words: "0.3 s", "42 s", "3 min 05 s", "1 h 20 min". */
export function duration(ms: number): string {
  if (ms < 950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
