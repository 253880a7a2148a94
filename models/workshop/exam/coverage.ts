// Owns the coverage of core concepts: how much of what a right answer speaks of stands in what a model wrote. Pure.
import { standardise } from '../../../app/clinical/terms.ts'
import type { TermTables } from '../../../app/clinical/term-tables.ts'
import { words } from '../../../app/clinical/text.ts'
import type { ExamQuestion } from './questions.ts'

/** Words that carry no concept of their own, those of options like "none of the above" among them. */
const EMPTY = new Set(
  (
    'a all also an and any are as at be because both but by can do does for from has have if in into is it its may maybe more most neither no none nor not of on ' +
    'only or other over should such than that the their them then there these this those to true false was were when which will with without yes above below following options'
  ).split(' '),
)

/** The words of a text in standard terms, in order, plural and singular alike; numbers as written. */
function concepts(text: string, tables: TermTables): string[] {
  return words(standardise(text, tables).text)
    .map(({ folded }) => folded)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .map((word) => (word.length > 4 && /[^suiy]s$/.test(word) ? word.slice(0, -1) : word))
}

/**
 * The key terms of a right answer: the phrases that the question's author has named as `keys`; without them every distinct word or number of the right
 * option that carries a concept, after standardisation ("MI" and "heart attack" are "myocardial infarction"). Empty for "yes" or "all of the above".
 */
export function keyTerms({ keys, options, answer }: ExamQuestion, tables: TermTables): string[][] {
  const right = options.find(({ letter }) => letter === answer)?.text ?? ''
  const phrases = keys?.map((key) => concepts(key, tables)) ?? concepts(right, tables).flatMap((word) => (EMPTY.has(word) ? [] : [[word]]))
  return [...new Map(phrases.filter(({ length }) => length > 0).map((phrase) => [phrase.join(' '), phrase])).values()]
}

/**
 * Coverage of core concepts, 0…1: the share of the key terms that stand in `written` after the same standardisation, each as whole words in its order.
 * Null where the right answer has no key term. It says that a concept was named, not that what was said of it is true; accuracy stands beside it for that.
 */
export function coverage(question: ExamQuestion, written: string, tables: TermTables): number | null {
  const terms = keyTerms(question, tables)
  if (terms.length === 0) return null
  const text = ` ${concepts(written, tables).join(' ')} `
  return terms.filter((term) => text.includes(` ${term.join(' ')} `)).length / terms.length
}
