// Owns the other order of a question's options, by which is seen whether a model chooses what an option says or where it stands. Pure.
import { chance, shuffled } from '../corpus/chance.ts'
import type { ExamQuestion } from './questions.ts'

/** An option that speaks of the others by their place or letter would change its meaning elsewhere. */
const SPEAKS_OF_OTHERS =
  /\b(?:all|none|both|neither|any|either|two) of (?:the )?(?:above|these|them|following|preceding|others?)\b|\b(?:both )?[A-J] (?:and|or|&) [A-J]\b|^[A-J](?:, ?[A-J])+$/i

/** The same question with its options in another order, letters from the top again; null where it must stay as it is. */
export function reordered(question: ExamQuestion, seed: number): { question: ExamQuestion; original(letter: string): string } | null {
  const { id, set, options } = question
  if (options.some(({ text }) => SPEAKS_OF_OTHERS.test(text))) return null
  const draw = chance(seed, 'options', set, id)
  let mixed = shuffled(options, draw)
  // the same order would show nothing
  while (mixed.every((option, at) => option === options[at])) mixed = shuffled(options, draw)
  const places = options.map(({ letter }, at) => ({ letter, from: mixed[at]!.letter, text: mixed[at]!.text }))
  const original = (letter: string) => places.find((place) => place.letter === letter)!.from
  const answer = places.find(({ from }) => from === question.answer)!.letter
  return { question: { ...question, options: places.map(({ letter, text }) => ({ letter, text })), answer }, original }
}
