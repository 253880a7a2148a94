// Owns how often a dose is taken, as a text says it: patterns on a scanned text, turned into doses in 24 hours.
import { SMALL, smallNumber } from './numbers.ts'

export interface Frequency {
  readonly kind: 'regular' | 'once' | 'as needed' | 'repeat'
  /** Doses in 24 hours; null for a single dose, a repeat in minutes, or "as needed" alone. */
  readonly perDay: { readonly low: number; readonly high: number } | null
  /** "daily" alone: one dose, or the total of a day. */
  readonly daily: boolean
  /** "in three divided doses": the amount is the total of a day. */
  readonly divided: boolean
  /** As written. */
  readonly text: string
  readonly start: number
}

type Meaning = Omit<Frequency, 'text' | 'start'>
const N = `(${SMALL})`
const RANGE = `${N}(?: ?(?:-|to|or) ?${N})?`
const HOURS: Readonly<Record<string, number>> = { minute: 1 / 60, min: 1 / 60, hour: 1, hr: 1, h: 1, day: 24, week: 168, month: 730.5, year: 8766 }
const WITHIN: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30.4375, year: 365.25, '24 hours': 1 }

const regular = (low: number, high = low): Meaning => ({ kind: 'regular', perDay: { low, high }, daily: false, divided: false })
const times = (low: string, high: string | undefined, days: number) => regular(smallNumber(low) / days, smallNumber(high ?? low) / days)
const ONCE: Meaning = { kind: 'once', perDay: null, daily: false, divided: false }
const NEEDED: Meaning = { kind: 'as needed', perDay: null, daily: false, divided: false }
const MULTIPLE: Readonly<Record<string, number>> = { once: 1, twice: 2, thrice: 3 }
const LATIN: Readonly<Record<string, number>> = { od: 1, qd: 1, om: 1, nocte: 1, mane: 1, bd: 2, bid: 2, tds: 3, tid: 3, qds: 4, qid: 4 }
const PERIOD: Readonly<Record<string, number>> = { weekly: 7, fortnightly: 14, monthly: 30.4375, yearly: 365.25, annually: 365.25 }

function every(low: string, high: string | undefined, unit: string): Meaning {
  const hours = HOURS[unit]!
  const [from, to] = [smallNumber(low) * hours, smallNumber(high ?? low) * hours]
  if (to < 1) return { kind: 'repeat', perDay: null, daily: false, divided: false }
  return regular(24 / to, 24 / from)
}

/** First match by position wins; at one position, the first of the list. None of them can run over a whole text. */
const PATTERNS: readonly (readonly [RegExp, (groups: string[], match?: string) => Meaning | null])[] = [
  [/repeat\w* (?:after|every|in|at|once|if|until|the|as)\b/, () => ({ kind: 'repeat', perDay: null, daily: false, divided: false })],
  [new RegExp(`in ${RANGE} (?:(?:equally )?divided )?doses`), ([low, high]) => ({ ...times(low!, high, 1), divided: true })],
  [/in divided doses/, () => ({ kind: 'regular', perDay: null, daily: false, divided: true })],
  [new RegExp(`every ${RANGE} ?(minute|min|hour|hr|h|day|week|month|year)s?\\b`), ([low, high, unit]) => every(low!, high, unit!)],
  [/(?:every other|alternate|every second) (?:day|night|morning)s?\b/, () => regular(0.5)],
  [/(?:every|each) (?:day|night|morning|evening)\b/, () => regular(1)],
  [/(?:every|each) (hour|week|month|year)\b/, ([unit]) => every('1', undefined, unit!)],
  [new RegExp(`\\bq ?${N}(?: ?- ?${N})? ?(h|hr|hour)s?\\b`), ([low, high, unit]) => every(low!, high, unit!)],
  [new RegExp(`\\b${RANGE}[- ]?(?:hourly|hrly)\\b`), ([low, high]) => every(low!, high, 'hour')],
  [/\bhourly\b/, () => regular(24)],
  [
    new RegExp(
      `\\b${RANGE} ?(?:times|x|doses|time) ?(?:a|an|per|each|every|/|in|in a|in any)? ?(day|week|month|year|24 ?h(?:ours)?|daily|weekly)\\b`,
    ),
    ([low, high, within]) => times(low!, high, WITHIN[within!.replace(/^24.*/, '24 hours').replace('daily', 'day').replace('weekly', 'week')]!),
  ],
  [
    /\b(once|twice|thrice)(?: ?(?:-|to|or) ?(twice|thrice|three times|four times))? ?-? ?(?:a|per|each|every|in a|\/)? ?(day|daily|week|weekly|month|monthly|year|fortnight|yearly|nightly)\b/,
    ([low, high, within]) => {
      const days = WITHIN[within!.replace(/^daily|^nightly/, 'day').replace(/ly$/, '')] ?? 14
      const top = high === undefined ? MULTIPLE[low!]! : (MULTIPLE[high] ?? (high.startsWith('three') ? 3 : 4))
      return regular(MULTIPLE[low!]! / days, top / days)
    },
  ],
  [/\b(?:one|1|a) dose (?:a|each|per) (day|week|month)\b/, ([within]) => regular(1 / WITHIN[within!]!)],
  [/\b(?:o\.?d|q\.?d|o\.?m|nocte|mane|b\.?d|b\.?i\.?d|t\.?d\.?s|t\.?i\.?d|q\.?d\.?s|q\.?i\.?d)\b/, (_, match = '') => latin(match)],
  [
    /\b(?:at|before) (?:night|bedtime)|in the (?:morning|evening)|\bnightly\b|with the evening meal|(?:with|before|after) breakfast/,
    () => regular(1),
  ],
  [/\b(weekly|fortnightly|monthly|yearly|annually)\b/, ([period]) => regular(1 / PERIOD[period!]!)],
  [/(?:a|per|each|\/) ?(week|month|year)\b/, ([within]) => regular(1 / WITHIN[within!]!)],
  [
    /\b(?:single|one|1|first|loading|stat)(?: oral| intramuscular| intravenous| i\.?m\.?| i\.?v\.?)? dose\b|\bstat\b|\bonce only\b|\bat once\b|\bon day (?:1|one)\b/,
    () => ONCE,
  ],
  [/\b(?:as|when|if) (?:needed|required|necessary)\b|\bp\.?r\.?n\b/, () => NEEDED],
  [/\bdaily\b|(?:\ba|\bper|\/) ?day\b|in (?:any )?24 ?h(?:ours|rs)?\b/, () => ({ ...regular(1), daily: true })],
  [/\bonce\b/, () => ONCE],
]

const latin = (text: string): Meaning | null => {
  const perDay = LATIN[text.replaceAll('.', '')]
  return perDay === undefined ? null : regular(perDay)
}

/** The first statement of how often in `clause`, a part of a scanned text; null where there is none. "As needed" beside it is kept. */
export function readFrequency(clause: string): Frequency | null {
  let best: { at: number; match: RegExpExecArray; read: (groups: string[], match?: string) => Meaning | null } | null = null
  for (const [pattern, read] of PATTERNS) {
    const match = pattern.exec(clause)
    if (match && (best === null || match.index < best.at)) best = { at: match.index, match, read }
  }
  if (!best) return null
  const meaning = best.read(best.match.slice(1), best.match[0])
  if (!meaning) return null
  const text = best.match[0].trim()
  // "3 g daily in three divided doses": the day's total, however it is introduced
  const divided = meaning.daily
    ? PATTERNS.slice(1, 3).flatMap(([pattern, read]) => [pattern.exec(clause)].map((match) => match && read(match.slice(1))))
    : []
  const total = divided.find((one) => one != null)
  if (total) return { ...total, text, start: best.at }
  const needed = meaning.kind === 'regular' && /\b(?:as|when|if) (?:needed|required|necessary)\b|\bp\.?r\.?n\b/.test(clause)
  return { ...meaning, kind: needed ? 'as needed' : meaning.kind, text, start: best.at }
}
