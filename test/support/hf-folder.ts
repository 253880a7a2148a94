// Owns small random Hugging Face folders for the tests: two layers, a trained tokenizer, weights as safetensors in any type and number of shards.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { trainTokenizer, type TokenizerStyle, type TrainedTokenizer } from './bpe.ts'
import { seeded, type Random } from './random.ts'
import { texts } from './texts.ts'

export type Dtype = 'F32' | 'F16' | 'BF16'
export interface TensorToWrite {
  name: string
  dtype: string
  shape: number[]
  data: Uint8Array
}
export interface FolderOptions {
  style: TokenizerStyle
  dtype: Dtype
  seed?: number
  shards?: number
  /** Replaces or adds keys of config.json. */
  config?: Record<string, unknown>
  /** Called with every tensor's values before they are rounded. */
  spoil?: (name: string, values: Float32Array) => void
  /** Replaces whole tensors, or leaves them out with null. */
  change?: (tensors: TensorToWrite[]) => TensorToWrite[]
}
export interface Folder {
  path: string
  config: Record<string, unknown>
  tokenizer: TrainedTokenizer
}

const LAYERS = 2
/** More rows than tokens, as in real models: the rest is padding. */
const SPARE_ROWS = 8
const trained = new Map<TokenizerStyle, TrainedTokenizer>()

/** The tokenizer of a style, trained once per process. */
export function tokenizerOf(style: TokenizerStyle): TrainedTokenizer {
  if (!trained.has(style)) trained.set(style, trainTokenizer(style, texts(260), 300))
  return trained.get(style)!
}

export function configOf(style: TokenizerStyle): Record<string, unknown> {
  const { size, special } = tokenizerOf(style)
  const common = {
    num_hidden_layers: LAYERS,
    vocab_size: size + SPARE_ROWS,
    hidden_act: 'silu',
    max_position_embeddings: 512,
    tie_word_embeddings: false,
  }
  if (style === 'qwen2')
    return {
      ...{ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', hidden_size: 64, intermediate_size: 96, rms_norm_eps: 1e-6 },
      ...{ num_attention_heads: 4, num_key_value_heads: 2, rope_theta: 1_000_000, use_sliding_window: false, sliding_window: 128 },
      ...{ bos_token_id: special['<|endoftext|>'], eos_token_id: special['<|im_end|>'] },
      ...common,
    }
  const llama = { architectures: ['LlamaForCausalLM'], model_type: 'llama', rms_norm_eps: 1e-5, attention_bias: false, mlp_bias: false }
  if (style === 'llama2')
    return { ...llama, hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, bos_token_id: 1, eos_token_id: 2, ...common }
  return {
    ...llama,
    ...{ hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32, rope_theta: 500_000 },
    // so short a context that all three parts of the scaling act on these heads
    rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 },
    ...{ bos_token_id: special['<|begin_of_text|>'], eos_token_id: [special['<|end_of_text|>'], special['<|eot_id|>']] },
    ...common,
    tie_word_embeddings: true,
  }
}

/** Writes the folder at `path`. */
export function makeFolder(path: string, options: FolderOptions): Folder {
  const { style, dtype, shards = 1 } = options
  const tokenizer = tokenizerOf(style)
  const config = { ...configOf(style), ...options.config }
  mkdirSync(path, { recursive: true })
  const json = (name: string, value: unknown) => writeFileSync(join(path, name), JSON.stringify(value))
  json('config.json', config)
  json('tokenizer.json', tokenizer.json)
  json('tokenizer_config.json', tokenizerConfig(style))
  json('generation_config.json', { eos_token_id: config['eos_token_id'], bos_token_id: config['bos_token_id'], do_sample: true })
  const random = seeded(options.seed ?? 1)
  let tensors = shapesOf(config).map(([name, shape]): TensorToWrite => {
    const values = randomValues(name, shape, random)
    options.spoil?.(name, values)
    return { name, dtype, shape, data: encode(values, dtype) }
  })
  tensors = options.change?.(tensors) ?? tensors
  if (shards === 1) writeFileSync(join(path, 'model.safetensors'), safetensors(tensors))
  else writeShards(path, tensors, shards)
  return { path, config, tokenizer }
}

function tokenizerConfig(style: TokenizerStyle): Record<string, unknown> {
  if (style === 'qwen2')
    return {
      ...{ bos_token: null, eos_token: '<|im_end|>', pad_token: '<|endoftext|>', add_bos_token: false, tokenizer_class: 'Qwen2Tokenizer' },
      chat_template: '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}',
    }
  if (style === 'llama2')
    return {
      bos_token: { content: '<s>' },
      eos_token: { content: '</s>' },
      unk_token: '<unk>',
      add_bos_token: true,
      tokenizer_class: 'LlamaTokenizer',
    }
  return { bos_token: '<|begin_of_text|>', eos_token: '<|eot_id|>', tokenizer_class: 'PreTrainedTokenizerFast' }
}

/** Names and shapes that the config asks for, by transformers' own naming. */
export function shapesOf(config: Record<string, unknown>): [name: string, shape: number[]][] {
  const number = (key: string) => Number(config[key])
  const [width, inner, heads] = [number('hidden_size'), number('intermediate_size'), number('num_attention_heads')]
  const head = config['head_dim'] == null ? width / heads : number('head_dim')
  const keys = (config['num_key_value_heads'] == null ? heads : number('num_key_value_heads')) * head
  const qwen = config['model_type'] === 'qwen2'
  const [attention, mlp] = [config['attention_bias'] === true, config['mlp_bias'] === true]
  const linear = (name: string, out: number, into: number, bias: boolean): [string, number[]][] => [
    [`${name}.weight`, [out, into]],
    ...(bias ? [[`${name}.bias`, [out]] as [string, number[]]] : []),
  ]
  const layers = Array.from({ length: number('num_hidden_layers') }, (_, n): [string, number[]][] => [
    [`model.layers.${n}.input_layernorm.weight`, [width]],
    ...linear(`model.layers.${n}.self_attn.q_proj`, heads * head, width, qwen || attention),
    ...linear(`model.layers.${n}.self_attn.k_proj`, keys, width, qwen || attention),
    ...linear(`model.layers.${n}.self_attn.v_proj`, keys, width, qwen || attention),
    ...linear(`model.layers.${n}.self_attn.o_proj`, width, heads * head, attention),
    [`model.layers.${n}.post_attention_layernorm.weight`, [width]],
    ...linear(`model.layers.${n}.mlp.gate_proj`, inner, width, mlp),
    ...linear(`model.layers.${n}.mlp.up_proj`, inner, width, mlp),
    ...linear(`model.layers.${n}.mlp.down_proj`, width, inner, mlp),
  ])
  const ends: [string, number[]][] = [['model.norm.weight', [width]]]
  if (config['tie_word_embeddings'] !== true) ends.push(['lm_head.weight', [number('vocab_size'), width]])
  return [['model.embed_tokens.weight', [number('vocab_size'), width]], ...layers.flat(), ...ends]
}

/** Large enough that attention is sharp and every part of the model shows in the logits. */
function randomValues(name: string, shape: readonly number[], random: Random): Float32Array {
  const count = shape.reduce((product, extent) => product * extent, 1)
  const norm = /norm\.weight$/.test(name)
  const scale = norm ? 0.2 : name.endsWith('.bias') ? 0.3 : 1.5 / Math.sqrt(shape[1]!)
  return Float32Array.from({ length: count }, () => (norm ? 1 : 0) + scale * random.gaussian())
}

/** Values in the bytes of a type. */
export function encode(values: Float32Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(Float32Array.from(values).buffer)
  const bytes = new DataView(new ArrayBuffer(values.length * 2))
  const word = new DataView(new ArrayBuffer(4))
  for (const [n, value] of values.entries()) {
    word.setFloat32(0, value)
    if (dtype === 'F16') bytes.setFloat16(n * 2, value, true)
    else bytes.setUint16(n * 2, (word.getUint32(0) + 0x7fff + (word.getUint16(0) & 1)) >>> 16, true)
  }
  return new Uint8Array(bytes.buffer)
}

/** The bytes of a safetensors file. */
export function safetensors(tensors: readonly TensorToWrite[]): Buffer {
  let at = 0
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  for (const { name, dtype, shape, data } of tensors) header[name] = { dtype, shape, data_offsets: [at, (at += data.length)] }
  return withHeader(Buffer.from(JSON.stringify(header)), ...tensors.map(({ data }) => data))
}

/** A safetensors file of any header, true or not. */
export function withHeader(header: Uint8Array, ...data: readonly Uint8Array[]): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, ...data])
}

function writeShards(path: string, tensors: readonly TensorToWrite[], count: number): void {
  const map: Record<string, string> = {}
  for (let n = 0; n < count; n++) {
    const name = `model-${String(n + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`
    const part = tensors.filter((_, at) => at % count === n)
    for (const tensor of part) map[tensor.name] = name
    writeFileSync(join(path, name), safetensors(part))
  }
  const total = tensors.reduce((sum, { data }) => sum + data.length, 0)
  writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: total }, weight_map: map }))
}
