// Owns the shapes that a twin can have: the published sizes of the models, and the tensors that follow from them in llama.cpp's names.

export interface Shape {
  /** Of the model whose shape it is. */
  readonly model: string
  readonly architecture: 'qwen2' | 'llama'
  readonly layers: number
  /** Width of the residual stream. */
  readonly width: number
  readonly feedForward: number
  readonly heads: number
  readonly kvHeads: number
  /** Rows of the embedding, padding included. */
  readonly vocabulary: number
  /** The embedding is also the output matrix. */
  readonly tied: boolean
  readonly context: number
  readonly ropeBase: number
  readonly epsilon: number
}
const qwen = { architecture: 'qwen2', context: 32_768, ropeBase: 1_000_000, epsilon: 1e-6 } as const

/** Sources: the config.json of Qwen2.5-7B, -1.5B and -0.5B, and of Llama-3.1-8B. */
export const shapes = {
  'qwen2-7b': { ...qwen, model: 'Qwen2.5-7B', layers: 28, width: 3584, feedForward: 18_944, heads: 28, kvHeads: 4, vocabulary: 152_064, tied: false },
  'qwen2-1.5b': {
    ...qwen,
    model: 'Qwen2.5-1.5B',
    layers: 28,
    width: 1536,
    feedForward: 8960,
    heads: 12,
    kvHeads: 2,
    vocabulary: 151_936,
    tied: true,
  },
  'qwen2-0.5b': { ...qwen, model: 'Qwen2.5-0.5B', layers: 24, width: 896, feedForward: 4864, heads: 14, kvHeads: 2, vocabulary: 151_936, tied: true },
  'llama-8b': {
    model: 'Llama-3.1-8B',
    architecture: 'llama',
    layers: 32,
    width: 4096,
    feedForward: 14_336,
    heads: 32,
    kvHeads: 8,
    vocabulary: 128_256,
    tied: false,
    context: 131_072,
    ropeBase: 500_000,
    epsilon: 1e-5,
  },
} as const satisfies Record<string, Shape>
export type ShapeName = keyof typeof shapes

export interface PlannedTensor {
  name: string
  /** ggml's order: the length of a row first. */
  dims: number[]
  /** Every value of a vector: norms 1, biases 0. A matrix has random weights. */
  fill?: number
}

/** The tensors of the shape's first `layers` layers, in the order in which llama.cpp's own converter writes them. */
export function tensorsOf(shape: Shape, layers: number = shape.layers): PlannedTensor[] {
  const { width, feedForward, heads, kvHeads, vocabulary, tied } = shape
  const kv = (width / heads) * kvHeads
  const matrix = (name: string, input: number, output: number): PlannedTensor => ({ name, dims: [input, output] })
  const vector = (name: string, length: number, fill: number): PlannedTensor => ({ name, dims: [length], fill })
  const tensors = [matrix('token_embd.weight', width, vocabulary)]
  if (!tied) tensors.push(matrix('output.weight', width, vocabulary))
  // the factors of Llama 3.1 are a table of its rotation's frequencies; ones leave them as they are
  if (shape.architecture === 'llama') tensors.push(vector('rope_freqs.weight', width / heads / 2, 1))
  for (let layer = 0; layer < layers; layer++) {
    const at = (part: string) => `blk.${layer}.${part}`
    tensors.push(vector(at('attn_norm.weight'), width, 1))
    for (const [part, output] of Object.entries({ q: width, k: kv, v: kv })) {
      tensors.push(matrix(at(`attn_${part}.weight`), width, output))
      if (shape.architecture === 'qwen2') tensors.push(vector(at(`attn_${part}.bias`), output, 0))
    }
    tensors.push(matrix(at('attn_output.weight'), width, width), vector(at('ffn_norm.weight'), width, 1))
    tensors.push(matrix(at('ffn_gate.weight'), width, feedForward), matrix(at('ffn_up.weight'), width, feedForward))
    tensors.push(matrix(at('ffn_down.weight'), feedForward, width))
  }
  tensors.push(vector('output_norm.weight', width, 1))
  return tensors
}

/** The matrices that an adapter on all linear layers changes. */
export const isLinear = (name: string): boolean => /\.(attn_(q|k|v|output)|ffn_(gate|up|down))\.weight$/.test(name)
