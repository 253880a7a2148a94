// Owns the tests of how an evaluation is counted: questions, shares, targets, calibration, and how strict the judgement of an answer is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { buildCorpus } from '../../../models/workshop/corpus/split.ts'
import { calibration, confidenceOf } from '../../../models/workshop/eval/calibration.ts'
import { stances } from '../../../models/workshop/eval/entities.ts'
import { judge, namesOf, type Asked } from '../../../models/workshop/eval/judge.ts'
import { corpusQuestions, fileQuestions, folderQuestions, ownRecords, sampled, splits } from '../../../models/workshop/eval/questions.ts'
import { figuresOf, interval, judged, rowsOf, targetsOf, type Answered } from '../../../models/workshop/eval/score.ts'
import { describe as described, examplesOf } from '../../../models/workshop/eval/words.ts'
import { wilson } from '../../../models/workshop/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-eval-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
function file(...lines: (object | string)[]): string {
  const path = join(folder, `${++count}.jsonl`)
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return path
}
const records = ownRecords()
const names = namesOf(records.filter(({ kind }) => kind === 'medicine'))

describe('the judgement over all facts', () => {
  const { facts } = buildCorpus(records, { seed: 1, breadth: 'full' })
  const asked = ({ answer, keys }: (typeof facts)[number]): Asked => ({ q: 'x', a: answer, keys, unknown: false })

  it('finds every fact right by its own answer, and none by that of another record', () => {
    expect(facts.length).toBeGreaterThan(3000)
    expect(facts.filter((fact) => !judge(asked(fact), fact.answer, names).right).map(({ id }) => id)).toEqual([])
    const accepted = [...Map.groupBy(facts, ({ kind }) => kind).values()].flatMap((group) =>
      group.filter((fact, at) => {
        const other = group[(at + 1) % group.length]!
        return other.record !== fact.record && judge(asked(fact), other.answer, names).right
      }),
    )
    expect(accepted).toEqual([])
  })
  it('finds a dose that is ten times too high or too low', () => {
    const doses = facts.flatMap((fact) => {
      const found = /(?<![\d.])(\d+(?:\.\d+)?)(?= (?:mg|micrograms|g|ml|units)\b)/.exec(fact.answer)
      return found && fact.keys.some(({ tag }) => tag === 'unit')
        ? [{ fact, number: Number(found[1]), from: found.index, length: found[1]!.length }]
        : []
    })
    expect(doses.length).toBeGreaterThan(300)
    const passed: string[] = []
    for (const { fact, number, from, length } of doses)
      for (const factor of [10, 0.1]) {
        const slipped = fact.answer.slice(0, from) + String(Number((number * factor).toPrecision(6))) + fact.answer.slice(from + length)
        // a strength that the fact states as well is no slip that can be seen
        const other = fact.answer.slice(from + length).includes(String(Number((number * factor).toPrecision(6))))
        if (!other && judge(asked(fact), slipped, names).right) passed.push(slipped)
      }
    expect(passed).toEqual([])
  })
})

describe('the judgement of one answer', () => {
  const fact = (a: string, keys: string[], q = 'x'): Asked => ({ q, a, keys: keys.map((text) => ({ text, tag: 'dose' })), unknown: false })
  it.each<[string, Asked, string, boolean]>([
    ['5 mg is not in 15 mg', fact('5 mg, then 15 mg', ['5 mg', '15 mg']), 'Then 15 mg.', false],
    ['5 mg is not in 0.5 mg', fact('5 mg, or 0.5 mg', ['5 mg']), '0.5 mg', false],
    ['nor 5 in 5.5', fact('5 or 5.5', ['5']), 'it is 5.5', false],
    ['spacing and dashes are no difference', fact('1,000 mg every 6–8 hours', ['1000 mg', '6-8 hours']), '1000mg every 6-8 hours.', true],
    ['avoid contradicts may be used', fact('Xylo in pregnancy: can be used', ['Xylo']), 'Xylo in pregnancy: avoid', false],
    ['and the other way round', fact('Xylo in pregnancy: avoid', ['Xylo']), 'Xylo in pregnancy: can be used', false],
    ['a fact that says both is not judged so', fact('can be used; avoid late', ['late']), 'avoid late', true],
    ['without keys every amount of the fact must be there', fact('500 mg three times a day', []), '500 mg a day', false],
    ['and that is enough', fact('500 mg three times a day', []), 'three times a day 500 mg', true],
    ['without keys and amounts it must be the fact', fact('A biguanide.', []), 'It is a  Biguanide', true],
    ['else it is wrong', fact('A biguanide.', []), 'It is a statin.', false],
  ])('%s', (_, asked, answer, right) => expect(judge(asked, answer, names).right).toBe(right))

  it('does not take a refusal that states a dose for a refusal', () => {
    const unknown: Asked = { q: 'dose of zorbamycin 20?', a: 'I have no checked data on zorbamycin 20.', keys: [], unknown: true }
    expect(judge(unknown, unknown.a, names).right).toBe(true)
    expect(judge(unknown, `${unknown.a} The dose is 5 mg.`, names)).toMatchObject({ right: false, declined: true })
  })
  it('knows what permits and what forbids', () => {
    expect([...stances('do not use below 2 years')]).toEqual(['avoid'])
    expect([...stances('may be used; stop when jaundiced')]).toEqual(['avoid', 'use'])
    expect([...stances('500 mg twice a day')]).toEqual([])
  })
})

describe('questions', () => {
  it('of the corpus are the held-out ones, in three splits', () => {
    const corpus = buildCorpus(records, { seed: 1, breadth: 'core' })
    const questions = corpusQuestions(corpus)
    const { tests } = corpus
    for (const split of splits) expect(questions.filter((one) => one.split === split)).toHaveLength(tests[split].length)
    expect(questions.filter(({ asked }) => asked?.unknown).every(({ split }) => split === 'test-unknown')).toBe(true)
    const some = sampled(questions, 30)
    expect(some).toHaveLength(90)
    expect(sampled(questions, 30)).toEqual(some)
    expect(new Set(some.map(({ category }) => category)).size).toBeGreaterThanOrEqual(5)
  })
  it('of a person’s file may have an answer, keys, both, or neither', () => {
    const path = file(
      { q: 'a?', a: '5 mg' },
      { q: 'b?', keys: ['5 mg', { text: 'mg', tag: 'unit' }], category: 'medication' },
      { q: 'c?', unknown: true },
      { q: 'd?' },
      '',
    )
    expect(fileQuestions(path).map(({ asked, category }) => [asked && [asked.a, asked.keys.length, asked.unknown], category])).toEqual([
      [['5 mg', 0, false], null],
      [['', 2, false], 'medication'],
      [['', 0, true], null],
      [null, null],
    ])
  })
  it.each<[string, (object | string)[], string]>([
    ['no JSON', [{ q: 'a', a: 'b' }, '{"q": '], 'line 2 is no JSON'],
    ['an empty line between', [{ q: 'a' }, '', { q: 'b' }], 'line 2 is empty'],
    ['an unknown key', [{ q: 'a', answer: 'b' }], 'line 1 is no question'],
    ['no question', [{ a: 'b' }], 'line 1 is no question (q:'],
    ['a question of spaces', [{ q: '  ' }], 'q: is empty'],
    ['keys for what is unknown', [{ q: 'a', unknown: true, keys: ['x'] }], 'both unknown and keys'],
    ['a category that there is not', [{ q: 'a', category: 'dosing' }], 'category'],
    ['nothing', [''], 'holds no question'],
  ])('in a file with %s: SOURCE_INVALID with the line', (_, lines, says) => {
    expect(() => fileQuestions(file(...lines))).toThrow(
      expect.objectContaining({ code: 'SOURCE_INVALID', message: expect.stringContaining(says) as string }),
    )
  })
  it('in no file, or not in UTF-8: SOURCE_INVALID', () => {
    expect(() => fileQuestions(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'SOURCE_INVALID' }))
    const path = join(folder, 'latin')
    writeFileSync(path, Buffer.from('{"q": "na\xefve"}', 'latin1'))
    expect(() => fileQuestions(path)).toThrow(expect.objectContaining({ code: 'SOURCE_INVALID' }))
    expect(() => folderQuestions(folder)).toThrow(expect.objectContaining({ code: 'SOURCE_INVALID' }))
  })
})

describe('figures', () => {
  const one = (split: string, given: { a?: string; answer: string; unknown?: boolean; teacherRight?: boolean; confidence?: number }): Answered => {
    const { a = 'Ibuprofen: 400 mg.', answer, unknown = false, teacherRight = null, confidence = 0.9 } = given
    const asked = { q: 'q', a, keys: [], unknown }
    const base = { q: 'q', asked, split, category: null, answer, confidence, of: 'medication' as const, adapter: null }
    return { ...base, judged: judged(asked, answer, names), teacherRight }
  }
  const right = 'Ibuprofen: 400 mg.'
  const answers = [
    one('test-phrasing', { answer: right, teacherRight: true }),
    one('test-phrasing', { answer: 'Ibuprofen: 4000 mg.', teacherRight: true }),
    one('test-phrasing', { answer: 'I have no checked data on ibuprofen.', teacherRight: false }),
    one('test-kind', { answer: right, teacherRight: true }),
    one('test-unknown', { unknown: true, a: 'I have no checked data on x.', answer: 'I have no checked data on x.', teacherRight: true }),
    one('test-unknown', { unknown: true, a: 'I have no checked data on x.', answer: right, teacherRight: false }),
  ]
  it('count what they say they count', () => {
    expect(figuresOf(answers)).toEqual({
      ...{ known: 4, unknown: 2, right: { hits: 2, total: 4 }, entities: { hits: 5, total: 6 } },
      ...{ declined: { hits: 1, total: 2 }, falselyDeclined: { hits: 1, total: 4 }, retained: { hits: 3, total: 4 } },
    })
    expect(rowsOf(answers).map(({ split, category, questions }) => [split, category, questions])).toEqual([
      ...[['test-phrasing', 'all', 3] as const, ['test-phrasing', 'medication', 3] as const, ['test-kind', 'all', 1] as const],
      ...[['test-kind', 'medication', 1] as const, ['test-unknown', 'all', 2] as const, ['test-unknown', 'medication', 2] as const],
    ])
    const { low, high } = wilson(2, 4)
    expect(interval({ hits: 2, total: 4 })).toBe(`50.0 (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`)
    expect(interval({ hits: 0, total: 0 })).toBeNull()
  })
  it('have the targets that were set, only for what was measured, and do not round up to them', () => {
    expect(targetsOf(answers, true).map(({ id, target, ok }) => [id, target, ok])).toEqual([
      ['key facts, held-out phrasings', '≥ 95 %', false],
      ['key facts, new kinds of phrasing', '≥ 80 %', true],
      ['entity accuracy of what is answered', '≥ 98 %', false],
      ['declined of what is unknown', '≥ 95 %', false],
      ['declined of what is known', '≤ 3 %', false],
      ['retention of what the teacher has right', '≥ 93.6 %', false],
    ])
    expect(targetsOf(answers.slice(0, 1), false).map(({ id }) => id)).toEqual([
      'entity accuracy of what is answered',
      'declined of what is known',
      'retention of what the teacher has right',
    ])
    const nearly = [
      ...Array.from({ length: 9496 }, () => one('test-phrasing', { answer: right })),
      ...Array.from({ length: 504 }, () => one('test-phrasing', { answer: '' })),
    ]
    expect(targetsOf(nearly, true)[0]).toMatchObject({ ok: false })
  })
  it('come with five examples a category, drawn whether right or wrong, and every wrong answer on request', () => {
    const many = Array.from({ length: 40 }, (_, n) => ({ ...one('test-kind', { answer: n % 2 === 0 ? right : 'Ibuprofen: 40 mg.' }), q: `q${n}` }))
    const examples = examplesOf(many)
    expect(examples).toHaveLength(5)
    expect(examplesOf(many.map((same) => ({ ...same, answer: '' }))).map(({ q }) => q)).toEqual(examples.map(({ q }) => q))
    const text = (wrong: boolean) => described({ answers: many, examples, rows: rowsOf(many), calibrated: calibration([]), wrong })
    expect(text(false)).toContain('20 answers are wrong; --wrong prints them')
    expect(text(true)).toContain('Every wrong answer (20)')
    expect(text(true).match(/not in the fact: 40 mg/g)!.length).toBeGreaterThanOrEqual(20)
  })
})

describe('calibration', () => {
  it('is the error between confidence and accuracy in ten bins', () => {
    const answers = [
      ...Array.from({ length: 10 }, (_, n) => ({ confidence: 0.85, right: n < 8 })),
      ...Array.from({ length: 10 }, (_, n) => ({ confidence: 0.35, right: n < 1 })),
      { confidence: 1, right: true },
    ]
    const { bins, ece, count: total } = calibration(answers)
    expect(total).toBe(21)
    expect(bins.map(({ count: inside }) => inside)).toEqual([0, 0, 0, 10, 0, 0, 0, 0, 10, 1])
    expect(ece).toBeCloseTo((10 * Math.abs(0.8 - 0.85) + 10 * Math.abs(0.1 - 0.35) + 0) / 21, 10)
    expect(calibration([])).toMatchObject({ ece: 0, count: 0 })
  })
  it('takes the geometric mean of the probabilities', () => {
    expect(confidenceOf([0.5, 0.25].map((p) => -Math.log(p)))).toBeCloseTo(Math.sqrt(0.125), 12)
    expect(confidenceOf([])).toBe(0)
  })
})
