// Owns reading a model's shape from its GGUF header.
import type { ModelShape } from '../contract/shape.ts'
import { tensorTypes } from './ggml-types.ts'
import { factOf, type GgufHeader } from './gguf-header.ts'

/** A key that llama.cpp would derive is derived the same way: key and value length from width and heads, kv heads from heads. */
export function shapeOf(header: GgufHeader): ModelShape {
  const architecture = String(factOf(header, 'general.architecture') ?? '')
  const number = (key: string, otherwise = 0) => Number(factOf(header, `${architecture}.${key}`) ?? otherwise)
  const [embedding, heads] = [number('embedding_length'), number('attention.head_count', 1)]
  const headLength = heads > 0 ? embedding / heads : 0
  const tokens = header.metadata.get('tokenizer.ggml.tokens')
  return {
    architecture,
    embedding,
    heads,
    layers: number('block_count'),
    feedForward: number('feed_forward_length'),
    kvHeads: number('attention.head_count_kv', heads),
    keyLength: number('attention.key_length', headLength),
    valueLength: number('attention.value_length', headLength),
    vocabulary: tokens?.type === 'array' ? tokens.count : number('vocab_size'),
    trainContextSize: number('context_length'),
    tensors: [...header.tensors]
      .sort((a, b) => a.offset - b.offset)
      .map(({ name, type, bytes, dims }) => ({
        ...{ name, bytes, type: tensorTypes.get(type)?.name ?? `type ${type}` },
        parameters: dims.reduce((product, length) => product * length, 1),
      })),
  }
}
