// Owns the form of a pair as the trainer reads it: tokens of question and answer, where learning starts, which tokens are key entities.
import { chat, TURN_END, type Placed, type Tokenizer } from './bpe.ts'
import type { Key, Pair } from './pair.ts'

/** One line of a data set of native/trainer. */
export interface Sample {
  readonly tokens: readonly number[]
  /** Index of the first token that is learned: the answer's first. */
  readonly start: number
  readonly level: number
  readonly class: 'general' | 'special'
  /** [index in tokens, weight], rising. */
  readonly entities: readonly (readonly [number, number])[]
  readonly id: string
}

/** Question as prompt, answer and the end of the turn as what is learned. */
export function sampleOf(pair: Pair, tokenizer: Tokenizer): Sample {
  const prompt = tokenizer.encode(chat(pair.q), { special: true })
  const placed = tokenizer.place(pair.a)
  const tokens = [...prompt, ...placed.map(({ token }) => token), ...tokenizer.encode(TURN_END, { special: true })]
  return {
    ...{ tokens, start: prompt.length, level: pair.level, class: pair.knowledge === 'basic' ? 'general' : 'special' },
    entities: entities(pair.a, pair.keys, placed, prompt.length),
    id: `${pair.fact} ${pair.template}`,
  }
}

function entities(answer: string, keys: readonly Key[], placed: readonly Placed[], start: number): [number, number][] {
  const weights = new Map<number, number>()
  for (const { text, weight } of keys) {
    const from = find(answer, text)
    if (from < 0) continue
    placed.forEach((token, at) => {
      if (token.from < from + text.length && token.to > from) weights.set(start + at, Math.max(weight, weights.get(start + at) ?? 0))
    })
  }
  return [...weights].sort((a, b) => a[0] - b[0])
}

/** Where a key stands, as whole words where it does: the unit "g" is not the g of "dosing". −1 when nowhere. */
export function find(answer: string, key: string): number {
  const whole = findWords(answer, key)
  return whole < 0 ? answer.indexOf(key) : whole
}

/** Where `key` stands with no letter or digit beside it; −1 when nowhere. */
export function findWords(text: string, key: string): number {
  const letter = /[\p{L}\p{N}]/u
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1))
    if (!letter.test(text[at - 1] ?? '') && !letter.test(text[at + key.length] ?? '')) return at
  return -1
}
