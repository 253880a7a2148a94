// Owns what is read from config.json: the shape of the two families that can be imported, and the refusal of everything that would change the mathematics.
import * as z from 'zod'
import { invalid, LIMIT, requireJson, shown, unsupported } from './source.ts'

const FILE = 'config.json'
const size = (most: number) => z.number().int().min(1).max(most)
const positive = z.number().positive().max(1e12)
const Id = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31)
export const Ids = z.union([Id, z.array(Id).max(64)]).nullish()

const Rope = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: positive.optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: size(2 ** 31).optional(),
  partial_rotary_factor: z.number().optional(),
})
const Config = z.looseObject({
  architectures: z.array(z.string()).min(1).max(8),
  hidden_size: size(2 ** 20),
  intermediate_size: size(2 ** 22),
  num_hidden_layers: size(1024),
  num_attention_heads: size(4096),
  num_key_value_heads: size(4096).nullish(),
  head_dim: size(4096).nullish(),
  vocab_size: size(2 ** 22),
  max_position_embeddings: size(2 ** 31),
  rms_norm_eps: z.number().positive().max(1),
  hidden_act: z.string(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  rope_theta: positive.optional(),
  rope_scaling: Rope.nullish(),
  rope_parameters: Rope.nullish(),
  partial_rotary_factor: z.number().optional(),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().nullish(),
  layer_types: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
  bos_token_id: Ids,
  eos_token_id: Ids,
  pad_token_id: Ids,
})
type Config = z.infer<typeof Config>

/** Llama 3's rope: low frequencies are stretched by `factor`, high ones kept, those between blended. */
export interface Llama3Rope {
  factor: number
  lowFactor: number
  highFactor: number
  originalContext: number
}
export interface SourceModel {
  /** llama.cpp's name of the family. */
  architecture: 'qwen2' | 'llama'
  layers: number
  width: number
  feedForward: number
  heads: number
  keyValueHeads: number
  headLength: number
  vocabulary: number
  context: number
  epsilon: number
  ropeBase: number
  /** Positions are divided by it; absent: by nothing. */
  ropeFactor?: number
  llama3Rope?: Llama3Rope
  /** The output matrix is the embedding. */
  tied: boolean
  /** Which projections have a bias. */
  biases: { queryKeyValue: boolean; attentionOutput: boolean; feedForward: boolean }
  /** By id; the first of several end tokens is the chief one. */
  specials: { bos: number[]; eos: number[]; padding: number[] }
}

/** transformers' class → llama.cpp's architecture. Mistral is Llama under another name as long as its attention has no window. */
const FAMILIES: Readonly<Record<string, SourceModel['architecture']>> = {
  Qwen2ForCausalLM: 'qwen2',
  LlamaForCausalLM: 'llama',
  MistralForCausalLM: 'llama',
}

/** Reads `folder`/config.json. Throws SOURCE_INVALID, or SOURCE_UNSUPPORTED for what would not give the same logits here. */
export async function readConfig(folder: string): Promise<SourceModel> {
  const config = await requireJson(folder, FILE, Config, LIMIT.config)
  const [name] = config.architectures
  const architecture = config.architectures.length === 1 && Object.hasOwn(FAMILIES, name!) ? FAMILIES[name!]! : undefined
  if (architecture === undefined)
    throw unsupported(FILE, `the architecture is ${shown(config.architectures.join(', '))}; ${Object.keys(FAMILIES).join(', ')} can be imported.`)
  refuseOther(config, name!)
  const heads = config.num_attention_heads
  // the class of Llama takes as many as there are heads; that of the others states a number of its own
  const keyValueHeads = config.num_key_value_heads ?? (name === 'LlamaForCausalLM' ? heads : undefined)
  if (keyValueHeads === undefined) throw invalid(FILE, 'does not state num_key_value_heads. Copy the folder again.')
  if (heads % keyValueHeads !== 0)
    throw invalid(FILE, `states ${heads} heads for ${keyValueHeads} of keys and values, which they do not share evenly.`)
  const headLength = config.head_dim ?? config.hidden_size / heads
  if (!Number.isInteger(headLength) || headLength % 2 !== 0)
    throw invalid(FILE, `states a width of ${config.hidden_size} for ${heads} heads, which gives no even head length.`)
  if (architecture === 'qwen2' && headLength * heads !== config.hidden_size)
    throw unsupported(FILE, `head_dim ${headLength} × ${heads} heads is not the width ${config.hidden_size}; llama.cpp has no such Qwen2.`)
  const list = (ids: z.infer<typeof Ids>) => (ids == null ? [] : Array.isArray(ids) ? ids : [ids])
  return {
    architecture,
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    feedForward: config.intermediate_size,
    ...{ heads, keyValueHeads, headLength },
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    epsilon: config.rms_norm_eps,
    ...ropeOf(config),
    tied: config.tie_word_embeddings,
    biases: {
      queryKeyValue: architecture === 'qwen2' || config.attention_bias,
      attentionOutput: architecture === 'llama' && config.attention_bias,
      feedForward: architecture === 'llama' && config.mlp_bias,
    },
    specials: { bos: list(config.bos_token_id), eos: list(config.eos_token_id), padding: list(config.pad_token_id) },
  }
}

function refuseOther(config: Config, family: string): void {
  if (config.quantization_config != null)
    throw unsupported(FILE, 'the weights are quantised already (quantization_config). Use the model in BF16, F16 or F32.')
  if (config.hidden_act !== 'silu') throw unsupported(FILE, `the activation is ${shown(config.hidden_act)}, not silu.`)
  const window = family === 'MistralForCausalLM' ? config.sliding_window != null : config.use_sliding_window
  if (window && (config.sliding_window ?? 0) < config.max_position_embeddings)
    throw unsupported(FILE, 'attention has a sliding window, which llama.cpp does not apply in this family.')
  if (config.layer_types?.some((type) => type !== 'full_attention'))
    throw unsupported(FILE, 'some layers have another kind of attention than the full one.')
  if ((config.partial_rotary_factor ?? config.rope_parameters?.partial_rotary_factor ?? 1) !== 1)
    throw unsupported(FILE, 'positions turn only a part of each head (partial_rotary_factor).')
  if (family !== 'LlamaForCausalLM' && (config.attention_bias || config.mlp_bias))
    throw unsupported(FILE, `${family} knows no attention_bias or mlp_bias.`)
}

/** transformers 5 writes rope_parameters, 4 wrote rope_theta and rope_scaling. */
function ropeOf(config: Config): Pick<SourceModel, 'ropeBase' | 'ropeFactor' | 'llama3Rope'> {
  const rope = config.rope_parameters ?? config.rope_scaling ?? {}
  if (Object.values(rope).some((value) => typeof value === 'object' && value !== null && !Array.isArray(value)))
    throw unsupported(FILE, 'states different positions for different layers (rope_parameters).')
  // what both classes take when nothing is stated
  const ropeBase = rope.rope_theta ?? config.rope_theta ?? 10_000
  const kind = rope.rope_type ?? rope.type ?? 'default'
  const { factor, low_freq_factor: lowFactor, high_freq_factor: highFactor, original_max_position_embeddings: originalContext } = rope
  if (kind === 'default') return { ropeBase }
  if (kind === 'linear' && factor !== undefined) return { ropeBase, ropeFactor: factor }
  if (kind !== 'llama3') throw unsupported(FILE, `positions are scaled by “${shown(kind)}”; default, linear and llama3 can be imported.`)
  if (factor === undefined || lowFactor === undefined || highFactor === undefined || originalContext === undefined)
    throw invalid(FILE, 'states llama3 rope without factor, low_freq_factor, high_freq_factor and original_max_position_embeddings.')
  if (highFactor <= lowFactor) throw invalid(FILE, 'states a high_freq_factor that is not above low_freq_factor.')
  return { ropeBase, llama3Rope: { factor, lowFactor, highFactor, originalContext } }
}

/**
 * What each rope frequency is divided by, half a head of them, as llama.cpp takes them in `rope_freqs.weight`
 * (transformers, modeling_rope_utils.py, _compute_llama3_parameters).
 */
export function ropeDivisors({ headLength, ropeBase }: SourceModel, { factor, lowFactor, highFactor, originalContext }: Llama3Rope): Float32Array {
  return Float32Array.from({ length: headLength / 2 }, (_, n) => {
    const wavelength = 2 * Math.PI * ropeBase ** ((2 * n) / headLength)
    if (wavelength < originalContext / highFactor) return 1
    if (wavelength > originalContext / lowFactor) return factor
    const smooth = (originalContext / wavelength - lowFactor) / (highFactor - lowFactor)
    return 1 / ((1 - smooth) / factor + smooth)
  })
}
