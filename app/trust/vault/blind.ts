// Owns the blind words of the search index: what a word becomes so that it can be found and not be read.
import { createHmac } from 'node:crypto'

/**
 * Lengths of the beginnings that are stored. Shorter ones are shared by so many words that their counts alone would tell letters; a typed
 * beginning of a length between them stands for the next shorter one, and the opened text is looked at.
 */
export const PREFIX_LENGTHS: readonly number[] = [2, 3, 5, 8]
/** Six bytes: among 10⁶ words and beginnings two collide in one index of 500, and bring one wrong hit. */
const TOKEN_BYTES = 6
/** The words of a year; a token costs some 2 µs and comes back in nearly every text. */
const REMEMBERED = 20_000

/**
 * HMAC-SHA-256 of words and of their beginnings under a key of their own (a keyed index as in Song, Wagner and Perrig 2000, without hiding
 * repetition). What the index gives away to whoever has the file and not the key: how many different words a text has, which texts share a
 * word or a beginning, and how often each occurs; with enough texts, frequencies may suggest common words. Not the words, not their order,
 * not their number within a text.
 */
export class BlindWords {
  readonly #key: Buffer
  readonly #remembered = new Map<string, readonly string[]>()

  constructor(key: Buffer) {
    this.#key = key
  }

  /** The tokens to store for these words: each once, in an order that says nothing. `words` are lower case, without marks. */
  tokens(words: Iterable<string>): string[] {
    const all = new Set<string>()
    for (const word of new Set(words)) for (const token of this.#tokensOf(word)) all.add(token)
    return [...all].sort()
  }

  /** The token of a whole word. */
  word(word: string): string {
    return this.#token(`=${word}`)
  }

  /** The token that every word beginning so has, `exact` when no other word has it; null for a beginning too short to be stored. */
  prefix(start: string): { token: string; exact: boolean } | null {
    const characters = Array.from(start)
    const length = PREFIX_LENGTHS.findLast((stored) => stored <= characters.length)
    if (length === undefined) return null
    return { token: this.#token(`^${characters.slice(0, length).join('')}`), exact: length === characters.length }
  }

  #tokensOf(word: string): readonly string[] {
    const known = this.#remembered.get(word)
    if (known) return known
    const characters = Array.from(word)
    const made = [this.word(word)]
    for (const length of PREFIX_LENGTHS) if (length <= characters.length) made.push(this.#token(`^${characters.slice(0, length).join('')}`))
    if (this.#remembered.size >= REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!)
    this.#remembered.set(word, made)
    return made
  }

  #token(text: string): string {
    return createHmac('sha256', this.#key)
      .update(text)
      .digest('hex')
      .slice(0, TOKEN_BYTES * 2)
  }
}
