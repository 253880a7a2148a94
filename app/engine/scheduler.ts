// Owns the order of work in the engine: one at a time, first come first served, leaving the queue at any moment. Knows nothing of models.

export class Scheduler {
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0

  /** Jobs that wait or run. */
  get length(): number {
    return this.#waiting
  }

  /** Resolves when it is this job's turn, with the function that ends it; null when `signal` was aborted before that. */
  async turn(signal: AbortSignal): Promise<(() => void) | null> {
    const before = this.#tail
    let end!: () => void
    this.#tail = new Promise((resolve) => (end = resolve))
    this.#waiting++
    const leave = () => {
      this.#waiting--
      end()
    }
    let aborted!: () => void
    const gone = new Promise<void>((resolve) => (aborted = resolve))
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
    await Promise.race([before, gone])
    signal.removeEventListener('abort', aborted)
    if (!signal.aborted) return leave
    // its place in the queue must still end in order, or the next job would start beside the running one
    void before.then(leave)
    return null
  }
}
