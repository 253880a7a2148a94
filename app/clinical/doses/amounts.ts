// Owns the amounts of a scanned text: numbers with units of doses, ranges, per kilogram, strengths; laboratory values and rates are told apart.
import { readDigits, readWords, writesDecimalComma } from './numbers.ts'
import { isPiece, UNIT_WORDS, type UnitMeaning } from './units.ts'

export interface AmountFound {
  /** In the unit as written; null where it cannot be read for sure, and `why` says so. */
  readonly low: number | null
  readonly high: number | null
  readonly why?: string
  readonly unit: UnitMeaning
  readonly perKg: boolean
  /** "/day", "per dose". */
  readonly per: 'day' | 'dose' | null
  /** dose: may be one. strength: of a tablet or a liquid ("250 mg/5 ml" has ml 5). */
  readonly kind: 'dose' | 'strength'
  readonly ml?: number
  readonly start: number
  readonly end: number
}

interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly digits: boolean
  readonly word: boolean
}

const TOKEN =
  /(?<!\p{L})[a-z](?:\.[a-z])+(?!\p{L})\.?|\d{1,3}(?:\u2009\d{3})+(?!\d)|\d+(?:[.,]\d+)*|(?<![\d\p{L}])[.,]\d+(?:[.,]\d+)*|(?<!\p{L})x(?= ?\d)|\p{L}[\p{L}\p{N}']*|\n|\S/gu
const tokensOf = (text: string): Token[] =>
  [...text.matchAll(TOKEN)].map(({ 0: match, index }) => ({
    ...{ text: match, start: index, end: index + match.length, digits: /^[.,]?\d/.test(match), word: /^\p{L}/u.test(match) },
  }))

interface Read {
  readonly value: number | null
  readonly why?: string | undefined
  readonly next: number
  readonly start: number
}

/** Every amount of the text with a unit of doses, in order. Time grows linearly with the text. */
export function findAmounts(text: string): AmountFound[] {
  const tokens = tokensOf(text)
  const decimalComma = writesDecimalComma(text)
  const found: AmountFound[] = []
  for (let i = 0; i < tokens.length;) {
    const amount = orphanUnit(tokens, i) ?? readAmount(tokens, i, decimalComma)
    if (amount?.found) found.push(amount.found)
    i = amount ? amount.next : i + 1
  }
  return found
}

/** "5O0 mg", "l00 mg": a unit after a word that was meant as a number. */
function orphanUnit(tokens: readonly Token[], i: number): { found: AmountFound; next: number } | null {
  const [before, unit] = [tokens[i]!, tokens[i + 1]]
  if (!before.word || unit === undefined || !(unit.text in UNIT_WORDS)) return null
  const glued = i > 0 && tokens[i - 1]!.digits && tokens[i - 1]!.end === before.start && !(before.text in UNIT_WORDS)
  if (!/^[a-z]{1,2}\d/.test(before.text) && !(glued && /^[a-z]{1,2}$/.test(before.text))) return null
  const why = 'the number holds a letter'
  return { found: { low: null, high: null, why, unit: UNIT_WORDS[unit.text]!, ...plain, start: before.start, end: unit.end }, next: i + 2 }
}
const plain = { perKg: false, per: null, kind: 'dose' } as const

function readNumber(tokens: readonly Token[], i: number, decimalComma: boolean): Read | null {
  const token = tokens[i]
  if (!token) return null
  if (token.digits) {
    let { value, why } = readDigits(token.text, decimalComma) as { value: number | null; why?: string }
    let next = i + 1
    while (tokens[next]?.digits) {
      ;[value, why] = [null, 'a number in pieces can be read in two ways']
      next++
    }
    const scale = ({ million: 1e6, thousand: 1e3 } as Readonly<Record<string, number>>)[tokens[next]?.text ?? '']
    if (scale !== undefined && value !== null) return { value: value * scale, next: next + 1, start: token.start }
    return { value, why, next, start: token.start }
  }
  if (!token.word) return null
  const words: string[] = []
  const ends: number[] = []
  for (let k = i; k < tokens.length && k < i + 12 && (tokens[k]!.word || tokens[k]!.text === '-'); k++) {
    if (!tokens[k]!.word) continue // "twenty-five"
    words.push(tokens[k]!.text)
    ends.push(k + 1)
  }
  const spoken = readWords(words, 0)
  return spoken && { value: spoken.value, next: ends[spoken.length - 1]!, start: token.start }
}

function readUnit(tokens: readonly Token[], i: number): { unit: UnitMeaning; next: number; why?: string } | null {
  let at = i
  if (tokens[at]?.text === '-') at++ // "500-mg dose"
  const text = tokens[at]?.text ?? ''
  const next = tokens[at + 1]?.text ?? ''
  if ((text === 'mega' || text === 'million') && /^units?$/.test(next)) return { unit: UNIT_WORDS['mu']!, next: at + 2 }
  if (text === 'international' && /^units?$/.test(next)) return { unit: UNIT_WORDS['iu']!, next: at + 2 }
  const joined =
    next !== '' && Object.hasOwn(UNIT_WORDS, text + next) && tokens[at + 1]!.start > tokens[at]!.end ? UNIT_WORDS[text + next] : undefined
  if (joined && /^(?:milli|micro)$/.test(text)) return { unit: joined, next: at + 2 }
  if (joined && /^(?:m|mc|μ|u|i)$/.test(text)) return { unit: joined, next: at + 2, why: 'the unit is in pieces' }
  const unit = Object.hasOwn(UNIT_WORDS, text.replace(/\.$/, '')) ? UNIT_WORDS[text.replace(/\.$/, '')] : undefined
  return unit ? { unit, next: at + 1 } : null
}

function readAmount(tokens: readonly Token[], i: number, decimalComma: boolean): { found: AmountFound | null; next: number } | null {
  const first = readNumber(tokens, i, decimalComma)
  if (!first) return null
  let low = first.value
  let why = first.why
  let at = first.next
  // a count before a strength: "2 x 500 mg", "two 500 mg tablets"
  const times =
    tokens[at]?.text === 'x' || (tokens[at]?.digits && tokens[i]!.word)
      ? readNumber(tokens, tokens[at]!.text === 'x' ? at + 1 : at, decimalComma)
      : null
  if (times && readUnit(tokens, times.next)) {
    low = low === null || times.value === null ? null : low * times.value
    why ??= times.why
    at = times.next
  }
  // the parts of a combination: "500/125 mg" counts both
  while (tokens[at]?.text === '/' && tokens[at + 1]?.digits && /^(?:mg|micrograms|mcg|\/)$/.test(tokens[at + 2]?.text ?? '')) {
    const part = readNumber(tokens, at + 1, decimalComma)!
    low = low === null || part.value === null ? null : low + part.value
    at = part.next
  }
  const unit1 = readUnit(tokens, at)
  if (unit1) at = unit1.next
  const rate = readPer(tokens, at)
  let { perKg, per } = rate
  at = rate.next
  const range = /^(?:-|to|or|and)$/.test(tokens[at]?.text ?? '') ? readNumber(tokens, at + 1, decimalComma) : null
  const unit2 = range && (tokens[at]!.text !== 'and' || tokens[i - 1]?.text === 'between') ? readUnit(tokens, range.next) : null
  if (!unit1 && !unit2) return { found: null, next: first.next }
  let high = low
  let unit = (unit1 ?? unit2)!.unit
  if (range && unit2 && (!unit1 || unit1.unit.dimension === unit2.unit.dimension)) {
    high = range.value
    why ??= range.why
    // "500 mg to 1 g" is shown and compared in the second unit; "1 to 2 puffs" in the only one
    if (unit1 && low !== null) low = (low * unit1.unit.size) / unit2.unit.size
    unit = unit2.unit
    at = unit2.next
    const second = readPer(tokens, at)
    ;[perKg, per, at] = [perKg || second.perKg, per ?? second.per, second.next]
    if (low !== null && high !== null && low > high) [low, high, why] = [null, null, 'the range runs backwards']
  }
  if (low === 0 || high === 0) [low, high, why] = [null, null, 'an amount of nothing']
  why ??= unit2?.why ?? unit1?.why ?? (isLooseCount(tokens, at) ? 'what the “x” counts is not clear' : undefined)
  if (why !== undefined) [low, high] = [null, null]
  const lastToken = tokens[at - 1]!
  const base = { low, high, ...(why === undefined ? {} : { why }), unit, perKg, per, start: first.start, end: lastToken.end }
  return qualify(tokens, at, base)
}

/** "500 mg x 2": two at once, or twice a day. "x 7 days" is a duration. */
const isLooseCount = (tokens: readonly Token[], at: number): boolean =>
  tokens[at]?.text === 'x' && tokens[at + 1]?.digits === true && !/^(?:days?|d|weeks?|daily|\/|per|times|a)$/.test(tokens[at + 2]?.text ?? '')

type Base = Omit<AmountFound, 'kind' | 'ml'>

/** What follows the unit: a strength ("/5 ml", "tablets"), a laboratory value ("/l"), a rate ("/min"). */
function qualify(tokens: readonly Token[], at: number, base: Base): { found: AmountFound | null; next: number } {
  const slash = /^(?:\/|per|in)$/.test(tokens[at]?.text ?? '')
  const after = tokens[at + 1]?.text ?? ''
  if (slash && tokens[at]!.text !== 'in' && /^(?:l|dl|litre|liter|mmol|mol|mm|cl)$/.test(after)) return { found: null, next: at + 2 }
  if (slash && tokens[at]!.text !== 'in' && /^(?:h|hr|hour|min|minute|sec|second|m2|m²|m)$/.test(after))
    return {
      found: { ...base, low: null, high: null, why: 'a rate or a dose by body surface', kind: 'dose', end: tokens[at + 1]!.end },
      next: at + 2,
    }
  if (slash && after === 'ml' && base.unit.dimension !== 'volume') return strength(base, 1, tokens[at + 1]!.end, at + 2)
  const volume = slash && tokens[at + 1]?.digits && tokens[at + 2]?.text === 'ml' ? Number(after.replace(',', '.')) : NaN
  if (volume > 0 && base.unit.dimension !== 'volume') return strength(base, volume, tokens[at + 2]!.end, at + 3)
  // "100 micrograms a puff", "500 mg tablets"
  const piece = /^(?:\/|per|a|each)$/.test(tokens[at]?.text ?? '') ? after : (tokens[at]?.text ?? '')
  if (base.unit.dimension === 'mass' && (isPiece(piece) || (/^(?:puff|puffs|spray|actuation|metered)$/.test(piece) && piece !== tokens[at]?.text)))
    return { found: { ...base, kind: 'strength' }, next: at }
  return { found: { ...base, kind: 'dose' }, next: at }
}

const strength = (base: Base, ml: number, end: number, next: number) => ({ found: { ...base, kind: 'strength', ml, end } as AmountFound, next })

function readPer(tokens: readonly Token[], i: number): { perKg: boolean; per: 'day' | 'dose' | null; next: number } {
  let [perKg, per, next]: [boolean, 'day' | 'dose' | null, number] = [false, null, i]
  for (;;) {
    if (!/^(?:\/|per)$/.test(tokens[next]?.text ?? '')) break
    const of = tokens[next + 1]?.text ?? ''
    if (/^(?:kg|kilogram|kilo)$/.test(of)) perKg = true
    else if (/^(?:day|d|24h)$/.test(of)) per = 'day'
    else if (of === 'dose') per = 'dose'
    else break
    next += 2
  }
  return { perKg, per, next }
}
