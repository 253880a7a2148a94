// Owns the answers being written right now, so that any window may stop one and a closing host stops all.

export class Running {
  readonly #stops = new Map<string, AbortController>()

  /** Joins `signal` with this turn's own stop. Call `end` when the answer is over. */
  begin(signal: AbortSignal): { signal: AbortSignal; name(turn: string): void; end(): void } {
    const own = new AbortController()
    let turn = ''
    return {
      signal: AbortSignal.any([signal, own.signal]),
      name: (id) => {
        turn = id
        this.#stops.set(id, own)
      },
      end: () => void this.#stops.delete(turn),
    }
  }

  stop(turn: string): void {
    this.#stops.get(turn)?.abort()
  }

  stopAll(): void {
    for (const stop of this.#stops.values()) stop.abort()
  }

  get count(): number {
    return this.#stops.size
  }
}
