// Owns the plans that come with the program: the starter's, and one so small that a test can run it.
import type { Plan } from './plan.ts'

type Rate = Plan['base']['rate']
type Loss = Plan['base']['loss']
/** One cosine from a short warm-up down to a twentieth. */
const rate = (highest: number): Rate => ({ highest, lowest: highest / 20, warmup: 0.03, periods: 1, periodFactor: 1 })
/** Supervised: the answer itself, its key entities once more. */
const supervised: Loss = { ce: 1, kl: 0, mse: 0, entity: 0.1, retention: 0, temperature: 1, retentionForm: 'kl', retentionRows: 'replay' }
/** At temperature 1: softer targets with the usual T² let the divergence push out the other terms in short runs. */
const distilled: Loss = { ...supervised, ce: 0.5, kl: 0.5 }
const order = { progressive: true, basicFirst: true }
const lora = {
  ...{ rank: 16, alpha: 16, targets: ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as Plan['merged']['lora']['targets'] },
  stableSvd: { every: 200, truncate: 1e-3, conditionLimit: 100 },
}
const optimiser = { beta1: 0.9, beta2: 0.98, weightDecay: 0.05, clip: 1, gradientScale: 1 }
const build = { source: false, blas: false, cuda: false, package: null }

/**
 * Longest sample of the core corpus: 135 tokens. Short rows spend less on attention, and waste more at their ends. Four of them are a step: after as
 * many tokens, ten had learned 66 % of the tokens of held-out answers where four had learned 87 %.
 */
const rows = { batch: 4, context: 192, accumulate: 1 }

/**
 * What two cores of 2024 can do in about an hour with OpenBLAS, from tokens a second of one thread: 10.0 M parameters 950, 5.0 M 1,700, the teacher alone
 * (cache) 3,500, adapters 1,400; the shipped libraries take twice as long. A fact is known after some 2,500 tokens, so a quarter of the records is taught:
 * what is not taught must be declined.
 */
const starter: Plan = {
  name: 'starter',
  about: 'The model that comes with Rushlight: about an hour on two cores with OpenBLAS, two without.',
  seed: 1,
  // two trainers of one thread learn more in a minute than one of two
  trainer: { threads: 1, jobs: 2, device: 'cpu', build: { ...build, source: true, blas: true } },
  corpus: {
    ...{ seed: 1, breadth: 'core', vocabulary: 2048, validation: 400, validations: 8 },
    records: { medicine: 52, condition: 26, emergency: 32, prevention: 20 },
  },
  optimiser,
  teacher: {
    shape: { width: 320, layers: 8, heads: 8, kvHeads: 4, ffn: 896, context: 1024 },
    ...{ passes: 6, ...rows, rate: rate(1e-3), loss: supervised, order: { progressive: false, basicFirst: false }, minutes: 33 },
  },
  student: {
    shape: { width: 256, layers: 6, heads: 8, kvHeads: 4, ffn: 704, context: 1024 },
    ...{ passes: 9, ...rows, rate: rate(1.5e-3), loss: supervised, order, minutes: 18 },
  },
  transfer: { passes: 2, topK: 16, minutes: 3 },
  base: { epochs: 1, ...rows, rate: rate(6e-4), loss: distilled, order, minutes: 5 },
  adapters: {
    categories: ['medication', 'emergency'],
    ...{ epochs: 4, lora: { ...lora, budget: { parameters: 300_000, minRank: 4, maxRank: 32, probeBatches: 8 } }, replay: 0.4 },
    ...{ ...rows, rate: rate(2e-3), loss: { ...distilled, retention: 0.2 }, order, minutes: 6 },
  },
  merged: {
    ...{ epochs: 4, lora: { ...lora, rank: 32, budget: null }, replay: 0.4 },
    ...{ ...rows, rate: rate(2e-3), loss: { ...distilled, retention: 0.2 }, order, minutes: 17 },
  },
  exports: ['q8', 'rushlight-7b'],
}

const tiny = { batch: 4, context: 192, accumulate: 1, order }
const smoke: Plan = {
  name: 'smoke',
  about: 'Every stage on a few records with models that learn nothing of use: proves in less than two minutes that a computer can train.',
  seed: 1,
  trainer: { threads: 1, jobs: 2, device: 'cpu', build },
  corpus: { seed: 1, breadth: 'core', vocabulary: 512, records: 2, validation: 16, validations: 3 },
  optimiser,
  teacher: {
    shape: { width: 96, layers: 2, heads: 4, kvHeads: 2, ffn: 192, context: 256 },
    ...{ passes: 1, ...tiny, rate: rate(3e-3), loss: supervised, minutes: 0.1 },
  },
  student: {
    shape: { width: 64, layers: 2, heads: 4, kvHeads: 2, ffn: 128, context: 256 },
    ...{ passes: 1, ...tiny, rate: rate(3e-3), loss: supervised, minutes: 0.1 },
  },
  transfer: { passes: 1, topK: 8, minutes: 0.05 },
  base: { epochs: 1, ...tiny, rate: rate(2e-3), loss: distilled, minutes: 0.1 },
  adapters: {
    categories: ['medication', 'emergency'],
    ...{
      epochs: 1,
      lora: { ...lora, stableSvd: { ...lora.stableSvd, every: 10 }, budget: { parameters: 12_000, minRank: 1, maxRank: 8, probeBatches: 2 } },
    },
    ...{ replay: 0.25, ...tiny, rate: rate(3e-3), loss: { ...distilled, retention: 0.2 }, minutes: 0.1 },
  },
  merged: {
    ...{ epochs: 1, lora: { ...lora, rank: 4, budget: null, stableSvd: null }, replay: 0.25 },
    ...{ ...tiny, rate: rate(3e-3), loss: distilled, minutes: 0.1 },
  },
  exports: ['q8'],
}

export const plans: Readonly<Record<string, Plan>> = { starter, smoke }
