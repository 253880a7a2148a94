// Owns the tokenizer of a twin: made up from a seed, of the exact size of the real one, so that its memory and its work are those of the real one.
import { random, type Random } from './random.ts'
import type { Shape } from './shapes.ts'

export interface Vocabulary {
  /** Text of each token; bytes are written as the characters that GPT-2's tokenizer gives them. */
  tokens: string[]
  /** llama.cpp's token types. */
  types: number[]
  /** "left right", best first. */
  merges: string[]
  bos: number
  eos: number
  padding: number
  addBos: boolean
  /** What llama.cpp calls the way in which text is split before merging. */
  splitter: string
  template: string
}
const [NORMAL, CONTROL, UNUSED] = [1, 3, 5]
const LONGEST = 20
/** Share of tokens of 2, 3, … 20 bytes: what a real vocabulary has, so that as many texts are too long for the string object itself. */
const LENGTHS = [4, 8, 14, 18, 26, 18, 20, 13, 11, 8, 14, 4, 5, 3, 4, 2, 6, 2, 3]
/** A part is taken from among the tokens of one length only when there are some: else all would be made of the first few. */
const CHOICE = 60
/** How often letters stand in English text, roughly; a word of likely letters has more ways to be merged, as in a real vocabulary. */
const LETTERS: Readonly<Record<string, number>> = Object.fromEntries(
  [...'etaoinsrhldcumfpgwybvkxqjz'].map((letter, at) => [letter, Math.max(1, Math.round(130 * 0.87 ** at))]),
)
const SPACE = 'Ġ'

interface Family {
  /** Byte-level tokens, and how many merges the published tokenizer has. */
  regular: number
  merges: number
  control: readonly string[]
  bos: string
  eos: string
  padding: string
  addBos: boolean
  splitter: string
  template: string
}
const reserved = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `<|reserved_${from + n}|>`)
/** Sizes: the tokenizers of Qwen2.5 (151,643 tokens and 22 added ones) and of Llama 3 (128,000 and 256). */
const families: Readonly<Record<Shape['architecture'], Family>> = {
  qwen2: {
    regular: 151_643,
    merges: 151_387,
    control: ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...reserved(3, 22)],
    bos: '<|endoftext|>',
    eos: '<|im_end|>',
    padding: '<|endoftext|>',
    addBos: false,
    splitter: 'qwen2',
    template:
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  },
  llama: {
    regular: 128_000,
    merges: 280_147,
    control: [
      '<|begin_of_text|>',
      '<|end_of_text|>',
      ...reserved(2, 6),
      '<|start_header_id|>',
      '<|end_header_id|>',
      '<|eom_id|>',
      '<|eot_id|>',
      ...reserved(10, 256),
    ],
    bos: '<|begin_of_text|>',
    eos: '<|eot_id|>',
    padding: '<|end_of_text|>',
    addBos: true,
    splitter: 'llama-bpe',
    template:
      "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
  },
}

/** A vocabulary of exactly `size` tokens in the family of `architecture`. Every merged token is the join of two earlier ones. */
export function makeVocabulary(architecture: Shape['architecture'], size: number, seed: number): Vocabulary {
  const { regular, merges: wanted, control, ...family } = families[architecture]
  const { tokens, merges } = mergedTokens(regular, wanted, random(seed))
  const types = tokens.map(() => NORMAL)
  for (const text of control) types[tokens.push(text) - 1] = CONTROL
  while (tokens.length < size) types[tokens.push(`[PAD${tokens.length}]`) - 1] = UNUSED
  const id = (text: string) => tokens.indexOf(text, regular)
  const { addBos, splitter, template } = family
  return { tokens, types, merges, bos: id(family.bos), eos: id(family.eos), padding: id(family.padding), addBos, splitter, template }
}

/**
 * Byte-level BPE without a corpus: 256 bytes, then joins of two tokens that are already there. Where a vocabulary has more merges than
 * joins (the same token reached from several pairs), joins with several ways are preferred and all their ways become merges.
 */
function mergedTokens(count: number, wanted: number, chance: Random): { tokens: string[]; merges: string[] } {
  const tokens = byteCharacters()
  const known = new Set(tokens)
  const merges: string[] = []
  const weighted = Object.entries(LETTERS).flatMap(([letter, weight]) => Array<string>(weight).fill(letter))
  // heads may begin with the space before a word, tails not; index: length
  const heads: string[][] = Array.from({ length: LONGEST }, () => [])
  const tails: string[][] = Array.from({ length: LONGEST }, () => [])
  heads[1] = [...weighted, ...Array<string>(weighted.length / 2).fill(SPACE)]
  tails[1] = weighted
  const lengths = LENGTHS.flatMap((weight, at) => Array<number>(weight).fill(at + 2))
  const pick = (list: readonly string[]) => (list.length < CHOICE ? undefined : list[chance.below(list.length)])
  const join = (): [string, string] | null => {
    const length = lengths[chance.below(lengths.length)]!
    const first = 1 + chance.below(length - 1)
    const [left, right] = [pick(heads[first]!), pick(tails[length - first]!)]
    return left === undefined || right === undefined || known.has(left + right) ? null : [left, right]
  }
  const ways = (text: string): string[] => {
    const found: string[] = []
    for (let at = 1; at < text.length; at++)
      if (known.has(text.slice(0, at)) && known.has(text.slice(at))) found.push(`${text.slice(0, at)} ${text.slice(at)}`)
    return found
  }

  while (tokens.length < count) {
    const needed = Math.max(1, Math.round((wanted - merges.length) / (count - tokens.length)))
    let best: { text: string; ways: string[] } | null = null
    for (let tries = 0; best === null || (best.ways.length < needed && tries < 8); tries++) {
      const pair = join()
      if (!pair) continue
      const text = pair.join('')
      const all = needed === 1 ? [pair.join(' ')] : ways(text)
      if (!best || all.length > best.ways.length) best = { text, ways: all }
    }
    merges.push(...best.ways.slice(0, Math.max(1, wanted - merges.length - (count - tokens.length - 1))))
    tokens.push(best.text)
    known.add(best.text)
    if (best.text.length < LONGEST) {
      heads[best.text.length]!.push(best.text)
      if (!best.text.startsWith(SPACE)) tails[best.text.length]!.push(best.text)
    }
  }
  return { tokens, merges }
}

/** The 256 bytes as GPT-2's tokenizer writes them: printable ones as themselves, the others as characters from U+0100 on. */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  const bytes = Array.from({ length: 256 }, (_, byte) => byte)
  const hidden = bytes.filter((byte) => !printable(byte))
  return [...bytes.filter(printable).map((byte) => String.fromCodePoint(byte)), ...hidden.map((_, at) => String.fromCodePoint(256 + at))]
}
