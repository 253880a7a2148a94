// Owns the plans of the ablation: models so small that three seeds of six rows take half an hour on two cores, and a grid for λ.
import { readPlan, type Plan } from '../train/plan.ts'
import { plans } from '../train/plans.ts'

/** Weights of formula 6 in stage 2; λ1 of the hard labels is what λ2 leaves of 1. */
export interface Lambda {
  readonly kl: number
  readonly entity: number
  readonly retention: number
  readonly mse: number
}
export interface AblationPlan {
  readonly plan: Plan
  /** Every combination is tried, without mse; then the best of them with it. */
  readonly grid: { readonly kl: readonly number[]; readonly entity: readonly number[]; readonly retention: readonly number[]; readonly mse: number }
}
const { starter, smoke } = plans as { starter: Plan; smoke: Plan }
const order = { progressive: true, basicFirst: true }
const rate = (highest: number): Plan['base']['rate'] => ({ ...starter.student.rate, highest, lowest: highest / 20 })

/** One million parameters, two in the teacher, ten records of each kind. */
const small: Plan = {
  ...starter,
  ...{ name: 'ablation', about: 'The parts of the method, one switched off at a time, on forty of the records.' },
  corpus: { ...starter.corpus, vocabulary: 1024, records: 10, validation: 300, validations: 3 },
  teacher: {
    ...starter.teacher,
    ...{ shape: { width: 192, layers: 4, heads: 6, kvHeads: 3, ffn: 512, context: 512 }, passes: 6, rate: rate(2e-3), order, minutes: 4 },
  },
  student: {
    ...starter.student,
    ...{ shape: { width: 128, layers: 4, heads: 4, kvHeads: 2, ffn: 352, context: 512 }, passes: 6, rate: rate(2.5e-3), order, minutes: 1 },
  },
  transfer: { passes: 2, topK: 16, minutes: 1 },
  merged: { ...starter.merged, epochs: 3, lora: { ...starter.merged.lora, rank: 16, alpha: 16 }, rate: rate(3e-3), order, minutes: 1.3 },
  exports: [],
}
/** One record of each kind and models that learn nothing of use: every step in seconds. */
const tiny: Plan = {
  ...smoke,
  about: 'Every step of the ablation with models that learn nothing of use.',
  corpus: { ...smoke.corpus, vocabulary: 400, records: 1, validation: 8, validations: 1 },
  teacher: { ...smoke.teacher, shape: { ...smoke.teacher.shape, width: 48, layers: 1 } },
  student: { ...smoke.student, shape: { ...smoke.student.shape, width: 32, layers: 1 } },
  merged: { ...smoke.merged, lora: { ...smoke.merged.lora, rank: 2 } },
  exports: [],
}
const GRID: AblationPlan['grid'] = { kl: [0.3, 0.6], entity: [0.1, 0.3], retention: [0.1, 0.3], mse: 0.05 }

const known: Readonly<Record<string, AblationPlan>> = {
  ablation: { plan: small, grid: GRID },
  smoke: { plan: tiny, grid: { kl: [0.5], entity: [0.1], retention: [0.2], mse: 0.05 } },
}
export const ablationPlans = Object.keys(known)

/** By name, or a plan of training from a file with the grid of `ablation`. Throws RECIPE_INVALID. */
export const readAblationPlan = (nameOrPath: string): AblationPlan =>
  Object.hasOwn(known, nameOrPath) ? known[nameOrPath]! : { plan: readPlan(nameOrPath), grid: GRID }

/** Every point of the grid, in a fixed order. */
export const pointsOf = ({ grid }: AblationPlan): Lambda[] =>
  grid.kl.flatMap((kl) => grid.entity.flatMap((entity) => grid.retention.map((retention) => ({ kl, entity, retention, mse: 0 }))))
