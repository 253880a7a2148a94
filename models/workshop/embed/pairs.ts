// Owns how well a similarity tells similar pairs of questions from dissimilar ones: labelled pairs, AUC, and the lexical rivals.
import * as z from 'zod'
import { tokensOf, wordsOf } from '../../../app/ask/answer-cache/form.ts'
import { cosine, jaccard, type Compared } from '../../../app/ask/similarity.ts'
import { standardise } from '../../../app/clinical/terms.ts'
import { loadTermTables, readMedicineNames } from '../../../app/clinical/term-tables.ts'
import { inModels, readLines } from '../score/set.ts'

const Line = z.object({ a: z.string(), b: z.string(), same: z.union([z.literal(0), z.literal(1)]) })
const form = '{"a": "amoxicillin dose adult", "b": "dose of amoxicillin in adults", "same": 1}'

export interface Pair {
  /** Standardised, as the cache sees them. */
  readonly a: string
  readonly b: string
  readonly same: 0 | 1
  /** Pairs of one first question stay together when the set is split. */
  readonly group: string
}
/** One number per pair: higher is more similar. */
export type Scores = readonly number[]

/** Throws BadLines. */
export function readPairs(file: string): Pair[] {
  const tables = loadTermTables(inModels('terms'), readMedicineNames(inModels('corpus')))
  const standard = (text: string) => standardise(text, tables).text
  return readLines(file, Line, form).map(({ a, b, same }) => ({ a: standard(a), b: standard(b), same, group: a }))
}

const setOf = (text: string) => new Set(wordsOf(tokensOf(text)))

export const jaccardScores = (pairs: readonly Pair[]): Scores => pairs.map(({ a, b }) => jaccard(setOf(a), setOf(b)))

/** Cosine of word counts times log(N ÷ (1 + documents with the word)), the documents being the questions of the set. */
export function tfIdfScores(pairs: readonly Pair[]): Scores {
  const documents = new Map<string, number>()
  const texts = new Set(pairs.flatMap(({ a, b }) => [a, b]))
  for (const text of texts) for (const word of setOf(text)) documents.set(word, (documents.get(word) ?? 0) + 1)
  const columns = new Map([...documents.keys()].map((word, at) => [word, at]))
  const vector = (text: string) => {
    const values = new Float64Array(columns.size)
    for (const word of wordsOf(tokensOf(text))) values[columns.get(word)!]! += Math.log(texts.size / (1 + documents.get(word)!))
    return values
  }
  return pairs.map(({ a, b }) => cosine(vector(a), vector(b)))
}

/** What equation 8 compares, for both sides of each pair. */
export const comparedPairs = async (
  pairs: readonly Pair[],
  embed: (text: string) => Float32Array | Promise<Float32Array>,
): Promise<(readonly [Compared, Compared])[]> => {
  const compared = async (text: string): Promise<Compared> => ({ words: setOf(text), vector: await embed(text) })
  return Promise.all(pairs.map(async ({ a, b }) => [await compared(a), await compared(b)] as const))
}

/** The chance that a similar pair scores above a dissimilar one, a tie counting half (Mann and Whitney); NaN without both kinds. */
export function auc(pairs: readonly { readonly same: 0 | 1 }[], scores: Scores): number {
  const order = Array.from(pairs.keys()).sort((a, b) => scores[a]! - scores[b]!)
  let [rankSum, similar] = [0, 0]
  for (let from = 0; from < order.length;) {
    let to = from
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++
    const rank = (from + 1 + to) / 2
    for (let at = from; at < to; at++)
      if (pairs[order[at]!]!.same === 1) {
        rankSum += rank
        similar++
      }
    from = to
  }
  return (rankSum - (similar * (similar + 1)) / 2) / (similar * (pairs.length - similar))
}
