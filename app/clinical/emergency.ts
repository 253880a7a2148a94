// Owns the recognition of emergencies in a question: which syndromes it describes in a person now, and why. The records hold the steps.
import { findAge, findPregnancy, type Age, type Cue } from './cues.ts'
import type { Confidence, EmergencyRule, EmergencyTables, FindingLabel } from './emergency-rules.ts'
import { findMeasurements, type Measurement } from './measurements.ts'
import { findPhrases, pausedWords, type Found } from './phrases.ts'
import { DENIED, OTHER, PAST, PAST_LIST, SUPPOSED, freeTriggers, wordStates, type Effect } from './scope.ts'

/** A finding that a rule rests on, with the words of the question that gave it. */
export interface Reason {
  readonly finding: string
  readonly words: string
}
export interface EmergencyFound {
  /** Of the emergency record. */
  readonly id: string
  readonly confidence: Confidence
  /** The rule in words. */
  readonly because: string
  readonly reasons: readonly Reason[]
}

type Present = ReadonlyMap<string, Found<unknown>>

/**
 * The emergencies that the text describes, the most urgent first; none for a question about one in general, or for one that is denied, past,
 * another's or only supposed. Rules on tables only; time grows linearly with the text.
 */
export function findEmergencies(text: string, tables: EmergencyTables): EmergencyFound[] {
  const read = pausedWords(text)
  const folded = read.map((word) => word.folded)
  const present = presentFindings(folded, tables)
  const words = ({ from, to }: Found<unknown>) =>
    read
      .slice(from, to)
      .map((word) => word.plain)
      .join(' ')
  return tables.rules
    .flatMap((rule): (EmergencyFound & { order: number })[] => {
      const met = fitsAge(rule, present.age) ? meets(rule, present.findings) : undefined
      if (!met) return []
      const reasons = met.found.map(([finding, span]) => ({ finding, words: words(span) }))
      return [{ id: rule.id, confidence: met.confidence, because: rule.reason, reasons, order: rule.order + (met.confidence === 'high' ? 0 : 2) }]
    })
    .sort((a, b) => a.order - b.order)
    .map(({ order: _, ...found }) => found)
}

function meets({ when }: EmergencyRule, present: Present): { confidence: Confidence; found: (readonly [string, Found<unknown>])[] } | undefined {
  for (const { all, not, confidence } of when) {
    if (not?.some((finding) => present.has(finding))) continue
    const found = all.map((group) => group.find((finding) => present.has(finding)))
    if (found.every((finding) => finding !== undefined))
      return { confidence, found: found.map((finding) => [finding, present.get(finding)!] as const) }
  }
  return undefined
}

function fitsAge({ ageFrom = 0, ageBelow = Infinity, anyAge }: EmergencyRule, age: Age | undefined): boolean {
  if (!age) return ageBelow === Infinity || anyAge === true
  return age.years >= ageFrom && age.years < ageBelow
}

/** Every finding that is present in the person now, each with its first words. */
function presentFindings(folded: readonly string[], tables: EmergencyTables): { findings: Present; age: Age | undefined } {
  const age = findAge(folded)
  const matches = findPhrases(folded, tables.findings)
  const triggers = findPhrases(folded, tables.context)
  // a risk ("last month") hides no word about time
  const telling = matches.filter(({ label }) => label.kind !== 'background')
  const states = wordStates(folded, triggers, telling)
  const measured = findMeasurements(folded).flatMap((measurement) => limitsOf(measurement, age, tables))
  const question = readQuestion(freeTriggers(folded.length, triggers, telling), age, measured.length > 0)
  const findings = new Map<string, Found<unknown>>()
  const add = (finding: string, span: Found<unknown>) => findings.has(finding) || findings.set(finding, span)
  for (const match of matches) if (counts(match, states, question)) add(match.label.finding, match)
  if (question.signs)
    for (const cue of measured) if (!((states[cue.from] ?? 0) & (SUPPOSED | OTHER | PAST))) add(cue.finding, { label: null, ...cue })
  for (const cue of [...findPregnancy(folded), ...ageCues(age), ...question.cues])
    if (!((states[cue.from] ?? 0) & DENIED)) add(cue.finding, { label: null, ...cue })
  return { findings, age }
}

interface Question {
  /** Whether names of diseases, and signs, may mean a person now. */
  readonly names: boolean
  readonly signs: boolean
  readonly cues: readonly Cue[]
}

/** A question for knowledge is no emergency unless a particular person with signs is in it; one about treatment needs a person or a "now". */
function readQuestion(triggers: readonly Found<Effect>[], age: Age | undefined, measured: boolean): Question {
  const first = (effect: Effect) => triggers.find((trigger) => trigger.label === effect)
  const knowledge = first('knowledge') !== undefined
  const treatment = first('treatment') !== undefined
  const person = first('person') ?? (age && !age.general && age.to - age.from > 1 ? { label: null, from: age.from, to: age.to } : undefined)
  const now = first('now')
  const someone = person !== undefined || now !== undefined
  const cue = (finding: string, span: Found<unknown> | undefined): Cue[] => (span ? [{ finding, from: span.from, to: span.to }] : [])
  return {
    names: knowledge ? person !== undefined && now !== undefined : !treatment || someone || measured,
    signs: knowledge ? someone || measured : !treatment || someone || measured,
    cues: [...cue('person-cue', person), ...cue('now-cue', now)],
  }
}

function counts({ label: { kind }, from, to }: Found<FindingLabel>, states: Uint8Array, question: Question): boolean {
  const state = states[from]! | states[to - 1]!
  const blocked =
    kind === 'background'
      ? DENIED | OTHER | SUPPOSED
      : kind === 'name'
        ? DENIED | PAST | OTHER | SUPPOSED | PAST_LIST
        : DENIED | PAST | OTHER | SUPPOSED
  if (state & blocked) return false
  return kind === 'name' ? question.names : kind === 'background' || question.signs
}

function limitsOf({ quantity, value, from, to }: Measurement, age: Age | undefined, { limits }: EmergencyTables): Cue[] {
  const years = age?.years ?? ADULT
  return limits
    .filter((limit) => limit.quantity === quantity && value >= limit.least && value < limit.below && years >= limit.ageFrom && years < limit.ageBelow)
    .map(({ finding }) => ({ finding, from, to }))
}
const ADULT = 40

function ageCues(age: Age | undefined): Cue[] {
  if (!age) return []
  const { years, from, to } = age
  const cue = (finding: string) => ({ finding, from, to })
  return [...(years < 16 ? [cue('child')] : []), ...(years < 1 ? [cue('infant')] : []), ...(years >= 50 ? [cue('over-50')] : [])]
}
