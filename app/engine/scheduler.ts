// Owns the order of work in the engine: who runs at once, who is next, who must be alone, and when work in the background gives way. Knows no models.
import { AppError } from '../contract/errors.ts'

export interface Job {
  /** Jobs of different groups never run at once. */
  group?: string
  /** Whose job it is: clients take turns, however many jobs one of them has. */
  client?: string
  /** Runs only while nobody else wants to. */
  background?: boolean
  /** Runs beside no other job, and no later one passes it. */
  alone?: boolean
}

export interface Turn {
  end(): void
  /** Aborted when somebody waits for whom a background job must give way. */
  readonly giveWay: AbortSignal
}

interface Waiting extends Required<Job> {
  /** Its place in a round in which each client has one turn. */
  round: number
  start(): void
}
interface Running extends Required<Job> {
  way: AbortController
}

/** Clients whose place in the rounds is remembered. */
const CLIENTS_KEPT = 1000

export class Scheduler {
  readonly #limit: number
  #slots: number
  readonly #running = new Set<Running>()
  #waiting: Waiting[] = []
  #round = 0
  readonly #rounds = new Map<string, number>()

  /** `slots` jobs run at once; when `limit` of them wait, another one is refused. */
  constructor({ slots = 1, limit = 64 }: { slots?: number; limit?: number } = {}) {
    this.#slots = slots
    this.#limit = limit
  }

  /** Jobs that wait or run. */
  get length(): number {
    return this.#waiting.length + this.#running.size
  }

  /** Jobs that run. */
  get running(): number {
    return this.#running.size
  }

  set slots(slots: number) {
    this.#slots = slots
    this.#dispatch()
  }

  /** Resolves when it is this job's turn; null when `signal` was aborted before that. Throws BAD_INPUT when too many wait already. */
  async turn(signal: AbortSignal, { group = '', client = '', background = false, alone = false }: Job = {}): Promise<Turn | null> {
    if (signal.aborted) return null
    if (!alone && this.#waiting.length >= this.#limit)
      throw new AppError('BAD_INPUT', 'Too many questions wait for an answer already. Wait for one of them, then ask again.')
    const job = { group, client, background, alone }
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        resolve(null)
        // it may have been what kept the others back
        this.#dispatch()
      }
      const start = () => {
        signal.removeEventListener('abort', leave)
        resolve(this.#start(job))
      }
      const waiting: Waiting = { ...job, round: background || alone ? 0 : this.#roundOf(client), start }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      if (!background) for (const running of this.#running) if (running.background) running.way.abort()
      this.#dispatch()
    })
  }

  #start(job: Required<Job>): Turn {
    const running = { ...job, way: new AbortController() }
    this.#running.add(running)
    const end = () => {
      if (this.#running.delete(running)) this.#dispatch()
    }
    return { end, giveWay: running.way.signal }
  }

  /** The first turn of a client who comes now is in the round that runs; each further one is a round later. */
  #roundOf(client: string): number {
    const round = Math.max(this.#round, (this.#rounds.get(client) ?? -1) + 1)
    this.#rounds.delete(client)
    this.#rounds.set(client, round)
    if (this.#rounds.size > CLIENTS_KEPT) this.#rounds.delete(this.#rounds.keys().next().value!)
    return round
  }

  #dispatch(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#waiting = this.#waiting.filter((other) => other !== next)
      if (!next.background && !next.alone) this.#round = Math.max(this.#round, next.round)
      next.start()
    }
  }

  /** Who may start now. The first in line holds the others back until its group can run, or a busy group would keep it waiting for ever. */
  #next(): Waiting | null {
    const running = [...this.#running]
    if (running.some(({ alone }) => alone)) return null
    const barrier = this.#waiting.findIndex(({ alone }) => alone)
    const before = barrier < 0 ? this.#waiting : this.#waiting.slice(0, barrier)
    const asked = before.filter(({ background }) => !background)
    if (asked.length === 0 && barrier >= 0) return running.length === 0 ? this.#waiting[barrier]! : null
    const room = running.length < this.#slots
    const fits = ({ group }: Waiting) => running.every((other) => other.group === group)
    if (asked.length > 0) {
      const first = asked.reduce((best, job) => (job.round < best.round ? job : best))
      return room && fits(first) ? first : null
    }
    const quiet = before[0]
    return quiet && running.length === 0 ? quiet : null
  }
}
