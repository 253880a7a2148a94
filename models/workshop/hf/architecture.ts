// Owns how a model of the two families is laid out: which source tensor becomes which GGUF tensor, in which shape, and the keys that describe it.
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { f32, str, u32 } from '../gguf/write.ts'
import type { SourceModel } from './config.ts'
import type { SourceTensor } from './safetensors.ts'
import { invalid, shown, unsupported } from './source.ts'

export interface ExpectedTensor {
  /** In the GGUF file. */
  name: string
  /** In the source. */
  source: string
  /** In the source's order: rows, then the length of a row; a vector has one extent. */
  shape: number[]
  /** Norms and biases stay F32: llama.cpp reads them in no other type. */
  vector: boolean
  /** Heads whose rows change their order; 0: none do. */
  permutedHeads: number
}
export interface PlacedTensor extends ExpectedTensor {
  from: SourceTensor
}

/** Buffers that some checkpoints carry and no reader needs: they follow from config.json. */
const DERIVED = /\.rotary_emb\.inv_freq$/

/** llama.cpp's name of a module of a layer, or undefined. Adapters name their targets by the same modules. */
export function moduleName(module: string): string | undefined {
  const found = /^model\.layers\.(0|[1-9]\d{0,3})\.(.+)$/.exec(module)
  if (found) return Object.hasOwn(IN_LAYER, found[2]!) ? `blk.${found[1]}.${IN_LAYER[found[2]!]}` : undefined
  return Object.hasOwn(OUTSIDE, module) ? OUTSIDE[module] : undefined
}
const IN_LAYER: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
}
const OUTSIDE: Readonly<Record<string, string>> = { 'model.embed_tokens': 'token_embd', 'model.norm': 'output_norm', lm_head: 'output' }

/** Every tensor that a model of this shape has, in the order in which they are written. */
export function expectedTensors(model: SourceModel): ExpectedTensor[] {
  const { architecture, layers, width, feedForward, heads, keyValueHeads, headLength, vocabulary, tied, biases } = model
  const permuted = (count: number) => (architecture === 'llama' ? count : 0)
  const all: ExpectedTensor[] = []
  const add = (module: string, shape: number[], { bias = false, permutedHeads = 0 } = {}) => {
    const name = moduleName(module)!
    const vector = shape.length === 1
    all.push({ name: `${name}.weight`, source: `${module}.weight`, shape, vector, permutedHeads })
    if (bias) all.push({ name: `${name}.bias`, source: `${module}.bias`, shape: [shape[0]!], vector: true, permutedHeads })
  }
  add('model.embed_tokens', [vocabulary, width])
  for (let n = 0; n < layers; n++) {
    const layer = (module: string) => `model.layers.${n}.${module}`
    const [queries, keys] = [heads * headLength, keyValueHeads * headLength]
    add(layer('input_layernorm'), [width])
    add(layer('self_attn.q_proj'), [queries, width], { bias: biases.queryKeyValue, permutedHeads: permuted(heads) })
    add(layer('self_attn.k_proj'), [keys, width], { bias: biases.queryKeyValue, permutedHeads: permuted(keyValueHeads) })
    add(layer('self_attn.v_proj'), [keys, width], { bias: biases.queryKeyValue })
    add(layer('self_attn.o_proj'), [width, queries], { bias: biases.attentionOutput })
    add(layer('post_attention_layernorm'), [width])
    add(layer('mlp.gate_proj'), [feedForward, width], { bias: biases.feedForward })
    add(layer('mlp.up_proj'), [feedForward, width], { bias: biases.feedForward })
    add(layer('mlp.down_proj'), [width, feedForward], { bias: biases.feedForward })
  }
  add('model.norm', [width])
  if (!tied) add('lm_head', [vocabulary, width])
  return all
}

/**
 * Finds every expected tensor in the source and nothing besides. A tied model may carry its output matrix too: `copies` names it, and
 * it must be the embedding's own bytes. Throws SOURCE_INVALID for a missing or wrong shape, SOURCE_UNSUPPORTED for a tensor without a place.
 */
export function placeTensors(
  model: SourceModel,
  source: ReadonlyMap<string, SourceTensor>,
): { placed: PlacedTensor[]; copies: { tensor: SourceTensor; of: SourceTensor }[] } {
  const placed = expectedTensors(model).map((expected) => {
    const from = source.get(expected.source)
    if (!from)
      throw invalid('model.safetensors', `${expected.source}, which config.json asks for, is in no file. Copy the folder again.`, {
        tensor: expected.source,
      })
    if (from.shape.join() !== expected.shape.join())
      throw invalid(
        from.file.name,
        `${expected.source} is ${from.shape.join(' × ')}, and config.json asks for ${expected.shape.join(' × ')}. Copy the folder again.`,
        { tensor: expected.source },
      )
    return { ...expected, from }
  })
  const known = new Set(placed.map(({ source: name }) => name))
  const copies: { tensor: SourceTensor; of: SourceTensor }[] = []
  for (const tensor of source.values()) {
    if (known.has(tensor.name) || DERIVED.test(tensor.name)) continue
    if (model.tied && tensor.name === 'lm_head.weight') copies.push({ tensor, of: placed[0]!.from })
    else
      throw unsupported(tensor.file.name, `${shown(tensor.name)} has no place in a model of this kind; leaving it out would change the answers.`, {
        tensor: tensor.name,
      })
  }
  return { placed, copies }
}

/** The keys that tell llama.cpp the model's shape. */
export function shapeKeys(model: SourceModel): [string, GgufValue][] {
  const { architecture } = model
  const key = (name: string, value: GgufValue): [string, GgufValue] => [`${architecture}.${name}`, value]
  const keys = [
    key('block_count', u32(model.layers)),
    key('context_length', u32(model.context)),
    key('embedding_length', u32(model.width)),
    key('feed_forward_length', u32(model.feedForward)),
    key('attention.head_count', u32(model.heads)),
    key('attention.head_count_kv', u32(model.keyValueHeads)),
    key('attention.layer_norm_rms_epsilon', f32(model.epsilon)),
    key('rope.freq_base', f32(model.ropeBase)),
  ]
  if (model.ropeFactor !== undefined) keys.push(key('rope.scaling.type', str('linear')), key('rope.scaling.factor', f32(model.ropeFactor)))
  if (architecture === 'llama') {
    keys.push(key('attention.key_length', u32(model.headLength)), key('attention.value_length', u32(model.headLength)))
    keys.push(key('rope.dimension_count', u32(model.headLength)), key('vocab_size', u32(model.vocabulary)))
  }
  return keys
}
