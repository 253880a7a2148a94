// Owns the file of word vectors (words.vec): its form, its limits, and the sums that are made of its rows.

/** Before everything else in the file; the last byte is the version of the form. */
const MAGIC = 'RLWORDS1'
/** Named limits: the file could be anybody's. */
const MOST_WORDS = 200_000
const MOST_DIMENSIONS = 1024
const MOST_BUCKETS = 1 << 18
const MOST_HEADER = 1 << 16
/** Characters of an n-gram; the ends of the word count as characters. */
const GRAM_SIZES = [3, 4, 5]
const LONGEST_WORD = 60

export interface VectorFile {
  readonly dimensions: number
  readonly words: readonly string[]
  /** a ÷ (a + p(word)) of smooth inverse frequency, 0…1; one per word. */
  readonly weights: Float32Array
  /** The direction that all texts share, of unit length. */
  readonly common: Float32Array
  /** One row per word, then one per bucket of n-grams; only the direction of a row counts. */
  readonly data: Int8Array
  readonly buckets: number
}
export interface Vectors extends VectorFile {
  readonly rows: ReadonlyMap<string, number>
  /** Adds `weight` times the unit vector of the word in `row`. */
  addWord(sum: Float32Array, row: number, weight: number): void
  /** Adds the unit vector that the n-grams of `word` point to; nothing when they point nowhere. */
  addUnknown(sum: Float32Array, word: string): void
}

/** The buckets of a word's character n-grams, none for a number or a sign. */
export function gramBuckets(word: string, buckets: number): number[] {
  if (buckets === 0 || word.length > LONGEST_WORD || !/^\p{L}/u.test(word)) return []
  const marked = `<${word}>`
  return GRAM_SIZES.flatMap((size) =>
    Array.from({ length: Math.max(0, marked.length - size + 1) }, (_, from) => fnv(marked.slice(from, from + size)) % buckets),
  )
}

/** The Euclidean length of a vector. */
export function lengthOf(vector: ArrayLike<number>): number {
  let square = 0
  for (let at = 0; at < vector.length; at++) square += vector[at]! ** 2
  return Math.sqrt(square)
}

/** FNV-1a over UTF-16 units, 32 bits. */
function fnv(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** The bytes of a file: magic, header length (u32 LE), header (JSON), words (UTF-8, \n between), weights, common direction (f32 LE), rows (i8). */
export function writeVectors(file: VectorFile): Buffer {
  const words = Buffer.from(file.words.join('\n'), 'utf8')
  const { dimensions, buckets } = file
  const header = Buffer.from(JSON.stringify({ dimensions, words: file.words.length, wordBytes: words.length, buckets }), 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  return Buffer.concat([Buffer.from(MAGIC, 'latin1'), length, header, words, floats(file.weights), floats(file.common), Buffer.from(file.data)])
}

function floats(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => bytes.writeFloatLE(value, at * 4))
  return bytes
}

/** Throws an Error that says what does not fit; a file that passes can be used to its last byte. */
export function readVectors(bytes: Buffer): Vectors {
  let at = 0
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error('the file ends too early')
    return bytes.subarray(at, (at += length))
  }
  if (take(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('not a file of word vectors')
  const headerLength = take(4).readUInt32LE()
  if (headerLength > MOST_HEADER) throw new Error('the header is too long')
  const header = JSON.parse(take(headerLength).toString('utf8')) as Record<string, unknown>
  const whole = (key: string, least: number, most: number) => {
    const value = header[key]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) throw new Error(`${key} is ${String(value)}`)
    return value
  }
  const dimensions = whole('dimensions', 1, MOST_DIMENSIONS)
  const count = whole('words', 1, MOST_WORDS)
  const buckets = whole('buckets', 0, MOST_BUCKETS)
  const words = take(whole('wordBytes', 0, bytes.length))
    .toString('utf8')
    .split('\n')
  if (words.length !== count) throw new Error('the number of words is not as stated')
  const weights = readFloats(take(count * 4))
  const common = readFloats(take(dimensions * 4))
  const rowBytes = take((count + buckets) * dimensions)
  if (at !== bytes.length) throw new Error('something follows the last row')
  const data = new Int8Array(rowBytes.buffer, rowBytes.byteOffset, rowBytes.length)
  return withSums({ dimensions, words, weights, common, data, buckets })
}

function readFloats(bytes: Buffer): Float32Array {
  const values = new Float32Array(bytes.length / 4)
  for (let at = 0; at < values.length; at++) {
    values[at] = bytes.readFloatLE(at * 4)
    if (!Number.isFinite(values[at])) throw new Error('a number is not finite')
  }
  return values
}

export function withSums(file: VectorFile): Vectors {
  const { dimensions, data, words, buckets } = file
  const add = (sum: Float32Array, row: number, weight: number) => {
    const from = row * dimensions
    let square = 0
    for (let at = 0; at < dimensions; at++) square += data[from + at]! ** 2
    if (square === 0) return
    const scale = weight / Math.sqrt(square)
    for (let at = 0; at < dimensions; at++) sum[at]! += data[from + at]! * scale
  }
  return {
    ...file,
    rows: new Map(words.map((word, row) => [word, row])),
    addWord: add,
    addUnknown: (sum, word) => {
      const guess = new Float32Array(dimensions)
      for (const bucket of gramBuckets(word, buckets)) add(guess, words.length + bucket, 1)
      const length = lengthOf(guess)
      if (length > 0) for (let at = 0; at < dimensions; at++) sum[at]! += guess[at]! / length
    },
  }
}
