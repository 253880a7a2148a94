// Owns how an earlier question that resembles this one is found without looking at all: buckets of rare words, a bounded number per question.
import { standardWord } from '../../clinical/slots/synonyms.ts'
import type { Bucket } from '../../store/answer-rows.ts'
import type { Rarity } from '../embedder.ts'

/** They stand in every question and find nothing. Only for finding: what is served is decided with every word in its place. */
const NEUTRAL = new Set(
  (
    'a an the of for to in on at by with and or is are was were be been do does did have has had can could should would will shall may might ' +
    'i you he she it we they my your his her its our their me him us them this that these those there here what which who whom whose ' +
    'when where why how please tell say give show explain know want need like some any if so as than then from about into up out'
  ).split(' '),
)
/** So many of the rarest words make pairs, and so many stand alone. */
const RARE = 4
const ALONE = 2
const WHOLE = 8
const PAIR = 2
const SINGLE = 1

/**
 * Up to nine buckets of a question: one of all its words that say something, in any order; one per pair of its rarest words; the two rarest
 * alone. Two questions that share two of their rare words meet, whatever else they say. Numbers make no pairs, so that 5 mg meets 50 mg.
 */
export function bucketsOf(words: readonly string[], rarity: Rarity): Bucket[] {
  const telling = [...new Set(words.map(standardWord))].filter((word) => !NEUTRAL.has(word) && /[\p{L}\p{N}]/u.test(word))
  const named = telling.filter((word) => /\p{L}/u.test(word))
  const rare = named
    .map((word) => ({ word, rarity: rarity(word) }))
    .sort((a, b) => b.rarity - a.rarity || (a.word < b.word ? -1 : 1))
    .slice(0, RARE)
    .map(({ word }) => word)
  const bucket = (kind: string, parts: readonly string[], weight: number): Bucket => ({ text: `${kind} ${[...parts].sort().join(' ')}`, weight })
  return [
    ...(telling.length > 0 ? [bucket('whole', telling, WHOLE)] : []),
    ...rare.flatMap((a, at) => rare.slice(at + 1).map((b) => bucket('pair', [a, b], PAIR))),
    ...rare.slice(0, ALONE).map((word) => bucket('single', [word], SINGLE)),
  ]
}
