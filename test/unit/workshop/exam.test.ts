// Owns the proof of an examination's rules: what a file of questions may be, what counts as an answer, coverage, the other order, and every figure.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { loadTermTables, readMedicineNames } from '../../../app/clinical/term-tables.ts'
import { coverage, keyTerms } from '../../../models/workshop/exam/coverage.ts'
import { againstChance, calibrationOf, figuresOf, lettersOf, orderBias, rowsOf, tableOne } from '../../../models/workshop/exam/figures.ts'
import { repeatedKeys } from '../../../models/workshop/exam/json-keys.ts'
import { sharedStart, softmax } from '../../../models/workshop/exam/model-examinee.ts'
import { reordered } from '../../../models/workshop/exam/order.ts'
import { formOf, letterIn, toldIn, weighed } from '../../../models/workshop/exam/prompt.ts'
import { drawn, readExam, type ExamQuestion } from '../../../models/workshop/exam/questions.ts'
import type { Result } from '../../../models/workshop/exam/run.ts'
import { inModels, inTests } from '../../../models/workshop/score/set.ts'
import { expectRefusal } from '../../support/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-exam-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const refused = (text: string, ...words: string[]) =>
  expectRefusal(
    Promise.resolve().then(() => readExam(file('bad.json', text))),
    'SOURCE_INVALID',
    ...words,
  )
const item = { question: 'Which one?', options: { A: 'yes', B: 'no' }, answer: 'A' }
const asked = (texts: string[], answer = 'A', more: Partial<ExamQuestion> = {}): ExamQuestion => ({
  ...{ id: '1', set: 's', subject: 's', question: 'Which one?', answer, keys: null },
  options: texts.map((text, at) => ({ letter: 'ABCDE'[at]!, text })),
  ...more,
})

describe('questions', () => {
  it('reads MIRAGE, with the subject of MMLU from the id', () => {
    const path = file('mirage.json', JSON.stringify({ medqa: { '01': item }, mmlu: { 'medical_genetics-07': { ...item, answer: 'B' } } }, null, 1))
    expect(readExam(path).map(({ set, subject, id, answer }) => [set, subject, id, answer])).toEqual([
      ['medqa', 'medqa', '01', 'A'],
      ['mmlu', 'medical_genetics', 'medical_genetics-07', 'B'],
    ])
  })
  it('reads lines, with the answer as letter, as MedQA’s index or as words', () => {
    const lines = [item, { ...item, answer: 'no', answer_idx: 'B', meta_info: 'step1' }, { ...item, answer: 'no' }]
    const read = readExam(file('own.jsonl', lines.map((line) => JSON.stringify(line)).join('\n') + '\n'))
    expect(read.map(({ set, subject, answer }) => [set, subject, answer])).toEqual([
      ['own', 'own', 'A'],
      ['own', 'step1', 'B'],
      ['own', 'own', 'B'],
    ])
  })
  it('reads the set that ships, each letter right about as often', () => {
    const questions = readExam(inTests('exam-sample.jsonl'))
    expect(questions).toHaveLength(16)
    const often = [...Map.groupBy(questions, ({ answer }) => answer).values()].map(({ length }) => length)
    expect(Math.max(...often) - Math.min(...often)).toBeLessThanOrEqual(2)
  })
  test.each([
    ['no JSON, by line', `${JSON.stringify(item)}\n{"question": \n`, ['line 2: is no JSON']],
    ['an empty line', `${JSON.stringify(item)}\n\n${JSON.stringify(item)}\n`, ['line 2: is empty']],
    ['a broken object that spans lines', '{\n"medqa": {\n"1": {"question" "x"}\n}\n}', ['line 3']],
    ['an object that ends too early', '{\n"medqa": {\n"1": {', ['line 3']],
    ['an answer that is no option', JSON.stringify({ medqa: { '9': { ...item, answer: 'C' } } }), ['medqa, question 9', '“C” is not among']],
    ['an answer in words that two options say', JSON.stringify({ ...item, options: { A: 'x', B: 'x' }, answer: 'x' }), ['“x” is not among']],
    ['one option', JSON.stringify({ ...item, options: { A: 'yes' } }), ['line 1', 'one option']],
    ['no option', JSON.stringify({ ...item, options: {} }), ['no option']],
    ['an option that is no letter', JSON.stringify({ ...item, options: { A: 'yes', '2': 'no' } }), ['option “2”']],
    ['no question', JSON.stringify({ ...item, question: ' ' }), ['line 1: question: is empty']],
    ['the same id in lines', [1, 1].map((id) => JSON.stringify({ ...item, id })).join('\n'), ['question 1: this id is already taken']],
    ['the same id in one object', `{"s": {"7": ${JSON.stringify(item)},\n"7": ${JSON.stringify(item)}}}`, ['line 2: “7” stands there twice']],
    ['nothing', '\n', ['holds no question']],
    ['a set that is no object', '{"medqa": 3}', ['medqa: is no object']],
  ])('refuses %s', (_, text, words) => refused(text, ...words))
  it('names twenty faults and counts the rest', () => refused('x\n'.repeat(25), 'line 20:', 'and 5 more'))
  it('refuses a file that is not there', () =>
    expectRefusal(
      Promise.resolve().then(() => readExam(join(folder, 'none.json'))),
      'SOURCE_INVALID',
      'none.json',
    ))
  it('draws the same questions of each set, in their order', () => {
    const many = ['a', 'b'].flatMap((set) => Array.from({ length: 30 }, (_, at) => asked(['x', 'y'], 'A', { set, id: String(at) })))
    const some = drawn(many, 5)
    expect(some.map(({ set }) => set).join('')).toBe('aaaaabbbbb')
    expect(drawn(many, 5)).toEqual(some)
    expect(some).toEqual(many.filter((one) => some.includes(one)))
    expect(some.slice(0, 5).map(({ id }) => id)).not.toEqual(['0', '1', '2', '3', '4'])
  })
  it('finds keys that stand twice, and no others', () => {
    expect(repeatedKeys('{"a": {"b": "b", "c": ["a", {"b": 1}]},\n "d": "a\\": \\"a", "a": 1}')).toEqual([{ key: 'a', line: 2 }])
  })
})

describe('what counts as an answer', () => {
  const { options } = asked(['Iron deficiency', 'Gout', 'Both'])
  test.each([
    ['It is low.\nAnswer: A', 'A'],
    ['**Answer: B**', 'B'],
    ['Final answer: (C).', 'C'],
    ['Answer: A. Iron deficiency', 'A'],
    ['<think>Answer: B</think>\nAnswer: A', 'A'],
    ['Answer: B\nso again\nAnswer: B', 'B'],
    ['Answer: A\nas the ferritin is low.', 'A'],
    ['Answer:\nA', null],
    ['I think it is B', null],
    ['The answer: B or C', null],
    ['Answer: A\nAnswer: B', null],
    ['Answer: E', null],
    ['Answer: b', null],
    ['Answer: A. Gout', null],
    ['Answer: A or B', null],
    ['Answer: Both', null],
    ['<think>\nAnswer: A', null],
    ['', null],
  ])('%j is %j', (written, letter) => expect(letterIn(written, options)).toBe(letter))
})

describe('what is weighed', () => {
  const question = asked(['Iron', 'Gout'])
  it('letters behind "Answer:", in any form', () => {
    const { prompt, continuations } = weighed('letter', question, formOf('… <|im_start|> …'))
    expect(prompt).toMatch(/A\. Iron\nB\. Gout[\s\S]*<\|im_start\|>assistant\nAnswer:$/)
    expect(continuations).toEqual([' A', ' B'])
    expect(weighed('letter', question, formOf('<|start_header_id|>')).prompt).toMatch(/assistant<\|end_header_id\|>\n\nAnswer:$/)
    expect(weighed('letter', question, formOf('')).prompt).toMatch(/^Question: Which one\?[\s\S]*\nAnswer:$/)
  })
  it('words without showing the options', () => {
    const { prompt, continuations } = weighed('text', question, formOf('<|im_start|>'))
    expect(prompt).not.toContain('Iron')
    expect(continuations).toEqual(['Iron', 'Gout'])
    expect(weighed('text', question, formOf('')).continuations).toEqual([' Iron', ' Gout'])
    expect(toldIn('reason', question)).toContain('B. Gout')
  })
  it('from where the tokens part, as shares of 1', () => {
    expect(
      sharedStart([
        [1, 2],
        [1, 2, 3],
        [1, 2, 4],
      ]),
    ).toBe(2)
    expect(
      sharedStart([
        [1, 2, 9],
        [1, 2, 3],
        [1, 2, 4],
      ]),
    ).toBe(2)
    expect(softmax([-1000, -1000 + Math.log(3)]).map((share) => Math.round(share * 1000))).toEqual([250, 750])
  })
})

describe('coverage of core concepts', () => {
  const tables = loadTermTables(inModels('terms'), readMedicineNames(inModels('corpus')))
  it('compares in standard terms', () => {
    const question = asked(['Myocardial infarction', 'Gout'])
    expect(keyTerms(question, tables)).toEqual([['myocardial'], ['infarction']])
    expect(coverage(question, 'This is a heart attack.', tables)).toBe(1)
    expect(coverage(question, 'Cerebral infarctions are likely.', tables)).toBe(0.5)
    expect(coverage(question, 'Gout.', tables)).toBe(0)
  })
  it('takes the phrases that are named, whole and in their order', () => {
    const question = asked(['x', 'y'], 'A', { keys: ['folic acid', '400 micrograms'] })
    expect(coverage(question, 'Folic acid 400 mcg a day', tables)).toBe(1)
    expect(coverage(question, 'an acid, folic', tables)).toBe(0)
  })
  it('knows nothing of an answer without a concept', () => {
    expect(coverage(asked(['yes', 'no']), 'yes', tables)).toBeNull()
    expect(coverage(asked(['All of the above', 'no']), 'all of the above', tables)).toBeNull()
  })
})

describe('the other order', () => {
  it('moves options and the answer with them, the same way for the same seed', () => {
    const question = asked(['one', 'two', 'three', 'four'], 'C')
    const other = reordered(question, 7)!
    expect(other.question.options.map(({ letter }) => letter)).toEqual(['A', 'B', 'C', 'D'])
    expect(other.question.options.map(({ text }) => text)).not.toEqual(['one', 'two', 'three', 'four'])
    expect(other.question.options.find(({ letter }) => letter === other.question.answer)!.text).toBe('three')
    expect(other.original(other.question.answer)).toBe('C')
    expect(reordered(question, 7)!.question).toEqual(other.question)
    const orders = Array.from({ length: 20 }, (_, seed) =>
      reordered(question, seed)!
        .question.options.map(({ text }) => text)
        .join(),
    )
    expect(new Set(orders).size).toBeGreaterThan(5)
  })
  it('leaves a question alone whose options speak of one another', () => {
    for (const text of ['None of the above', 'Both A and B', 'A & C', 'A, B', 'all of these'])
      expect(reordered(asked(['one', 'two', text]), 1), text).toBeNull()
    expect(reordered(asked(['Hepatitis A and B vaccine'.replace('A and B', 'A, then B'), 'None']), 1)).not.toBeNull()
  })
})

describe('figures', () => {
  const result = (letter: string | null, more: Partial<Result> & { answer?: string; subject?: string } = {}): Result => {
    const question = asked(['w', 'x', 'y', 'z'], more.answer ?? 'A', { subject: more.subject ?? 's' })
    const sheet = { letter, probabilities: [0.7, 0.1, 0.1, 0.1], mass: 0.5, written: null, tooLong: false, seconds: 2 }
    return { question, sheet, right: letter === question.answer, coverage: null, again: null, ...more }
  }
  it('stands beside what guessing gives', () => {
    const results = [
      ...Array.from({ length: 6 }, () => result('A')),
      result('B'),
      result(null),
      result('B', { answer: 'B' }),
      result('A', { answer: 'C' }),
    ]
    const figures = figuresOf(results)
    expect(figures).toEqual({ questions: 10, right: 7, random: 0.25, majority: 0.8, unparsed: 1, tooLong: 0, coverage: null })
    expect(againstChance(figures)).toBe('above chance')
    expect(againstChance({ ...figures, right: 3 })).toBe('like chance')
    expect(againstChance({ ...figures, questions: 100, right: 5 })).toBe('below chance')
    // Wilson, 7 of 10: (0.8921 ± 0.2841·…) by hand 39.7–89.2
    expect(rowsOf(results)[0]!['right %']).toBe('70.0 (39.7–89.2)')
    expect(lettersOf(results)).toEqual([
      { letter: 'A', chosen: 7, right: 8 },
      { letter: 'B', chosen: 2, right: 1 },
      { letter: 'C', chosen: 0, right: 1 },
      { letter: 'D', chosen: 0, right: 0 },
    ])
  })
  it('has a row for each subject, and one of Table 1', () => {
    const results = [result('A', { subject: 'b', coverage: 1 }), result('B', { subject: 'a', coverage: 0 }), result('A', { subject: 'a' })]
    expect(rowsOf(results).map(({ subject, questions }) => [subject, questions])).toEqual([
      ['all', 3],
      ['a', 2],
      ['b', 1],
    ])
    expect(tableOne('m.gguf', results)).toEqual({ model: 'm.gguf', 's %': '66.7 (20.8–93.9)', 'core concepts %': 50, 's a question': 2 })
  })
  it('calibrates only what was weighed by letter', () => {
    const results = [result('A'), result('A'), result('B')]
    // 70 % sure, two of three right
    expect(calibrationOf(results)!.ece).toBeCloseTo(0.7 - 2 / 3, 10)
    expect(calibrationOf(results.map((one) => ({ ...one, sheet: { ...one.sheet, mass: null } })))).toBeNull()
  })
  it('sees whether the place or the option is chosen', () => {
    const again = (letter: string) => ({ letter, right: letter === 'A' })
    expect(orderBias([result('A', { again: again('A') }), result('A', { again: again('C') }), result('A')])).toEqual({
      ...{ questions: 2, right: 2, rightAgain: 1, same: 1 },
    })
    expect(orderBias([result('A')])).toBeNull()
  })
})
