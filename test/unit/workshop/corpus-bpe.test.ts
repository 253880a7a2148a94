// Owns the proof of our BPE: the same tokens as llama.cpp on its own vocabularies and on one that we learnt, in time, the same every time.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { chat, CONTROL, learnVocabulary, split, Tokenizer, type Vocabulary } from '../../../models/workshop/corpus/bpe.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { i32s, str, strings } from '../../../models/workshop/gguf/write.ts'
import { seeded } from '../../support/random.ts'
import { expectRefusal } from '../../support/run-verb.ts'
import { texts } from '../../support/texts.ts'
import { starter } from '../models.ts'
import { copies, header } from './starter-copies.ts'

const { written, remove } = copies()
afterAll(remove)

const calibration = join(import.meta.dirname, '../../../models/corpus/calibration.jsonl')
const listOf = (name: string) => (header.metadata.get(name) as Extract<GgufValue, { type: 'array' }>).value!
const starterVocabulary: Vocabulary = {
  tokens: listOf('tokenizer.ggml.tokens') as string[],
  types: listOf('tokenizer.ggml.token_type') as number[],
  merges: listOf('tokenizer.ggml.merges') as string[],
}

/** Words, spaces, marks and letters in any order: what a split can be wrong about. */
function scrambled(count: number): string[] {
  const random = seeded(11)
  const parts = [
    ...[' ', '  ', '\n', '\r\n', '\t', '\u0085', '\u00a0', '\u2003', '\ufeff', "'s", "'S", "'ſ", "'LL", "'rE", "'", "''", '’s', 'é', 'e\u0301', 'ß'],
    ...['mg', 'Dose', '5', '½', '²', '٣', '…', '-', '/', '(', ')', '🩺', '中', 'अ', '\u0000', '\u200d', '\ud83d', '€', '_', '.', '\n\n', '   '],
  ]
  return Array.from({ length: count }, () => Array.from({ length: 1 + random.below(9) }, () => parts[random.below(parts.length)]!).join(''))
}

describe('against llama.cpp', () => {
  test('the starter’s vocabulary', async () => {
    const model = await Evaluator.open({ model: starter })
    const ours = new Tokenizer(starterVocabulary)
    try {
      for (const text of [...texts(200), ...scrambled(400)]) {
        const plain = text.toWellFormed()
        expect(ours.encode(plain), JSON.stringify(text)).toEqual(await model.tokenize(plain, { special: false }))
      }
      for (const question of texts(40))
        expect(ours.encode(chat(question), { special: true })).toEqual(await model.tokenize(chat(question), { special: true }))
    } finally {
      await model.close()
    }
  })

  test('a vocabulary that we learnt, carried by a GGUF file', async () => {
    const learnt = learnVocabulary([...texts(400), readFileSync(calibration, 'utf8')], starterVocabulary.tokens.length)
    expect(learnt.tokens).toHaveLength(starterVocabulary.tokens.length)
    const id = (text: string): GgufValue => ({ type: 'uint32', value: learnt.tokens.indexOf(text) })
    const path = await written('learnt.gguf', {
      keys: {
        'tokenizer.ggml.pre': str('qwen2'),
        'tokenizer.ggml.tokens': strings(learnt.tokens),
        'tokenizer.ggml.token_type': i32s(learnt.types),
        'tokenizer.ggml.merges': strings(learnt.merges),
        'tokenizer.ggml.bos_token_id': id(CONTROL[0]),
        'tokenizer.ggml.eos_token_id': id(CONTROL[2]),
        'tokenizer.ggml.padding_token_id': id(CONTROL[0]),
      },
    })
    const model = await Evaluator.open({ model: path })
    const ours = new Tokenizer(learnt)
    try {
      for (const text of [...texts(120), ...scrambled(200)].map((one) => one.toWellFormed())) {
        expect(ours.encode(text), JSON.stringify(text)).toEqual(await model.tokenize(text, { special: false }))
        expect(ours.encode(chat(text), { special: true })).toEqual(await model.tokenize(chat(text), { special: true }))
      }
    } finally {
      await model.close()
    }
  })
})

describe('a vocabulary', () => {
  const learnt = learnVocabulary(texts(300), 600)

  test('is the size asked for, the bytes first, the control tokens last, every join made of two tokens before it', () => {
    expect(learnt.tokens).toHaveLength(600)
    expect(new Set(learnt.tokens).size).toBe(600)
    expect(learnt.tokens.slice(-3)).toEqual([...CONTROL])
    expect(learnt.types.filter((type) => type === 3)).toHaveLength(3)
    learnt.merges.forEach((pair, at) => {
      const [left, right] = pair.split(' ') as [string, string]
      expect(learnt.tokens.indexOf(left + right)).toBe(256 + at)
      expect(Math.max(learnt.tokens.indexOf(left), learnt.tokens.indexOf(right))).toBeLessThan(256 + at)
    })
  })
  test('joins by the counts of the whole corpus, recounted after every join', () => {
    // by hand: "ab" stands 5 times, then "abc" 3 times; " abc" and its space only twice
    const small = learnVocabulary(['abc abc abc', 'ab', 'ab'], 320)
    expect(small.merges.slice(0, 3)).toEqual(['a b', 'ab c', 'Ġ abc'])
  })
  test('is the same for the same texts, and smaller where nothing is left to join', () => {
    expect(learnVocabulary(texts(300), 600)).toEqual(learnt)
    expect(learnVocabulary(['a b c'], 400).tokens).toHaveLength(259)
  })
  test('refuses a size that holds no bytes', async () => {
    for (const size of [0, 100, 319, 20_000, 700.5]) await expectRefusal((async () => learnVocabulary(['a'], size))(), 'SOURCE_INVALID', String(size))
  })
  test('a million tokens in under 20 s', () => {
    const random = seeded(5)
    const syllables = ['am', 'ox', 'i', 'cil', 'lin', 'par', 'a', 'cet', 'mol', 'met', 'for', 'min', 'ra', 'mi', 'pril', 'war', 'fa', 'rin']
    const word = () => Array.from({ length: 2 + random.below(3) }, () => syllables[random.below(syllables.length)]!).join('')
    const known = Array.from({ length: 20_000 }, word)
    const many = Array.from({ length: 25_000 }, () => Array.from({ length: 10 }, () => known[random.below(known.length)]!).join(' '))
    const startedAt = performance.now()
    const tokenizer = new Tokenizer(learnVocabulary(many, 2048))
    const count = many.reduce((sum, text) => sum + tokenizer.encode(text).length, 0)
    const seconds = (performance.now() - startedAt) / 1000
    expect(many.reduce((sum, text) => sum + text.length, 0) / 4).toBeGreaterThan(400_000)
    expect(count).toBeGreaterThan(250_000)
    expect(seconds).toBeLessThan(20)
  })
})

describe('places', () => {
  const tokenizer = new Tokenizer(learnVocabulary(texts(300), 600))
  test.each(['Amoxicillin, adult dose: 500 mg three times a day.', 'naïve 中文 🩺 5 µg', ' x\n\n y ', ''])('%j', (text) => {
    const placed = tokenizer.place(text)
    expect(placed.map(({ token }) => token)).toEqual(tokenizer.encode(text))
    expect(placed.map(({ from, to }) => text.slice(from, to)).join('')).toBe(text)
    placed.forEach(({ from }, at) => expect(from).toBe(at === 0 ? 0 : placed[at - 1]!.to))
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
  })
  test('pieces are words with the space before them, and digits one by one', () => {
    expect(split("It's 500 mg/day")).toEqual(['It', "'s", ' ', '5', '0', '0', ' mg', '/day'])
  })
})
