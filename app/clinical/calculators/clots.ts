// Owns the scores of clots and strokes: CHA₂DS₂-VASc, Wells for pulmonary embolism, Wells for deep vein thrombosis.
import * as z from 'zod'
import { calculator, measured, tally, yesNo } from './calculator.ts'

export const cha2ds2vasc = calculator({
  id: 'cha2ds2-vasc',
  name: 'CHA₂DS₂-VASc',
  source: 'Lip GYH et al., Chest 2010;137:263–72. Action: NICE NG196 (2021).',
  limits:
    'Adults with non-valvular atrial fibrillation or flutter. Not with a mechanical valve or moderate to severe mitral stenosis, which need anticoagulation anyway.',
  mentions: ['cha2ds2', 'chads', 'cha₂ds₂'],
  input: z.strictObject({
    ageYears: measured(18, 120, 'years', 'Age'),
    sex: z.enum(['female', 'male']),
    heartFailure: yesNo('Heart failure or left ventricular dysfunction'),
    hypertension: yesNo('Hypertension, also when treated'),
    diabetes: yesNo('Diabetes'),
    strokeOrEmbolism: yesNo('Stroke, TIA or thromboembolism before'),
    vascularDisease: yesNo('Myocardial infarction, peripheral arterial disease or aortic plaque'),
  }),
  compute(input) {
    const { total, points } = tally([
      ['heart failure', input.heartFailure ? 1 : 0],
      ['hypertension', input.hypertension ? 1 : 0],
      ['age 75 or over', input.ageYears >= 75 ? 2 : 0],
      ['age 65 to 74', input.ageYears >= 65 && input.ageYears < 75 ? 1 : 0],
      ['diabetes', input.diabetes ? 1 : 0],
      ['stroke, TIA or embolism', input.strokeOrEmbolism ? 2 : 0],
      ['vascular disease', input.vascularDisease ? 1 : 0],
      ['female sex', input.sex === 'female' ? 1 : 0],
    ])
    const [band, text] =
      total >= 2
        ? ['offer anticoagulation', 'Offer anticoagulation, weighed against the bleeding risk (ORBIT).']
        : total === 1 && input.sex === 'male'
          ? ['consider anticoagulation', 'Consider anticoagulation, weighed against the bleeding risk (ORBIT).']
          : ['low risk', 'Low risk: no anticoagulation for stroke prevention at present; look again at 65 years or with a new risk factor.']
    return { value: total, unit: '', band, text, points }
  },
})

export const wellsPe = calculator({
  id: 'wells-pe',
  name: 'Wells score for pulmonary embolism',
  source: 'Wells PS et al., Thromb Haemost 2000;83:416–20, two levels. Action: NICE NG158 (2020).',
  limits: 'Adults in whom pulmonary embolism is suspected. Not validated in pregnancy. It never overrules a collapse or shock.',
  mentions: ['wells score for pulmonary', 'wells pe', 'two-level pe wells', 'wells score'],
  input: z.strictObject({
    signsOfDvt: yesNo('Clinical signs of deep vein thrombosis: leg swelling and pain on palpation of the deep veins'),
    peMostLikely: yesNo('An alternative diagnosis is less likely than pulmonary embolism'),
    pulsePerMinute: measured(20, 300, 'a minute', 'Pulse'),
    immobileOrSurgery: yesNo('Immobile for more than 3 days, or surgery in the last 4 weeks'),
    earlierDvtOrPe: yesNo('Deep vein thrombosis or pulmonary embolism before'),
    haemoptysis: yesNo('Haemoptysis'),
    cancer: yesNo('Cancer on treatment, treated in the last 6 months, or palliative'),
  }),
  compute(input) {
    const { total, points } = tally([
      ['signs of deep vein thrombosis', input.signsOfDvt ? 3 : 0],
      ['alternative less likely', input.peMostLikely ? 3 : 0],
      ['pulse above 100', input.pulsePerMinute > 100 ? 1.5 : 0],
      ['immobile or surgery', input.immobileOrSurgery ? 1.5 : 0],
      ['earlier thrombosis or embolism', input.earlierDvtOrPe ? 1.5 : 0],
      ['haemoptysis', input.haemoptysis ? 1 : 0],
      ['cancer', input.cancer ? 1 : 0],
    ])
    const likely = total > 4
    const text = likely
      ? 'PE likely (above 4): CT pulmonary angiogram at once; if it is delayed, anticoagulate meanwhile. A negative D-dimer does not exclude it.'
      : 'PE unlikely (4 or less): D-dimer with the result within 4 hours; imaging if it is raised for the age.'
    return { value: total, unit: '', band: likely ? 'PE likely' : 'PE unlikely', text, points }
  },
})

export const wellsDvt = calculator({
  id: 'wells-dvt',
  name: 'Wells score for deep vein thrombosis',
  source: 'Wells PS et al., N Engl J Med 2003;349:1227–35, two levels. Action: NICE NG158 (2020).',
  limits: 'Adults in whom thrombosis of the leg is suspected. Not validated in pregnancy.',
  mentions: ['wells score for deep', 'wells dvt', 'two-level dvt wells', 'wells score'],
  input: z.strictObject({
    activeCancer: yesNo('Active cancer: treated now, within 6 months, or palliative'),
    paralysisOrPlaster: yesNo('Paralysis, paresis or recent plaster of the leg'),
    bedriddenOrSurgery: yesNo('Bedridden for 3 days or more, or major surgery within 12 weeks under general or regional anaesthesia'),
    tenderDeepVeins: yesNo('Localised tenderness along the deep veins'),
    wholeLegSwollen: yesNo('Whole leg swollen'),
    calfDifferenceCm: measured(0, 30, 'cm', 'Calf swelling beyond the other side, 10 cm below the tibial tuberosity'),
    pittingOedema: yesNo('Pitting oedema of the symptomatic leg only'),
    collateralVeins: yesNo('Collateral superficial veins that are not varicose'),
    earlierDvt: yesNo('Deep vein thrombosis before, documented'),
    otherDiagnosisAsLikely: yesNo('Another diagnosis is at least as likely'),
  }),
  compute(input) {
    const { total, points } = tally([
      ['active cancer', input.activeCancer ? 1 : 0],
      ['paralysis, paresis or plaster', input.paralysisOrPlaster ? 1 : 0],
      ['bedridden or major surgery', input.bedriddenOrSurgery ? 1 : 0],
      ['tender deep veins', input.tenderDeepVeins ? 1 : 0],
      ['whole leg swollen', input.wholeLegSwollen ? 1 : 0],
      // the paper scores "more than 3 cm", NICE "at least 3 cm": the safer reading
      ['calf 3 cm or more larger', input.calfDifferenceCm >= 3 ? 1 : 0],
      ['pitting oedema', input.pittingOedema ? 1 : 0],
      ['collateral veins', input.collateralVeins ? 1 : 0],
      ['earlier thrombosis', input.earlierDvt ? 1 : 0],
      ['another diagnosis as likely', input.otherDiagnosisAsLikely ? -2 : 0],
    ])
    const likely = total >= 2
    const text = likely
      ? 'DVT likely (2 or more): ultrasound of the proximal leg veins within 4 hours; if that cannot be had, D-dimer, anticoagulate and scan within 24 hours.'
      : 'DVT unlikely (1 or less): D-dimer with the result within 4 hours; ultrasound if it is raised for the age.'
    return { value: total, unit: '', band: likely ? 'DVT likely' : 'DVT unlikely', text, points }
  },
})
