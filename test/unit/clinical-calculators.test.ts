// Owns the proof of the calculators against published worked examples, or every row of the published table where a score has no such example.
import { describe, expect, it } from 'vitest'
import { centor, curb65, news2 } from '../../app/clinical/calculators/acute.ts'
import { calculators, mentioned } from '../../app/clinical/calculators/all.ts'
import { calculate, type Calculator } from '../../app/clinical/calculators/calculator.ts'
import { childDoses } from '../../app/clinical/calculators/child-dose.ts'
import { cha2ds2vasc, wellsDvt, wellsPe } from '../../app/clinical/calculators/clots.ts'
import { bmi, egfr } from '../../app/clinical/calculators/kidney-body.ts'
import { AppError } from '../../app/contract/errors.ts'
import { loadFormulary } from '../../models/workshop/score/doses.ts'

const value = (...[one, input]: Parameters<typeof calculate>) => calculate(one, input).value
const off = <Name extends string>(names: readonly Name[]) => Object.fromEntries(names.map((name) => [name, false])) as Record<Name, boolean>

describe('eGFR, CKD-EPI 2021', () => {
  it('the example of the National Kidney Foundation: man, 55 years, 1.2 mg/dl, 71', () => {
    expect(value(egfr, { ageYears: 55, sex: 'male', creatinineMicromolPerLitre: 1.2 * 88.4 })).toBe(71)
  })
  // at the knots of the equation (Inker 2021, table of coefficients) the creatinine terms are 1: 142 × 0.9938^age × 1.012 for women
  it.each([
    ['male' as const, 0.9, 40, 142 * 0.9938 ** 40],
    ['female' as const, 0.7, 40, 142 * 0.9938 ** 40 * 1.012],
    ['male' as const, 1.8, 60, 142 * 2 ** -1.2 * 0.9938 ** 60],
    ['female' as const, 1.4, 60, 142 * 2 ** -1.2 * 0.9938 ** 60 * 1.012],
    ['male' as const, 0.45, 30, 142 * 0.5 ** -0.302 * 0.9938 ** 30],
    ['female' as const, 0.35, 30, 142 * 0.5 ** -0.241 * 0.9938 ** 30 * 1.012],
  ])('%s, %f mg/dl, %i years', (sex, creatinine, ageYears, expected) => {
    expect(value(egfr, { ageYears, sex, creatinineMicromolPerLitre: creatinine * 88.4 })).toBe(Math.round(expected))
  })
  it('the stages of KDIGO', () => {
    const band = (creatinineMicromolPerLitre: number) => calculate(egfr, { ageYears: 60, sex: 'male', creatinineMicromolPerLitre }).band.slice(0, 3)
    expect([70, 100, 140, 190, 300, 600].map(band)).toEqual(['G1,', 'G2,', 'G3a', 'G3b', 'G4,', 'G5,'])
  })
})

describe('body mass index', () => {
  it('the example of the CDC: 68 kg, 165 cm, 24.98', () => {
    expect(calculate(bmi, { ageYears: 40, weightKg: 68, heightCm: 165 })).toMatchObject({ value: 25, band: 'healthy weight' })
  })
  it.each([
    [18.4, false, 'underweight'],
    [18.5, false, 'healthy weight'],
    [25, false, 'overweight'],
    [30, false, 'obesity class 1'],
    [35, false, 'obesity class 2'],
    [40, false, 'obesity class 3'],
    [23, true, 'overweight'],
    [27.5, true, 'obesity class 1'],
    [32.5, true, 'obesity class 2'],
    [37.5, true, 'obesity class 3'],
  ])('WHO and NICE table: %f, lower thresholds %s, %s', (index, lowerThresholds, band) => {
    expect(calculate(bmi, { ageYears: 40, weightKg: index * 4, heightCm: 200, lowerThresholds }).band).toBe(band)
  })
})

describe('CHA₂DS₂-VASc, table 2 of Lip 2010', () => {
  const none = { ageYears: 50, sex: 'male' as const, ...off(['heartFailure', 'hypertension', 'diabetes', 'strokeOrEmbolism', 'vascularDisease']) }
  it.each<[object, number]>([
    [{}, 0],
    [{ heartFailure: true }, 1],
    [{ hypertension: true }, 1],
    [{ ageYears: 64 }, 0],
    [{ ageYears: 65 }, 1],
    [{ ageYears: 74 }, 1],
    [{ ageYears: 75 }, 2],
    [{ diabetes: true }, 1],
    [{ strokeOrEmbolism: true }, 2],
    [{ vascularDisease: true }, 1],
    [{ sex: 'female' }, 1],
    [{ ageYears: 80, sex: 'female', heartFailure: true, hypertension: true, diabetes: true, strokeOrEmbolism: true, vascularDisease: true }, 9],
  ])('%o', (change, points) => {
    expect(value(cha2ds2vasc, { ...none, ...change })).toBe(points)
  })
  it('a woman without other risk is at low risk, a man with one point is not', () => {
    expect(calculate(cha2ds2vasc, { ...none, sex: 'female' }).band).toBe('low risk')
    expect(calculate(cha2ds2vasc, { ...none, diabetes: true }).band).toBe('consider anticoagulation')
    expect(calculate(cha2ds2vasc, { ...none, sex: 'female', diabetes: true }).band).toBe('offer anticoagulation')
  })
})

describe('Wells', () => {
  const pe = { pulsePerMinute: 80, ...off(['signsOfDvt', 'peMostLikely', 'immobileOrSurgery', 'earlierDvtOrPe', 'haemoptysis', 'cancer']) }
  it.each<[object, number, string]>([
    [{}, 0, 'PE unlikely'],
    [{ signsOfDvt: true }, 3, 'PE unlikely'],
    [{ peMostLikely: true }, 3, 'PE unlikely'],
    [{ pulsePerMinute: 100 }, 0, 'PE unlikely'],
    [{ pulsePerMinute: 101 }, 1.5, 'PE unlikely'],
    [{ immobileOrSurgery: true }, 1.5, 'PE unlikely'],
    [{ earlierDvtOrPe: true }, 1.5, 'PE unlikely'],
    [{ haemoptysis: true }, 1, 'PE unlikely'],
    [{ cancer: true }, 1, 'PE unlikely'],
    [{ signsOfDvt: true, haemoptysis: true }, 4, 'PE unlikely'],
    [{ peMostLikely: true, earlierDvtOrPe: true }, 4.5, 'PE likely'],
    [
      { pulsePerMinute: 120, signsOfDvt: true, peMostLikely: true, immobileOrSurgery: true, earlierDvtOrPe: true, haemoptysis: true, cancer: true },
      12.5,
      'PE likely',
    ],
  ])('PE, table of Wells 2000: %o', (change, points, band) => {
    expect(calculate(wellsPe, { ...pe, ...change })).toMatchObject({ value: points, band })
  })
  const signs = [
    'activeCancer',
    'paralysisOrPlaster',
    'bedriddenOrSurgery',
    'tenderDeepVeins',
    'wholeLegSwollen',
    'pittingOedema',
    'collateralVeins',
    'earlierDvt',
  ] as const
  const dvt = { calfDifferenceCm: 0, otherDiagnosisAsLikely: false, ...off(signs) }
  it.each([...signs])('DVT, table of Wells 2003: %s is one point', (sign) => {
    expect(value(wellsDvt, { ...dvt, [sign]: true })).toBe(1)
  })
  it('DVT: the calf, the other diagnosis, the two levels', () => {
    expect(value(wellsDvt, { ...dvt, calfDifferenceCm: 2.9 })).toBe(0)
    expect(value(wellsDvt, { ...dvt, calfDifferenceCm: 3 })).toBe(1)
    expect(calculate(wellsDvt, { ...dvt, otherDiagnosisAsLikely: true })).toMatchObject({ value: -2, band: 'DVT unlikely' })
    expect(calculate(wellsDvt, { ...dvt, activeCancer: true, wholeLegSwollen: true }).band).toBe('DVT likely')
    expect(calculate(wellsDvt, { ...dvt, activeCancer: true }).band).toBe('DVT unlikely')
  })
})

describe('CURB-65, table of Lim 2003', () => {
  const none = { ageYears: 50, confusion: false, ureaMmolPerLitre: 5 as number | null, respiratoryRate: 18, systolic: 120, diastolic: 80 }
  it.each<[object, number]>([
    [{}, 0],
    [{ confusion: true }, 1],
    [{ ureaMmolPerLitre: 7 }, 0],
    [{ ureaMmolPerLitre: 7.1 }, 1],
    [{ respiratoryRate: 29 }, 0],
    [{ respiratoryRate: 30 }, 1],
    [{ systolic: 90 }, 0],
    [{ systolic: 89 }, 1],
    [{ diastolic: 61 }, 0],
    [{ diastolic: 60 }, 1],
    [{ systolic: 80, diastolic: 40 }, 1],
    [{ ageYears: 64 }, 0],
    [{ ageYears: 65 }, 1],
    [{ ageYears: 70, confusion: true, ureaMmolPerLitre: 12, respiratoryRate: 32, systolic: 85 }, 5],
  ])('%o', (change, points) => {
    expect(value(curb65, { ...none, ...change })).toBe(points)
  })
  it('the bands of NICE, and CRB-65 without urea', () => {
    expect(calculate(curb65, { ...none, ageYears: 70 }).band).toBe('low risk')
    expect(calculate(curb65, { ...none, ageYears: 70, ureaMmolPerLitre: null })).toMatchObject({
      band: 'intermediate risk',
      text: expect.stringContaining('CRB-65'),
    })
    expect(calculate(curb65, { ...none, ageYears: 70, confusion: true }).band).toBe('intermediate risk')
    expect(calculate(curb65, { ...none, ageYears: 70, confusion: true, respiratoryRate: 30 }).band).toBe('high risk')
  })
})

describe('NEWS2, chart 1 of the Royal College of Physicians', () => {
  const well = {
    ...{ ageYears: 40, respiratoryRate: 16, saturation: 98, saturationScale: '1' as '1' | '2', onOxygen: false, systolic: 120 },
    ...{ pulsePerMinute: 70, consciousness: 'alert' as string, temperature: 37 },
  }
  it.each<[string, readonly (readonly [unknown, number])[]]>([
    ['respiratoryRate', [[8, 3], [9, 1], [11, 1], [12, 0], [20, 0], [21, 2], [24, 2], [25, 3]]], // prettier-ignore
    ['saturation', [[91, 3], [92, 2], [93, 2], [94, 1], [95, 1], [96, 0]]], // prettier-ignore
    ['systolic', [[90, 3], [91, 2], [100, 2], [101, 1], [110, 1], [111, 0], [219, 0], [220, 3]]], // prettier-ignore
    ['pulsePerMinute', [[40, 3], [41, 1], [50, 1], [51, 0], [90, 0], [91, 1], [110, 1], [111, 2], [130, 2], [131, 3]]], // prettier-ignore
    ['temperature', [[35, 3], [35.1, 1], [36, 1], [36.1, 0], [38, 0], [38.1, 1], [39, 1], [39.1, 2]]], // prettier-ignore
    ['consciousness', [['alert', 0], ['new confusion', 3], ['voice', 3], ['pain', 3], ['unresponsive', 3]]], // prettier-ignore
  ])('%s', (field, rows) => {
    for (const [entry, points] of rows) expect([entry, value(news2, { ...well, [field]: entry })]).toEqual([entry, points])
  })
  it('scale 2, on air and on oxygen', () => {
    const scale2 = (saturation: number, onOxygen: boolean) =>
      value(news2, { ...well, saturationScale: '2', saturation, onOxygen }) - (onOxygen ? 2 : 0)
    expect([83, 84, 85, 86, 87, 88, 92, 93, 97].map((saturation) => scale2(saturation, false))).toEqual([3, 2, 2, 1, 1, 0, 0, 0, 0])
    expect([83, 85, 87, 88, 92, 93, 94, 95, 96, 97].map((saturation) => scale2(saturation, true))).toEqual([3, 2, 1, 0, 0, 1, 1, 2, 2, 3])
  })
  it('the thresholds of the response: 0, any 3, 5, 7', () => {
    expect(calculate(news2, well).band).toBe('low')
    expect(calculate(news2, { ...well, respiratoryRate: 26 }).band).toBe('low to medium')
    expect(calculate(news2, { ...well, respiratoryRate: 22, saturation: 93, temperature: 38.5 })).toMatchObject({ value: 5, band: 'medium' })
    expect(calculate(news2, { ...well, respiratoryRate: 26, onOxygen: true, saturation: 93 })).toMatchObject({ value: 7, band: 'high' })
  })
})

describe('Centor and McIsaac, table of McIsaac 1998', () => {
  const none = { ageYears: 30, exudate: false, tenderNodes: false, fever: false, cough: true }
  it.each<[object, number]>([
    [{}, 0],
    [{ exudate: true }, 1],
    [{ tenderNodes: true }, 1],
    [{ fever: true }, 1],
    [{ cough: false }, 1],
    [{ ageYears: 3 }, 1],
    [{ ageYears: 14 }, 1],
    [{ ageYears: 15 }, 0],
    [{ ageYears: 44 }, 0],
    [{ ageYears: 45 }, -1],
    [{ ageYears: 10, exudate: true, tenderNodes: true, fever: true, cough: false }, 5],
  ])('%o', (change, points) => {
    expect(value(centor, { ...none, ...change })).toBe(points)
  })
})

describe('dose of a child by weight', () => {
  const medicine = (name: string) => loadFormulary().medicines.find((one) => one.name === name)!
  const byWeight = (name: string, ageYears: number, weightKg: number) =>
    childDoses(medicine(name), { ageYears, weightKg }).doses.filter((dose) => dose.byWeight)
  it('multiplies, and stops at the ceiling of a dose', () => {
    const trimethoprim = byWeight('trimethoprim', 4, 16).find(({ indication }) => indication === 'lower urinary infection')
    expect(trimethoprim).toMatchObject({ low: 64, high: 64, unit: 'mg', capped: false })
    const heavy = byWeight('azithromycin', 11, 60).find(({ indication }) => indication.startsWith('respiratory'))
    expect(heavy).toMatchObject({ low: 500, high: 500, capped: true })
  })
  it('is never above a ceiling of the record, whatever the weight', () => {
    for (const one of loadFormulary().medicines)
      for (const [ageYears, weights] of [
        [0.5, [6, 9]],
        [3, [11, 20]],
        [9, [20, 55]],
        [15, [35, 100]],
      ] as const)
        // prettier-ignore
        for (const weightKg of weights) {
          if (!one.doses.some(({ population, ageFrom = 0, ageBelow = 18 }) => population === 'child' && ageFrom <= ageYears && ageYears < ageBelow)) continue
          for (const dose of childDoses(one, { ageYears, weightKg }).doses) {
            const line = one.doses.find((own) => own.indication === dose.indication && own.route === dose.route && own.perKg && dose.byWeight)
            if (line?.maxSingle?.unit === dose.unit) expect(dose.high).toBeLessThanOrEqual(line.maxSingle.amount)
            expect(dose.low).toBeLessThanOrEqual(dose.high)
          }
        }
  })
  it('keeps to the age band and the weight band, and carries version and review of the record', () => {
    const { doses, source } = childDoses(medicine('glucagon'), { ageYears: 6, weightKg: 30 })
    expect(doses.filter(({ route }) => route === 'intramuscular').map(({ high }) => high)).toEqual([1])
    expect(source).toEqual({ medicine: 'glucagon', version: 1, review: { state: 'unreviewed' } })
  })
  it.each([
    ['amoxicillin', { ageYears: 3, weightKg: 60 }, /does not fit a child of this age/],
    ['amoxicillin', { ageYears: 3 }, /weightKg: a number from 0.5 to 150 kg/],
    ['amoxicillin', { ageYears: 30, weightKg: 60 }, /ageYears/],
    ['loperamide', { ageYears: 3, weightKg: 14 }, /no dose for this age/],
  ])('%s, %o is refused', (name, input, message) => {
    expect(() => childDoses(medicine(name), input)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringMatching(message) }))
  })
})

describe('every calculator', () => {
  it.each((calculators as readonly Calculator[]).map((one) => [one.id, one] as const))(
    '%s names source and limits and refuses nonsense',
    (_, one) => {
      expect(one.source).toMatch(/\d{4}/)
      expect(one.limits.length).toBeGreaterThan(20)
      for (const input of [null, {}, { ageYears: 'x' }, { ageYears: Number.NaN }, { unknown: 1 }])
        expect(() => calculate(one, input)).toThrow(AppError)
    },
  )
  it('is found where an answer mentions it', () => {
    const ids = (text: string) => mentioned(text).map(({ id }) => id)
    expect(ids('Work out the CHA2DS2-VASc score')).toEqual(['cha2ds2-vasc'])
    expect(ids('CHA₂DS₂‑VASc of 2')).toEqual(['cha2ds2-vasc'])
    expect(ids('Two-level PE Wells score')).toEqual(['wells-pe', 'wells-dvt'])
    expect(ids('eGFR below 30; use CURB-65 and NEWS2')).toEqual(['egfr-ckd-epi-2021', 'curb-65', 'news2'])
    expect(ids('No score is needed')).toEqual([])
  })
})
