// Owns how often words keep company, and the matrix that is made of it: positive pointwise mutual information.
import type { Texts } from './texts.ts'

/** Rows of a square sparse matrix; the columns of a row are from[row]…from[row + 1]. */
export interface Sparse {
  readonly size: number
  readonly from: Int32Array
  readonly columns: Int32Array
  readonly values: Float64Array
}
export interface CountSettings {
  /** A word that occurs less often says nothing about itself. */
  readonly leastCount: number
  /** Words on either side; the n-th counts 1/n. */
  readonly window: number
  /** What a pair of words from two names of one thing counts. */
  readonly synonymWeight: number
  /** What a word counts with the name of what its record is about. */
  readonly topicWeight: number
}
export interface Vocabulary {
  /** Most frequent first, of equals by the alphabet. */
  readonly words: readonly string[]
  readonly rows: ReadonlyMap<string, number>
  readonly counts: readonly number[]
  /** Of all words, those left out as well. */
  readonly total: number
}

/** Contexts are smoothed by this power, which keeps rare ones from looking important (Levy, Goldberg and Dagan, 2015). */
const CONTEXT_POWER = 0.75

export function countWords({ sentences }: Texts, leastCount: number): Vocabulary {
  const counts = new Map<string, number>()
  let total = 0
  for (const sentence of sentences)
    for (const word of sentence) {
      counts.set(word, (counts.get(word) ?? 0) + 1)
      total++
    }
  const kept = [...counts].filter(([, count]) => count >= leastCount).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const words = kept.map(([word]) => word)
  return { words, rows: new Map(words.map((word, row) => [word, row])), counts: kept.map(([, count]) => count), total }
}

/** PPMI(w, c) = max(0, log(p(w, c) ÷ (p(w)·p(c)^0.75 ÷ Σ p^0.75))) of the words of the vocabulary; `signal` stops it between sentences. */
export function mutualInformation(texts: Texts, vocabulary: Vocabulary, settings: CountSettings, signal: AbortSignal): Sparse {
  const size = vocabulary.words.length
  const together = new Map<number, number>()
  const add = (a: number, b: number, weight: number) => {
    if (a === b) return
    together.set(a * size + b, (together.get(a * size + b) ?? 0) + weight)
    together.set(b * size + a, (together.get(b * size + a) ?? 0) + weight)
  }
  const rowsOf = (words: readonly string[]) => words.map((word) => vocabulary.rows.get(word) ?? -1)
  for (const sentence of texts.sentences) {
    signal.throwIfAborted()
    const rows = rowsOf(sentence)
    rows.forEach((a, at) => {
      if (a < 0) return
      for (let step = 1; step <= settings.window && at + step < rows.length; step++) if (rows[at + step]! >= 0) add(a, rows[at + step]!, 1 / step)
    })
  }
  for (const { name, sentence } of texts.topics) {
    signal.throwIfAborted()
    const named = rowsOf(name).filter((row) => row >= 0)
    for (const a of named) for (const b of rowsOf(sentence)) if (b >= 0) add(a, b, settings.topicWeight / named.length)
  }
  for (const [name = [], ...others] of texts.synonyms) {
    const known = rowsOf(name).filter((row) => row >= 0)
    for (const other of others) {
      const named = rowsOf(other).filter((row) => row >= 0)
      // a long name must not count more than a short one
      for (const a of known) for (const b of named) add(a, b, settings.synonymWeight / named.length)
    }
  }
  return informed(together, size)
}

function informed(together: ReadonlyMap<number, number>, size: number): Sparse {
  const sums = new Float64Array(size)
  for (const [pair, weight] of together) sums[Math.floor(pair / size)]! += weight
  const smoothed = sums.map((sum) => sum ** CONTEXT_POWER)
  const all = smoothed.reduce((sum, value) => sum + value, 0)
  const kept: [pair: number, value: number][] = []
  for (const [pair, weight] of together) {
    const [row, column] = [Math.floor(pair / size), pair % size]
    const value = Math.log((weight * all) / (sums[row]! * smoothed[column]!))
    if (value > 0) kept.push([pair, value])
  }
  kept.sort(([a], [b]) => a - b)
  const from = new Int32Array(size + 1)
  for (const [pair] of kept) from[Math.floor(pair / size) + 1]!++
  for (let row = 0; row < size; row++) from[row + 1]! += from[row]!
  return {
    size,
    from,
    columns: Int32Array.from(kept, ([pair]) => pair % size),
    values: Float64Array.from(kept, ([, value]) => value),
  }
}
