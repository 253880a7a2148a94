// Owns what is learned of an engine from its answers: first word and tokens a second by length of prompt, and how much trouble it has made of late.
import * as z from 'zod'

/** Prompt tokens up to which a bucket reaches; the last takes the rest. Reading grows with the prompt, so one average for all would say nothing. */
export const BUCKETS = [128, 512, 2048, 8192, Infinity] as const
/** A prompt that stands for its bucket. */
const MIDDLE = [64, 300, 1000, 4000, 12_000] as const

const Average = z.strictObject({
  /** Of an idle engine: what other programs and waiting answers added has been taken off. */
  firstMs: z.number().positive().max(1e8),
  /** null before an answer was long enough to tell. */
  tokensPerSecond: z.number().positive().max(1e6).nullable(),
  answers: z.number().int().min(1).max(1e9),
  at: z.iso.datetime(),
})
export const Learned = z.strictObject({
  buckets: z.array(Average.nullable()).length(BUCKETS.length),
  /** Failures, each halved every TROUBLE_HALF_MS and a little by every answer that goes well. */
  trouble: z.number().min(0).max(1e6),
  troubleAt: z.iso.datetime(),
})
export type Learned = z.infer<typeof Learned>
export const nothingLearned = (now: Date): Learned => ({ buckets: BUCKETS.map(() => null), trouble: 0, troubleAt: now.toISOString() })

/** Speed of one engine for one length of prompt, nothing else running. */
export interface Speed {
  firstMs: number
  tokensPerSecond: number
}
export interface Observed {
  promptTokens: number
  firstMs: number
  /** null where too few were written to tell. */
  tokensPerSecond: number | null
  /** How many times longer than alone it took because others were computing as well; 1 for alone. */
  slowedBy: number
}

/** Of the newest answer in the average; the first ones count more, as there is nothing else. */
const WEIGHT = 0.3
const TROUBLE_HALF_MS = 6 * 3_600_000
const FORGIVEN = 0.8
/** An average counts half as much when it is so old: drivers, models and rooms change. */
const FADE_MS = 14 * 86_400_000

export const bucketOf = (promptTokens: number): number => BUCKETS.findIndex((most) => promptTokens <= most)

/** After an answer that went well. Exponentially weighted on a logarithmic scale, since twice as long and half as long are as far off. */
export function learn(learned: Learned, { promptTokens, firstMs, tokensPerSecond, slowedBy }: Observed, now: Date): Learned {
  if (!(firstMs > 0)) return learned
  const n = bucketOf(promptTokens)
  const before = learned.buckets[n] ?? null
  const weight = before ? Math.max(WEIGHT, 1 / (before.answers + 1)) : 1
  const alone = firstMs / Math.max(1, slowedBy)
  const speed = tokensPerSecond === null || !(tokensPerSecond > 0) ? null : tokensPerSecond * Math.max(1, slowedBy)
  const average: z.infer<typeof Average> = {
    firstMs: mixed(before?.firstMs ?? alone, alone, weight),
    tokensPerSecond: speed === null ? (before?.tokensPerSecond ?? null) : mixed(before?.tokensPerSecond ?? speed, speed, weight),
    answers: (before?.answers ?? 0) + 1,
    at: now.toISOString(),
  }
  const buckets = learned.buckets.map((bucket, at) => (at === n ? average : bucket))
  return { buckets, trouble: troubleNow(learned, now) * FORGIVEN, troubleAt: now.toISOString() }
}

/** After a failure of the engine's own. */
export const blame = (learned: Learned, now: Date): Learned => ({ ...learned, trouble: troubleNow(learned, now) + 1, troubleAt: now.toISOString() })

/** A clock that was set back makes nothing worse. */
export const troubleNow = ({ trouble, troubleAt }: Learned, now: Date): number =>
  trouble * 2 ** -(Math.max(0, now.getTime() - Date.parse(troubleAt)) / TROUBLE_HALF_MS)

/**
 * What an answer to a prompt of so many tokens will take. `prior` says what is predicted without any experience; experience in the bucket takes its
 * place the more answers there were and the newer they are, experience in other buckets scales it.
 */
export function expectation(learned: Learned, prior: (promptTokens: number) => Speed, promptTokens: number, now: Date): Speed & { answers: number } {
  const seen = learned.buckets.flatMap((average, n) => {
    if (!average) return []
    const age = Math.max(0, now.getTime() - Date.parse(average.at))
    const usual = prior(MIDDLE[n]!)
    const first = Math.log(average.firstMs / usual.firstMs)
    const speed = average.tokensPerSecond === null ? null : Math.log(average.tokensPerSecond / usual.tokensPerSecond)
    return [{ n, average, weight: average.answers * 2 ** -(age / FADE_MS), first, speed }]
  })
  const base = prior(promptTokens)
  const elsewhere = (of: 'first' | 'speed') => {
    const told = seen.filter((one) => one[of] !== null)
    const all = told.reduce((sum, { weight }) => sum + weight, 0)
    // as if the prediction were one more answer
    return told.reduce((sum, one) => sum + one.weight * one[of]!, 0) / (all + 1)
  }
  const scaled = { firstMs: base.firstMs * Math.exp(elsewhere('first')), tokensPerSecond: base.tokensPerSecond * Math.exp(elsewhere('speed')) }
  const own = seen.find(({ n }) => n === bucketOf(promptTokens))
  const answers = seen.reduce((sum, { average }) => sum + average.answers, 0)
  if (!own) return { ...scaled, answers }
  const trust = own.weight / (own.weight + 1)
  return {
    firstMs: mixed(scaled.firstMs, own.average.firstMs, trust),
    tokensPerSecond: mixed(scaled.tokensPerSecond, own.average.tokensPerSecond ?? scaled.tokensPerSecond, trust),
    answers,
  }
}

const mixed = (before: number, now: number, weight: number): number => Math.exp((1 - weight) * Math.log(before) + weight * Math.log(now))
