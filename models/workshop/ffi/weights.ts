// Owns the overwriting of a loaded model's weights: a tensor rounded through another type in its place, and put back from the file.
import { open, type FileHandle } from 'node:fs/promises'
import { readGgufHeader, type GgufHeader, type GgufTensor } from '../../../app/engine/gguf-header.ts'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { weightFinder } from './graph.ts'
import { llama, type Pointer } from './llama-api.ts'
import { dequantise, quantise } from './rows.ts'
import type { Session } from './session.ts'

/** Bytes of F32 at once. */
const PIECE = 16 * 1024 * 1024

export class Weights {
  readonly #file: FileHandle
  readonly #header: GgufHeader
  readonly #places: ReadonlyMap<string, Pointer>

  private constructor(file: FileHandle, header: GgufHeader, places: ReadonlyMap<string, Pointer>) {
    this.#file = file
    this.#header = header
    this.#places = places
  }

  /** Finds the matrices in the memory of `session` by evaluating one token. */
  static async of(session: Session, model: string): Promise<Weights> {
    const header = await readGgufHeader(model, { values: 'facts' })
    const places = new Map<string, Pointer>()
    session.watch(weightFinder(new Set(header.tensors.map(({ name }) => name)), places), [[0]])
    return new Weights(await open(model, 'r'), header, places)
  }

  /** Overwrites the tensor by what is left of the file's values once they have been stored as `type`. A row must fill whole blocks. */
  async replace(name: string, type: number): Promise<void> {
    await this.#overwrite(name, async (rows, tensor) => {
      const length = tensor.dims[0]!
      const values = await dequantise(tensor.type, rows, valuesIn(tensor.type, rows.length))
      const rounded = await dequantise(type, await quantise(type, values, length), values.length)
      return tensor.type === type ? rows : quantise(tensor.type, rounded, length)
    })
  }

  /** Puts the file's bytes back. */
  async restore(name: string): Promise<void> {
    await this.#overwrite(name, (rows) => Promise.resolve(rows))
  }

  async #overwrite(name: string, change: (rows: Uint8Array, tensor: GgufTensor) => Promise<Uint8Array>): Promise<void> {
    const tensor = this.#header.tensors.find((one) => one.name === name)
    const place = this.#places.get(name)
    if (!tensor || place === undefined) throw new Error(`the model has no matrix ${name}`)
    const row = tensor.dims[0]! * bytesPerValue(tensor.type)
    const step = Math.max(1, Math.floor(PIECE / (tensor.dims[0]! * 4))) * row
    for (let at = 0; at < tensor.bytes; at += step) {
      const bytes = new Uint8Array(Math.min(step, tensor.bytes - at))
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, this.#header.dataAt + tensor.offset + at)
      if (bytesRead !== bytes.length) throw new Error(`${name} ends early`)
      llama().writeTensor(place, await change(bytes, tensor), at, bytes.length)
    }
  }
}

function bytesPerValue(type: number): number {
  const known = tensorTypes.get(type)
  if (!known) throw new Error(`no known type ${type}`)
  return known.bytes / known.block
}
const valuesIn = (type: number, bytes: number) => bytes / bytesPerValue(type)
