// Owns what a twin's file holds: a model or an adapter of a given shape as GGUF keys and tensors, ready to be written.
import { createHash } from 'node:crypto'
import { typeIdOf } from '../../../app/engine/ggml-types.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { bool, f32, i32s, str, strings, u32, type GgufContent } from '../gguf/write.ts'
import { inOrder, typeFor, type Recipe } from '../recipe.ts'
import { tensorsOf, type PlannedTensor, type Shape } from './shapes.ts'
import { makeVocabulary } from './vocabulary.ts'
import { Weights } from './weights.ts'

export type TwinTensor = PlannedTensor & { type: number }
export type TwinContent = GgufContent<TwinTensor>
const [F32, F16] = [typeIdOf('F32')!, typeIdOf('F16')!]

/** A model of the exact shape with `layers` of its layers, each tensor in the type and the place that the recipe gives it. */
export function twinModel(shape: Shape, options: { recipe: Recipe; recipeSha256: string; seed: number; layers?: number }): TwinContent {
  const { recipe, recipeSha256, seed, layers = shape.layers } = options
  const typed = tensorsOf(shape, layers).map((planned): TwinTensor => {
    const source = { ...planned, type: planned.fill === undefined ? F16 : F32 }
    return { ...planned, type: typeFor(recipe, source, shape.tied).type }
  })
  const tensors = inOrder(recipe, typed)
  const { model, architecture, width, feedForward, heads, kvHeads, vocabulary, context, ropeBase, epsilon } = shape
  const part = layers === shape.layers ? '' : `, ${layers} of ${shape.layers} layers`
  const key = (name: string) => `${architecture}.${name}`
  const identity = createHash('sha256').update(JSON.stringify(['twin', model, layers, seed, recipe.name, recipeSha256]))
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', str(architecture)],
    ['general.type', str('model')],
    ['general.name', str(`Twin of ${model}${part} (random weights, writes nonsense)`)],
    ['general.quantization_version', u32(2)],
    [key('block_count'), u32(layers)],
    [key('context_length'), u32(context)],
    [key('embedding_length'), u32(width)],
    [key('feed_forward_length'), u32(feedForward)],
    [key('attention.head_count'), u32(heads)],
    [key('attention.head_count_kv'), u32(kvHeads)],
    [key('attention.layer_norm_rms_epsilon'), f32(epsilon)],
    [key('rope.freq_base'), f32(ropeBase)],
    [key('rope.dimension_count'), u32(width / heads)],
    [key('vocab_size'), u32(vocabulary)],
    [KEYS.recipe, str(recipe.name)],
    [KEYS.recipeSha256, str(recipeSha256)],
    [KEYS.weightsId, str(identity.digest('hex'))],
    ...tokenizer(shape, seed),
  ])
  const weights = new Weights(seed)
  return { metadata, tensors, data: (tensor) => weights.of(tensor) }
}

/** A LoRA adapter with random matrices A and B for each of `matrices`, the tensors of a model of `architecture`. */
export function twinAdapter(options: {
  architecture: string
  name: string
  matrices: readonly Pick<PlannedTensor, 'name' | 'dims'>[]
  rank: number
  /** llama.cpp multiplies B·A by alpha / rank. */
  alpha: number
  type: 'F16' | 'BF16' | 'F32'
  seed: number
}): TwinContent {
  const { architecture, name, matrices, rank, alpha, seed } = options
  const type = typeIdOf(options.type)!
  const tensors = matrices.flatMap(({ name: matrix, dims }): TwinTensor[] => [
    { name: `${matrix}.lora_a`, dims: [dims[0]!, rank], type },
    { name: `${matrix}.lora_b`, dims: [rank, dims[1]!], type },
  ])
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', str(architecture)],
    ['general.type', str('adapter')],
    ['general.name', str(name)],
    ['adapter.type', str('lora')],
    ['adapter.lora.alpha', f32(alpha)],
  ])
  const weights = new Weights(seed)
  return { metadata, tensors, data: (tensor) => weights.of(tensor) }
}

function tokenizer({ architecture, vocabulary }: Shape, seed: number): [string, GgufValue][] {
  const made = makeVocabulary(architecture, vocabulary, seed)
  return [
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str(made.splitter)],
    ['tokenizer.ggml.tokens', strings(made.tokens)],
    ['tokenizer.ggml.token_type', i32s(made.types)],
    ['tokenizer.ggml.merges', strings(made.merges)],
    ['tokenizer.ggml.bos_token_id', u32(made.bos)],
    ['tokenizer.ggml.eos_token_id', u32(made.eos)],
    ['tokenizer.ggml.padding_token_id', u32(made.padding)],
    ['tokenizer.ggml.add_bos_token', bool(made.addBos)],
    ['tokenizer.chat_template', str(made.template)],
  ]
}
