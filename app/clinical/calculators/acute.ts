// Owns the scores of acute illness: CURB-65 with its form without urea, NEWS2, and Centor with McIsaac's correction for age.
import * as z from 'zod'
import { calculator, measured, tally, yesNo } from './calculator.ts'

export const curb65 = calculator({
  id: 'curb-65',
  name: 'CURB-65',
  source: 'Lim WS et al., Thorax 2003;58:377–82. Bands: NICE CG191 (2014); without urea CRB-65.',
  limits:
    'Adults from 18 years with community-acquired pneumonia. It supports the clinical judgement on admission and does not replace it; low oxygen alone is a reason to admit.',
  mentions: ['curb-65', 'curb65', 'crb-65', 'crb65'],
  input: z.strictObject({
    ageYears: measured(18, 120, 'years', 'Age'),
    confusion: yesNo('New confusion: abbreviated mental test 8 or less, or disorientation'),
    ureaMmolPerLitre: measured(0.5, 100, 'mmol/l', 'Urea').nullable().describe('Urea, mmol/l; null when it is not known'),
    respiratoryRate: measured(1, 100, 'a minute', 'Breaths'),
    systolic: measured(30, 300, 'mmHg', 'Systolic pressure'),
    diastolic: measured(10, 200, 'mmHg', 'Diastolic pressure'),
  }),
  compute(input) {
    const urea = input.ureaMmolPerLitre
    const { total, points } = tally([
      ['confusion', input.confusion ? 1 : 0],
      ['urea above 7 mmol/l', urea !== null && urea > 7 ? 1 : 0],
      ['breathing 30 a minute or more', input.respiratoryRate >= 30 ? 1 : 0],
      ['systolic below 90 or diastolic 60 or less', input.systolic < 90 || input.diastolic <= 60 ? 1 : 0],
      ['age 65 or over', input.ageYears >= 65 ? 1 : 0],
    ])
    if (urea === null) {
      const [band, text] =
        total === 0
          ? ['low risk', 'CRB-65 of 0: death within 30 days in less than 1 %. Treatment at home is usual.']
          : total <= 2
            ? ['intermediate risk', 'CRB-65 of 1 or 2: death within 30 days in 1 to 10 %. Consider assessment in hospital, above all with 2.']
            : ['high risk', 'CRB-65 of 3 or 4: death within 30 days in more than 10 %. Admit urgently.']
      return { value: total, unit: '', band, text, points }
    }
    const [band, text] =
      total <= 1
        ? ['low risk', 'Death within 30 days in less than 3 %. Consider treatment at home.']
        : total === 2
          ? ['intermediate risk', 'Death within 30 days in 3 to 15 %. Consider treatment in hospital.']
          : ['high risk', 'Death within 30 days in more than 15 %. Treat in hospital; with 4 or 5 assess for intensive care.']
    return { value: total, unit: '', band, text, points }
  },
})

/** The upper end of each row of the chart, with its points; the last row has no end. */
type Rows = readonly (readonly [upTo: number, points: number])[]
const pointsOf = (value: number, rows: Rows): number => rows.find(([upTo]) => value <= upTo)![1]
const BREATHING: Rows = [...([[8, 3], [11, 1], [20, 0], [24, 2], [Infinity, 3]] as const)] // prettier-ignore
const SATURATION_1: Rows = [...([[91, 3], [93, 2], [95, 1], [Infinity, 0]] as const)] // prettier-ignore
const SATURATION_2_AIR: Rows = [...([[83, 3], [85, 2], [87, 1], [Infinity, 0]] as const)] // prettier-ignore
const SATURATION_2_OXYGEN: Rows = [...([[83, 3], [85, 2], [87, 1], [92, 0], [94, 1], [96, 2], [Infinity, 3]] as const)] // prettier-ignore
const SYSTOLIC: Rows = [...([[90, 3], [100, 2], [110, 1], [219, 0], [Infinity, 3]] as const)] // prettier-ignore
const PULSE: Rows = [...([[40, 3], [50, 1], [90, 0], [110, 1], [130, 2], [Infinity, 3]] as const)] // prettier-ignore
const TEMPERATURE: Rows = [...([[35, 3], [36, 1], [38, 0], [39, 1], [Infinity, 2]] as const)] // prettier-ignore

export const news2 = calculator({
  id: 'news2',
  name: 'NEWS2',
  source: 'Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017.',
  limits: 'From 16 years. Not in pregnancy, and not in children. Scale 2 of the saturation only where a clinician has set a target of 88 to 92 %.',
  mentions: ['news2', 'news 2', 'early warning score'],
  input: z.strictObject({
    ageYears: measured(16, 120, 'years', 'Age'),
    respiratoryRate: measured(1, 80, 'a minute', 'Breaths').int({ error: 'a whole number' }),
    saturation: measured(50, 100, '%', 'Oxygen saturation').int({ error: 'a whole number' }),
    saturationScale: z.enum(['1', '2']).describe('2 only with a set target of 88 to 92 %'),
    onOxygen: yesNo('Breathing additional oxygen'),
    systolic: measured(30, 300, 'mmHg', 'Systolic pressure').int({ error: 'a whole number' }),
    pulsePerMinute: measured(20, 250, 'a minute', 'Pulse').int({ error: 'a whole number' }),
    consciousness: z.enum(['alert', 'new confusion', 'voice', 'pain', 'unresponsive']),
    temperature: measured(25, 45, '°C', 'Temperature'),
  }),
  compute(input) {
    const scale = input.saturationScale === '1' ? SATURATION_1 : input.onOxygen ? SATURATION_2_OXYGEN : SATURATION_2_AIR
    // the chart reads to one decimal place
    const temperature = Math.round(input.temperature * 10) / 10
    const { total, points } = tally([
      ['breathing', pointsOf(input.respiratoryRate, BREATHING)],
      ['oxygen saturation', pointsOf(input.saturation, scale)],
      ['additional oxygen', input.onOxygen ? 2 : 0],
      ['systolic pressure', pointsOf(input.systolic, SYSTOLIC)],
      ['pulse', pointsOf(input.pulsePerMinute, PULSE)],
      ['consciousness', input.consciousness === 'alert' ? 0 : 3],
      ['temperature', pointsOf(temperature, TEMPERATURE)],
    ])
    const red = points.some((one) => one.points === 3)
    const [band, text] =
      total >= 7
        ? ['high', 'Emergency response: think of sepsis, ambulance, continuous observation.']
        : total >= 5
          ? ['medium', 'Urgent response: think of sepsis; assessment in hospital, observation at least every hour.']
          : red
            ? ['low to medium', 'One sign scores 3: urgent review by a clinician, observation at least every hour.']
            : ['low', 'Low. The score alone excludes nothing; judge the person.']
    return { value: total, unit: '', band, text, points }
  },
})

export const centor = calculator({
  id: 'centor-mcisaac',
  name: 'Centor score with McIsaac’s correction',
  source: 'Centor RM et al., Med Decis Making 1981;1:239–46; McIsaac WJ et al., CMAJ 1998;158:75–83. Action: NICE NG84 (2018) on the Centor score.',
  limits: 'From 3 years, with acute sore throat. Not in immunosuppression, suspected scarlet fever, quinsy or epiglottitis.',
  mentions: ['centor', 'mcisaac'],
  input: z.strictObject({
    ageYears: measured(3, 120, 'years', 'Age'),
    exudate: yesNo('Exudate on, or swelling of, the tonsils'),
    tenderNodes: yesNo('Tender anterior neck nodes'),
    fever: yesNo('Fever above 38 °C now or by history'),
    cough: yesNo('Cough'),
  }),
  compute(input) {
    const signs = [
      ['exudate', input.exudate ? 1 : 0],
      ['tender anterior nodes', input.tenderNodes ? 1 : 0],
      ['fever', input.fever ? 1 : 0],
      ['no cough', input.cough ? 0 : 1],
    ] as const
    const centorTotal = tally(signs).total
    const { total, points } = tally([...signs, ['age 3 to 14', input.ageYears < 15 ? 1 : 0], ['age 45 or over', input.ageYears >= 45 ? -1 : 0]])
    const [band, advice] =
      total >= 4
        ? ['high probability', 'a streptococcus in about half: test, or antibiotics by local practice']
        : total >= 2
          ? ['moderate probability', 'test for streptococcus where tests are used; antibiotics only if positive']
          : ['low probability', 'no test and no antibiotic']
    const text = `McIsaac ${total}: ${advice}. Centor without age ${centorTotal}${centorTotal >= 3 ? ': NICE lets an immediate or a back-up prescription be considered' : ': NICE advises no antibiotic'}.`
    return { value: total, unit: '', band, text, points }
  },
})
