// Owns the tests of the term tables of the program: what holds for any text, and what every line of them promises.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { loadTermTables, readMedicineNames } from '../../app/clinical/term-tables.ts'
import { tokens } from '../../app/clinical/term-tokens.ts'
import { standardise } from '../../app/clinical/terms.ts'
import { words } from '../../app/clinical/text.ts'
import { AppError } from '../../app/contract/errors.ts'

const terms = resolvePaths().resources + '/terms'
const medicines = readMedicineNames(resolvePaths().resources + '/corpus')
const real = loadTermTables(terms, medicines)
const rowsOf = (file: string) =>
  readFileSync(`${terms}/${file}`, 'utf8')
    .split('\n')
    .filter((row) => row !== '' && !row.startsWith('# '))
    .map((row) => row.split('\t'))
const parts = ['body', 'life', 'tests', 'drugs', 'notes', 'times'].map((part) => `terms-abbreviations-${part}.tsv`)
const files = [...parts, ...['synonyms', 'spelling', 'misspellings', 'medicines', 'brands', 'units'].map((name) => `terms-${name}.tsv`)]
const lines = ['dev', 'test'].flatMap((set) =>
  readFileSync(`test/sets/terms-${set}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string }),
)
const forms = files.flatMap((file) => rowsOf(file).flatMap((row) => row[0]!.split('|')))
const ambiguous = rowsOf('terms-ambiguous.tsv')

/** Texts as they are typed, cut up, and put together at random from everything the tables know. */
const anyText = fc.oneof(
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...forms),
        fc.constantFrom(...ambiguous.map((row) => row[0]!)),
        fc.constantFrom(...ambiguous.flatMap((row) => row[2]!.split('|').map((cue) => cue.replace(/^[<>*]/, '')))),
        fc.constantFrom('no', 'not', 'without', 'never', '2.5', '0,5', '1,000', '10', 'mg', '/', '+', '.', ',', 'a', 'the', 'xyzumab'),
        fc.constantFrom(...lines.flatMap(({ text }) => text.split(' '))),
      ),
      { maxLength: 14 },
    )
    .chain((pieces) => fc.constantFrom(' ', ' ', ' ', '', '-', ', ', '\n').map((gap) => pieces.join(gap))),
  fc.constantFrom(...lines.map(({ text }) => text)),
  fc.string({ unit: 'binary', maxLength: 80 }),
)
const NEGATION = 'no not never without denies nor neither cannot cant dont doesnt isnt wasnt wont hasnt havent none nil'.split(' ')
const numbers = (text: string) =>
  tokens(text)
    .filter((token) => token.isNumber)
    .map((token) => token.typed)

describe('for any text', () => {
  it('a standard text stays as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = standardise(text, real)
        expect(standardise(once.text, real).text).toBe(once.text)
      }),
      { numRuns: 3000 },
    )
  })
  it('changes are in order, apart, and all that differs but for a space beside a number', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { changes, text: standard } = standardise(text, real)
        let at = 0
        let rebuilt = ''
        for (const { start, end, typed, means } of changes) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(start)
          expect(text.slice(start, end)).toBe(typed)
          rebuilt += text.slice(at, start) + means
          at = end
        }
        rebuilt += text.slice(at)
        const close = (one: string) => one.replaceAll(' ', '')
        expect(close(standard)).toBe(close(rebuilt))
        expect(standard.length - rebuilt.length).toBeLessThanOrEqual(2 * changes.length)
      }),
      { numRuns: 1500 },
    )
  })
  it('no number and no negation is lost or added but by a short form that holds it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const { typed, means } of standardise(text, real).changes) {
          const held: string[] = means.match(/\d+/g) ?? []
          for (const number of numbers(typed)) expect(held, `${typed} → ${means}`).toContain(number)
          const plain = words(typed).map((word) => word.folded)
          expect(plain.filter((word) => NEGATION.includes(word)).length, `${typed} → ${means}`).toBe(0)
        }
      }),
      { numRuns: 1500 },
    )
  })
  it('undoing every change gives the text as typed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let kept = new Set<string>()
        for (let round = 0; round < 8; round++) {
          const { changes } = standardise(text, real, kept)
          if (changes.length === 0) break
          kept = new Set([...kept, ...changes.flatMap((change) => change.undo)])
        }
        expect(standardise(text, real, kept).text).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the tables of the program', () => {
  it('hold at least 2,000 entries without the brands of the records', () => {
    expect(forms.length + ambiguous.length).toBeGreaterThanOrEqual(2000)
    expect(real.entries).toBeGreaterThan(forms.length)
  })
  it.each(files)('%s says where it comes from and holds no form twice', (file) => {
    expect(readFileSync(`${terms}/${file}`, 'utf8')).toMatch(/^# .*Written for Rushlight, version \d+\. Columns:/)
    const written = rowsOf(file).flatMap((row) => row[0]!.split('|').map((form) => `${form} ${row[2] ?? ''}`))
    expect(written.filter((form, at) => written.indexOf(form) !== at)).toEqual([])
  })
  it('lose no number of a form', () => {
    for (const [written, means] of files.flatMap(rowsOf))
      for (const form of written!.split('|')) expect(means!.match(/\d+/g) ?? [], form).toEqual(expect.arrayContaining(numbers(form)))
  })
  it('give a standard form that is standard itself', () => {
    const means = [...files.flatMap(rowsOf).map((row) => row[1]!), ...ambiguous.map((row) => row[1]!), ...medicines.map(({ name }) => name)]
    expect(means.filter((text) => standardise(text, real).text !== text)).toEqual([])
  })
  it('give every brand of the records its generic name', () => {
    for (const { name, brands } of medicines)
      for (const brand of brands) {
        const { text } = standardise(`${brand} dose`, real)
        if (brand !== 'Ella') expect([`${name} dose`, `${brand} dose`]).toContain(text)
      }
    expect(standardise('Ventolin, Augmentin and Plan B', real).text).toBe('salbutamol, co-amoxiclav and levonorgestrel')
  })
  it('leave names they do not know, numbers and negation alone', () => {
    const text = 'no zavorexinol 1,000 mg, not 0,5 mg; never without .5 ml of 120 mg/5 ml'
    expect(standardise(text, real)).toEqual({ text, changes: [], unclear: [] })
  })
  it.each([
    ['MS ', 100_000],
    ["U&E's ", 50_000],
    ['b.d.', 60_000],
    ['a.'.repeat(10), 12_000],
    ['heart ', 40_000],
    ['OD 5 mg PE ', 20_000],
    ['e\u0301\u0316', 80_000],
  ])('take %j × %i in a time that grows with its length', (piece, times) => {
    const time = (text: string) => {
      const start = performance.now()
      standardise(text, real)
      return performance.now() - start
    }
    const [half, whole] = [piece.repeat(times / 2), piece.repeat(times)]
    time(half)
    // twice the length, and room for a computer that is busy: a quadratic matcher would take minutes for the long one
    expect(time(whole)).toBeLessThan(8 * Math.max(100, time(half)))
  })
  it('name the file that is missing', () => {
    expect(() => loadTermTables('/nowhere', [])).toThrow(AppError)
    expect(() => loadTermTables('/nowhere', [])).toThrow(
      expect.objectContaining({ code: 'RESOURCE_MISSING', message: expect.stringContaining('terms-abbreviations-body.tsv') }),
    )
    expect(() => readMedicineNames('/nowhere')).toThrow(expect.objectContaining({ code: 'RESOURCE_MISSING' }))
  })
})
