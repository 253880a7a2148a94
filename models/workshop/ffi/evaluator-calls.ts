// Owns what passes between the evaluator and its child process: the calls, their arguments and results, and how a failure is told.
import type { WireError } from '../../../app/contract/define.ts'

export interface AdapterUse {
  readonly path: string
  /** Factor on the adapter's own α/r. */
  readonly scale: number
}
export interface OpenOptions {
  readonly model: string
  /** Tokens of one text; default 1024, at most what the model was trained for. */
  readonly contextSize?: number
  /** Default 1: a second thread on a busy machine makes llama.cpp slower, not faster. */
  readonly threads?: number
  readonly adapters?: readonly AdapterUse[]
  /** The weights are copied to memory and can be replaced, instead of being mapped from the file. */
  readonly writable?: boolean
}
export interface ModelInfo {
  readonly vocabulary: number
  readonly contextSize: number
}
/** Sums of squares per column of the input that each matrix was multiplied with, by tensor name. */
export type ImportanceMatrix = ReadonlyMap<string, { readonly sums: Float64Array; readonly rows: number }>

export interface Calls {
  open(options: OpenOptions): Promise<ModelInfo>
  tokenize(text: string, special: boolean): Promise<number[]>
  pieces(tokens: readonly number[]): Promise<Uint8Array[]>
  logits(tokens: readonly number[]): Promise<Float32Array>
  losses(tokens: readonly number[], from: number): Promise<Float32Array>
  generate(tokens: readonly number[], most: number): Promise<number[]>
  setAdapters(adapters: readonly AdapterUse[]): Promise<void>
  matrices(): Promise<string[]>
  replaceTensor(name: string, type: number): Promise<void>
  restoreTensor(name: string): Promise<void>
  importance(texts: readonly (readonly number[])[]): Promise<ImportanceMatrix>
}
export type CallName = keyof Calls
/** The order in which calls arrive is the order in which they run. */
export interface Request {
  readonly id: number
  readonly name: CallName
  readonly args: readonly unknown[]
}
/** `refused`: llama.cpp would not load this; why is in what it wrote to standard error. The child ends after it. */
export type Refused = 'model' | 'context' | 'adapter'
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError }
  | { readonly id: number; readonly ok: false; readonly failed: string }
  | { readonly id: number; readonly ok: false; readonly refused: Refused }
