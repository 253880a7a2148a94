// Owns dates of birth: how they are written, and the age that stands in their place.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const DATE = `(?:\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/. ]\\d{1,2}[-/. ]\\d{2,4}|\\d{1,2}(?:st|nd|rd|th)?(?: of)?[ -]${MONTH}\\.?,?[ -]\\d{2,4}|${MONTH}\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4})`
/** The whole phrase, so that "born on 3 March 1961" becomes "aged 64 years". */
const LABELLED = new RegExp(
  `\\b(?:d\\.?o\\.?b\\.?|date of birth|birth ?date|born)(?: in [a-z]{2,20})?(?: on)?(?: the)?(?: is)? ?:? ?(${DATE})(?!\\d)`,
  'g',
)

export interface BirthDate {
  readonly start: number
  readonly end: number
  /** "aged 64 years", or "" when the date is none. */
  readonly age: string
}

/** Dates of birth in a scanned text, with their label. `now` decides the age. */
export function findBirthDates(text: string, now: Date): BirthDate[] {
  return [...text.matchAll(LABELLED)].map(({ 0: match, 1: date, index }) => ({ start: index, end: index + match.length, age: ageAt(date!, now) }))
}

/**
 * The age on `now` in the words of a history: days below a month, months below two years, years after; from 90 on only that, since so few
 * reach it. '' for a date that does not exist or lies ahead. Day before month where both readings exist.
 */
export function ageAt(date: string, now: Date): string {
  const born = parse(date, now)
  if (born === null || born > now) return ''
  const months =
    (now.getUTCFullYear() - born.getUTCFullYear()) * 12 + now.getUTCMonth() - born.getUTCMonth() - (now.getUTCDate() < born.getUTCDate() ? 1 : 0)
  const count = (value: number, unit: string) => `aged ${value} ${unit}${value === 1 ? '' : 's'}`
  if (months < 1) return count(Math.floor((now.getTime() - born.getTime()) / 86_400_000), 'day')
  if (months < 24) return count(months, 'month')
  const years = Math.floor(months / 12)
  if (years > 120) return ''
  return years >= 90 ? 'aged 90 years or over' : count(years, 'year')
}

function parse(date: string, now: Date): Date | null {
  const named = new RegExp(`(${MONTH})`).exec(date)
  const numbers = date.match(/\d+/g)!.map(Number)
  let [day, month, year] = [numbers[0]!, numbers[1]!, numbers.at(-1)!]
  if (named) month = MONTHS.indexOf(named[1]!.slice(0, 3) as (typeof MONTHS)[number]) + 1
  else if (day > 31) [year, day] = [day, numbers[2]!]
  if (!named && month > 12) [day, month] = [month, day]
  // two digits: the last hundred years
  if (year < 100) year += year + 2000 > now.getUTCFullYear() ? 1900 : 2000
  const made = new Date(Date.UTC(year, month - 1, day))
  return made.getUTCMonth() === month - 1 && made.getUTCDate() === day && year > 1850 ? made : null
}
