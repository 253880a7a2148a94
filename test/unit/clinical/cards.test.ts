// Owns the tests of which records a question names, which part it asks for, and what a card shows of it, on the program's own records.
import { describe, expect, it } from 'vitest'
import { fileURLToPath } from 'node:url'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partIds } from '../../../app/contract/clinical.ts'
import { partsAsked } from '../../../app/clinical/asked.ts'
import { makeCard, nothingKnown } from '../../../app/clinical/cards.ts'
import { emergencyNumberOf } from '../../../app/clinical/emergency-number.ts'
import { findNamed } from '../../../app/clinical/facts.ts'
import { loadClinical, recordsState } from '../../../app/clinical/layer.ts'
import { loadRecords } from '../../../app/clinical/record-files.ts'

const models = fileURLToPath(new URL('../../../models', import.meta.url))
const tables = loadClinical(models, join(models, 'no-such-folder'))
const { facts } = tables
const named = (text: string) => findNamed(text, facts).found.map(({ known }) => known.record.id)

describe('the records that a text names', () => {
  it('finds generic names, other names, brands and topics, in order, each once', () => {
    expect(named('Is amoxicillin or Augmentin right for otitis media? Amoxicillin 500 mg?')).toEqual([
      'amoxicillin',
      'co-amoxiclav',
      expect.stringContaining('otitis-media'),
    ])
    expect(named('acetaminophen')).toEqual(['paracetamol'])
  })
  it('takes the longest name at a place', () => {
    expect(named('paracetamol overdose').some((id) => id === 'paracetamol')).toBe(false)
    expect(named('paracetamol overdose')).toHaveLength(1)
  })
  it('takes short names only with their capitals', () => {
    expect(named('AF in an older woman')).toHaveLength(1)
    expect(named('what if af')).toEqual([])
  })
  it('does not read a name across sentences or inside a word', () => {
    expect(named('He has an acute otitis. Media reports differ.')).not.toContain(expect.stringContaining('otitis-media'))
    expect(named('goutte')).toEqual([])
  })
  it('names medicines that have no record instead of answering from another', () => {
    expect(findNamed('dose of abacavir', facts)).toEqual({ found: [], missing: ['abacavir'] })
  })
  it('reads ten thousand words, hostile letters and nothing at all', () => {
    expect(named('')).toEqual([])
    expect(named('\u0430moxicillin'.replace('\u0430', 'а'))).toEqual(['amoxicillin'])
    expect(named('asthma and '.repeat(10_000))).toHaveLength(1)
  })
})

describe('the part that is asked for', () => {
  it.each([
    ['What is the adult dose of amoxicillin?', 'medicine', 'medication', ['dose-adult']],
    ['paracetamol dose for a 4 year old', 'medicine', 'medication', ['dose-child']],
    ['side effects of ramipril', 'medicine', 'medication', ['sideEffects']],
    ['Is ibuprofen safe in pregnancy?', 'medicine', 'medication', ['pregnancy']],
    ['metformin with eGFR 25', 'medicine', 'medication', ['renal']],
    ['symptoms of gout', 'condition', 'diagnosis', ['features']],
    ['red flags of back pain', 'condition', 'diagnosis', ['redFlags']],
    ['first-line treatment of cellulitis', 'condition', 'treatment', ['treatment']],
    ['asthma', 'condition', 'treatment', ['treatment']],
    ['anaphylaxis', 'emergency', 'emergency', ['steps']],
    ['how often cervical screening', 'prevention', 'prevention', ['schedule', 'measures']],
  ] as const)('%s', (question, kind, category, parts) => {
    expect(partsAsked(question, kind, category)).toEqual(parts)
  })
})

describe('a card', () => {
  const card = (id: string, situation = nothingKnown) => makeCard({ known: facts.byId.get(id)!, words: id }, ['dose-adult'], situation)
  it('has every part in its fixed order, for every record, and every record finds itself', () => {
    for (const known of facts.byId.values()) {
      const made = makeCard({ known, words: '' }, [], nothingKnown)
      expect(made.parts.map(({ id }) => id)).toEqual(partIds[known.record.kind])
      for (const { lines } of made.parts) for (const { text } of lines) expect(text).not.toMatch(/undefined|null|NaN|^\s*$/)
      expect(named(known.record.name), known.record.name).toContain(known.record.id)
    }
  })
  it('says that no clinician has reviewed it', () => {
    expect(card('amoxicillin').record).toMatchObject({ version: 1, review: { state: 'unreviewed' }, source: 'program' })
  })
  it('puts the line for the age first, with why', () => {
    const [first] = card('paracetamol', { ...nothingKnown, child: true, age: { from: 4, to: 5 } }).parts.find(({ id }) => id === 'dose-child')!.lines
    expect(first).toMatchObject({ applies: 'this age' })
    expect(first!.lead).toContain('4 to 5 years')
  })
  it('takes of several kidney limits the most severe that holds', () => {
    const lines = card('metformin', { ...nothingKnown, egfr: 25 }).parts.find(({ id }) => id === 'renal')!.lines
    expect(lines.filter(({ applies }) => applies !== '')).toHaveLength(1)
    expect(lines[0]).toMatchObject({ lead: 'eGFR below 30', applies: 'eGFR 25' })
    expect(
      card('metformin', { ...nothingKnown, egfr: 95 })
        .parts.find(({ id }) => id === 'renal')!
        .lines.every(({ applies }) => applies === ''),
    ).toBe(true)
  })
})

describe('a clinic’s own records', () => {
  const corpus = join(models, 'corpus')
  function withFolder<T>(files: Record<string, string>, work: (folder: string) => T): T {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-records-'))
    try {
      mkdirSync(folder, { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
      return work(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const own = (change: object) => JSON.stringify({ ...facts.byId.get('gout')!.record, ...change })

  it('replace a record with the same id and add new ones', () => {
    withFolder({ 'local.jsonl': `${own({ version: 7 })}\n${own({ id: 'local-gout-clinic', name: 'gout clinic', otherNames: [] })}\n` }, (folder) => {
      const { records, faults } = loadRecords(corpus, folder)
      expect(faults).toEqual([])
      const gout = records.find(({ record }) => record.id === 'gout')!
      expect(gout).toMatchObject({ source: 'clinic', record: { version: 7 } })
      expect(records.some(({ record }) => record.id === 'local-gout-clinic')).toBe(true)
      const state = recordsState(loadClinical(models, folder), folder)
      expect(state.clinic.map(({ id }) => id).sort()).toEqual(['gout', 'local-gout-clinic'])
    })
  })
  it('are left out line by line when they are wrong, and named by file and line', () => {
    const lines = [own({ version: 2 }), '{"kind":"medicine"}', 'not json', own({ id: 'other', name: 'asthma' }), own({ version: 3 })].join('\n')
    withFolder({ 'a.jsonl': lines, 'b.jsonl': '\ufffd', 'notes.txt': 'x' }, (folder) => {
      const { records, faults } = loadRecords(corpus, folder)
      expect(faults.map((fault) => /^[ab]\.jsonl(?:, line \d)?/.exec(fault)?.[0])).toEqual([
        'a.jsonl, line 2',
        'a.jsonl, line 3',
        'a.jsonl, line 4',
        'a.jsonl, line 5',
        'b.jsonl, line 1',
      ])
      expect(records.find(({ record }) => record.id === 'gout')!.record.version).toBe(2)
      expect(records.find(({ record }) => record.id === 'asthma-adult' || record.name.startsWith('asthma'))!.source).toBe('program')
    })
  })
  it('may be absent, but the program’s may not', () => {
    expect(tables.faults).toEqual([])
    expect(() => loadRecords(join(models, 'no-such-folder'), '')).toThrow(expect.objectContaining({ code: 'RESOURCE_MISSING' }))
  })
})

describe('the emergency number', () => {
  it.each([
    ['en-GB', '999'],
    ['en-US', '911'],
    ['de-DE', '112'],
    ['en', '112'],
    ['', '112'],
    ['zh-Hans-CN', '120'],
  ])('of %s is %s', (locale, number) => expect(emergencyNumberOf(locale)).toBe(number))
})
