// Owns how the id of the original weights is made and put into a file that is still being written.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { KEYS } from '../../../app/engine/gguf-keys.ts'

/** Stands in the header until the last weight has gone by. */
export const PENDING = '0'.repeat(64)
const HEAD_BYTES = 64 * 1024
const STRING = 8

/**
 * SHA-256 over the original tensors in the order of the new file: for each its name there, a zero byte, its dims (row length first, joined
 * by "x"), a zero byte, the name of its type in the source, a zero byte, its bytes in the source. So the same weights have the same id at
 * any --type and in any number of shards; and metadata do not count: a new name or chat template leaves the weights what they are.
 */
export class WeightsHash {
  readonly #hash = createHash('sha256')

  begin(name: string, dims: readonly number[], type: string): void {
    this.#hash.update(`${name}\0${dims.join('x')}\0${type}\0`)
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }
  /** 64 hexadecimal digits. Call it once, at the end. */
  digest(): string {
    return this.#hash.digest('hex')
  }
}

/** Writes `id` where the header says PENDING. The key must stand near the front, before any text of the source. */
export async function patchWeightsId(handle: FileHandle, id: string): Promise<void> {
  const head = Buffer.alloc(HEAD_BYTES)
  const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
  const length = (count: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(count))
    return bytes
  }
  const type = Buffer.alloc(4)
  type.writeUInt32LE(STRING)
  const before = Buffer.concat([length(KEYS.weightsId.length), Buffer.from(KEYS.weightsId), type, length(PENDING.length)])
  const at = head.subarray(0, bytesRead).indexOf(Buffer.concat([before, Buffer.from(PENDING)]))
  if (at < 0) throw new RangeError('the header has no place for the id')
  await handle.write(id, at + before.length, 'latin1')
}
