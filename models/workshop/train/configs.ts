// Owns the way from a plan to the trainer's JSON files: what each run of it learns from, starts from and is judged by.
import type { Learning, Plan } from './plan.ts'

/** Files of a run. */
export interface Sources {
  readonly data: string
  /** Tokens of one epoch of the data. */
  readonly tokens: number
  readonly validation: string | null
  /** Model to start from; null: from chance. */
  readonly base: string | null
  readonly keys: string | null
  readonly vocabulary: number
  readonly replay: string | null
  readonly teacher: { readonly model: string } | { readonly cache: string } | null
}
export interface Outcomes {
  readonly model?: string
  readonly adapter?: string
}
interface What {
  readonly learning: Learning
  readonly epochs: number
  readonly shape?: Plan['student']['shape']
  readonly adapter?: Pick<Plan['merged'], 'lora' | 'replay'>
}
/** Samples are packed into rows; what is left over at their ends. */
const PACKED = 0.94
const [LOGS, CHECKPOINTS] = [150, 30]

/** Which of the teacher's forms a stage's loss asks for. A cache holds no hidden states, so `mse` needs the model itself. */
export const teacherOf = ({ kl, mse }: Learning['loss']): 'cache' | 'model' | null => (mse > 0 ? 'model' : kl > 0 ? 'cache' : null)

/** What decides the outcome of a run of `trainer train`, in its own form; with what `drive` adds it is the whole file. */
export function trainConfig(plan: Plan, { learning, epochs, shape, adapter }: What, sources: Sources): object {
  const { rate, loss, batch, context, accumulate } = learning
  const steps = stepsOf(learning, epochs, sources.tokens, adapter?.replay ?? 0)
  const { data, validation, base, keys, replay, teacher } = sources
  return {
    ...(shape ? { arch: { vocab: sources.vocabulary, ...shape } } : {}),
    ...(base === null ? {} : { base }),
    ...(keys === null ? {} : { keys }),
    data,
    ...(validation === null ? {} : { validation: { data: validation, every: Math.max(1, Math.round(steps / plan.corpus.validations)) } }),
    ...(replay === null || !adapter || adapter.replay === 0 ? {} : { replay: { data: replay, share: adapter.replay } }),
    ...(adapter ? { lora: loraOf(adapter.lora) } : {}),
    ...(teacher ? { teacher } : {}),
    // a map between the widths is learned where the hidden states are compared
    loss: { ...loss, projection: loss.mse > 0 },
    optimiser: plan.optimiser,
    schedule: {
      ...{ lrMax: rate.highest, lrMin: rate.lowest, warmup: Math.round(steps * rate.warmup), periods: rate.periods, periodFactor: rate.periodFactor },
    },
    // the levels of the data are places in the order of learning, whatever the plan's order is
    order: { progressive: true, basicFirst: false, epochs: 1 },
    ...{ batch, context, accumulate, epochs },
    ...{ seed: plan.seed, device: plan.trainer.device, threads: plan.trainer.threads },
  }
}

function loraOf({ rank, alpha, targets, budget, stableSvd }: Plan['merged']['lora']): object {
  return { alpha, targets, ...(budget ? { budget } : { rank }), ...(stableSvd ? { stableSvd } : {}) }
}

/** Steps of a run, nearly: enough to say how often something is to happen; the trainer counts them itself. */
export function stepsOf({ batch, context, accumulate }: Learning, epochs: number, tokens: number, replay: number): number {
  return Math.max(1, Math.round((tokens * epochs) / (1 - replay) / (batch * context * accumulate * PACKED)))
}

/** How a run is driven, which changes nothing of its outcome. `minutes`: after which it stops with a checkpoint; null: never. */
export function drive(
  config: object,
  { out, checkpoint, steps, resume, minutes }: { out: Outcomes; checkpoint: string; steps: number; resume: boolean; minutes: number | null },
): object {
  return {
    ...config,
    out: { ...out, checkpoint },
    ...{ resume, logEvery: Math.max(1, Math.round(steps / LOGS)), checkpointEvery: Math.max(5, Math.round(steps / CHECKPOINTS)) },
    ...(minutes === null ? {} : { maxMinutes: minutes }),
  }
}

/** The file for `trainer cache`. */
export function cacheConfig(plan: Plan, { teacher, data, out }: { teacher: string; data: string; out: string }): object {
  const { batch, context } = plan.base
  const { device, threads } = plan.trainer
  return { teacher, data, out, k: plan.transfer.topK, batch, context, device, threads }
}
