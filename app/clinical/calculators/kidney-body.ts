// Owns two formulas: the glomerular filtration rate by CKD-EPI 2021, and the body mass index.
import * as z from 'zod'
import { calculator, measured } from './calculator.ts'

const MICROMOL_PER_MG_DL = 88.4
const STAGES = [
  [90, 'G1, normal or high'],
  [60, 'G2, mildly decreased'],
  [45, 'G3a, mildly to moderately decreased'],
  [30, 'G3b, moderately to severely decreased'],
  [15, 'G4, severely decreased'],
  [0, 'G5, kidney failure'],
] as const

export const egfr = calculator({
  id: 'egfr-ckd-epi-2021',
  name: 'eGFR (CKD-EPI 2021)',
  source: 'Inker LA et al., N Engl J Med 2021;385:1737–49 (creatinine equation without race). Stages: KDIGO 2012.',
  limits:
    'Adults from 18 years with stable creatinine. Not in acute kidney injury, pregnancy, or with very large or very small muscle mass. Many drug doses rest on creatinine clearance (Cockcroft–Gault) instead.',
  mentions: ['egfr', 'ckd-epi', 'glomerular filtration'],
  input: z.strictObject({
    ageYears: measured(18, 120, 'years', 'Age'),
    sex: z.enum(['female', 'male']),
    creatinineMicromolPerLitre: measured(10, 3000, 'micromol/l', 'Serum creatinine; mg/dl times 88.4'),
  }),
  compute({ ageYears, sex, creatinineMicromolPerLitre }) {
    const [kappa, alpha, factor] = sex === 'female' ? [0.7, -0.241, 1.012] : [0.9, -0.302, 1]
    const ratio = creatinineMicromolPerLitre / MICROMOL_PER_MG_DL / kappa
    const value = Math.round(142 * Math.min(ratio, 1) ** alpha * Math.max(ratio, 1) ** -1.2 * 0.9938 ** ageYears * factor)
    const band = STAGES.find(([from]) => value >= from)![1]
    const chronic = value >= 60 ? ' By itself this is no kidney disease; that needs a marker of damage such as albuminuria.' : ''
    return { value, unit: 'ml/min/1.73 m²', band, text: `Stage ${band}, if it lasts 3 months or more.${chronic}`, points: [] }
  },
})

/** WHO, adults; second column for people of Asian, Middle Eastern, Black African or African-Caribbean family background (NICE). */
const CLASSES = [
  ['underweight', 0, 0],
  ['healthy weight', 18.5, 18.5],
  ['overweight', 25, 23],
  ['obesity class 1', 30, 27.5],
  ['obesity class 2', 35, 32.5],
  ['obesity class 3', 40, 37.5],
] as const

export const bmi = calculator({
  id: 'bmi',
  name: 'Body mass index',
  source: 'WHO Technical Report 894 (2000): weight / height². Lower thresholds by family background: NICE NG246 (2025).',
  limits: 'Adults from 18 years. Not in pregnancy; misleads in oedema, amputation and great muscle mass. Children need centile charts.',
  mentions: ['bmi', 'body mass index'],
  input: z.strictObject({
    ageYears: measured(18, 120, 'years', 'Age'),
    weightKg: measured(20, 400, 'kg', 'Weight'),
    heightCm: measured(100, 250, 'cm', 'Height'),
    lowerThresholds: z.boolean().default(false).describe('Asian, Middle Eastern, Black African or African-Caribbean family background'),
  }),
  compute({ weightKg, heightCm, lowerThresholds }) {
    const exact = weightKg / (heightCm / 100) ** 2
    const value = Math.round(exact * 10) / 10
    const band = CLASSES.findLast(([, general, lower]) => exact >= (lowerThresholds ? lower : general))![0]
    const text = `${band.charAt(0).toUpperCase()}${band.slice(1)}${lowerThresholds ? ', by the lower thresholds' : ''}.`
    return { value, unit: 'kg/m²', band, text, points: [] }
  },
})
