// Owns the weights of a twin: random runs of a pool of Gaussian weights that ggml itself has rounded, so that every type is valid and the file is quick to write.
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { quantise } from '../ffi/rows.ts'
import { bytesOf } from '../gguf/write.ts'
import { random, type Random } from './random.ts'
import type { PlannedTensor } from './shapes.ts'

/** Values in the pool, a whole number of blocks of every type: rounding them takes a second or two a type, a 7B model would take half an hour. */
const POOL = 4 * 1024 * 1024
/** Any multiple of every block: the types round block by block. */
const ROW = 4096
/** As the weights of trained models are: larger ones would overflow F16 somewhere in 28 layers. */
const SIGMA = 0.02

export class Weights {
  readonly #chance: Random
  readonly #pools = new Map<number, Promise<Uint8Array>>()
  #values: Float32Array | null = null

  constructor(seed: number) {
    this.#chance = random(seed)
  }

  /** The bytes of a tensor of ggml type `type`. */
  async *of(tensor: PlannedTensor & { type: number }): AsyncGenerator<Uint8Array> {
    const { dims, fill } = tensor
    if (fill !== undefined) return yield new Uint8Array(new Float32Array(dims[0]!).fill(fill).buffer)
    const pool = await this.#pool(tensor.type)
    const block = tensorTypes.get(tensor.type)!.bytes
    for (let left = bytesOf(tensor); left > 0;) {
      // the last quarter is no beginning: runs would be short there
      const from = this.#chance.below(Math.floor((pool.length / block) * 0.75)) * block
      const run = pool.subarray(from, Math.min(pool.length, from + left))
      left -= run.length
      yield run
    }
  }

  #pool(type: number): Promise<Uint8Array> {
    const known = this.#pools.get(type)
    if (known) return known
    this.#values ??= Float32Array.from({ length: POOL }, () => this.#chance.gauss() * SIGMA)
    const made = quantise(type, this.#values, ROW)
    this.#pools.set(type, made)
    return made
  }
}
