// Owns the verdict on a dose statement: which lines of the record are meant, and the one word that the answer is marked with.
import type { Dose, Medicine, Review } from '../records.ts'
import { doseLine, populationText } from '../dose-text.ts'
import { compare, type Comparison } from './compare.ts'
import type { Formulary } from './drug-names.ts'
import { parseDoses, type DoseStatement } from './parse.ts'
import type { People } from './people.ts'
import { INJECTED, type Route } from './routes.ts'
import { meaningOf } from './units.ts'

export const VERDICTS = ['ok', 'high', 'low', 'unit_error', 'tenfold', 'unparsed'] as const
export type Verdict = (typeof VERDICTS)[number]

export interface CheckedDose extends DoseStatement {
  /** ok: inside a line of the record for that age group and route. unparsed: not checked, `reason` says why. */
  readonly verdict: Verdict
  readonly reason: string
  /** The line of the record it was compared with, in words and as data; null when there is none. */
  readonly line: Dose | null
  readonly lineText: string
  /** Taken for granted where the answer says nothing: "adult", "by mouth". */
  readonly assumed: readonly string[]
  readonly record: { readonly id: string; readonly version: number; readonly review: Review } | null
}

/** The patient of the question, where it is known. Ages in years, weight in kg. */
export interface Patient {
  /** The question that was answered: its one medicine and its patient hold where the answer names none. */
  readonly question?: string
  readonly ageYears?: number
  readonly weightKg?: number
}

/**
 * Every dose statement of an answer with its verdict. A statement is `ok` only against a record, in the age group and by the route that
 * are stated (or assumed, and then `assumed` says so). Pure; linear in the length of the text.
 */
export function checkDoses(answer: string, formulary: Formulary, patient: Patient = {}): CheckedDose[] {
  return parseDoses(answer, formulary, patient.question).map((statement) => checkDose(statement, patient))
}

/** One statement against its record; see `checkDoses`. */
export function checkDose(statement: DoseStatement, patient: Patient = {}): CheckedDose {
  const { medicine } = statement
  const record = medicine ? { id: medicine.id, version: medicine.version, review: medicine.review } : null
  const none = (reason: string): CheckedDose => ({ ...statement, verdict: 'unparsed', reason, line: null, lineText: '', assumed: [], record })
  if (statement.why !== undefined) return none(statement.why)
  if (statement.conflict !== undefined) return { ...none(statement.conflict), verdict: 'unit_error' }
  if (!medicine) return none(statement.drug === null ? 'no medicine is named' : `no record of ${statement.drug}`)
  const people = peopleOf(statement.people, patient)
  const forPeople = linesFor(medicine, people)
  if (forPeople.length === 0) return none(`the record has no dose for ${people.group === 'everyone' ? 'these ages' : people.group}`)
  const { groups, assumed: route, why } = byRoute(statement, forPeople)
  if (groups.length === 0) return none(why)
  const subject = { ...statement, people }
  const results = groups.map((lines) => judge(subject, lines, people))
  // several routes or age bands are possible: all must agree, or nothing is said
  const [first] = results
  const agreed = results.every(({ verdict }) => verdict === first!.verdict)
    ? first!
    : results.every(({ verdict }) => verdict !== 'ok' && verdict !== 'unparsed')
      ? results.reduce((a, b) => (b.best.distance < a.best.distance ? b : a))
      : { ...first!, verdict: 'unparsed' as const, reason: why === '' ? 'fits some ages of the group, not all' : why }
  const assumed = [...(statement.people === null && patient.ageYears === undefined ? ['adult'] : []), ...route]
  const { line } = agreed.best
  const lineText = line ? `${populationText(line)}: ${doseLine(line)}` : ''
  return { ...statement, people, verdict: agreed.verdict, reason: agreed.reason, line, lineText, assumed, record }
}

function peopleOf(said: People | null, { ageYears, weightKg }: Patient): People {
  const age = said?.age ?? (ageYears === undefined || (said && said.group !== groupAt(ageYears)) ? null : { from: ageYears, to: ageYears + 0.01 })
  return { group: said?.group ?? (ageYears === undefined ? 'adult' : groupAt(ageYears)), age, weightKg: said?.weightKg ?? weightKg ?? null }
}
const groupAt = (years: number): People['group'] => (years < 0.077 ? 'neonate' : years < 18 ? 'child' : years < 65 ? 'adult' : 'older adult')

/** The lines of the age group; bands of age that do not meet the stated age are left out. */
function linesFor({ doses }: Medicine, { group, age }: People): Dose[] {
  const meets = ({ ageFrom = 0, ageBelow = 18 }: Dose) => age === null || (ageFrom < age.to - 1e-6 && ageBelow > age.from + 1e-6)
  return doses.filter((dose) => {
    switch (dose.population) {
      case 'adult':
        return group !== 'child' && group !== 'neonate'
      case 'older adult':
        return group === 'older adult'
          ? age === null || age.to > (dose.ageFrom ?? 65)
          : group === 'adult' && age !== null && age.from >= (dose.ageFrom ?? 65)
      case 'child':
        return (group === 'child' || group === 'everyone') && meets(dose)
      case 'neonate':
        return group === 'neonate'
    }
  })
}

/** Lines by the stated route; without one, by mouth where the record has it, the only route, or all of them side by side. */
function byRoute(statement: DoseStatement, lines: readonly Dose[]): { groups: Dose[][]; assumed: string[]; why: string } {
  const on = (route: Route) => lines.filter((line) => line.route === route)
  if (statement.routes.length > 0) {
    const alike = statement.routes.map((route) => (route === 'intraosseous' && on(route).length === 0 ? 'intravenous' : route))
    const routes = statement.routes === INJECTED ? alike.filter((route) => on(route).length > 0) : alike
    const missing = routes.find((route) => on(route).length === 0)
    if (routes.length === 0 || missing !== undefined)
      return { groups: [], assumed: [], why: `the record has no ${missing ?? 'injected'} dose for this group` }
    return { groups: routes.map(on), assumed: [], why: 'fits one of the routes, not the other' }
  }
  const alike = lines.filter((line) => meaningOf(line.unit).dimension === statement.unit.dimension)
  const routes = [...new Set((alike.length > 0 ? alike : lines).map(({ route }) => route))]
  if (routes.includes('oral')) return { groups: [on('oral')], assumed: ['by mouth'], why: '' }
  return { groups: routes.map(on), assumed: routes.length === 1 ? [routes[0]!] : [], why: 'the route is not stated' }
}

interface Judgement {
  readonly verdict: Verdict
  readonly reason: string
  readonly best: Comparison
}

/** One route: the lines of the named indication if the sentence names one; for a child without an age, every band must agree. */
function judge(statement: DoseStatement, lines: readonly Dose[], people: People): Judgement {
  const older = lines.filter(({ population }) => population === 'older adult')
  if (older.length > 0 && older.length < lines.length) {
    const strict = judge(statement, older, people)
    if (strict.verdict === 'ok' || named(statement.context, older).length < older.length || older.every((line) => isNamed(statement.context, line)))
      return strict
    const wide = judge(
      statement,
      lines.filter(({ population }) => population !== 'older adult'),
      people,
    )
    if (wide.verdict !== 'ok') return wide.verdict === 'unparsed' ? strict : wide
    return { ...strict, verdict: 'unparsed', reason: 'within the adult range, outside that for older adults' }
  }
  if (people.group !== 'child') return judgeLines(statement, lines)
  const bands = bandsOf(lines, people).filter((band) => !statement.perKg || band.some(({ perKg }) => perKg))
  const each = (bands.length > 0 ? bands : [lines]).map((band) => judgeLines(statement, band))
  if (each.every(({ verdict }) => verdict === 'ok')) return each[0]!
  const unsure = each.find(({ verdict }) => verdict === 'unparsed')
  if (each.some(({ verdict }) => verdict === 'ok')) return { ...each[0]!, verdict: 'unparsed', reason: 'right for some of these ages, not for all' }
  // a range over unstated ages may hold the doses of two bands
  const ends = people.age === null && statement.low !== statement.high ? [statement.low, statement.high] : []
  const partly = ends.some((end) => bands.some((band) => judgeLines({ ...statement, low: end, high: end, maximum: null }, band).verdict === 'ok'))
  if (partly) return { ...each[0]!, verdict: 'unparsed', reason: 'right for some of these ages, not for all' }
  return unsure ?? each.reduce((a, b) => (b.best.distance < a.best.distance ? b : a))
}

/** The lines that hold at each age of the group: the stated span is cut wherever a line begins or ends. */
function bandsOf(lines: readonly Dose[], { age }: People): Dose[][] {
  const from = ({ ageFrom = 0 }: Dose) => ageFrom
  const to = ({ ageBelow = 18 }: Dose) => ageBelow
  const [start, end] = [age?.from ?? 0, Math.min(age?.to ?? 18, 18)]
  const cuts = [start, ...lines.flatMap((line) => [from(line), to(line)]), end].filter((cut) => cut >= start && cut <= end).sort((a, b) => a - b)
  const middles = cuts.slice(1).flatMap((cut, at) => (cut - cuts[at]! > 0.02 || cuts.length === 2 ? [(cut + cuts[at]!) / 2] : []))
  const bands = (middles.length > 0 ? middles : [start]).map((middle) => lines.filter((line) => from(line) <= middle && middle < to(line)))
  // an age that was stated and has no line stays, so that nothing is said of it; without a stated age the record's own span is meant
  return age === null ? bands.filter((band) => band.length > 0) : bands
}

/** Stands where no line could be compared. */
const NOTHING: Comparison = { line: null, finding: 'unknown', why: '', distance: 99, amountFits: false }

function judgeLines(statement: DoseStatement, lines: readonly Dose[]): Judgement {
  const judged = judgeOne(statement, lines)
  if (judged.verdict === 'low' && IMPAIRED.test(statement.context))
    return { ...judged, verdict: 'unparsed', reason: 'a dose lowered for kidneys or liver is not in the dose table' }
  // "1 to 3 sachets daily" may be the day's total
  if (judged.verdict === 'ok' || judged.verdict === 'unparsed' || statement.total || !statement.frequency?.daily) return judged
  if (judgeOne({ ...statement, total: true }, lines).verdict !== 'ok') return judged
  return { ...judged, verdict: 'unparsed', reason: 'one dose, or the total of a day' }
}

const IMPAIRED = /\b(?:renal|kidney|e?gfr|creatinine clearance|crcl|hepatic|liver) ?(?:impairment|disease|failure|function|is|of|below|under|<|\d)/

function judgeOne(statement: DoseStatement, lines: readonly Dose[]): Judgement {
  const meant = named(statement.context, lines)
  const alike = statement.perKg && meant.some(({ perKg }) => perKg) ? meant.filter(({ perKg }) => perKg) : meant
  const all = alike.map((line) => compare(statement, line))
  if (all.length === 0) return { verdict: 'unparsed', reason: 'the record has no dose for part of these ages', best: NOTHING }
  const find = (finding: Comparison['finding']) => all.filter((one) => one.finding === finding).sort((a, b) => a.distance - b.distance)[0]
  const made = (verdict: Verdict, best: Comparison, reason: string): Judgement => ({ verdict, best, reason })
  const within = find('within')
  if (within) return made('ok', within, '')
  const unknown = find('unknown')
  if (unknown) return made('unparsed', unknown, unknown.why)
  const tooOften = all.find((one) => one.amountFits)
  if (tooOften)
    return tooOften.finding === 'tenfold'
      ? made('tenfold', tooOften, tooOften.why)
      : tooOften.finding === 'unit'
        ? made('unit_error', tooOften, tooOften.why)
        : direction(tooOften, made)
  const [unit, tenfold] = [find('unit'), find('tenfold')]
  const nearest = all.reduce((a, b) => (b.distance < a.distance ? b : a))
  // an amount just beyond one line is no slip of another
  if (nearest.finding !== 'unit' && nearest.finding !== 'tenfold' && nearest.distance < Math.log(2.5)) return direction(nearest, made)
  if (unit) return made('unit_error', unit, `milligrams and micrograms, or the unit: ${unit.why}`)
  if (tenfold) return made('tenfold', tenfold, 'ten times the dose of the record, or a tenth of it')
  return direction(nearest, made)
}

const direction = (one: Comparison, made: (verdict: Verdict, best: Comparison, reason: string) => Judgement): Judgement =>
  made(one.finding === 'above' ? 'high' : 'low', one, one.why)

const EMPTY = new Set(
  'a an and or of the in with for not at by to on from is as other usual body weight kg or more less under over below above'.split(' '),
)
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
/** The share of an indication's words that the sentence has. */
function nameShare(context: ReadonlySet<string>, { indication }: Dose): number {
  const wanted = [...new Set(wordsOf(indication))].filter((word) => !EMPTY.has(word))
  return wanted.length === 0 ? 0 : wanted.filter((word) => context.has(word)).length / wanted.length
}
const NAMED = 0.75
const isNamed = (context: string, line: Dose): boolean => nameShare(new Set(wordsOf(context)), line) >= NAMED

/** "30 kg or more" of "reflux disease, body weight 30 kg or more". */
const bandOf = ({ indication }: Dose): string | null => /body weight ([^,]*\d kg(?: or (?:more|less|over))?)/.exec(indication)?.[1] ?? null

/** The lines whose indication the sentence names in most of its words; all lines where it names none. */
function named(context: string, lines: readonly Dose[]): readonly Dose[] {
  const bands = lines.filter((line) => bandOf(line) !== null && context.includes(bandOf(line)!))
  if (bands.length > 0 && bands.length < lines.length) return named(context, bands)
  const words = new Set(wordsOf(context))
  const shares = lines.map((line) => nameShare(words, line))
  const best = Math.max(...shares)
  return best < NAMED ? lines : lines.filter((_, at) => shares[at]! >= best - 1e-9)
}
