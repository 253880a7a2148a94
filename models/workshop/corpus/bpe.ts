// Owns byte-level BPE of our own: the split of Qwen2, a vocabulary learnt from texts, and an encoder that gives llama.cpp's tokens exactly.
import { AppError } from '../../../app/contract/errors.ts'
import { byteCharacters } from '../hf/byte-level.ts'

/** A vocabulary as `vocabulary.json` and a GGUF file hold it: `tokens` and `merges` with bytes as the letters that GPT-2 gives them. */
export interface Vocabulary {
  readonly tokens: readonly string[]
  /** llama.cpp's token types: 1 normal, 3 control. */
  readonly types: readonly number[]
  /** "left right", best first. */
  readonly merges: readonly string[]
}
/** ChatML; the last tokens of a vocabulary in this order. */
export const CONTROL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] as const
export const [END_OF_TEXT, TURN_START, TURN_END] = CONTROL
const [NORMAL, SPECIAL] = [1, 3]
/** The bytes, the control tokens and some words: fewer is no vocabulary. */
export const LEAST_VOCABULARY = 320
export const MOST_VOCABULARY = 16_384

/** The prompt of one question as the model is trained and asked: no system prompt. */
export const chat = (question: string): string => `${TURN_START}user\n${question}${TURN_END}\n${TURN_START}assistant\n`
/** The same for whoever loads the model: the template of its GGUF file. */
export const CHAT_TEMPLATE =
  `{% for message in messages %}{{'${TURN_START}' + message['role'] + '\n' + message['content'] + '${TURN_END}' + '\n'}}{% endfor %}` +
  `{% if add_generation_prompt %}{{ '${TURN_START}assistant\n' }}{% endif %}`

// Unicode's white space: JavaScript's \s has U+FEFF, which llama.cpp does not count, and lacks U+0085, which it does
const WHITE = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPLIT = new RegExp(
  [
    "'(?:[sStTmMdD]|[rRvV][eE]|[lL][lL])",
    '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
    '\\p{N}',
    ` ?[^${WHITE}\\p{L}\\p{N}]+[\\r\\n]*`,
    `[${WHITE}]*[\\r\\n]+`,
    `[${WHITE}]+(?![^${WHITE}])`,
    `[${WHITE}]+`,
  ].join('|'),
  'gu',
)
const LETTERS = byteCharacters()

/** The pieces that are merged within but never across: words with the space before them, single digits, punctuation, line ends. */
export const split = (text: string): string[] => text.toWellFormed().match(SPLIT) ?? []
const inBytes = (piece: string): string[] => Array.from(Buffer.from(piece, 'utf8'), (byte) => LETTERS[byte]!)

/**
 * Learns a vocabulary of `size` tokens, all 256 bytes and the control tokens included: the most frequent neighbours are joined first,
 * equal ones in the order of their letters (Sennrich 2016). Texts with too few repetitions give a smaller one. Same texts, same vocabulary.
 * Throws SOURCE_INVALID for a size that cannot hold bytes and control tokens.
 */
export function learnVocabulary(texts: Iterable<string>, size: number): Vocabulary {
  if (!Number.isInteger(size) || size < LEAST_VOCABULARY || size > MOST_VOCABULARY)
    throw new AppError('SOURCE_INVALID', `A vocabulary of ${size} tokens cannot be made. Choose ${LEAST_VOCABULARY} to ${MOST_VOCABULARY}.`)
  const tokens = [...LETTERS]
  const merges: string[] = []
  const learner = new Learner(texts, tokens)
  while (tokens.length + CONTROL.length < size) {
    const best = learner.best()
    if (!best) break
    merges.push(`${tokens[best.left]} ${tokens[best.right]}`)
    tokens.push(tokens[best.left]! + tokens[best.right]!)
    learner.join(best.left, best.right, tokens.length - 1)
  }
  const types = [...tokens.map(() => NORMAL), ...CONTROL.map(() => SPECIAL)]
  return { tokens: [...tokens, ...CONTROL], types, merges }
}

interface Neighbours {
  readonly left: number
  readonly right: number
  count: number
  /** Words in which they stand, or stood. */
  readonly words: Set<number>
}

/** Distinct words with their counts, and how often two tokens stand side by side in them; a join updates only the words that hold it. */
class Learner {
  readonly #tokens: readonly string[]
  readonly #words: { symbols: number[]; readonly count: number }[]
  readonly #pairs = new Map<number, Neighbours>()

  constructor(texts: Iterable<string>, tokens: readonly string[]) {
    this.#tokens = tokens
    const ids = new Map(tokens.map((letter, id) => [letter, id]))
    const counts = new Map<string, number>()
    for (const text of texts) for (const piece of split(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
    this.#words = [...counts].map(([piece, count]) => ({ symbols: inBytes(piece).map((letter) => ids.get(letter)!), count }))
    this.#words.forEach((_, word) => this.#count(word, 1))
  }

  best(): Neighbours | null {
    let best: Neighbours | null = null
    for (const pair of this.#pairs.values()) if (pair.count > 1 && (!best || this.#before(pair, best))) best = pair
    return best
  }

  join(left: number, right: number, joined: number): void {
    for (const word of this.#pairs.get(key(left, right))!.words) {
      this.#count(word, -1)
      const { symbols } = this.#words[word]!
      const next: number[] = []
      for (let at = 0; at < symbols.length; at++)
        if (symbols[at] === left && symbols[at + 1] === right) (next.push(joined), at++)
        else next.push(symbols[at]!)
      this.#words[word]!.symbols = next
      this.#count(word, 1)
    }
    this.#pairs.delete(key(left, right))
  }

  #count(word: number, sign: 1 | -1): void {
    const { symbols, count } = this.#words[word]!
    for (let at = 0; at + 1 < symbols.length; at++) {
      const [left, right] = [symbols[at]!, symbols[at + 1]!]
      let pair = this.#pairs.get(key(left, right))
      if (!pair) this.#pairs.set(key(left, right), (pair = { left, right, count: 0, words: new Set() }))
      pair.count += sign * count
      if (sign === 1) pair.words.add(word)
    }
  }
  #before(a: Neighbours, b: Neighbours): boolean {
    if (a.count !== b.count) return a.count > b.count
    const [left, other] = [this.#tokens[a.left]!, this.#tokens[b.left]!]
    return left === other ? this.#tokens[a.right]! < this.#tokens[b.right]! : left < other
  }
}
const key = (left: number, right: number) => left * MOST_VOCABULARY + right

/** One token of a text, with the part of the text that it stands for, as offsets in UTF-16 units; a part of a character has no width. */
export interface Placed {
  readonly token: number
  readonly from: number
  readonly to: number
}

/** Text to tokens, as llama.cpp does it for a vocabulary of the gpt2 model with the qwen2 split. */
export class Tokenizer {
  readonly vocabulary: Vocabulary
  readonly #ids: ReadonlyMap<string, number>
  readonly #ranks: ReadonlyMap<string, number>
  readonly #special: RegExp
  readonly #known = new Map<string, readonly number[]>()

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary
    this.#ids = new Map(vocabulary.tokens.map((text, id) => [text, id]))
    this.#ranks = new Map(vocabulary.merges.map((pair, rank) => [pair, rank]))
    const control = vocabulary.tokens.filter((_, id) => vocabulary.types[id] === SPECIAL).sort((a, b) => b.length - a.length)
    this.#special = new RegExp(`(${control.map((text) => text.replace(/[|\\{}()[\]^$+*?.]/g, '\\$&')).join('|')})`)
  }

  /** With `special`, control tokens written in the text are read as such; else their letters are. */
  encode(text: string, { special = false } = {}): number[] {
    const whole = special ? text.split(this.#special) : [text]
    return whole.flatMap((part, at) => (at % 2 === 1 ? this.#ids.get(part)! : split(part).flatMap((piece) => this.#piece(piece))))
  }

  /** Tokens of a plain text with their places. */
  place(text: string): Placed[] {
    const placed: Placed[] = []
    let at = 0
    for (const piece of split(text)) {
      // bytes → UTF-16 offsets within the piece
      const ends = [...piece].flatMap((character) => Array.from(Buffer.from(character), (_, n) => (n === 0 ? character.length : 0)))
      let byte = 0
      for (const token of this.#piece(piece)) {
        const from = at
        const bytes = this.vocabulary.tokens[token]!.length
        for (let n = 0; n < bytes; n++) at += ends[byte++]!
        placed.push({ token, from, to: at })
      }
    }
    return placed
  }

  #piece(piece: string): readonly number[] {
    let tokens = this.#known.get(piece)
    if (tokens) return tokens
    const symbols = inBytes(piece)
    for (;;) {
      let [best, rank] = [-1, Infinity]
      for (let at = 0; at + 1 < symbols.length; at++) {
        const found = this.#ranks.get(`${symbols[at]} ${symbols[at + 1]}`)
        if (found !== undefined && found < rank) [best, rank] = [at, found]
      }
      if (best < 0) break
      symbols.splice(best, 2, symbols[best]! + symbols[best + 1]!)
    }
    tokens = symbols.map((symbol) => this.#ids.get(symbol)!)
    // pieces of a text are few and short; those of a hostile one are not kept
    if (piece.length <= 40) this.#known.set(piece, tokens)
    return tokens
  }

  /** The text that tokens stand for; control tokens as they are written. */
  decode(tokens: readonly number[]): string {
    const bytes = new Map(LETTERS.map((letter, byte) => [letter, byte]))
    const parts = tokens.map((token) => {
      const text = this.vocabulary.tokens[token] ?? ''
      return this.vocabulary.types[token] === SPECIAL ? Buffer.from(text) : Buffer.from([...text].map((letter) => bytes.get(letter)!))
    })
    return Buffer.concat(parts).toString('utf8')
  }
}
