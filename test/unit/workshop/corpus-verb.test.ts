// Owns the proof of the corpus command: the same bytes from the same seed, whole files, refusals with file and line, samples that the trainer can read.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chat, Tokenizer, TURN_END, type Vocabulary } from '../../../models/workshop/corpus/bpe.ts'
import type { TeacherAnswer } from '../../../models/workshop/corpus/from-teacher.ts'
import type { Pair } from '../../../models/workshop/corpus/pair.ts'
import { readRecords, recordFiles } from '../../../models/workshop/corpus/records-file.ts'
import { find, sampleOf } from '../../../models/workshop/corpus/sample.ts'
import type { Report } from '../../../models/workshop/report.ts'
import { corpusVerb } from '../../../models/workshop/verbs/corpus.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'
import { starter } from '../models.ts'
import { corpusFolder, medicine } from './corpus-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-corpus-'))
const at = (...parts: string[]) => join(folder, ...parts)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const read = (...parts: string[]) => readFileSync(at(...parts), 'utf8')
const pairs = (...parts: string[]) =>
  read(...parts)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Pair)

const PAIRS = ['test-kind', 'test-phrasing', 'test-unknown', 'train', 'train-2', 'validation', 'teacher'].map((name) => `pairs-${name}.jsonl`)
const FILES = [...PAIRS, 'statistics.json', 'teacher-answers.jsonl', 'vocabulary.json'].sort()

describe('a run', () => {
  let report: Report
  let vocabulary: Vocabulary
  beforeAll(async () => {
    report = await runVerb(corpusVerb, [at('one')], { breadth: 'core', passes: '2', teacher: starter, 'teacher-questions': '6' })
    vocabulary = JSON.parse(read('one', 'vocabulary.json')) as Vocabulary
  })

  test('meets its targets and says what it made', () => {
    expect(report.targets.map(({ id, ok }) => [id, ok])).toEqual([
      ['training pairs in a pass', true],
      ['tokens of a pair', true],
    ])
    const statistics = JSON.parse(read('one', 'statistics.json')) as {
      facts: number
      train: { pairs: number; byLevel: Record<string, number> }
      tests: Record<string, number>
    }
    const trained = pairs('one', 'pairs-train.jsonl')
    expect(statistics.train.pairs).toBe(trained.length)
    expect(Object.keys(statistics.train.byLevel)).toEqual(['0', '1', '2', '3'])
    expect(statistics.tests['test-kind']).toBe(pairs('one', 'pairs-test-kind.jsonl').length)
    for (const words of [`${statistics.facts} facts`, 'kinds of phrasing never trained: exam, reported, form', 'tokens:', 'removed:'])
      expect(report.text).toContain(words)
    expect(report.rows.reduce((sum, row) => sum + Number(row['train']), 0)).toBe(trained.length)
  })
  test('the files that were written hold no held-out question in training', () => {
    const bare = ({ q }: Pair) => q.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
    const seen = new Set([...pairs('one', 'pairs-train.jsonl'), ...pairs('one', 'pairs-train-2.jsonl')].map(bare))
    for (const name of FILES.filter((file) => /test|validation/.test(file)))
      expect(pairs('one', name).filter((pair) => seen.has(bare(pair)))).toEqual([])
  })
  test('a teacher is asked one question of each fact, and only answers that state it become pairs', () => {
    const answers = read('one', 'teacher-answers.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TeacherAnswer)
    expect(new Set(answers.map(({ fact }) => fact)).size).toBe(6)
    const kept = read('one', 'pairs-teacher.jsonl')
      .split('\n')
      .filter((line) => line !== '')
    expect(kept).toHaveLength(answers.filter(({ refused }) => refused === null).length)
    expect(report.text).toContain('6 answers')
  })
  test('made-up names are not in the vocabulary, known ones are', () => {
    const tokenizer = new Tokenizer(vocabulary)
    const [known, unknown] = [' paracetamol', ' zopritanib'].map((name) => tokenizer.encode(name).length) as [number, number]
    expect(vocabulary.tokens).toHaveLength(2048)
    expect(known).toBe(1)
    expect(unknown).toBeGreaterThanOrEqual(4)
  })
  test('a sample is the prompt, the answer and the end of the turn, with the entities of the answer', () => {
    const tokenizer = new Tokenizer(vocabulary)
    const trained = pairs('one', 'pairs-train.jsonl')
    for (const pair of trained.filter((_, n) => n % 40 === 0)) {
      const { tokens, start, entities, level } = sampleOf(pair, tokenizer)
      expect(tokenizer.decode(tokens)).toBe(chat(pair.q) + pair.a + TURN_END)
      expect(tokenizer.decode(tokens.slice(start))).toBe(pair.a + TURN_END)
      expect(tokens.length).toBeLessThanOrEqual(192)
      expect(level).toBe(pair.level)
      expect(entities.every(([index], n) => index >= start && index < tokens.length - 1 && (n === 0 || index > entities[n - 1]![0]))).toBe(true)
      expect(entities.length > 0).toBe(pair.keys.length > 0)
    }
    const dose = trained.find(({ fact }) => fact === 'paracetamol/medicine.maximum')!
    const { tokens, entities } = sampleOf(dose, tokenizer)
    const said = (weight: number) => tokenizer.decode(entities.filter(([, one]) => one === weight).map(([index]) => tokens[index]!))
    expect(dose.a).toBe('Paracetamol, maximum adult dose (pain or fever): 4 g in 24 hours.')
    expect(said(3).trim()).toBe('4 g')
    expect(said(2)).toBe('Paracetamol')
  })
  test('is not overwritten unless it is asked for, and the same seed then gives the same bytes', async () => {
    expect(readdirSync(at('one')).sort()).toEqual(FILES)
    const before = FILES.map((name) => read('one', name))
    await expectRefusal(runVerb(corpusVerb, [at('one')], { breadth: 'core' }), 'OUTPUT_EXISTS', 'pairs-train.jsonl')
    await runVerb(corpusVerb, [at('one')], { breadth: 'core', passes: '2', force: true, teacher: starter, 'teacher-questions': '6' })
    FILES.forEach((name, n) => expect(read('one', name) === before[n], name).toBe(true))
    expect(readdirSync(at('one')).sort()).toEqual(FILES)
  })
})

test('the unit "g" is found as a word, not inside another', () => {
  expect(find('Dosing of testamol: 4 g in 24 hours.', 'g')).toBe(22)
  expect(find('Dosing', 'g')).toBe(5)
  expect(find('Dosing', 'x')).toBe(-1)
})

describe('refusals', () => {
  const good = JSON.stringify(medicine())
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(at(name), content)
    return at(name)
  }
  test.each<[string, string | Uint8Array, string[]]>([
    ['empty.jsonl', '', ['empty.jsonl', 'no record']],
    ['gap.jsonl', `${good}\n\n${good}\n`, ['gap.jsonl, line 2', 'empty']],
    ['blank.jsonl', `${good}\n   \n`, ['blank.jsonl, line 2', 'empty']],
    ['cut.jsonl', `${good}\n${good.slice(0, 80)}\n`, ['cut.jsonl, line 2', 'no JSON']],
    ['list.jsonl', '[]\n', ['list.jsonl, line 1', 'no clinical record']],
    ['key.jsonl', good.replace('"name"', '"colour":"red","name"') + '\n', ['key.jsonl, line 1', 'colour']],
    ['kind.jsonl', good.replace('"medicine"', '"potion"') + '\n', ['kind.jsonl, line 1', 'kind']],
    ['dose.jsonl', good.replace('"low":500,"high":1000', '"low":5000,"high":1000') + '\n', ['dose.jsonl, line 1', 'low is above high']],
    ['twice.jsonl', `${good}\n${good}\n`, ['twice.jsonl, line 2', 'id testamol', 'twice.jsonl, line 1']],
    [
      'brand.jsonl',
      `${good}\n${good.replace('"testamol"', '"other"').replace('"name":"testamol"', '"name":"other"')}\n`,
      ['brand.jsonl, line 2', 'testol'],
    ],
    ['bytes.jsonl', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), ['bytes.jsonl', 'UTF-8']],
  ])('%s', async (name, content, words) => {
    await expectRefusal(
      Promise.resolve().then(() => readRecords([file(name, content)])),
      'SOURCE_INVALID',
      ...words,
    )
  })
  test('a local file with a fault is refused by the command before anything is written', async () => {
    const path = file('local.jsonl', `${good}\n{}\n`)
    await expectRefusal(runVerb(corpusVerb, [at('none')], { records: path }), 'SOURCE_INVALID', 'local.jsonl, line 2')
    await expectRefusal(runVerb(corpusVerb, [at('none')], { records: at('nowhere.jsonl') }), 'SOURCE_INVALID', 'nowhere.jsonl')
    expect(readdirSync(folder)).not.toContain('none')
  })
  test('a name that our own records have is refused too', async () => {
    const path = file('ours.jsonl', JSON.stringify(medicine({ name: 'paracetamol' })) + '\n')
    await expectRefusal(
      Promise.resolve().then(() => readRecords([...recordFiles(corpusFolder), path])),
      'SOURCE_INVALID',
      'ours.jsonl, line 1',
      'paracetamol',
    )
  })
  test('wrong options', async () => {
    for (const values of [{ vocabulary: '100' }, { vocabulary: 'many' }, { seed: '-1' }, { breadth: 'wide' }, { passes: '0' }])
      await expect(runVerb(corpusVerb, [at('none')], values as Record<string, string>)).rejects.toThrow(WrongUse)
  })
  test('a folder that cannot be made, and a run that is stopped', async () => {
    await expectRefusal(runVerb(corpusVerb, [join(file('plain', 'x'), 'inside')], {}), 'OUTPUT_NOT_WRITABLE')
    await expect(runVerb(corpusVerb, [at('stopped')], { breadth: 'core' }, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
    expect(readdirSync(at('stopped'))).toEqual([])
  })
})
