// Owns the schemas of the clinical layer that cross to the page: emergency banners, cards of the facts, the checks of an answer, calculators.
import * as z from 'zod'

const kinds = ['medicine', 'condition', 'emergency', 'prevention'] as const
export const RecordKind = z.enum(kinds)
export type RecordKind = z.infer<typeof RecordKind>

/** Which record something was taken from, as it was then. `reviewed` only where a clinician has put role and date into the record. */
export const RecordRef = z.object({
  id: z.string(),
  kind: RecordKind,
  name: z.string(),
  version: z.number().int(),
  review: z.discriminatedUnion('state', [
    z.object({ state: z.literal('unreviewed') }),
    z.object({ state: z.literal('reviewed'), role: z.string(), date: z.string() }),
  ]),
  /** clinic: a file that the clinic has put into the data folder. */
  source: z.enum(['program', 'clinic']),
})
export type RecordRef = z.infer<typeof RecordRef>

/** What is shown before the model is asked. The steps are the record's own, in its order. */
export const EmergencyBanner = z.object({
  rule: z.string(),
  confidence: z.enum(['high', 'moderate']),
  name: z.string(),
  /** The rule in words, and the words of the question that met it. */
  because: z.string(),
  words: z.array(z.string()),
  /** The step that must not wait: the first of `steps`. */
  action: z.string(),
  steps: z.array(z.string()).min(1),
  /** As it was set when the question was asked. */
  number: z.string(),
  record: RecordRef,
})
export type EmergencyBanner = z.infer<typeof EmergencyBanner>

/** The parts of every kind of record, in the fixed order of their card. */
export const partIds = {
  medicine: [
    ...(['uses', 'dose-adult', 'dose-child', 'maximum', 'contraindications', 'cautions', 'interactions', 'sideEffects'] as const),
    ...(['pregnancy', 'breastfeeding', 'hepatic', 'renal', 'monitoring'] as const),
  ],
  condition: ['redFlags', 'features', 'investigations', 'differentials', 'treatment', 'refer', 'safetyNet'],
  emergency: ['steps', 'drugs', 'recognise', 'avoid', 'handOver'],
  prevention: ['who', 'measures', 'schedule', 'notFor'],
} as const satisfies Record<RecordKind, readonly string[]>
export const PartId = z.enum([...partIds.medicine, ...partIds.condition, ...partIds.emergency, ...partIds.prevention])
export type PartId = z.infer<typeof PartId>

export const FactLine = z.object({
  /** What or whom the line is about, '' for none: "otitis media", "warfarin". */
  lead: z.string(),
  text: z.string(),
  /** In small print: ceilings and remarks; '' for none. */
  note: z.string(),
  /** Why the line holds for this question: "eGFR 25"; '' where nothing in the question says so. */
  applies: z.string(),
})
export type FactLine = z.infer<typeof FactLine>
export const FactPart = z.object({
  id: PartId,
  title: z.string(),
  numbered: z.boolean(),
  /** Empty: not stated in this record. The part is shown all the same, so that the eye learns its place. */
  lines: z.array(FactLine),
  /** The question asks for it. */
  asked: z.boolean(),
})
export type FactPart = z.infer<typeof FactPart>
export const FactCard = z.object({
  record: RecordRef,
  /** The class of a medicine; '' else. */
  about: z.string(),
  /** The words of the question that name it. */
  named: z.string(),
  parts: z.array(FactPart),
})
export type FactCard = z.infer<typeof FactCard>

/** An interaction, or a contraindication that the question touches; `complete` is false where the question does not say all of it. */
export const ClinicalNotice = z.object({
  kind: z.enum(['interaction', 'contraindication']),
  medicine: z.string(),
  other: z.string(),
  text: z.string(),
  action: z.string(),
  complete: z.boolean(),
  record: RecordRef,
})
export type ClinicalNotice = z.infer<typeof ClinicalNotice>

export const Agreement = z.enum(['agrees', 'differs', 'not checked'])
export type Agreement = z.infer<typeof Agreement>
/** One dose statement of an answer. `agrees` only inside a line of a record for that age group and route. */
export const DoseMark = z.object({
  /** UTF-16 positions in the answer as stored. */
  start: z.number().int(),
  end: z.number().int(),
  text: z.string(),
  drug: z.string(),
  agreement: Agreement,
  /** Why it differs or was not checked; '' when it agrees. */
  reason: z.string(),
  /** The line of the record it was compared with; '' for none. */
  line: z.string(),
  /** Taken for granted where the answer says nothing: "adult", "by mouth". */
  assumed: z.array(z.string()),
  record: RecordRef.nullable(),
})
export type DoseMark = z.infer<typeof DoseMark>

export const bands = ['higher', 'middle', 'lower'] as const
export const Uncertainty = z.object({
  band: z.enum(bands),
  /** Geometric mean of the probabilities of the tokens, 0…1. */
  mean: z.number(),
  /** Of 100 answers in this band, how many were right when the bands were set for this model; null where they never were. */
  rightOf100: z.number().nullable(),
  /** Numbers and names of medicines that the model itself gave little. */
  doubtful: z.array(z.object({ text: z.string(), kind: z.enum(['number', 'medicine']), probability: z.number() })),
})
export type Uncertainty = z.infer<typeof Uncertainty>

export const AnswerChecks = z.object({
  agreement: Agreement,
  /** Sentences for a person: what differs. */
  differences: z.array(z.string()),
  /** named: the answer names what was asked about. other: it names something else instead. missing: neither. none: no record was asked about. */
  subject: z.enum(['named', 'other', 'missing', 'none']),
  /** The card stands in place of the answer, which can be unfolded. */
  withheld: z.boolean(),
  doses: z.array(DoseMark),
  /** For medicines that the answer names and the question does not. */
  notices: z.array(ClinicalNotice),
  /** Parts that an answer of this category should have and this one has not, as titles. */
  notStated: z.array(z.string()),
  /** Ids of calculators that question or answer mention. */
  calculators: z.array(z.string()),
  uncertainty: Uncertainty.nullable(),
})
export type AnswerChecks = z.infer<typeof AnswerChecks>

/** What rules and tables found about one turn; stored with it. */
export const Clinical = z.object({
  emergencies: z.array(EmergencyBanner),
  cards: z.array(FactCard),
  notices: z.array(ClinicalNotice),
  /** Medicines that the question names and no record covers. */
  missing: z.array(z.string()),
  /** Short forms that could mean several things and stayed as typed. */
  unclear: z.array(z.object({ typed: z.string(), couldBe: z.array(z.string()) })),
  /** Forms whose meaning the user took back. */
  kept: z.array(z.string()),
  /** null until the answer has ended. */
  checks: AnswerChecks.nullable(),
})
export type Clinical = z.infer<typeof Clinical>

/** A part of a question that tells who a person is. */
export const IdentifierFound = z.object({ kind: z.string(), text: z.string() })
export type IdentifierFound = z.infer<typeof IdentifierFound>

/** One input of a calculator, for a form. */
export const CalculatorField = z.object({
  name: z.string(),
  label: z.string(),
  kind: z.enum(['number', 'yes-no', 'choice']),
  unit: z.string(),
  least: z.number().nullable(),
  most: z.number().nullable(),
  whole: z.boolean(),
  options: z.array(z.string()),
  /** May be left empty: it is then taken for not known. */
  optional: z.boolean(),
})
export type CalculatorField = z.infer<typeof CalculatorField>
export const CalculatorInfo = z.object({ id: z.string(), name: z.string(), source: z.string(), limits: z.string(), fields: z.array(CalculatorField) })
export type CalculatorInfo = z.infer<typeof CalculatorInfo>
export const CalculatorInput = z.object({
  id: z.string().max(60),
  input: z.record(z.string().max(60), z.union([z.number(), z.boolean(), z.string().max(60), z.null()])),
})
export const CalculatorResult = z.object({
  /** "62 ml/min/1.73 m²". */
  value: z.string(),
  band: z.string(),
  text: z.string(),
  points: z.array(z.object({ item: z.string(), points: z.number() })),
})
export type CalculatorResult = z.infer<typeof CalculatorResult>
export const ChildDoseRequest = z.object({ medicine: z.string().max(120), ageYears: z.number(), weightKg: z.number() })
export const ChildDoseAnswer = z.object({
  text: z.string(),
  record: RecordRef,
  doses: z.array(z.object({ indication: z.string(), dose: z.string(), how: z.string(), line: z.string(), note: z.string() })),
})
export type ChildDoseAnswer = z.infer<typeof ChildDoseAnswer>

/** What the tables hold, and what was wrong with a clinic's own files. */
export const RecordsState = z.object({
  counts: z.record(RecordKind, z.number().int()),
  reviewed: z.number().int(),
  folder: z.string(),
  clinic: z.array(RecordRef),
  /** Each line that was left out: file, line and what is wrong with it. */
  faults: z.array(z.string()),
})
export type RecordsState = z.infer<typeof RecordsState>
export const IncidentInput = z.object({ turn: z.string().max(64), note: z.string().max(4000), withText: z.boolean() })
