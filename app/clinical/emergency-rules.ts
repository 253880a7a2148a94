// Owns the emergency tables: the schema of a rule, and the reading of rules, findings, context words and measurement limits from models/terms.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { AppError } from '../contract/errors.ts'
import { quantities, type Quantity } from './measurements.ts'
import { compilePhrases, type PhraseIndex } from './phrases.ts'
import { effects, type Effect } from './scope.ts'

const finding = z.string().regex(/^[a-z0-9.-]+$/)
export const Confidence = z.enum(['high', 'moderate'])
export type Confidence = z.infer<typeof Confidence>

/** One line of emergencies.jsonl: when the record with this id is shown. */
export const EmergencyRule = z.strictObject({
  /** Of the emergency record (models/corpus) whose steps are shown. */
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** Of several syndromes the lowest is shown first: 1 kills in minutes, 7 in days. */
  order: z.number().int().min(1).max(9),
  /** Years. From and up to but not including. A text that tells no age fits `ageFrom` but not `ageBelow` alone, unless `anyAge`. */
  ageFrom: z.number().min(0).optional(),
  ageBelow: z.number().positive().optional(),
  anyAge: z.literal(true).optional(),
  /** Why, in words for the clinician. */
  reason: z.string().min(20).max(200),
  /** Any one of these. In `all` each list must give one finding; none of `not` may be there. */
  when: z.array(z.strictObject({ all: z.array(z.array(finding).min(1)).min(1), not: z.array(finding).optional(), confidence: Confidence })).min(1),
})
export type EmergencyRule = z.infer<typeof EmergencyRule>

export const findingKinds = ['sign', 'name', 'event', 'background'] as const
export type FindingKind = (typeof findingKinds)[number]
export interface FindingLabel {
  readonly finding: string
  readonly kind: FindingKind
}
export interface Limit {
  readonly finding: string
  readonly quantity: Quantity
  readonly least: number
  readonly below: number
  readonly ageFrom: number
  readonly ageBelow: number
}
export interface EmergencyTables {
  readonly rules: readonly EmergencyRule[]
  readonly findings: PhraseIndex<FindingLabel>
  readonly context: PhraseIndex<Effect>
  readonly limits: readonly Limit[]
  /** Findings that a rule may name, for tests and reports. */
  readonly names: ReadonlySet<string>
}
/** Findings that come from app/clinical/cues.ts and from the context words, not from a table. */
export const cueFindings = [
  ...(['person-cue', 'now-cue', 'pregnant', 'pregnant-unknown', 'gestation-early', 'gestation-late'] as const),
  ...(['child', 'infant', 'over-50'] as const),
] as const

/** Reads the four emergency tables from `folder`. Throws AppError RESOURCE_MISSING when a file is absent, empty or wrong; the message names it. */
export function loadEmergencyTables(folder: string): EmergencyTables {
  const rows = read(folder, 'emergency-findings.tsv', (row) => {
    const [name, kind, phrases] = row.split('\t')
    return { name: finding.parse(name), kind: z.enum([...findingKinds, 'class']).parse(kind), phrases: split(phrases) }
  })
  const classes = new Map<string, string[]>()
  for (const { name, kind, phrases } of rows) if (kind === 'class') classes.set(name, phrases)
  const limits = read(folder, 'emergency-measurements.tsv', (row): Limit => {
    const [name, quantity, least, below, ageFrom, ageBelow] = row.split('\t')
    const limit = (cell: string | undefined, other: number) => (cell === undefined || cell.trim() === '' ? other : z.coerce.number().parse(cell))
    return {
      finding: finding.parse(name),
      quantity: z.enum(quantities).parse(quantity),
      least: limit(least, -Infinity),
      below: limit(below, Infinity),
      ageFrom: limit(ageFrom, 0),
      ageBelow: limit(ageBelow, Infinity),
    }
  })
  const rules = read(folder, 'emergencies.jsonl', (row) => EmergencyRule.parse(JSON.parse(row)))
  const context = read(folder, 'emergency-context.tsv', (row) => {
    const [effect, phrases] = row.split('\t')
    return split(phrases).map((phrase) => [z.enum(effects).parse(effect), phrase] as const)
  }).flat()
  const labelled = rows.flatMap(({ name, kind, phrases }) => (kind === 'class' ? [] : phrases.map((phrase) => [label(name, kind), phrase] as const)))
  return guarded('emergency-findings.tsv', () => ({
    rules,
    findings: compilePhrases(labelled, classes),
    context: compilePhrases(context, classes),
    limits,
    names: new Set([...labelled.map(([{ finding: name }]) => name), ...limits.map(({ finding: name }) => name), ...cueFindings]),
  }))
}

const labels = new Map<string, FindingLabel>()
function label(name: string, kind: FindingKind): FindingLabel {
  const key = `${name} ${kind}`
  const known = labels.get(key)
  if (known) return known
  const made = { finding: name, kind }
  labels.set(key, made)
  return made
}
const split = (phrases: string | undefined): string[] => (phrases ?? '').split(';').flatMap((phrase) => (phrase.trim() === '' ? [] : [phrase.trim()]))

function read<T>(folder: string, name: string, parse: (row: string) => T): T[] {
  return guarded(name, () => {
    const rows = readFileSync(join(folder, name), 'utf8')
      .split(/\r?\n/)
      .filter((row) => row.trim() !== '' && !row.startsWith('#'))
    if (rows.length === 0) throw new Error('empty')
    return rows.map(parse)
  })
}

function guarded<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', `The file terms/${name} of the program is missing or wrong. Reinstall Rushlight.`, undefined, cause)
  }
}
