// Owns what is read from adapter_config.json: the LoRA that llama.cpp can state, each module's rank and alpha, and the refusal of every variant of it.
import * as z from 'zod'
import { invalid, LIMIT, requireJson, shown, unsupported } from '../hf/source.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'
const Rank = z.number().int().min(1).max(65_536)
const Alpha = z.number().positive().max(1e9)
const Config = z.looseObject({
  peft_type: z.string(),
  r: Rank,
  lora_alpha: Alpha,
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), Rank).nullish(),
  alpha_pattern: z.record(z.string(), Alpha).nullish(),
  init_lora_weights: z.unknown().optional(),
  bias: z.string().nullish(),
})

/** What would change the result, and how a person knows it. */
const VARIANTS: Readonly<Record<string, string>> = {
  use_dora: 'DoRA (use_dora)',
  lora_bias: 'a bias of its own (lora_bias)',
  modules_to_save: 'modules trained whole (modules_to_save)',
  fan_in_fan_out: 'transposed weights (fan_in_fan_out)',
  layer_replication: 'repeated layers (layer_replication)',
  trainable_token_indices: 'trained tokens (trainable_token_indices)',
  target_parameters: 'parameters outside of modules (target_parameters)',
  use_qalora: 'QALoRA (use_qalora)',
  alora_invocation_tokens: 'activation by a token sequence (alora_invocation_tokens)',
}
/** Known, and without effect on what the trained matrices mean. */
const HARMLESS = new Set([
  ...['auto_mapping', 'base_model_name_or_path', 'corda_config', 'ensure_weight_tying', 'eva_config', 'exclude_modules', 'inference_mode'],
  ...['layers_pattern', 'layers_to_transform', 'loftq_config', 'lora_dropout', 'megatron_core', 'peft_version', 'qalora_group_size', 'revision'],
  ...['runtime_config', 'target_modules', 'task_type'],
])
/** Beginnings that leave the base as it is. PiSSA, OLoRA, CorDA and LoftQ train against a changed base unless they were converted when saved. */
const STARTS: readonly unknown[] = [true, false, null, undefined, 'gaussian', 'eva', 'orthogonal']
const NAME = /^(\^?)((?:[\w.-]|\\[dw.]|\[[\w.-]+\]|[+*|$])+)$/

export interface AdapterConfig {
  rank: number
  alpha: number
  /** The scale is alpha/√rank instead of alpha/rank. */
  rankStabilised: boolean
  /** For a module by its full name in the base ("model.layers.0.self_attn.q_proj"). */
  rankOf(module: string): number
  alphaOf(module: string): number
}

/** Reads the adapter's config. Throws SOURCE_INVALID, or SOURCE_UNSUPPORTED that says which variant it is. */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const config = await requireJson(folder, ADAPTER_CONFIG, Config, LIMIT.config)
  const refuse = (what: string) => unsupported(ADAPTER_CONFIG, `the adapter has ${what}, which a LoRA file cannot state. Train it as plain LoRA.`)
  if (config.peft_type !== 'LORA')
    throw unsupported(ADAPTER_CONFIG, `the adapter is of the kind ${shown(config.peft_type)}; only LORA can be imported.`)
  for (const [key, what] of Object.entries(VARIANTS)) if (isSet(config[key])) throw refuse(what)
  if (config.bias != null && config.bias !== 'none') throw refuse(`trained biases (bias: ${shown(config.bias)})`)
  if (!STARTS.includes(config.init_lora_weights))
    throw unsupported(
      ADAPTER_CONFIG,
      `the adapter began with ${shown(config.init_lora_weights)}, which changes the base. Save it converted to plain LoRA.`,
    )
  for (const [key, value] of Object.entries(config))
    if (!Object.hasOwn(Config.shape, key) && !Object.hasOwn(VARIANTS, key) && !HARMLESS.has(key) && isSet(value))
      throw unsupported(
        ADAPTER_CONFIG,
        `${shown(key)} (${shown(value)}) is an option that this version does not know. Train the adapter as plain LoRA.`,
      )
  const ranks = patterns(config.rank_pattern ?? {}, 'rank_pattern')
  const alphas = patterns(config.alpha_pattern ?? {}, 'alpha_pattern')
  return {
    rank: config.r,
    alpha: config.lora_alpha,
    rankStabilised: config.use_rslora === true,
    rankOf: (module) => ranks.find(({ match }) => match.test(module))?.value ?? config.r,
    alphaOf: (module) => alphas.find(({ match }) => match.test(module))?.value ?? config.lora_alpha,
  }
}

const isSet = (value: unknown): boolean => value != null && value !== false && !(typeof value === 'object' && Object.keys(value).length === 0)

/** PEFT's own rule: the first key that matches the end of a module's name, from the start of one of its parts. */
function patterns(stated: Readonly<Record<string, number>>, key: string): { match: RegExp; value: number }[] {
  const entries = Object.entries(stated)
  if (entries.length > 10_000) throw invalid(ADAPTER_CONFIG, `${key} has ${entries.length} entries, more than any model has modules.`)
  return entries.map(([pattern, value]) => {
    // no group may be repeated and few parts may: an expression of a stranger must end in time
    const repeated = pattern.match(/[+*]/g)?.length ?? 0
    if (pattern.length > 200 || repeated > 3 || !NAME.test(pattern))
      throw unsupported(ADAPTER_CONFIG, `${key} has the expression ${shown(pattern)}, which is not a module’s name. Write out the names.`)
    try {
      return { match: new RegExp(`^(?:.*\\.)?(?:${pattern})$`), value }
    } catch {
      throw invalid(ADAPTER_CONFIG, `${key} has the expression ${shown(pattern)}, which is none.`)
    }
  })
}
