// Owns the properties of the clinical gate under random change: a changed number, a lost or foreign word, another order of things.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { same } from './tables.ts'

const questions = [
  ...new Set(
    readFileSync(fileURLToPath(new URL('../../../sets/pairs-test.jsonl', import.meta.url)), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { a: string }).a),
  ),
].filter((_, at) => at % 3 === 0)
/** Words that may go without another question arising; with what they may be said beside. */
const SMALL =
  /^(?:the|an?|of|for|in|at|is|are|what|what's|please:?|thanks!?|to|old|aged|patients?|stage|sided|advise|weighing|between|case|ml\/min|disease|hello,?|hi,?|good|morning,?|can|could|you|tell|me:?|i|would|like|know:?|quick|question:?|body|heart|reaction|happens)$/i

describe('a changed number', () => {
  it('is another question, whichever it is', () => {
    const changed = questions.flatMap((question) =>
      [...question.matchAll(/(?<![\d.,\p{L}])\d+(?![\d\p{L}])/gu)].map(({ 0: number, index }) => {
        const other = String(Number(number) + 1)
        return [question, question.slice(0, index) + other + question.slice(index + number.length)] as const
      }),
    )
    expect(changed.length).toBeGreaterThan(60)
    expect(changed.filter(([a, b]) => same(a, b))).toEqual([])
  })
  it('is so with ten times as much', () => {
    const tenfold = questions.flatMap((question) => {
      const other = question.replace(/(?<![\d,])(\d+(?:\.\d+)?)(?= ?(?:mg|g|ml|kg|micrograms)\b)/, (number) => String(Number(number) * 10))
      return other === question ? [] : [[question, other] as const]
    })
    expect(tenfold.length).toBeGreaterThan(15)
    expect(tenfold.filter(([a, b]) => same(a, b))).toEqual([])
  })
})

describe('a word', () => {
  it('that is lost makes another question, but for the small ones', () => {
    const lost = questions.flatMap((question) => {
      const list = question.split(/\s+/)
      return list.flatMap((word, at) =>
        SMALL.test(word.replace(/[“”?!.,:]/g, '')) || list.length < 3 ? [] : [[question, list.filter((_, k) => k !== at).join(' '), word] as const],
      )
    })
    const harmless = lost.filter(([a, b, word]) => /\p{L}|\d/u.test(word) && same(a, b))
    expect(lost.length).toBeGreaterThan(1000)
    expect(harmless).toEqual([])
  })
  it('that nobody knows makes another question wherever it stands', () => {
    const added = questions.flatMap((question) => {
      const list = question.split(/\s+/)
      return [0, 1, 2].map((step) => {
        const at = Math.floor((list.length * step) / 2)
        return [question, [...list.slice(0, at), 'zorbulon', ...list.slice(at)].join(' ')] as const
      })
    })
    expect(added.filter(([a, b]) => same(a, b))).toEqual([])
  })
})

describe('case, spacing and punctuation', () => {
  const changes: readonly (readonly [name: string, change: (question: string) => string])[] = [
    ['small letters', (question) => question.toLowerCase()],
    ['wide spaces', (question) => question.replaceAll(' ', ' \u00a0 ')],
    ['a full stop', (question) => `${question.replace(/[?!]+$/, '')}.`],
    ['quotation marks', (question) => `"${question}"`],
    ['thanks', (question) => `Please: ${question.replace(/[?!.]+$/, '')} - many thanks`],
  ]
  it.each(changes)('%s change nothing', (_, change) => {
    expect(questions.filter((question) => !same(question, change(question)))).toEqual([])
  })
})
