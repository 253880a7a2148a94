// Owns the tests of equation 1: the arithmetic on small tables, then the borders between the categories on the real ones.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { classify, withUserCategory } from '../../app/ask/classify.ts'
import { buildTables, loadKeywordTables, spellings } from '../../app/clinical/keywords.ts'
import { categories, Classification } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import { resolvePaths } from '../../app/base/paths.ts'

const small = buildTables({
  keywords: {
    emergency: ['not breathing', 'fit'],
    medication: ['dose', '{drug}', 'side effect', 'daily'],
    treatment: ['(drug|agent) of choice', '{drug} or {drug}', 'dose of {drug} and rest'],
    diagnosis: ['cause', 'fit'],
    prevention: ['vaccine'],
    none: ['on {drug}', 'no fit'],
  },
  classes: { drug: ['drug', 'aspirin', 'sodium valproate', 'valproate'] },
})
const of = (question: string) => classify(question, small)

describe('equation 1 on small tables', () => {
  it.each([
    ['What dose?', 'medication', ['dose'], { medication: 1 }],
    ['dose, DOSE and doses', 'medication', ['dose'], { medication: 1 }],
    ['aspirin and valproate dose', 'medication', ['aspirin', 'dose'], { medication: 2 }],
    ['cause of side effects', 'medication', ['side effect'], { medication: 1, diagnosis: 1 }],
    ['the cause of this fit', 'diagnosis', ['cause', 'fit'], { emergency: 1, diagnosis: 2 }],
    ['a fit', 'emergency', ['fit'], { emergency: 1, diagnosis: 1 }],
    ['hello', 'general', [], {}],
    ['', 'general', [], {}],
  ])('%j is %s', (question, category, matched, scores) => {
    expect(of(question)).toEqual({ category, decidedBy: 'rules', matched, scores })
  })

  it('counts a phrase once and not the words inside it, in whatever table they are', () => {
    expect(of('drug of choice').scores).toEqual({ treatment: 1 })
    expect(of('dose of sodium valproate and rest').scores).toEqual({ treatment: 1 })
    expect(of('drug of choice, and its dose; which drug?').scores).toEqual({ treatment: 1, medication: 2 })
  })
  it('lets the phrases of no category hide what they hold', () => {
    expect(of('on aspirin').category).toBe('general')
    expect(of('no fit, cause?').scores).toEqual({ diagnosis: 1 })
  })
  it('does not find a phrase across the end of a sentence or inside a word', () => {
    expect(of('Stop breathing. It is not. Breathing.').category).toBe('general')
    expect(of('overdosed causeway vaccinel').category).toBe('general')
  })
  it('reads a class word of several words as the longest one and shows it as typed', () => {
    expect(of('Sodium  Valproate or aspirin').matched).toEqual(['sodium valproate or aspirin'])
  })
  it('folds spelling, case, plural, accents and invisible characters', () => {
    expect(of('VAC\u200bCINES').category).toBe('prevention')
    expect(of('ｄｏｓé').category).toBe('medication')
  })
  it('keeps the scores when the user chooses, and the words only of the same category', () => {
    const found = of('cause of side effects')
    expect(withUserCategory(found, 'prevention')).toEqual({ ...found, category: 'prevention', decidedBy: 'user', matched: [] })
    expect(withUserCategory(found, 'medication').matched).toEqual(['side effect'])
  })
  it('is the argmax of its own scores with ties in the order of safety, for any text', () => {
    const word = fc.constantFrom(
      'dose',
      'aspirin',
      'fit',
      'cause',
      'vaccine',
      'side',
      'effect',
      'of',
      'choice',
      'drug',
      'or',
      'on',
      'no',
      '.',
      ',',
      'x',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (text) => {
        const found = of(text.join(' '))
        Classification.parse(found)
        const best = Math.max(0, ...Object.values(found.scores))
        expect(found.category).toBe(best === 0 ? 'general' : categories.find((category) => found.scores[category] === best))
        expect(found.matched).toHaveLength(best)
      }),
    )
  })
  it('refuses a table it would misread', () => {
    expect(() => spellings('(a|b')).toThrow(/not closed/)
    expect(() => spellings('((a|b) c|d)')).toThrow(/nest/)
    expect(() => buildTables({ keywords: { medication: ['?'] }, classes: {} })).toThrow(/without words/)
  })
})

const terms = resolvePaths().resources + '/terms'
const real = loadKeywordTables(terms)

describe('the tables of the program', () => {
  it.each([
    ['adrenaline dose in anaphylaxis for a 5 year old', 'medication'],
    ['magnesium sulphate loading dose eclampsia', 'medication'],
    ['how much adrenaline in cardiac arrest', 'medication'],
    ['naloxone dose for opioid overdose', 'medication'],
    ['She has anaphylaxis now, what do I do?', 'emergency'],
    ['side effects of ramipril', 'medication'],
    ['drug of choice for chlamydia', 'treatment'],
    ['what causes clubbing', 'diagnosis'],
    ['malaria prophylaxis in pregnancy', 'prevention'],
    ['signs of sepsis in children', 'diagnosis'],
    ['He is unconscious and not breathing', 'emergency'],
    ['thank you', 'general'],
    ['I’m the practice manager, hello', 'general'],
  ])('%j is %s', (question, category) => {
    expect(classify(question, real).category).toBe(category)
  })
  it('hold at least 120 keywords for each category', () => {
    for (const category of categories.filter((name) => name !== 'general')) {
      const rows = readFileSync(`${terms}/keywords-${category}.tsv`, 'utf8')
        .split('\n')
        .filter((row) => row !== '' && !row.startsWith('#'))
      expect(rows.flatMap((row) => spellings(row.split('\t')[0]!)).length).toBeGreaterThanOrEqual(120)
    }
  })
  it('use only classes that have a table, and no line twice', () => {
    for (const claim of [...categories.filter((name) => name !== 'general'), 'none']) {
      const rows = readFileSync(`${terms}/keywords-${claim}.tsv`, 'utf8')
        .split('\n')
        .filter((row) => row !== '' && !row.startsWith('#'))
      for (const row of rows) for (const [name] of row.matchAll(/\{\w+\}/g)) expect(real.counts, `${claim}: ${row}`).toHaveProperty([name])
      expect(new Set(rows).size).toBe(rows.length)
    }
  })
  it('reach the target on the development set', () => {
    const lines = readFileSync('test/sets/classify-dev.jsonl', 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { q: string; category: string })
    const right = lines.filter(({ q, category }) => classify(q, real).category === category).length
    expect(right / lines.length).toBeGreaterThanOrEqual(0.92)
  })
  it('name the file that is missing', () => {
    expect(() => loadKeywordTables('/nowhere')).toThrow(AppError)
    expect(() => loadKeywordTables('/nowhere')).toThrow(
      expect.objectContaining({ code: 'RESOURCE_MISSING', message: expect.stringContaining('keywords-emergency.tsv') }),
    )
  })
})
