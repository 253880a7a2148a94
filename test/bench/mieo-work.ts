// Owns the work of the mieo bench: a day of questions that anybody can repeat, with repeats, other spellings, follow-ups and five categories.
import type { Category } from '../../app/contract/entities.ts'
import { random } from '../../models/workshop/twin/random.ts'
import { questions } from './cache-questions.ts'

export interface Work {
  question: string
  category: Category
  /** Goes on from the question before it. */
  followUp: boolean
}

const CATEGORIES: readonly Category[] = ['medication', 'diagnosis', 'treatment', 'prevention', 'emergency']
/** Different questions in a day of 500; how often each is asked falls with its rank, as Zipf found. */
const DISTINCT = 0.4
const FOLLOW_UPS = 0.15
const RESPELT = 0.3
const FOLLOWING = ['And in pregnancy?', 'And in a child of 7?', 'What about renal impairment?', 'How is it monitored?']
/** What changes no meaning. */
const SPELLINGS: readonly ((question: string) => string)[] = [
  (question) => question.toUpperCase(),
  (question) => `${question}?`,
  (question) => `  ${question.replaceAll(' ', '  ')} `,
  (question) => question[0]!.toUpperCase() + question.slice(1) + '.',
]

/** The same `count` questions for everybody. */
export function dayOf(count: number): Work[] {
  const { below, next: share } = random(2026)
  const distinct = questions(Math.max(1, Math.round(count * DISTINCT)))
  const weights = distinct.map((_, rank) => 1 / (rank + 1))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const zipf = () => {
    let left = share() * all
    const rank = weights.findIndex((weight) => (left -= weight) < 0)
    return rank < 0 ? weights.length - 1 : rank
  }
  const day: Work[] = []
  while (day.length < count) {
    const before = day.at(-1)
    if (before && !before.followUp && share() < FOLLOW_UPS) {
      day.push({ question: FOLLOWING[below(FOLLOWING.length)]!, category: before.category, followUp: true })
      continue
    }
    const rank = zipf()
    const spell = share() < RESPELT ? SPELLINGS[below(SPELLINGS.length)]! : (question: string) => question
    day.push({ question: spell(distinct[rank]!), category: CATEGORIES[rank % CATEGORIES.length]!, followUp: false })
  }
  return day
}
