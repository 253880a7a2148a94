// Owns the overwriting of a loaded model's weights: a tensor rounded through another type in its place, and put back from the file.
import { readGgufHeader, type GgufTensor } from '../../../app/engine/gguf-header.ts'
import { checkTensors, rowsOf, rowsOfPiece, TensorFile } from '../convert.ts'
import { weightFinder } from './graph.ts'
import { llama, type Pointer } from './llama-api.ts'
import { dequantise, quantise } from './rows.ts'
import type { Session } from './session.ts'

/** The bytes to write in the place of `rows` whole rows from row `from` on. */
type Rows = (tensor: GgufTensor, from: number, rows: number) => Promise<Uint8Array>

export class Weights {
  readonly #file: TensorFile
  readonly #places: ReadonlyMap<string, Pointer>

  private constructor(file: TensorFile, places: ReadonlyMap<string, Pointer>) {
    this.#file = file
    this.#places = places
  }

  /** Finds the matrices in the memory of `session` by evaluating one token. Throws as checkTensors does. */
  static async of(session: Session, model: string): Promise<Weights> {
    const header = await readGgufHeader(model, { values: 'facts' })
    checkTensors(header)
    const places = new Map<string, Pointer>()
    session.watch(weightFinder(new Set(header.tensors.map(({ name }) => name)), places), [[0]])
    return new Weights(await TensorFile.open(header), places)
  }

  /** What can be replaced: the matrices that the graph multiplies with or looks rows up in, in the file's order. */
  names(): string[] {
    return this.#file.header.tensors.map(({ name }) => name).filter((name) => this.#places.has(name))
  }

  /** Overwrites the tensor by what is left of the file's values once they have been stored as `type`. Throws WEIGHTS_NOT_FINITE. */
  async replace(name: string, type: number): Promise<void> {
    await this.#overwrite(name, async (tensor, from, rows) => {
      if (tensor.type === type) return this.#file.rows(tensor, from, rows)
      const values = await this.#file.floats(tensor, from, rows)
      const rounded = await dequantise(type, await quantise(type, values, tensor.dims[0]!), values.length)
      return quantise(tensor.type, rounded, tensor.dims[0]!)
    })
  }

  /** Puts the file's bytes back. */
  async restore(name: string): Promise<void> {
    await this.#overwrite(name, (tensor, from, rows) => this.#file.rows(tensor, from, rows))
  }

  async #overwrite(name: string, bytesOf: Rows): Promise<void> {
    const tensor = this.#file.header.tensors.find((one) => one.name === name)
    const place = this.#places.get(name)
    if (!tensor || place === undefined) throw new Error(`the model has no matrix ${name}`)
    const step = rowsOfPiece(tensor.dims[0]!)
    let at = 0
    for (let from = 0; from < rowsOf(tensor); from += step) {
      const bytes = await bytesOf(tensor, from, Math.min(step, rowsOf(tensor) - from))
      llama().writeTensor(place, bytes, at, bytes.length)
      at += bytes.length
    }
  }
}
