// Owns the plan of a training run: every number that decides what the models become, as one value; its form, its reading, its faults.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'
import { AppError } from '../../../app/contract/errors.ts'
import { LEAST_VOCABULARY, MOST_VOCABULARY } from '../corpus/bpe.ts'
import { recipeNames } from '../recipe.ts'
import { plans } from './plans.ts'

const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const share = z.number().min(0).max(1)

const ofEachKind = { medicine: whole(0, 1e6), condition: whole(0, 1e6), emergency: whole(0, 1e6), prevention: whole(0, 1e6) }

/** Of a Qwen2 model; the vocabulary is the corpus's. */
export const Shape = z.strictObject({
  width: whole(16, 8192),
  layers: whole(1, 128),
  heads: whole(1, 128),
  kvHeads: whole(1, 128),
  ffn: whole(16, 65_536),
  /** Longest text that the file promises, in tokens. */
  context: whole(64, 131_072),
})
/** The weights λ of formula 6 and what goes with them; without a teacher `entity` compares with certainty. */
export const Loss = z.strictObject({
  ...{ ce: z.number().min(0), kl: z.number().min(0), mse: z.number().min(0), entity: z.number().min(0), retention: z.number().min(0) },
  temperature: z.number().min(0.05).max(100),
  /** hidden: squared distance of the last hidden states; kl: KL(base ‖ model). */
  retentionForm: z.enum(['hidden', 'kl']),
  retentionRows: z.enum(['all', 'replay']),
})
/** Formula 5. `warmup` is a share of the steps. */
export const Rate = z.strictObject({
  ...{ highest: z.number().positive().max(1), lowest: z.number().min(0).max(1), warmup: share },
  ...{ periods: whole(1, 100), periodFactor: z.number().min(0.1).max(10) },
})
/** In which the first pass is learned; later passes are in random order. */
export const Order = z.strictObject({ progressive: z.boolean(), basicFirst: z.boolean() })
const learning = {
  /** Rows of a batch, tokens of a row, batches a step. */
  ...{ batch: whole(1, 4096), context: whole(64, 32_768), accumulate: whole(1, 4096) },
  ...{ rate: Rate, loss: Loss, order: Order },
  /** On the computer where the plan was measured: what the time left is reckoned from until the run has figures of its own. It ends nothing. */
  minutes: z.number().positive(),
}
/** Supervised, from chance, with new phrasings of every fact in each pass. */
const FromChance = z.strictObject({ shape: Shape, passes: whole(1, 200), ...learning })
const Budget = z.strictObject({ parameters: whole(1, 1e12), minRank: whole(1, 1024), maxRank: whole(1, 1024), probeBatches: whole(1, 1024) })
export const Lora = z.strictObject({
  /** Of every projection, unless there is a budget. ΔW is scaled by alpha/√rank. */
  rank: whole(1, 1024),
  alpha: z.number().positive(),
  targets: z.array(z.enum(['q', 'k', 'v', 'o', 'gate', 'up', 'down'])).min(1),
  /** Ranks by what each projection's gradient is worth, under so many parameters in all. */
  budget: Budget.nullable(),
  stableSvd: z.strictObject({ every: whole(1, 1e6), truncate: share, conditionLimit: z.number().min(1.001) }).nullable(),
})
/** Specialised knowledge on a frozen base; `replay`: the share of samples that repeat what the base knows. */
const Adapter = z.strictObject({ epochs: whole(1, 200), lora: Lora, replay: z.number().min(0).max(0.95), ...learning })
const learned = ['medication', 'diagnosis', 'treatment', 'prevention', 'emergency'] as const

export const Plan = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,60}$/),
  about: z.string(),
  /** Of the first weights and of chance in the order; the corpus has its own. */
  seed: whole(0, 2 ** 31 - 1),
  trainer: z.strictObject({
    /** Of each trainer: another number gives other roundings, so another model. */
    threads: whole(1, 1024),
    /** Trainers at once; changes the time alone. */
    jobs: whole(1, 64),
    device: z.enum(['cpu', 'gpu', 'auto']),
    build: z.strictObject({ source: z.boolean(), blas: z.boolean(), cuda: z.boolean(), package: z.string().nullable() }),
  }),
  corpus: z.strictObject({
    seed: whole(0, 1_000_000),
    breadth: z.enum(['core', 'full']),
    vocabulary: whole(LEAST_VOCABULARY, MOST_VOCABULARY),
    /** Records of each kind that are taught, the first of each file in turn; null: all. */
    records: z.union([whole(1, 1e6), z.strictObject(ofEachKind)]).nullable(),
    /** Held-out samples that measure a stage while it runs, and how often. */
    ...{ validation: whole(1, 1e6), validations: whole(1, 1000) },
  }),
  optimiser: z.strictObject({
    ...{ beta1: z.number().min(0).max(0.9999), beta2: z.number().min(0).max(0.99999), weightDecay: z.number().min(0).max(10) },
    ...{ clip: z.number().min(0), gradientScale: z.number().min(1) },
  }),
  /** Learns all that there is; the one that the student is distilled from. */
  teacher: FromChance,
  /** Stage 1 of the student: supervised, basic knowledge. */
  student: FromChance,
  /** Phrasings that no stage before has seen, which everything after stage 1 learns from, with the teacher's `topK` likeliest tokens at each place. */
  transfer: z.strictObject({ passes: whole(1, 50), topK: whole(1, 1024), minutes: z.number().positive() }),
  /** Stage 2 of the student: distillation. Its result is the base. */
  base: z.strictObject({ epochs: whole(1, 200), ...learning }),
  adapters: z.strictObject({ categories: z.array(z.enum(learned)).min(1), ...Adapter.shape }),
  /** One adapter for all specialised knowledge, added into the base's weights. */
  merged: Adapter,
  /** Recipes by which base and merged model are exported. */
  exports: z.array(z.string()),
})
export type Plan = z.infer<typeof Plan>
export type Learning = Pick<Plan['base'], keyof typeof learning>
export type LearnedCategory = (typeof learned)[number]

export const planNames = (): string[] => Object.keys(plans)

/**
 * The plan of that name, or that of a JSON file: the same form, or `{"from": NAME, …}` with only what differs from a plan of the program. Throws
 * RECIPE_INVALID, naming the field.
 */
export function readPlan(nameOrPath: string): Plan {
  const known = Object.hasOwn(plans, nameOrPath) ? plans[nameOrPath] : undefined
  const file = basename(nameOrPath)
  return known ? checkPlan(known, nameOrPath) : checkPlan(complete(readJson(nameOrPath, file), file), file)
}

/** Proves a plan and what its parts must be together. `file` names it in the error. Throws RECIPE_INVALID. */
export function checkPlan(value: unknown, file: string): Plan {
  const { data: plan, error } = Plan.safeParse(value)
  if (!plan) {
    const issue = error.issues[0]!
    throw refusal(file, `is wrong at ${issue.path.join('.') || 'its top level'}: ${issue.message}`)
  }
  const problem = problemOf(plan)
  if (problem !== null) throw refusal(file, problem)
  return plan
}

function problemOf(plan: Plan): string | null {
  if (plan.teacher.context > plan.teacher.shape.context) return 'has a teacher.context above teacher.shape.context'
  const stages = { teacher: plan.teacher, student: plan.student, base: plan.base, adapters: plan.adapters, merged: plan.merged }
  for (const [name, { rate, loss, context }] of Object.entries(stages)) {
    if (rate.lowest > rate.highest) return `has a ${name}.rate.lowest above its highest`
    if (context > plan.student.shape.context && name !== 'teacher') return `has a ${name}.context above student.shape.context`
    if (loss.ce + loss.kl + loss.mse + loss.entity + loss.retention === 0) return `has only zeros in ${name}.loss`
  }
  for (const name of ['teacher', 'student'] as const) {
    const { shape, loss } = plan[name]
    if (loss.kl + loss.mse + loss.retention > 0)
      return `has a ${name}.loss that needs a teacher or a base: only ce and entity can be learned from chance`
    if (shape.width % shape.heads !== 0 || (shape.width / shape.heads) % 2 !== 0)
      return `has a ${name}.shape.width that is no even multiple of its heads`
    if (shape.heads % shape.kvHeads !== 0) return `has a ${name}.shape.kvHeads that does not divide its heads`
  }
  const repeated = plan.adapters.categories.find((category, at) => plan.adapters.categories.indexOf(category) !== at)
  if (repeated !== undefined) return `names the category ${repeated} twice`
  const unknown = plan.exports.find((recipe) => !recipeNames().includes(recipe))
  if (unknown !== undefined) return `exports by a recipe “${unknown}” that there is not (there are ${recipeNames().join(', ')})`
  return null
}

function readJson(path: string, file: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown
  } catch (cause) {
    const what = cause instanceof SyntaxError ? 'is no JSON' : `is no plan that can be read. Plans of the program: ${planNames().join(', ')}`
    throw new AppError('RECIPE_INVALID', `${file} ${what}. Correct it; \`npm run model -- train --help\` shows the form.`, { file }, cause)
  }
}

/** A file that only says what differs, as a whole plan. */
function complete(value: unknown, file: string): unknown {
  if (!isObject(value) || !('from' in value)) return value
  const { from, ...changes } = value
  if (typeof from !== 'string' || !Object.hasOwn(plans, from))
    throw refusal(file, `is “from” a plan that there is not (there are ${planNames().join(', ')})`)
  return merged(plans[from], changes)
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
/** Objects field by field; a list or a value replaces the whole. */
function merged(base: unknown, changes: unknown): unknown {
  if (!isObject(base) || !isObject(changes)) return changes
  const names = [...new Set([...Object.keys(base), ...Object.keys(changes)])]
  return Object.fromEntries(names.map((name) => [name, name in changes ? merged(base[name], changes[name]) : base[name]]))
}

const refusal = (file: string, what: string) => new AppError('RECIPE_INVALID', `${file} ${what}. Correct it and try again.`, { file })
