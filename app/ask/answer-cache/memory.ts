// Owns the memory level of the answer cache: the answers used last, bounded by their bytes.

interface Slot<T> {
  readonly value: T
  readonly bytes: number
}

/** A map that forgets what was used longest ago when its entries take more than `bytes`. Every call takes constant time on average. */
export class LeastRecentlyUsed<T> {
  // a Map keeps its order of insertion: the first is the one to go
  readonly #slots = new Map<string, Slot<T>>()
  readonly #bytesOf: (value: T) => number
  #most: number
  #bytes = 0

  /** `bytes` 0 keeps nothing. */
  constructor(bytes: number, bytesOf: (value: T) => number) {
    this.#most = bytes
    this.#bytesOf = bytesOf
  }

  get(key: string): T | undefined {
    const slot = this.#slots.get(key)
    if (!slot) return undefined
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    return slot.value
  }

  /** A value larger than a quarter of the whole is not kept: it would push out all others. */
  set(key: string, value: T): void {
    this.delete(key)
    const bytes = this.#bytesOf(value) + 2 * key.length
    if (bytes > this.#most / 4) return
    this.#slots.set(key, { value, bytes })
    this.#bytes += bytes
    this.#trim()
  }

  delete(key: string): void {
    this.#bytes -= this.#slots.get(key)?.bytes ?? 0
    this.#slots.delete(key)
  }

  deleteWhere(gone: (value: T) => boolean): void {
    for (const [key, { value }] of this.#slots) if (gone(value)) this.delete(key)
  }

  limit(bytes: number): void {
    this.#most = bytes
    this.#trim()
  }

  get size(): number {
    return this.#slots.size
  }

  get bytes(): number {
    return this.#bytes
  }

  #trim(): void {
    for (const key of this.#slots.keys()) {
      if (this.#bytes <= this.#most) return
      this.delete(key)
    }
  }
}
