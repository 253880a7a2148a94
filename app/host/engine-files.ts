// Owns what the engine keeps on this computer's disk from one run to the next: the states of prompts, and the batch shapes that come up.
import { join } from 'node:path'
import type { LoadRequest } from '../contract/engine.ts'

/** Of all models together: the six categories of a 7B model take 0.1–0.2 GB. */
const STATES_BYTES = 512e6

export type LoadFiles = Pick<LoadRequest, 'states' | 'shapes' | 'modelSha256'>

export class EngineFiles {
  readonly #data: string | null
  /** By path, for the life of this process: the model's first load knew its hash. */
  readonly #hashed = new Map<string, boolean>()

  /** `data`: the folder of states/ and shapes.json; null keeps nothing. */
  constructor(data: string | null) {
    this.#data = data
  }

  /**
   * What a load of this model is told. Its hash is a part of the states' key: a model whose hash was not known at its first load is loaded
   * without it later too, as the states of the first load would be lost otherwise. `sha256`: '' while it is not known.
   */
  of({ path, sha256 }: { path: string; sha256: string }): LoadFiles {
    if (this.#data === null) return {}
    const hashed = this.#hashed.get(path) ?? sha256 !== ''
    this.#hashed.set(path, hashed)
    return {
      states: { folder: join(this.#data, 'states'), bytes: STATES_BYTES },
      shapes: { path: join(this.#data, 'shapes.json'), cut: 'auto' },
      modelSha256: (hashed && sha256) || null,
    }
  }
}
