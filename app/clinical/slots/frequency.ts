// Owns the frequency slot: how often and when in the day, read by the dose readers and written so that nothing of it is lost.
import { readFrequency, type Frequency } from '../doses/frequency.ts'
import type { SlotReader } from './slot.ts'
import { tokensWithin } from './spans.ts'

/** "at night" and "in the morning" are both once a day for a dose, and not the same instruction. */
const TIME_OF_DAY = /night|bedtime|morning|evening|breakfast|meal|nocte|mane|\bo\.?m\b|alternate|other|second/
/** Each find looks at the rest of the text: beyond a question's length the words are compared as they are. */
const LONGEST = 2000
const INTERVAL = /^(?:every|each)\b|hourly|hrly|^q ?\d/

function valueOf({ kind, perDay, daily, divided, text }: Frequency): string {
  if (kind === 'as needed' && perDay === null) return 'as needed'
  // a total, as "a day" is
  const total = /^(?:a|per|each|\/) ?(week|month|year)$/.exec(text)?.[1]
  if (total !== undefined) return `per ${total}`
  if (kind === 'once' || kind === 'repeat' || perDay === null || TIME_OF_DAY.test(text)) return text.replace(/\s+/g, ' ')
  const round = (perDay24: number) => String(Number(perDay24.toPrecision(4)))
  const rate = perDay.low === perDay.high ? round(perDay.low) : `${round(perDay.low)}–${round(perDay.high)}`
  const hours = perDay.low === perDay.high ? round(24 / perDay.low) : `${round(24 / perDay.high)}–${round(24 / perDay.low)}`
  // the total of a day is not one dose a day, and six-hourly is not four times while awake
  const told = INTERVAL.test(text) ? `every ${hours} h` : daily ? 'daily' : perDay.low >= 1 ? `${rate} a day` : `every ${round(1 / perDay.low)} days`
  return `${told}${divided ? ', divided' : ''}`
}

export const frequency: SlotReader = {
  slot: 'frequency',
  phrases: {
    'as needed': 'when required|as required|if required|as needed|when needed|if needed|when necessary|prn',
    'at night': 'at night|nightly|nocte|at bedtime|before bed',
    'in the morning': 'in the morning|every morning|each morning',
    'in the evening': 'in the evening|every evening|each evening',
    immediately: 'immediately|stat|straight away|at once',
    'with food': 'with food|with meal|with a meal',
    'after food': 'after food|after a meal|after meal',
    'before food': 'before food|before meal|before a meal',
    'on an empty stomach': 'on an empty stomach|on empty stomach',
    weekly: 'weekly|once weekly|once a week|once per week|every week|each week',
    fortnightly: 'fortnightly|every fortnight',
    monthly: 'monthly|once monthly|once a month|every month',
    yearly: 'yearly|annually|once a year|every year|annual',
    'three monthly': '3 monthly|every 3 month',
    'on alternate days': 'on alternate day|every other day|alternate day',
  },
  read({ scanned, tokens }, take) {
    if (scanned.length > LONGEST) return
    for (let from = 0; from < scanned.length;) {
      const rest = scanned.slice(from)
      const found = readFrequency(rest)
      if (!found) return
      const start = from + found.start + (rest.slice(found.start).length - rest.slice(found.start).trimStart().length)
      const end = start + found.text.length
      const [first, behind] = tokensWithin(tokens, start, end)
      if (behind > first && !TIME_OF_DAY.test(found.text) && found.kind === 'regular') take('frequency', valueOf(found), first, behind)
      from = Math.max(end, from + 1)
    }
  },
}
