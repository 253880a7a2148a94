// Owns what a model is to placement: a row of layers (embedding, blocks, output), each of which one device holds as a whole.
import type { ModelShape } from '../contract/shape.ts'

export interface Layer {
  /** "embedding", "block 0"…, "output". */
  name: string
  /** What a pass reads, by ggml type; matrices and vectors. */
  weights: readonly { type: string; bytes: number; parameters: number }[]
  /** Of all `weights`. */
  bytes: number
  /** The embedding is not multiplied but looked up: bytes of a token's row. 0: a pass reads all of it. */
  row: number
  /** Its largest matrix. */
  largest: number
  /** An output without a matrix of its own uses the embedding's: nothing more beside it, a copy of this many bytes on any other device. */
  copyOfEmbedding: number
  /** Values of K and V that a token adds to the cache. */
  kvValues: number
  /** FLOPs of attention for one token and one token of context: 2 for q·k and 2 for p·v, a head and value. */
  attention: number
}

/**
 * The layers of `shape` in the order of a pass: embedding, blocks 0 … layers − 1, output. What belongs to no block and is not the output is
 * counted with the embedding. A file without output.weight is tied, as llama.cpp reads it: the output takes the embedding's matrix.
 */
export function layersOf(shape: ModelShape): Layer[] {
  const groups: ModelShape['tensors'][number][][] = Array.from({ length: shape.layers + 2 }, () => [])
  for (const tensor of shape.tensors) groups[positionOf(tensor.name, shape.layers)]!.push(tensor)
  const embedding = shape.tensors.find(({ name }) => name === 'token_embd.weight')
  const tied = embedding && !shape.tensors.some(({ name }) => name === 'output.weight') ? embedding : null
  return groups.map((tensors, position) => {
    const isBlock = position > 0 && position <= shape.layers
    const isOutput = position === shape.layers + 1
    return {
      name: isBlock ? `block ${position - 1}` : isOutput ? 'output' : 'embedding',
      weights: byType(isOutput && tied ? [...tensors, tied] : tensors),
      bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
      row: isBlock || isOutput || !embedding ? 0 : embedding.bytes / shape.vocabulary,
      largest: tensors.reduce((most, { bytes }) => Math.max(most, bytes), 0),
      copyOfEmbedding: isOutput && tied ? tied.bytes : 0,
      kvValues: isBlock ? shape.kvHeads * (shape.keyLength + shape.valueLength) : 0,
      attention: isBlock ? 2 * shape.heads * (shape.keyLength + shape.valueLength) : 0,
    }
  })
}

function positionOf(name: string, layers: number): number {
  const block = /^blk\.(\d+)\./.exec(name)
  if (block) return Math.min(Number(block[1]), layers - 1) + 1
  return name.startsWith('output') ? layers + 1 : 0
}

function byType(tensors: ModelShape['tensors']): Layer['weights'] {
  const sums = new Map<string, { type: string; bytes: number; parameters: number }>()
  for (const { type, bytes, parameters } of tensors) {
    const sum = sums.get(type) ?? { type, bytes: 0, parameters: 0 }
    sums.set(type, { type, bytes: sum.bytes + bytes, parameters: sum.parameters + parameters })
  }
  return [...sums.values()]
}
