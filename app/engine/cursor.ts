// Owns reading forward through a file in large pieces: what is skipped is not read, and nothing is read beyond a limit.
import type { FileHandle } from 'node:fs/promises'

const PIECE = 256 * 1024

/** The file, or what may be read of it, ended before what was asked for. */
export class Ended extends Error {
  override name = 'Ended'
}

export class Cursor {
  readonly size: number
  readonly #handle: FileHandle
  readonly #limit: number
  #at = 0
  #buffer = Buffer.alloc(0)
  #from = 0

  /** `size` is that of the file; reading stops at `limit` bytes even if the file is longer. */
  constructor(handle: FileHandle, size: number, limit: number) {
    this.#handle = handle
    this.size = size
    this.#limit = Math.min(size, limit)
  }

  /** Bytes from the start of the file. */
  get at(): number {
    return this.#at
  }

  skip(bytes: number): void {
    this.#at += bytes
    if (this.#at > this.#limit) throw new Ended()
  }

  /** Skips `count` texts, each behind its own length. A vocabulary has 150,000: only a new piece of the file is waited for. */
  async skipTexts(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      if (!this.#has(8)) await this.#fill(8)
      this.skip(8 + Number(this.#buffer.readBigUInt64LE(this.#at - this.#from)))
    }
  }

  /** Throws Ended unless that many bytes are still there, before anything is read or kept for them. */
  expect(bytes: number): void {
    if (this.#at + bytes > this.#limit) throw new Ended()
  }

  /** The text, if it lies in the piece at hand, without the wait that 150,000 short ones could not afford; else undefined. */
  textNow(length: number): string | undefined {
    if (!this.#has(length)) return undefined
    const from = this.#at - this.#from
    this.#at += length
    return this.#buffer.toString('utf8', from, from + length)
  }

  async text(length: number): Promise<string> {
    return (await this.#take(length)).toString('utf8')
  }

  async u32(): Promise<number> {
    return (await this.#take(4)).readUInt32LE()
  }

  /** Above 2^53 a number is no longer exact; every caller refuses long before that. */
  async u64(): Promise<number> {
    return Number((await this.#take(8)).readBigUInt64LE())
  }

  /** A 64-bit integer in full. */
  async big(signed: boolean): Promise<bigint> {
    const raw = await this.#take(8)
    return signed ? raw.readBigInt64LE() : raw.readBigUInt64LE()
  }

  /** A scalar of GGUF value type `type` that takes `bytes`. */
  async number(type: number, bytes: number): Promise<number> {
    const raw = await this.#take(bytes)
    if (type === 6) return raw.readFloatLE()
    if (type === 12) return raw.readDoubleLE()
    if (bytes === 8) return Number(type === 11 ? raw.readBigInt64LE() : raw.readBigUInt64LE())
    return type % 2 === 1 && type !== 7 ? raw.readIntLE(0, bytes) : raw.readUIntLE(0, bytes)
  }

  async #take(length: number): Promise<Buffer> {
    if (!this.#has(length)) await this.#fill(length)
    const piece = this.#buffer.subarray(this.#at - this.#from, this.#at - this.#from + length)
    this.#at += length
    return piece
  }

  #has(length: number): boolean {
    return this.#at >= this.#from && this.#at + length <= this.#from + this.#buffer.length
  }

  async #fill(length: number): Promise<void> {
    if (this.#at + length > this.#limit) throw new Ended()
    const want = Buffer.alloc(Math.min(Math.max(length, PIECE), this.#limit - this.#at))
    const { bytesRead } = await this.#handle.read(want, 0, want.length, this.#at)
    if (bytesRead < length) throw new Ended()
    this.#buffer = want.subarray(0, bytesRead)
    this.#from = this.#at
  }
}
