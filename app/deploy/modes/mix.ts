// Owns what is expected of the clinic's questions: the mix of their categories, and how many will come.
import { categories, type Category } from '../../contract/entities.ts'
import type { Mix } from './situation.ts'

/** Before anything is known: an assumption about general practice, not a measurement. It weighs as much as PRIOR_QUESTIONS questions. */
const PRIOR: Mix = { emergency: 0.05, medication: 0.35, diagnosis: 0.2, treatment: 0.2, prevention: 0.1, general: 0.1 }
const PRIOR_QUESTIONS = 20

/** Shares of the categories from how often each was asked: the mean of a Dirichlet distribution with the prior's counts added. Together 1. */
export function mixOf(counts: Readonly<Partial<Record<Category, number>>>): Mix {
  const all = categories.reduce((sum, category) => sum + (counts[category] ?? 0), 0)
  const share = (category: Category) => ((counts[category] ?? 0) + PRIOR_QUESTIONS * PRIOR[category]) / (all + PRIOR_QUESTIONS)
  return Object.fromEntries(categories.map((category) => [category, share(category)])) as Record<Category, number>
}

const DAY_MS = 24 * 3_600_000
const FEWEST = 20
const MOST = 1000

/** Questions that the next day of use will bring: as many as the latest day of use, within bounds. `times`: ISO 8601, oldest first. */
export function expectedQuestions(times: readonly string[]): number {
  const last = Date.parse(times.at(-1) ?? '')
  const day = Number.isFinite(last) ? times.filter((time) => Date.parse(time) > last - DAY_MS).length : 0
  return Math.min(MOST, Math.max(FEWEST, day))
}
