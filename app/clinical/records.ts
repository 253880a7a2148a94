// Owns the form of a clinical record: medicines, conditions, emergencies and prevention topics, as our own tables and a clinic's local protocols hold them.
import * as z from 'zod'

/** One record per line of `models/corpus/*.jsonl`; a clinic's own file has the same form. Texts are plain British English without markup. */
const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u)
const phrase = text(120)
const sentence = text(300)
const phrases = z.array(phrase).max(40)
const sentences = z.array(sentence).max(30)

/** Never inferred: a record is reviewed only when a clinician has put role and date here. */
export const Review = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('unreviewed') }),
  z.strictObject({ state: z.literal('reviewed'), role: phrase, date: z.iso.date() }),
])
export type Review = z.infer<typeof Review>

const shared = {
  /** Lower-case words joined by hyphens; unique over all files. */
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** Raised by one whenever the content changes. */
  version: z.number().int().min(1),
  review: Review,
  /** As it stands in a sentence: lower case unless it is a proper name. */
  name: phrase,
  /** Synonyms, spellings and abbreviations under which a question may name it. No name belongs to two records. */
  otherNames: phrases,
}

/** micrograms are written out, as on a prescription; `application` and `puff` count themselves. */
export const DOSE_UNITS = ['micrograms', 'mg', 'g', 'units', 'ml', 'mmol', 'puffs', 'drops', 'sprays', 'applications', 'tablets', 'sachets'] as const
export const ROUTES = [
  ...['oral', 'sublingual', 'buccal', 'inhaled', 'nebulised', 'intranasal', 'intramuscular', 'intravenous', 'subcutaneous', 'rectal', 'vaginal'],
  ...['topical', 'transdermal', 'eye', 'ear', 'scalp', 'intraosseous'],
] as const
const amount = z.number().positive().max(10_000_000)
const Quantity = z.strictObject({ amount, unit: z.enum(DOSE_UNITS) })
export type Quantity = z.infer<typeof Quantity>

/**
 * One line of a dose table. The words shown are made from these fields (no second copy in prose), so that what is printed and what an
 * answer is compared with cannot differ.
 */
export const Dose = z
  .strictObject({
    indication: phrase,
    population: z.enum(['adult', 'child', 'neonate', 'older adult']),
    /** For a child: from this age, up to but not including that age. In years; 0.25 is three months. */
    ageFrom: z.number().min(0).max(120).optional(),
    ageBelow: z.number().positive().max(120).optional(),
    route: z.enum(ROUTES),
    /** One dose. A single value has low = high. With `perKg` the amounts are per kilogram of body weight. */
    low: amount,
    high: amount,
    unit: z.enum(DOSE_UNITS),
    perKg: z.boolean().optional(),
    /** Doses in 24 hours; absent for a single dose, or for one taken when needed without a fixed number. 0.143 is once a week. */
    timesPerDay: z.strictObject({ low: z.number().positive().max(24), high: z.number().positive().max(24) }).optional(),
    /** Least hours between doses, where that is how it is prescribed. */
    everyHours: z.strictObject({ low: z.number().positive(), high: z.number().positive() }).optional(),
    /** once: a single dose. regular: by the clock. as needed: with a ceiling that `maxDaily` gives. */
    schedule: z.enum(['once', 'regular', 'as needed']),
    maxSingle: Quantity.optional(),
    /** In 24 hours. Absent only where no fixed ceiling exists (insulin, for instance); then `note` says what limits it. */
    maxDaily: Quantity.optional(),
    duration: phrase.optional(),
    note: sentence.optional(),
  })
  .refine((dose) => dose.low <= dose.high, 'low is above high')
  .refine((dose) => dose.schedule !== 'once' || dose.timesPerDay === undefined, 'a single dose has no frequency')
  .refine(
    (dose) => dose.population === 'child' || dose.ageFrom === undefined || dose.population === 'older adult',
    'only a child or an older adult has an age',
  )
export type Dose = z.infer<typeof Dose>

const Advice = z.strictObject({ advice: z.enum(['usual choice', 'can be used', 'caution', 'avoid']), text: sentence })

export const Medicine = z.strictObject({
  kind: z.literal('medicine'),
  ...shared,
  brands: phrases,
  /** "penicillin antibiotic": an indefinite article can stand before it. */
  class: phrase,
  uses: phrases.min(1),
  doses: z.array(Dose).min(1).max(12),
  contraindications: sentences.min(1),
  cautions: sentences,
  interactions: z
    .array(
      z.strictObject({
        /** A medicine or a group, in the words a question would use: "warfarin", "ACE inhibitors". */
        with: phrase,
        effect: sentence,
        action: z.enum(['do not combine', 'avoid if possible', 'adjust dose', 'monitor', 'separate doses']),
      }),
    )
    .max(20),
  sideEffects: phrases.min(1),
  pregnancy: Advice,
  breastfeeding: Advice,
  /** eGFR in ml/min/1.73 m²; most severe last. Empty: no change is needed. */
  renal: z.array(z.strictObject({ egfrBelow: z.number().int().min(5).max(90), text: sentence })).max(4),
  hepatic: sentence,
  monitoring: sentences,
})
export type Medicine = z.infer<typeof Medicine>

export const Condition = z.strictObject({
  kind: z.literal('condition'),
  ...shared,
  features: sentences.min(2),
  redFlags: sentences.min(1),
  investigations: sentences,
  differentials: phrases,
  /** In order: what to do first stands first. */
  treatment: sentences.min(1),
  refer: sentences.min(1),
  safetyNet: sentence,
})
export type Condition = z.infer<typeof Condition>

export const Emergency = z.strictObject({
  kind: z.literal('emergency'),
  ...shared,
  recognise: sentences.min(2),
  /** Numbered on the card. The first is always the one that must not wait. */
  steps: sentences.min(3).max(10),
  /** Drugs that the steps name, so that their doses can be compared. `medicine` is a generic name. */
  drugs: z.array(z.strictObject({ medicine: phrase, dose: Dose })).max(8),
  avoid: sentences,
  handOver: sentence,
})
export type Emergency = z.infer<typeof Emergency>

export const Prevention = z.strictObject({
  kind: z.literal('prevention'),
  ...shared,
  /** Who it is for. */
  who: sentences.min(1),
  measures: sentences.min(2),
  /** Vaccines and screening: when and how often. */
  schedule: sentences,
  notFor: sentences,
})
export type Prevention = z.infer<typeof Prevention>

export const ClinicalRecord = z.discriminatedUnion('kind', [Medicine, Condition, Emergency, Prevention])
export type ClinicalRecord = z.infer<typeof ClinicalRecord>
