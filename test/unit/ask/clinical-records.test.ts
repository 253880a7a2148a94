// Owns the tests of what leaves the page: export, incident file, terminal text and the forms of the calculators hold what the tables said, and no more.
import { describe, expect, it } from 'vitest'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clinical } from '../../../app/contract/clinical.ts'
import type { Turn } from '../../../app/contract/entities.ts'
import { checkAnswer } from '../../../app/ask/checks.ts'
import { readQuestion } from '../../../app/ask/facts.ts'
import { calculatorInfos, childMedicines, runCalculator, runChildDose } from '../../../app/clinical/calculators/describe.ts'
import { loadClinical } from '../../../app/clinical/layer.ts'
import { checksText, factsText } from '../../../app/store/clinical-text.ts'
import { exportMarkdown } from '../../../app/store/export.ts'
import { incidentText, saveIncident } from '../../../app/store/incidents.ts'

const models = fileURLToPath(new URL('../../../models', import.meta.url))
const tables = loadClinical(models, join(models, 'no-such-folder'))
const question = 'Jane is 62 with facial droop and slurred speech, takes ibuprofen and ramipril'
const answer = 'Aspirin 5 g now. Jane should rest.'

function turnOf(): Turn {
  const { text, clinical, understood } = readQuestion(question, tables, { category: 'emergency', emergencyNumber: '999' })
  const checks = checkAnswer({ question: text, answer, category: 'emergency', clinical, demonstration: true, uncertainty: null }, tables.facts)
  const at = '2026-11-24T09:41:00.000Z'
  return {
    ...{ id: 'turn-1234-5678', conversation: 'c', question, understood, status: 'complete', answer, reasoning: 'Jane thinks', provenance: null },
    ...{ classification: { category: 'emergency', decidedBy: 'rules', matched: ['facial droop'], scores: { emergency: 1 } } },
    ...{ error: null, supersededBy: null, createdAt: at, finishedAt: at },
    clinical: { ...clinical, checks },
  }
}
const clinical = turnOf().clinical as Clinical

describe('the text of what tables said', () => {
  it('has the emergency with number and every step first, then interactions and cards with version and review', () => {
    const lines = factsText(clinical)
    expect(lines[0]).toBe('POSSIBLE STROKE. Emergency number 999.')
    expect(lines.filter((line) => /^\d+\. /.test(line))).toHaveLength(clinical.emergencies[0]!.steps.length)
    expect(lines.join('\n')).toMatch(/Interaction of ramipril with ibuprofen: avoid if possible/)
    expect(lines.join('\n')).toMatch(/record stroke version 1, not reviewed by a clinician/)
  })
  it('says that the answer was withheld and why', () => {
    expect(checksText(clinical)[0]).toContain('was not shown')
    expect(checksText(clinical).join('\n')).toContain('differs from the table')
    expect(checksText({ ...clinical, checks: null })).toEqual([])
  })
  it('stands in the export, apart from what the model wrote', () => {
    const conversation = {
      id: 'c',
      title: 'Jane',
      createdAt: '2026-11-24T09:41:00.000Z',
      updatedAt: '',
      category: 'emergency',
      turns: 1,
      lastStatus: 'complete',
    } as const
    const { markdown } = exportMarkdown(conversation, [turnOf()])
    const at = (text: string) => markdown.indexOf(text)
    expect(at('POSSIBLE STROKE')).toBeGreaterThan(at('From rules and tables, not from the model'))
    expect(at('Written by the model')).toBeGreaterThan(at('POSSIBLE STROKE'))
    expect(at('was not shown')).toBeGreaterThan(at('Comparison with the tables'))
  })
})

describe('an incident', () => {
  const incident = (withText: boolean) => ({ turn: turnOf(), note: 'wrong', withText, appVersion: '0.1.0', at: '2026-11-24T09:41:00.000Z' })
  it('is saved exactly as it is shown', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-incident-'))
    try {
      const path = saveIncident(join(folder, 'incidents'), incident(true))
      expect(path).toMatch(/incident-20261124-094100-turn-123\.json$/)
      expect(readFileSync(path, 'utf8')).toBe(incidentText(incident(true)))
      expect(JSON.parse(incidentText(incident(true)))).toMatchObject({ note: 'wrong', turn: { question, answer } })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
  it('without the text holds no word of question or answer, but the rules and records', () => {
    const text = incidentText(incident(false))
    for (const word of ['Jane', 'droop', 'slurred', 'should rest', '5 g', 'thinks']) expect(text).not.toContain(word)
    expect(JSON.parse(text)).toMatchObject({ turn: { clinical: { emergencies: [{ rule: 'stroke' }], checks: { withheld: true } } } })
  })
})

describe('the form of a calculator', () => {
  it('has every input with label, unit and limits', () => {
    for (const { fields, name } of calculatorInfos()) {
      expect(fields.length, name).toBeGreaterThan(0)
      for (const field of fields) {
        expect(field.label, `${name} ${field.name}`).not.toBe('')
        if (field.kind === 'number')
          expect(
            [field.least, field.most].every((limit) => limit !== null),
            `${name} ${field.name}`,
          ).toBe(true)
        if (field.kind === 'choice') expect(field.options.length).toBeGreaterThan(1)
      }
    }
    const curb = calculatorInfos().find(({ id }) => id === 'curb-65')!
    expect(curb.fields.find(({ name }) => name === 'ureaMmolPerLitre')).toMatchObject({ kind: 'number', unit: 'mmol/l', optional: true })
  })
  it('computes, and refuses in words', () => {
    expect(runCalculator('bmi', { ageYears: 40, weightKg: 80, heightCm: 180 })).toMatchObject({ value: '24.7 kg/m²', band: 'healthy weight' })
    expect(() => runCalculator('bmi', { ageYears: 40 })).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringMatching(/weightKg/) as string }),
    )
    expect(() => runCalculator('__proto__', {})).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
  })
  it('works out the dose of a child from the record, named with its review state', () => {
    expect(childMedicines(tables.facts)).toContain('paracetamol')
    const found = runChildDose({ medicine: 'Paracetamol', ageYears: 4, weightKg: 16 }, tables.facts)
    expect(found.record).toMatchObject({ id: 'paracetamol', review: { state: 'unreviewed' } })
    expect(found.doses.map(({ dose }) => dose)).toContain('240 mg')
    expect(() => runChildDose({ medicine: 'zimbutrol', ageYears: 4, weightKg: 16 }, tables.facts)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT' }),
    )
  })
})
