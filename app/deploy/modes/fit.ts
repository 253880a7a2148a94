// Owns F of equation 7: how well a mode answers what this clinic asks, from validation scores that are trusted as far as they were counted.
import { categories, type Category } from '../../contract/entities.ts'
import type { Mix, Mode, Score, Scores } from './situation.ts'

/** Of no mode anything is known: neither good nor bad. */
const UNKNOWN = 0.5
/** A score counts as much as what is known more generally once it was counted on so many questions. */
const TRUST = 10

/** What the library knows of a family's scores. */
export interface FamilyScores {
  base: { scores: Scores }
  adapters: readonly { categories: readonly Category[]; scores: Scores }[]
  merged: { scores: Scores } | null
}

/** The scores of a mode: with adapters those of the category's adapter, and of the base where a category has none. */
export function scoresOf(mode: Mode, { base, adapters, merged }: FamilyScores): Scores {
  if (mode === 'base') return base.scores
  if (mode === 'merged') return merged?.scores ?? {}
  const own = adapters.flatMap((adapter) => adapter.categories.map((category) => [category, adapter.scores[category]] as const))
  return { ...base.scores, ...Object.fromEntries(own.filter(([, score]) => score !== undefined)) }
}

const towards = ({ right, total }: Score, prior: number) => (right + TRUST * prior) / (total + TRUST)
const pooled = (scores: Scores): Score =>
  categories.reduce((sum, category) => ({ right: sum.right + (scores[category]?.right ?? 0), total: sum.total + (scores[category]?.total ?? 0) }), {
    right: 0,
    total: 0,
  })

/**
 * Probability 0…1 that a question of `category` is answered right: the share counted, drawn towards that of all categories, which is drawn
 * towards that of the `base` model, which is drawn towards one half (posterior means of a beta distribution, TRUST questions each).
 */
export function rightShare(scores: Scores, base: Scores, category: Category): number {
  const overall = towards(pooled(scores), towards(pooled(base), UNKNOWN))
  return towards(scores[category] ?? { right: 0, total: 0 }, overall)
}

/** F: the mean of these, weighted by the clinic's mix. 0…1. */
export function fitOf(scores: Scores, base: Scores, mix: Mix): number {
  return categories.reduce((sum, category) => sum + mix[category] * rightShare(scores, base, category), 0)
}

/** Whether F rests on anything counted for this mode. */
export const isMeasured = (scores: Scores): boolean => pooled(scores).total > 0
