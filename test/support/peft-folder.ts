// Owns small random PEFT adapters for the tests, and what each adds to the weights by PEFT's own formula.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode, safetensors, shapesOf, type Dtype, type TensorToWrite } from './hf-folder.ts'
import { seeded } from './random.ts'
import type { Delta } from './reference-forward.ts'

export interface AdapterOptions {
  /** Of the base: its config.json. */
  base: Record<string, unknown>
  rank: number
  alpha: number
  rankStabilised?: boolean
  /** Which linear layers; default: all but the output. */
  targets?: (module: string) => boolean
  /** Rank and alpha of single modules; the patterns that say so belong into `config`. */
  special?: (module: string) => { rank?: number; alpha?: number }
  /** Added to adapter_config.json. */
  config?: Record<string, unknown>
  dtype?: Dtype
  seed?: number
  /** Standard deviation of the values of B. */
  strength?: number
  change?: (tensors: TensorToWrite[]) => TensorToWrite[]
}

/** Writes the folder; gives what is added to each weight, by its name in the base. */
export function makeAdapter(path: string, options: AdapterOptions): Map<string, Delta> {
  const { base, rank, alpha, rankStabilised = false, dtype = 'F32', strength = 0.05 } = options
  const random = seeded(options.seed ?? 11)
  const values = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * random.gaussian())
  const deltas = new Map<string, Delta>()
  let tensors: TensorToWrite[] = []
  for (const [name, [out, into]] of shapesOf(base)) {
    if (into === undefined || name === 'model.embed_tokens.weight') continue
    const module = name.replace(/\.weight$/, '')
    if (!(options.targets ?? ((one: string) => one !== 'lm_head'))(module)) continue
    const own = { rank, alpha, ...options.special?.(module) }
    const [a, b] = [values(own.rank * into, 1 / Math.sqrt(into)), values(out! * own.rank, strength)]
    const scale = own.alpha / (rankStabilised ? Math.sqrt(own.rank) : own.rank)
    deltas.set(name, { scale, rank: own.rank, a: rounded(a, dtype), b: rounded(b, dtype) })
    tensors.push({ name: `base_model.model.${module}.lora_A.weight`, dtype, shape: [own.rank, into], data: encode(a, dtype) })
    tensors.push({ name: `base_model.model.${module}.lora_B.weight`, dtype, shape: [out!, own.rank], data: encode(b, dtype) })
  }
  tensors = options.change?.(tensors) ?? tensors
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'adapter_model.safetensors'), safetensors(tensors))
  const config = {
    ...{ peft_type: 'LORA', task_type: 'CAUSAL_LM', base_model_name_or_path: 'some/base', inference_mode: true, r: rank, lora_alpha: alpha },
    ...{ use_rslora: rankStabilised, use_dora: false, bias: 'none', lora_dropout: 0.05, modules_to_save: null, fan_in_fan_out: false },
    ...{ init_lora_weights: true, layer_replication: null, target_modules: ['q_proj'], rank_pattern: {}, alpha_pattern: {}, loftq_config: {} },
    ...{
      lora_bias: false,
      trainable_token_indices: null,
      qalora_group_size: 16,
      use_qalora: false,
      runtime_config: { ephemeral_gpu_offload: false },
    },
    ...options.config,
  }
  writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(config))
  return deltas
}

function rounded(values: Float32Array, dtype: Dtype): Float32Array {
  if (dtype === 'F32') return values
  const bytes = new DataView(encode(values, dtype).buffer)
  const word = new DataView(new ArrayBuffer(4))
  return values.map((_, n) => {
    if (dtype === 'F16') return bytes.getFloat16(n * 2, true)
    word.setUint16(0, bytes.getUint16(n * 2, true))
    return word.getFloat32(0)
  })
}
