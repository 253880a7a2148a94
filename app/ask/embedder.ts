// Owns Embed(q) of equation 8: what an embedder is, and ours, a table of word vectors that was made by `npm run model -- embed`.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { tokensOf, wordsOf } from './answer-cache/form.ts'
import { readFit, type Fit } from './similarity.ts'
import { lengthOf, readVectors, type Vectors } from './word-vectors.ts'

/**
 * Whatever turns a text into a vector: this file's own, or an embedding model that the user adds. Vectors of two embedders say nothing about each
 * other, so `id` is part of what is stored with them, and α and the thresholds belong to the embedder that they were fitted for.
 */
export interface Embedder {
  readonly id: string
  readonly dimensions: number
  readonly fit: Fit
  /** Of unit length; all zeros for a text of which nothing is known. A model answers later, a table at once. */
  embed(text: string): Float32Array | Promise<Float32Array>
}
/** How much a word says: 0 for one that is everywhere, up to 1 for a rare one; 1 for a word that the table does not know. */
export type Rarity = (word: string) => number

export interface StaticEmbedder extends Embedder {
  embed(text: string): Float32Array
  readonly rarity: Rarity
}

/** Reads words.vec and similarity.json from `folder` (models/embedder). Throws RESOURCE_MISSING naming the file that is missing or damaged. */
export function loadEmbedder(folder: string): StaticEmbedder {
  const bytes = readResource(folder, 'words.vec')
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const vectors = resource('words.vec', () => readVectors(bytes))
  const fit = resource('similarity.json', () => readFit(readResource(folder, 'similarity.json').toString('utf8'), id))
  return createEmbedder(vectors, id, fit)
}

/** The embedder of word vectors already in memory. */
export function createEmbedder(vectors: Vectors, id: string, fit: Fit): StaticEmbedder {
  return {
    id,
    dimensions: vectors.dimensions,
    fit,
    embed: (text) => embedWords(wordsOf(tokensOf(text)), vectors),
    rarity: (word) => {
      const row = vectors.rows.get(word)
      return row === undefined ? 1 : vectors.weights[row]!
    },
  }
}

/**
 * The mean of the words' unit vectors, each word once and weighted by smooth inverse frequency, less the direction that all texts share (Arora,
 * Liang and Ma, 2017), at unit length. A word that is not in the table takes the mean of its character n-grams (Bojanowski et al., 2017).
 */
export function embedWords(words: readonly string[], vectors: Vectors): Float32Array {
  const sum = new Float32Array(vectors.dimensions)
  for (const word of new Set(words)) {
    const row = vectors.rows.get(word)
    if (row !== undefined) vectors.addWord(sum, row, vectors.weights[row]!)
    else vectors.addUnknown(sum, word)
  }
  let shared = 0
  for (let at = 0; at < sum.length; at++) shared += sum[at]! * vectors.common[at]!
  for (let at = 0; at < sum.length; at++) sum[at]! -= shared * vectors.common[at]!
  const length = lengthOf(sum)
  if (length > 0) for (let at = 0; at < sum.length; at++) sum[at]! /= length
  return sum
}

function readResource(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name))
  } catch (cause) {
    throw damaged(name, 'missing', cause)
  }
}

function resource<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof AppError ? cause : damaged(name, 'damaged', cause)
  }
}

const damaged = (name: string, how: string, cause: unknown) =>
  new AppError('RESOURCE_MISSING', `The file embedder/${name} of the program is ${how}. Reinstall Rushlight.`, undefined, cause)
