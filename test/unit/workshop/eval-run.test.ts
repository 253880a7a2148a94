// Owns the tests of eval as a command: a real model asked, adapters by category, a teacher, a run that goes on, and what is refused.
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat } from '../../../models/workshop/corpus/bpe.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { evalVerb } from '../../../models/workshop/verbs/eval.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'
import { starter, stories, withoutStories } from '../models.ts'
import { copies } from './starter-copies.ts'

const { at, adapter, remove } = copies()
afterAll(remove)

const questions = ['What is the maximum dose of paracetamol?', 'Red flags in headache?', 'first step in anaphylaxis']
/** What the starter says to them; whether it is true does not matter here. */
const said: string[] = []
let probability = 0
beforeAll(async () => {
  const model = await Evaluator.open({ model: starter })
  for (const q of questions) {
    const prompt = await model.tokenize(chat(q), { special: true })
    const written = await model.generate(prompt, 120)
    said.push((await model.detokenize(written)).trim())
    if (said.length > 1) continue
    const losses = await model.losses([...prompt, ...written], prompt.length)
    probability = Math.exp(-losses.reduce((sum, loss) => sum + loss, 0) / losses.length)
  }
  await model.close()
})
function file(name: string, lines: object[]): string {
  writeFileSync(at(name), lines.map((line) => JSON.stringify(line)).join('\n') + '\n')
  return at(name)
}
const rightWrong = () => [
  { q: questions[0], a: said[0], category: 'medication' },
  { q: questions[1], keys: ['something that it does not say'], category: 'diagnosis' },
  { q: questions[2], category: 'emergency' },
]

describe('eval', () => {
  it('asks the model and judges what it says', async () => {
    const report = await runVerb(evalVerb, [starter], { file: file('own.jsonl', rightWrong()), wrong: true })
    expect(report.rows.map(({ category, questions: asked, 'key facts %': share }) => [category, asked, share])).toEqual([
      ['all', 2, '50.0 (9.5–90.5)'],
      ['emergency', 0, null],
      ['medication', 1, '100.0 (20.7–100.0)'],
      ['diagnosis', 1, '0.0 (0.0–79.3)'],
    ])
    const examples = report.detail!['examples'] as { q: string; answer: string; verdict: string; confidence: number }[]
    expect(examples.map(({ answer }) => answer).sort()).toEqual([...said].sort())
    const first = examples.find(({ q }) => q === questions[0])!
    expect(first.verdict).toBe('right')
    expect(first.confidence).toBeCloseTo(probability, 5)
    expect(examples.find(({ q }) => q === questions[2])!.verdict).toBe('not judged')
    expect(report.text).toContain('Every wrong answer (1)')
    expect(JSON.parse(JSON.stringify(report)) as object).toMatchObject({ detail: { calibration: { count: 2 } } })
  })

  it('asks the questions of the corpus, some of each split, with the targets that were set', async () => {
    const report = await runVerb(evalVerb, [starter], { most: '4' })
    expect(report.rows.filter(({ category }) => category === 'all').map(({ split, questions: asked }) => [split, asked])).toEqual([
      ['test-phrasing', 4],
      ['test-kind', 4],
      ['test-unknown', 4],
    ])
    expect(report.targets.map(({ id }) => id)).toContain('key facts, new kinds of phrasing')
    expect(report.notes!.join()).toMatch(/: 12 of \d+ questions/)
  })

  it('turns on the adapter of the category that the program finds, and no other', async () => {
    const folder = at('adapters')
    mkdirSync(folder)
    await adapter('adapters/starter-medication.gguf', 8)
    copyFileSync(join(folder, 'starter-medication.gguf'), join(folder, 'notes-of-mine.gguf'))
    const report = await runVerb(evalVerb, [starter], { file: file('routed.jsonl', rightWrong()), 'adapters-by-category': folder })
    const examples = report.detail!['examples'] as { q: string; answer: string; adapter: string | null; confidence: number }[]
    const dose = examples.find(({ q }) => q === questions[0])!
    expect(dose.adapter).toBe('starter-medication')
    expect(Math.abs(dose.confidence - probability)).toBeGreaterThan(1e-4)
    const other = examples.find(({ q }) => q === questions[1])!
    expect([other.adapter, other.answer]).toEqual([null, said[1]])
    copyFileSync(join(folder, 'starter-medication.gguf'), join(folder, 'medication.gguf'))
    await expectRefusal(runVerb(evalVerb, [starter], { 'adapters-by-category': folder }), 'SOURCE_INVALID', 'two adapters for medication')
    mkdirSync(at('none'))
    await expectRefusal(runVerb(evalVerb, [starter], { 'adapters-by-category': at('none') }), 'SOURCE_INVALID', 'no adapter named after')
  })

  it('counts as retained what both have right', async () => {
    const report = await runVerb(evalVerb, [starter], { file: file('taught.jsonl', rightWrong()), teacher: starter })
    expect(report.detail!['figures']).toMatchObject({ retained: { hits: 1, total: 1 } })
    expect(report.targets.find(({ id }) => id.startsWith('retention'))).toMatchObject({ value: 100, ok: true })
  })

  it('goes on from the answers that it kept, and not from those of another model', async () => {
    const [path, answers] = [file('kept.jsonl', rightWrong()), at('answers.jsonl')]
    await runVerb(evalVerb, [starter], { file: path, answers })
    const lines = readFileSync(answers, 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    // a crash in the middle of a line, and an answer that shows where it came from
    const changed = { ...(JSON.parse(lines[0]!) as object), answer: 'kept from before' }
    writeFileSync(answers, `${JSON.stringify(changed)}\n${lines[1]!}\n{"by": "cut`)
    const report = await runVerb(evalVerb, [starter], { file: path, answers })
    expect((report.detail!['examples'] as { answer: string }[]).map(({ answer }) => answer)).toContain('kept from before')
    expect(readFileSync(answers, 'utf8').trimEnd().split('\n')).toHaveLength(3)
    const other = await runVerb(evalVerb, [starter], { file: path, answers, adapter: [await adapter('always.gguf', 8)] as never })
    expect((other.detail!['examples'] as { answer: string }[]).map(({ answer }) => answer)).not.toContain('kept from before')
    appendFileSync(answers, 'what\n')
    await expectRefusal(runVerb(evalVerb, [starter], { file: path, answers }), 'SOURCE_INVALID', 'answers.jsonl, line 7')
  })

  it('refuses what it cannot ask', async () => {
    const path = file('refused.jsonl', rightWrong())
    await expect(runVerb(evalVerb, [starter], { file: path, corpus: at('none') })).rejects.toThrow(WrongUse)
    await expect(runVerb(evalVerb, [starter], { most: '0' })).rejects.toThrow(WrongUse)
    await expectRefusal(runVerb(evalVerb, [at('absent.gguf')], { file: path }), 'MODEL_MISSING')
    await expectRefusal(runVerb(evalVerb, [starter], { file: path, adapter: [starter] as never }), 'ADAPTER_MISMATCH')
    await expectRefusal(runVerb(evalVerb, [starter], { file: path }, AbortSignal.abort()), 'CANCELLED')
    const long = file('long.jsonl', [{ q: 'short?' }, { q: 'dose? '.repeat(2000) }])
    await expectRefusal(runVerb(evalVerb, [starter], { file: long }), 'BAD_INPUT', 'Question 2 takes')
  })
  it.skipIf(stories === null)(`refuses a model without ChatML (${withoutStories})`, async () => {
    await expectRefusal(runVerb(evalVerb, [stories!], { file: file('stories.jsonl', rightWrong()) }), 'SOURCE_UNSUPPORTED', 'ChatML')
  })
})
