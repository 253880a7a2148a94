// Owns the making of word vectors from texts: counts → mutual information → decomposition → n-grams → the direction all share → bytes.
import { gramBuckets, lengthOf, withSums, type VectorFile } from '../../../app/ask/word-vectors.ts'
import type { Progress } from '../progress.ts'
import { random } from '../twin/random.ts'
import { countWords, mutualInformation, type CountSettings } from './counts.ts'
import { truncatedSvd } from './svd.ts'
import type { Texts } from './texts.ts'

export interface BuildSettings extends CountSettings {
  readonly dimensions: number
  readonly buckets: number
  /** a of smooth inverse frequency, a ÷ (a + p). */
  readonly smoothing: number
  readonly seed: number
}
/** Chosen on the development pairs; a wider window and more dimensions gained nothing there. */
export const usualSettings: BuildSettings = {
  leastCount: 2,
  window: 4,
  synonymWeight: 4,
  topicWeight: 0.25,
  dimensions: 128,
  buckets: 16384,
  smoothing: 0.01,
  seed: 1,
}
/** Sentences that the common direction is taken from; more do not move it. */
const SAMPLE = 3000
const POWER_STEPS = 60

/** The same texts, settings and seed give the same bytes. */
export function buildVectors(texts: Texts, settings: BuildSettings, context: { signal: AbortSignal; progress: Progress }): VectorFile {
  const { signal, progress } = context
  progress.stage('counting words', 0)
  const vocabulary = countWords(texts, settings.leastCount)
  const matrix = mutualInformation(texts, vocabulary, settings, signal)
  progress.stage('decomposing', 1)
  const { rows, rank } = truncatedSvd(matrix, settings.dimensions, random(settings.seed), (done, total) => {
    signal.throwIfAborted()
    progress.at(done / total)
  })
  const data = new Int8Array((vocabulary.words.length + settings.buckets) * rank)
  const units = vocabulary.words.map((_, row) => unit(rows.subarray(row * rank, (row + 1) * rank)))
  units.forEach((vector, row) => data.set(inBytes(vector), row * rank))
  const grams = gramSums(vocabulary.words, units, settings.buckets, rank)
  for (let bucket = 0; bucket < settings.buckets; bucket++)
    data.set(inBytes(grams.subarray(bucket * rank, (bucket + 1) * rank)), (vocabulary.words.length + bucket) * rank)
  const weights = Float32Array.from(vocabulary.counts, (count) => settings.smoothing / (settings.smoothing + count / vocabulary.total))
  const file = { dimensions: rank, words: vocabulary.words, weights, data, buckets: settings.buckets }
  return { ...file, common: commonDirection({ ...file, common: new Float32Array(rank) }, texts) }
}

/** What the words with an n-gram have that words in general have not: without the mean, every unknown word would look like any rare one. */
function gramSums(words: readonly string[], units: readonly Float64Array[], buckets: number, rank: number): Float64Array {
  const mean = new Float64Array(rank)
  for (const vector of units) for (let at = 0; at < rank; at++) mean[at]! += vector[at]! / units.length
  const sums = new Float64Array(buckets * rank)
  words.forEach((word, row) => {
    for (const bucket of gramBuckets(word, buckets)) for (let at = 0; at < rank; at++) sums[bucket * rank + at]! += units[row]![at]! - mean[at]!
  })
  return sums
}

function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}

function inBytes(vector: Float64Array): Int8Array {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return largest === 0 ? new Int8Array(vector.length) : Int8Array.from(vector, (value) => Math.round((value / largest) * 127))
}

/** The first principal direction of the texts' vectors, by power iteration; it is what they share and what tells none from another. */
function commonDirection(file: VectorFile, { sentences }: Texts): Float32Array {
  const vectors = withSums(file)
  const { dimensions } = file
  const every = Math.max(1, Math.floor(sentences.length / SAMPLE))
  const sample = sentences
    .filter((_, at) => at % every === 0)
    .map((words) => {
      const sum = new Float32Array(dimensions)
      for (const word of new Set(words)) {
        const row = vectors.rows.get(word)
        if (row !== undefined) vectors.addWord(sum, row, vectors.weights[row]!)
      }
      return unit(Float64Array.from(sum))
    })
  let direction = Float64Array.from({ length: dimensions }, () => 1 / Math.sqrt(dimensions))
  for (let step = 0; step < POWER_STEPS; step++) {
    const next = new Float64Array(dimensions)
    for (const vector of sample) {
      let dot = 0
      for (let at = 0; at < dimensions; at++) dot += vector[at]! * direction[at]!
      for (let at = 0; at < dimensions; at++) next[at]! += dot * vector[at]!
    }
    direction = unit(next) as Float64Array<ArrayBuffer>
  }
  return Float32Array.from(direction)
}
