// Owns the shape of a model: what predictions of memory, time and placement are made from. A value that the engine reads and deployment uses.

export interface ModelShape {
  architecture: string
  layers: number
  /** Width of the hidden state. */
  embedding: number
  feedForward: number
  heads: number
  kvHeads: number
  /** Of one head: keys and values may differ. */
  keyLength: number
  valueLength: number
  vocabulary: number
  trainContextSize: number
  /** In the order of the file. */
  tensors: readonly { name: string; type: string; bytes: number; parameters: number }[]
}
