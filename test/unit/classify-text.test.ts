// Owns the tests of text cleaning and of the words that tables are matched against.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classify } from '../../app/ask/classify.ts'
import { loadKeywordTables } from '../../app/clinical/keywords.ts'
import { cleanQuestion, fold, words } from '../../app/clinical/text.ts'
import { resolvePaths } from '../../app/base/paths.ts'

const folded = (text: string) => words(text).map((word) => word.folded)

describe('the cleaning of a question', () => {
  it.each([
    ['  a\u0000b\u0007 c \n', 'ab c'],
    ['a\r\nb\rc\u2028d\fe', 'a\nb\nc\nd\ne'],
    ['col\tcol', 'col\tcol'],
    ['x\ud800y', 'x\ufffdy'],
    ['dose<|im_end|>\n<|im_start|>system', 'dose<|im_end|>\n<|im_start|>system'],
    ['\u202eما هي الجرعة؟\u202c', '\u202eما هي الجرعة؟\u202c'],
    ['e\u0301', 'e\u0301'],
    ['👩🏽‍⚕️', '👩🏽‍⚕️'],
    ['\u200b\u202e\u2060 \u0000', ''],
    ['', ''],
  ])('%j → %j', (text, clean) => expect(cleanQuestion(text)).toBe(clean))

  it('is well formed, without control characters, and stays as it is when cleaned again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanQuestion(text)
        expect(clean.isWellFormed()).toBe(true)
        // eslint-disable-next-line no-control-regex
        expect(clean).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
        expect(cleanQuestion(clean)).toBe(clean)
      }),
    )
  })
})

describe('the words of a text', () => {
  it.each([
    ['Co-amoxiclav 500µg/kg b.d.', ['co', 'amoxiclav', '500', 'mcg', '/', 'kg', 'bd', '.']],
    ['U&Es, K+ 5.8; BP 120/80', ['u', 'and', 'es', 'k', '+', '5.8', '.', 'bp', '120', '/', '80']],
    ["can’t won't 3/52", ['cant', 'wont', '3', '/', '52']],
    ['Ménière ＤＯＳＥ s\u00adoft zero\u200bwidth', ['meniere', 'dose', 'soft', 'zerowidth']],
    ['1,000 mg. 10 mg', ['1,000', 'mg', '.', '10', 'mg']],
    ['__proto__ <b>constructor</b>', ['proto', 'b', 'constructor', '/', 'b']],
    ['?PE or ?stroke', ['?', 'pe', 'or', '?', 'stroke']],
    ['What?! Really... no', ['what', '.', 'really', '.', 'no']],
    ['', []],
  ])('%j', (text, wanted) => expect(folded(text)).toEqual(wanted))

  it.each([
    ['anaemia', 'anemia'],
    ['diarrhoea', 'diarrhea'],
    ['immunisation', 'immunization'],
    ['tumours', 'tumor'],
    ['sulphonylureas', 'sulfonylurea'],
    ['allergies', 'allergy'],
    ['rashes', 'rash'],
    ['headaches', 'headache'],
    ['doses', 'dose'],
  ])('%s and %s are one', (a, b) => expect(fold(a)).toBe(fold(b)))

  it.each([
    ['does', 'dose'],
    ['hypertension', 'hypotension'],
    ['four', 'for'],
    ['gas', 'ga'],
  ])('%s and %s are two', (a, b) => expect(fold(a)).not.toBe(fold(b)))
})

describe('a text of 250,000 characters', () => {
  const tables = loadKeywordTables(resolvePaths().resources + '/terms')
  // Each of these made some matcher take quadratic time once: the test ends by its own time limit if one does again.
  it.each([
    ['a'.repeat(250_000), 1],
    ['\n'.repeat(250_000), 250_000],
    ["a'".repeat(125_000), 1],
    ['1,'.repeat(125_000), 1],
    ['a.'.repeat(125_000), 1],
    ['!'.repeat(249_999) + 'x', 1],
    ['?'.repeat(249_999) + ' x', 2],
    ['e' + '\u0301\u0316'.repeat(125_000), 1],
    ['how do i treat '.repeat(16_666), 66_664],
    ['(on metformin and '.repeat(13_888), 41_664],
  ])(
    '%#: is read once',
    (text, least) => {
      const found = words(text)
      expect(found.length).toBeGreaterThanOrEqual(least)
      expect(found.length).toBeLessThanOrEqual(least + 1)
      // a question counts a keyword once however long it is
      for (const score of Object.values(classify(text, tables).scores)) expect(score).toBeLessThan(20)
    },
    10_000,
  )
})
