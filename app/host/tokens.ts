// Owns the secrets of the loopback: single-use opening tokens, session tokens, and the key by which a second start is recognised.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const OPENING_VALID_MS = 120_000
const OPENINGS_LIMIT = 16

export class Tokens {
  readonly controlKey = secret()
  readonly #now: () => number
  readonly #openings = new Map<string, number>()
  readonly #sessions = new Set<string>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** A token that stands in the browser's command line, where other programs may read it: so it opens once and soon. */
  issue(): string {
    for (const [known, until] of this.#openings) if (until < this.#now() || this.#openings.size >= OPENINGS_LIMIT) this.#openings.delete(known)
    const token = secret()
    this.#openings.set(digest(token), this.#now() + OPENING_VALID_MS)
    return token
  }

  /** Exchanges an opening token for a session token, or null when it is unknown, used or too old. */
  redeem(token: unknown): string | null {
    if (typeof token !== 'string') return null
    const key = digest(token)
    const until = this.#openings.get(key)
    this.#openings.delete(key)
    if (until === undefined || until < this.#now()) return null
    const session = secret()
    this.#sessions.add(digest(session))
    return session
  }

  /** Compared by digest, so the time taken tells nothing about the token. */
  isSession(token: string): boolean {
    return this.#sessions.has(digest(token))
  }

  isControl(token: string): boolean {
    return timingSafeEqual(Buffer.from(digest(token)), Buffer.from(digest(this.controlKey)))
  }
}

const secret = () => randomBytes(32).toString('base64url')
const digest = (token: string) => createHash('sha256').update(token).digest('base64')
