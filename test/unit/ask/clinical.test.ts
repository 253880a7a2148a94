// Owns the tests of what rules and tables say around an answer: the reading of a question, the comparison, the bands, what is not stated.
import { describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { Clinical } from '../../../app/contract/clinical.ts'
import type { AskEvent, Category } from '../../../app/contract/entities.ts'
import { ask, type AnswerEngine } from '../../../app/ask/ask.ts'
import { checkAnswer } from '../../../app/ask/checks.ts'
import { readQuestion } from '../../../app/ask/facts.ts'
import { notStated } from '../../../app/ask/shape.ts'
import { fitBands, uncertaintyOf } from '../../../app/ask/uncertainty.ts'
import { loadPrompts } from '../../../app/ask/prompt.ts'
import { loadKeywordTables } from '../../../app/clinical/keywords.ts'
import { loadClinical } from '../../../app/clinical/layer.ts'
import { Conversations } from '../../../app/store/conversations.ts'
import { openStore } from '../../../app/store/db.ts'

const models = fileURLToPath(new URL('../../../models', import.meta.url))
const tables = loadClinical(models, join(models, 'no-such-folder'))
const read = (question: string, category: Category = 'medication', keep: string[] = []) =>
  readQuestion(question, tables, { category, emergencyNumber: '999', keep })
const check = (question: string, answer: string, demonstration = true, category: Category = 'medication') => {
  const { text, clinical } = read(question, category)
  return checkAnswer({ question: text, answer, category, clinical, demonstration, uncertainty: null }, tables.facts)
}
const asked = 'What is the adult dose of amoxicillin for otitis media?'

describe('a question', () => {
  it('gets the banner of an emergency with its number and steps, and the card of it', () => {
    const { clinical } = read('62 y, facial droop and left arm weakness since 09:20, speech slurred', 'emergency')
    const [banner] = clinical.emergencies
    expect(banner).toMatchObject({ rule: 'stroke', number: '999', record: { kind: 'emergency', review: { state: 'unreviewed' } } })
    expect(banner!.action).toBe(banner!.steps[0])
    expect(banner!.words.length).toBeGreaterThan(0)
    expect(clinical.cards[0]!.record.id).toBe('stroke')
  })
  it('gets no banner when it denies, remembers or only asks', () => {
    for (const text of ['no chest pain', 'his father had a stroke at 60', 'What is the adult dose of adrenaline in anaphylaxis?'])
      expect(read(text).clinical.emergencies, text).toEqual([])
  })
  it('is understood in standard words, each of which can be taken back', () => {
    const first = read('MI aftercare', 'treatment')
    expect(first.text).toContain('myocardial infarction')
    const [term] = first.understood
    expect(term).toMatchObject({ typed: 'MI', means: 'myocardial infarction' })
    const kept = read('MI aftercare', 'treatment', term!.undo)
    expect(kept).toMatchObject({ text: 'MI aftercare', understood: [], clinical: { kept: term!.undo } })
  })
  it('names an interaction, and opens that part of the card', () => {
    const { clinical } = read('Can I give ibuprofen with ramipril?')
    expect(clinical.notices).toEqual([expect.objectContaining({ kind: 'interaction', complete: true })])
    const card = clinical.cards.find(({ record }) => record.name === clinical.notices[0]!.medicine)!
    const part = card.parts.find(({ id }) => id === 'interactions')!
    expect(part.asked).toBe(true)
    expect(part.lines[0]!.applies).not.toBe('')
  })
  it('reads eGFR and age for the card', () => {
    const renal = read('metformin with eGFR 25?').clinical.cards[0]!.parts.find(({ id }) => id === 'renal')!
    expect(renal.lines[0]).toMatchObject({ applies: 'eGFR 25' })
  })
  it('has at most three cards, in the order of its category', () => {
    const text = 'ibuprofen, ramipril, metformin, amlodipine in asthma and gout'
    expect(read(text).clinical.cards.map(({ record }) => record.kind)).toEqual(['medicine', 'medicine', 'medicine'])
    expect(read(text, 'treatment').clinical.cards.map(({ record }) => record.kind)).toEqual(['condition', 'condition', 'medicine'])
  })
  it('fits its own schema, whatever it holds', () => {
    for (const text of [asked, '', '🏳️‍🌈 __proto__', 'ab '.repeat(10_000), '\ud800 amoxicillin', 'MS '.repeat(200)])
      expect(Clinical.safeParse(read(text, 'general').clinical).success, text.slice(0, 20)).toBe(true)
  })
})

describe('an answer', () => {
  it.each([
    ['Amoxicillin 5 g three times a day by mouth.', 'differs', 'named', true],
    ['Amoxicillin 500 micrograms three times a day by mouth.', 'differs', 'named', true],
    ['Aspirin 75 mg once a day.', 'differs', 'other', true],
    ['Rest and fluids.', 'differs', 'missing', true],
    ['Amoxicillin 500 mg three times a day by mouth for 5 days.', 'agrees', 'named', false],
    ['Amoxicillin is a penicillin antibiotic.', 'not checked', 'named', false],
  ] as const)('of a demonstration is compared: %s', (answer, agreement, subject, withheld) => {
    expect(check(asked, answer)).toMatchObject({ agreement, subject, withheld })
  })
  it('of another model is marked and never withheld', () => {
    expect(check(asked, 'Amoxicillin 5 g three times a day by mouth.', false)).toMatchObject({ agreement: 'differs', withheld: false })
    expect(check(asked, '500 mg three times a day by mouth for 5 days.', false)).toMatchObject({ agreement: 'agrees', subject: 'missing' })
  })
  it('that was never written contradicts nothing', () => {
    expect(check(asked, '')).toMatchObject({ agreement: 'not checked', differences: [], withheld: false, notStated: [] })
  })
  it('is not withheld where there is no card to stand in its place', () => {
    expect(check('How are you?', 'Aspirin 5000 mg.')).toMatchObject({ withheld: false, subject: 'none' })
  })
  it('says which dose, where it stands and which line it was compared with', () => {
    const answer = 'Amoxicillin: 500 mg three times a day by mouth.'
    const [dose] = check(asked, answer).doses
    expect(answer.slice(dose!.start, dose!.end)).toBe(dose!.text)
    expect(dose).toMatchObject({ agreement: 'agrees', drug: 'amoxicillin', record: { id: 'amoxicillin' } })
    expect(dose!.line).toContain('500')
  })
  it('that allows what the record forbids in pregnancy differs', () => {
    const id = [...tables.facts.medicines.keys()].find(({ pregnancy }) => pregnancy.advice === 'avoid')!.name
    const question = `Is ${id} safe in pregnancy?`
    expect(check(question, `${id} is safe in pregnancy and can be used.`)).toMatchObject({ agreement: 'differs', withheld: true })
    expect(check(question, `Avoid ${id} in pregnancy.`)).toMatchObject({ agreement: 'not checked', withheld: false })
  })
  it('is told what it does not state, and nothing when it is empty', () => {
    expect(notStated('500 mg three times a day, at most 3 g.', 'medication')).toEqual([
      'contra-indications',
      'cautions',
      'interactions',
      'pregnancy',
      'kidney function',
    ])
    expect(notStated('', 'medication')).toEqual([])
  })
  it('leads to the calculators that it mentions', () => {
    expect(check('pneumonia in an adult', 'Use CURB-65 and the eGFR.', false, 'diagnosis').calculators).toEqual(['egfr-ckd-epi-2021', 'curb-65'])
  })
})

describe('the band of an answer', () => {
  const { formulary } = tables.facts
  const pieces = (...all: [string, number][]) => all.map(([text, probability]) => ({ text, probability }))
  it('comes from the probabilities, and marks unsure numbers and medicines', () => {
    const answer = 'Give amoxicillin 500 mg.'
    const sure = uncertaintyOf(pieces(['Give ', 0.99], ['amoxicillin', 0.98], [' 500', 0.97], [' mg.', 0.99]), answer, formulary)
    expect(sure).toMatchObject({ band: 'higher', doubtful: [], rightOf100: null })
    const unsure = uncertaintyOf(pieces(['Give ', 0.9], ['amoxicillin', 0.3], [' 500', 0.2], [' mg.', 0.9]), answer, formulary)
    expect(unsure).toMatchObject({ band: 'lower', doubtful: [{ text: 'amoxicillin' }, { text: '500' }] })
  })
  it('leaves the reasoning before the answer out', () => {
    const all = uncertaintyOf(pieces(['<think>5</think>', 0.01], ['Rest.', 0.99]), 'Rest.', formulary)
    expect(all).toMatchObject({ band: 'higher', doubtful: [] })
  })
  it('is null without probabilities', () => expect(uncertaintyOf([], 'Rest.', formulary)).toBeNull())
  it('is set from answers whose correctness is known, or not at all', () => {
    const samples = Array.from({ length: 90 }, (_, at) => ({ mean: at / 90, right: at % 10 < at / 9 }))
    const bands = fitBands(samples)!
    expect(bands.lower).toBeLessThan(bands.higher)
    expect(bands.rightOf100!.lower).toBeLessThan(bands.rightOf100!.higher)
    expect(fitBands(samples.slice(0, 20))).toBeNull()
    expect(fitBands(samples.map(({ mean, right }) => ({ mean: 1 - mean, right })))).toBeNull()
  })
})

describe('the way of a question', () => {
  const engine = (log: string[]): AnswerEngine => ({
    isReady: () => true,
    ready: () => (log.push('ready'), Promise.resolve()),
    limits: () => ({ profile: 'full', maxAnswerTokens: 100 }),
    count: () => (log.push('count'), Promise.resolve({ tokens: 10, contextSize: 1000 })),
    async *generate({ messages }) {
      log.push(messages.at(-1)!.text)
      yield { type: 'text', text: 'Amoxicillin 5 g three times a day.', tokens: 9, probability: 0.5 }
      yield await Promise.resolve({ type: 'done', stop: 'end', promptTokens: 10, tokens: 9, firstTokenMs: 1, tokensPerSecond: 1 } as const)
    },
    origin: () => ({
      model: { id: 'm', name: 'm', version: '', quantisation: '', demonstration: true, sha256: '' },
      mode: 'base',
      adapter: null,
      engine: { name: 'e', backend: 'cpu', gpuLayers: 0, layers: 1, threads: 1 },
    }),
  })
  async function run(question: string, keep: string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-ask-'))
    const store = openStore(join(folder, 'a.db'), { log: { error() {}, warn() {}, info() {}, debug() {} } as never })
    const log: string[] = []
    const events: AskEvent[] = []
    try {
      const parts = {
        ...{ store: new Conversations(store), engine: engine(log), clinical: () => tables, emergencyNumber: () => '999', appVersion: '0' },
        ...{ tables: loadKeywordTables(join(models, 'terms')), prompts: loadPrompts(join(models, 'prompts')) },
        onInternal: (error: unknown) => {
          throw error
        },
      }
      for await (const event of ask(parts, { question, conversation: null, keep }, new AbortController().signal)) {
        events.push(event)
        log.push(event.type)
      }
    } finally {
      store.close()
      rmSync(folder, { recursive: true, force: true })
    }
    const last = events.at(-1)!
    return { log, events, turn: last.type === 'done' ? last.turn : null }
  }
  it('shows an emergency right after it is stored, before the engine is asked anything', async () => {
    const { log, events } = await run('62 y, facial droop and left arm weakness, speech slurred')
    expect(log.slice(0, 3)).toEqual(['accepted', 'emergency', 'facts'])
    expect(events[1]).toMatchObject({ emergencies: [{ rule: 'stroke', number: '999' }] })
  })
  it('asks the model in standard words, stores what was typed, and withholds what the table contradicts', async () => {
    const { log, turn } = await run('amoxicillin dose after MI')
    expect(log.some((line) => line.includes('myocardial infarction'))).toBe(true)
    expect(turn).toMatchObject({
      question: 'amoxicillin dose after MI',
      understood: [{ typed: 'MI', means: 'myocardial infarction' }],
      clinical: { checks: { agreement: 'differs', withheld: true, uncertainty: { band: 'lower' } } },
    })
  })
  it('leaves a term as typed when that was wished', async () => {
    const { log, turn } = await run('amoxicillin dose after MI', ['mi'])
    expect(log).toContain('amoxicillin dose after MI')
    expect(turn).toMatchObject({ understood: [], clinical: { kept: ['mi'] } })
  })
})
