// Owns the dose statements of a text: which amount belongs to which medicine, how often, which way in, for whom. Says what it could not read.
import type { Medicine } from '../records.ts'
import { findAmounts, type AmountFound } from './amounts.ts'
import { drugOf, type Named } from './attach.ts'
import { findDrugs, type Formulary, type Mention } from './drug-names.ts'
import { readFrequency, type Frequency } from './frequency.ts'
import { readPeople, type People } from './people.ts'
import { impliedRoutes, readRoutes, type Route } from './routes.ts'
import { original, scan } from './scan.ts'
import { sentencesOf, type Part } from './sentences.ts'
import type { UnitMeaning } from './units.ts'

export interface DoseStatement {
  /** The generic name of the record, or the word that stands for a medicine without one; null when none is named. */
  readonly drug: string | null
  readonly medicine: Medicine | null
  /** In `unit`; null where it cannot be read for sure, and for a maximum alone. */
  readonly low: number | null
  readonly high: number | null
  readonly unit: UnitMeaning
  readonly perKg: boolean
  /** The amount is the total of a day. */
  readonly total: boolean
  readonly frequency: Frequency | null
  readonly routes: readonly Route[]
  readonly people: People | null
  readonly maximum: { readonly amount: number; readonly unit: UnitMeaning; readonly perKg: boolean; readonly of: 'day' | 'dose' | null } | null
  /** Why it cannot be read, where it cannot. */
  readonly why?: string
  /** A second amount in brackets that is not the same: "0.5 mg (500 mg)". */
  readonly conflict?: string
  /** The words around it, lower case, for the indication. */
  readonly context: string
  /** Where it stands in the text that was given. */
  readonly start: number
  readonly end: number
  readonly text: string
}

const MAXIMUM =
  /(?:\bmax(?:imum)?\.?(?: (?:daily |single |total )?(?:dose|amount))?(?: (?:of|for) [a-z][a-z -]{2,40})?(?: of| is)?|\b(?:not|never) (?:to )?(?:exceed(?:ing)?|more than)|\bno more than|\bat most|\bup to a (?:maximum|total) of|\bceiling (?:of|is)|\bexceed)[ :]*$/
const MOST = /\b(?:max(?:imum)?|most|limit|ceiling|highest)\b/
const UP_TO_A_DAY = /\bup to $/
const THRESHOLD = /(?:\b(?:above|over|more than|exceeding|beyond|below|less than|under)|[<>≤≥])\s*$/
const STEP = /(?:\bby|\bsteps? of|\bincrements? of|\bevery)\s*$/
const A_DAY = /^\)? ?(?:,? ?(?:in|per|a|each|every|\/|over) ?(?:any )?(?:24 ?h|day|one day)|daily|total daily)/
const A_DOSE = /^ ?(?:(?:a|per|each|\/|as a single) ?(?:single )?dose|at (?:one|a) time)/

/** A strength: "spray 50 micrograms a dose". */
const FORM = /\b(?:capsule|tablet|spray|inhaler|patch|cartridge|pen|suspension)s?,? ?$/
/** What stands before belongs to the statement before. */
const OTHER = /^.*(?:[,;:]|\bthen\b|\band\b|\bwith\b|\bor\b)|^[^,;:]*$/s

type Draft = { -readonly [K in keyof DoseStatement]: DoseStatement[K] }

/**
 * Every dose statement of `text`, in order. `question`: where the text is its answer, the one medicine that it names and the patient that
 * it describes hold until the text says otherwise. Linear in the length; nothing is guessed: what is not sure has `why`.
 */
export function parseDoses(text: string, formulary: Formulary, question = ''): DoseStatement[] {
  const scanned = scan(text)
  const asked = subjectOf(question, formulary)
  const all = scanned.text
  const amounts = findAmounts(all)
  const drugs = findDrugs(all, formulary)
  const found: Draft[] = []
  let carried: Carried = asked
  let [a, d] = [0, 0]
  for (const sentence of sentencesOf(all)) {
    if (sentence.newParagraph) carried = { mention: asked.mention, people: keepPatient(carried.people) ?? asked.people }
    const here: AmountFound[] = []
    while (a < amounts.length && amounts[a]!.start < sentence.end) here.push(amounts[a++]!)
    const mentions: Mention[] = []
    while (d < drugs.length && drugs[d]!.start < sentence.end) mentions.push(drugs[d++]!)
    carried = readSentence({ all, sentence, amounts: here, mentions, carried, formulary, found, asked: asked.text })
  }
  return found.map((draft) => {
    const { start, end } = original(scanned, draft.start, draft.end)
    return { ...draft, start, end, text: text.slice(start, end) }
  })
}

interface Carried {
  readonly mention: Mention | null
  readonly people: People | null
}

/** The medicine of a question that names only one, and its patient. */
function subjectOf(question: string, formulary: Formulary): Carried & { text: string } {
  const { text } = scan(question.slice(0, 2000))
  const mentions = findDrugs(text, formulary)
  const one = new Set(mentions.map(({ medicine, name }) => medicine ?? name)).size === 1
  return { mention: one ? mentions[0]! : null, people: readPeople(text), text: one ? ` ${text}` : '' }
}

const keepPatient = (people: People | null): People | null => (people?.age || people?.weightKg ? people : null)

interface Reading {
  readonly all: string
  readonly sentence: Part
  readonly amounts: readonly AmountFound[]
  readonly mentions: readonly Mention[]
  readonly carried: Carried
  /** The words of the question, for the indication. */
  readonly asked: string
  readonly formulary: Formulary
  readonly found: Draft[]
}

function readSentence(reading: Reading): Carried {
  const { all, sentence, amounts, mentions, carried, formulary, found, asked } = reading
  const whole = all.slice(sentence.start, sentence.end)
  if (amounts.length === 0) {
    const people = readPeople(whole)
    const heading = sentence.heading || people?.age || people?.weightKg
    return {
      mention: mentions.at(-1) ?? carried.mention,
      people: people && heading ? { ...people, weightKg: people.weightKg ?? null } : carried.people,
    }
  }
  let people = carried.people
  let last: Mention | null = null
  let strength: AmountFound | null = null
  // a route named once holds for the sentence, unless it speaks of several medicines
  const several = new Set(mentions.map(({ medicine }) => medicine)).size > 1
  const sentenceRoutes = several ? [] : readRoutes(whole)
  let groupFollows = false
  amounts.forEach((amount, k) => {
    const before = all.slice(amounts[k - 1]?.end ?? sentence.start, amount.start)
    const nextAmount = amounts[k + 1]?.start ?? sentence.end
    const nextDrug =
      mentions.find(
        (mention) =>
          mention.start >= amount.end && !/^ ?(?:(?:tablets?|capsules?|dose|puffs?) )?(?:of )?$/.test(all.slice(amount.end, mention.start)),
      )?.start ?? sentence.end
    let until = Math.min(nextAmount, nextDrug)
    const gap = all.slice(amount.end, until)
    // a comma or a colon ahead of the next amount opens what belongs to that one
    const cut = until === nextAmount && k + 1 < amounts.length ? Math.max(gap.lastIndexOf(','), gap.lastIndexOf(':')) : -1
    // "600 mg from 1 to 9 years, 300 mg for babies": in such a sentence the group follows its dose
    if (k === 0) groupFollows = readPeople(before) === null && cut > 0 && readPeople(gap.slice(0, cut)) !== null
    if (cut > 0 && !groupFollows && readPeople(gap.slice(cut))) until = amount.end + cut
    const after = all.slice(amount.end, until)
    const previous = found.at(-1)
    if (STEP.test(before)) return
    const isMaximum =
      MAXIMUM.test(before) ||
      (UP_TO_A_DAY.test(before) && (amount.per === 'day' || A_DAY.test(after))) ||
      // "What is the most in a day?" – "4 g in 24 hours"
      (amounts.length === 1 && MOST.test(asked) && A_DAY.test(after))
    if (isMaximum && /^ (?:in|per|a|for) (?:(?:one|a|the|each|any) )?(?:course|week|month|attack)/.test(after)) return
    if (!isMaximum && THRESHOLD.test(before)) return
    if (amount.kind === 'strength' && amount.ml !== undefined) return void (strength = amount)
    const named = drugOf({
      all,
      amount,
      mentions,
      from: sentence.start,
      until: sentence.end,
      formulary,
      last: last ?? carried.mention,
      firstHere: last === null,
    })
    if (previous && k > 0 && inBrackets(before) && !isMaximum && bracketed(previous, amount)) {
      previous.frequency ??= readFrequency(after)
      if (previous.routes.length === 0) previous.routes = readRoutes(after)
      return
    }
    if (named.mention) last = named.mention
    const said = groupFollows ? readPeople(after) : (readPeople(before) ?? readPeople(after))
    const weightKg = said?.weightKg ?? people?.weightKg ?? null
    people = said ? { ...(said.age === null && people?.age && said.group === 'adult' && said.weightKg !== null ? people : said), weightKg } : people
    if (isMaximum) return addMaximum({ amount, after, named, previous, found, people, context: whole + asked })
    // "500 mg tablets, two tablets"; "100 micrograms, 4 to 10 puffs"
    const counted = isCount(amounts[k + 1]) && amounts[k + 1]!.start < nextDrug
    if (counted && (amount.kind === 'strength' || (amount.unit.shown === 'micrograms' && gap.length < 12))) return void (strength = amount)
    const own = readFrequency(after)
    // "for iron deficiency, 200 mg tablet": the form, where another amount is the dose
    const ofForm = amount.kind === 'strength' || FORM.test(before) || (amount.unit.shown === 'micrograms' && A_DOSE.test(after))
    if (ofForm && own === null && amounts.some((other) => other.kind === 'dose' && other !== amount)) return
    const frequency = own ?? readFrequency(k === 0 ? before : before.replace(OTHER, ''))
    const routes = [readRoutes(after), readRoutes(k === 0 ? before : before.replace(OTHER, ''))].find((list) => list.length > 0) ?? sentenceRoutes
    const made = applyStrength(amount, strength)
    found.push({
      ...{ drug: named.name, medicine: named.mention?.medicine ?? null, low: made.low, high: made.high, unit: made.unit, perKg: amount.perKg },
      total: amount.per === 'day' || (frequency?.divided ?? false) || (frequency?.daily === true && /24/.test(frequency.text)),
      ...{ frequency, routes: routes.length > 0 || several ? routes : impliedRoutes(whole), people, maximum: null },
      ...(amount.why === undefined ? {} : { why: amount.why }),
      ...{ context: whole + asked, start: amount.start, end: amount.end, text: '' },
    })
    if (made !== amount) strength = null
  })
  return { mention: mentions.at(-1) ?? last ?? carried.mention, people }
}

const isCount = (amount: AmountFound | undefined): boolean => amount !== undefined && /^(?:tablets|puffs|sprays)$/.test(amount.unit.dimension)
const inBrackets = (before: string): boolean => /^[^(),;]{0,30}\((?:=|or|i\.e\.|that is)? ?$|^ ?= ?$/.test(before)

/** "5 ml" of "250 mg/5 ml" is 250 mg; "two tablets" of 500 mg is 1000 mg. A puff stays a puff: records count them. */
function applyStrength(amount: AmountFound, strength: AmountFound | null): Pick<AmountFound, 'low' | 'high' | 'unit'> {
  if (!strength || strength.low === null || amount.low === null || amount.high === null || amount.perKg) return amount
  const liquid = amount.unit.dimension === 'volume' && strength.ml !== undefined
  if (!liquid && amount.unit.dimension !== 'tablets') return amount
  const each = liquid ? strength.low / strength.ml! : strength.low
  return { low: amount.low * each, high: amount.high * each, unit: strength.unit }
}

/** True when a figure in brackets is the same dose in other words, in a volume or count, or contradicts it; another dose stays one. */
function bracketed(statement: Draft, amount: AmountFound): boolean {
  if (amount.unit.dimension !== statement.unit.dimension) return true
  if (statement.low === null || amount.low === null || amount.perKg !== statement.perKg) return false
  const ratio = (amount.low * amount.unit.size) / (statement.low * statement.unit.size)
  if (Math.abs(ratio - 1) > 0.05 && [10, 100, 1000].some((slip) => Math.abs(ratio / slip - 1) < 0.05 || Math.abs(ratio * slip - 1) < 0.05))
    statement.conflict = 'the figure in brackets is another amount'
  return statement.conflict !== undefined || Math.abs(ratio - 1) <= 0.05
}

interface MaximumFound {
  readonly amount: AmountFound
  readonly after: string
  readonly named: Named
  readonly previous: Draft | undefined
  readonly found: Draft[]
  readonly people: People | null
  readonly context: string
}

/** A maximum belongs to the statement before it of the same medicine; alone it is a statement of its own. */
function addMaximum({ amount, after, named, previous, found, people, context }: MaximumFound): void {
  const of = amount.per ?? (A_DAY.test(after) ? 'day' : A_DOSE.test(after) ? 'dose' : null)
  const maximum = amount.high === null ? null : { amount: amount.high, unit: amount.unit, perKg: amount.perKg, of }
  if (previous && previous.maximum === null && maximum && previous.drug === named.name) {
    previous.maximum = maximum
    previous.people ??= people
    return
  }
  found.push({
    ...{ drug: named.name, medicine: named.mention?.medicine ?? null, low: null, high: null, unit: amount.unit, perKg: false, total: false },
    ...{ frequency: null, routes: readRoutes(context), people, maximum, context, start: amount.start, end: amount.end, text: '' },
    ...(maximum ? {} : { why: amount.why ?? 'the maximum cannot be read' }),
  })
}
