// Owns how many prompt tokens are read at a time: as many as keep a stop within reach, few enough that the chunk ends in time.

const SMALLEST = 8

/** Learns from each chunk how long a token takes on this machine with this model. Sizes are powers of two, which llama.cpp plans for once each. */
export class ChunkSizer {
  readonly #largest: number
  readonly #targetMs: number
  #msPerToken: number | null = null

  /** At most `largest` tokens, and as many as take `seconds`. */
  constructor(largest: number, seconds = 0.075) {
    this.#largest = largest
    this.#targetMs = seconds * 1000
  }

  get size(): number {
    // the first chunk of an unknown model is a guess that a slow PC can still finish in time
    if (this.#msPerToken === null) return Math.min(16, this.#largest)
    const fits = Math.max(SMALLEST, this.#targetMs / this.#msPerToken)
    return Math.min(this.#largest, 2 ** Math.floor(Math.log2(fits)))
  }

  /** 0 until the first step was measured. */
  get msPerToken(): number {
    return this.#msPerToken ?? 0
  }

  measured(tokens: number, ms: number): void {
    if (tokens < SMALLEST) return
    const now = ms / tokens
    // slower counts at once, faster only slowly: a stop that comes late is worse than a chunk that is too small
    this.#msPerToken = this.#msPerToken === null || now > this.#msPerToken ? now : this.#msPerToken * 0.7 + now * 0.3
  }
}
