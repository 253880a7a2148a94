// Owns what a number in a text is worth: digits with points and commas of either custom, thin spaces, words. What can be read two ways is refused.

/** A number of a text; `value` is null where two readings are possible, and `why` says which. */
export interface Amount {
  readonly value: number | null
  readonly why?: string
}

const UNIT_WORDS: Readonly<Record<string, number>> = {
  ...{ one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, eleven: 11, twelve: 12, thirteen: 13 },
  ...{ fourteen: 14, fifteen: 15, sixteen: 16, seventeen: 17, eighteen: 18, nineteen: 19, twenty: 20, thirty: 30, forty: 40, fifty: 50 },
  ...{ sixty: 60, seventy: 70, eighty: 80, ninety: 90 },
}
const SCALE_WORDS: Readonly<Record<string, number>> = { hundred: 100, thousand: 1000, million: 1_000_000 }

/** For the patterns of frequencies and ages: small numbers in digits or words. */
export const SMALL = `(?:\\d+(?:[.,]\\d+)?|${Object.keys(UNIT_WORDS).join('|')})`
export const smallNumber = (text: string): number => UNIT_WORDS[text] ?? Number(text.replace(',', '.'))

/** True where a text writes a decimal comma somewhere ("0,5", "2,75"): then "1,250" and "1.250" have two readings in it. */
export const writesDecimalComma = (text: string): boolean => /(?<![\d.,])(?:0,\d+|\d+,\d{1,2})(?![\d.,])/.test(text)

/** `digits` as matched in a scanned text: "0.5", ".5", "0,5", "1,000", "1\u2009000", "1.200.000". */
export function readDigits(digits: string, decimalComma: boolean): Amount {
  const plain = digits.replaceAll('\u2009', '')
  if (plain !== digits) return { value: Number(plain) }
  if (/^0\d/.test(digits)) return refused('a number that starts with 0 may have lost its decimal point')
  if (/^\d+$/.test(digits)) return { value: Number(digits) }
  if (/^[1-9]\d{0,2}\.\d{3}$/.test(digits) && decimalComma) return refused('the point may part thousands')
  if (/^\d*\.\d+$/.test(digits)) return { value: Number(digits) }
  if (/^[1-9]\d{0,2},\d{3}$/.test(digits))
    return decimalComma ? refused('the comma may be a decimal comma') : { value: Number(digits.replace(',', '')) }
  if (/^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(digits)) return { value: Number(digits.replaceAll(',', '')) }
  if (/^[1-9]\d{0,2}(\.\d{3}){2,}$/.test(digits)) return { value: Number(digits.replaceAll('.', '')) }
  if (/^\d*,\d+$/.test(digits)) return { value: Number(digits.replace(',', '.')) }
  return refused('points and commas do not make one number')
}

const refused = (why: string): Amount => ({ value: null, why })

/**
 * The number that starts at `words[from]`, in words: "five hundred", "one and a half", "two point five", "half a". `length` is how many
 * words it takes; null when no number starts there.
 */
export function readWords(words: readonly string[], from: number): { value: number; length: number } | null {
  if (words[from] === 'half') return { value: 0.5, length: words[from + 1] === 'a' || words[from + 1] === 'of' ? 2 : 1 }
  let total = 0
  let part = 0
  let at = from
  let last = 0
  for (; at < words.length && at - from < 12; at++) {
    const word = words[at]!
    const unit = UNIT_WORDS[word]
    const scale = SCALE_WORDS[word]
    if (unit !== undefined && (last === 0 || last >= 100 || (last >= 20 && last < 100 && unit < 10 && part % 10 === 0))) {
      part += unit
      last = unit
    } else if (scale === 100 && part > 0) {
      part *= 100
      last = 100
    } else if (scale !== undefined && part > 0) {
      total += part * scale
      part = 0
      last = scale
    } else if (word !== 'and' || last < 100 || UNIT_WORDS[words[at + 1] ?? ''] === undefined) break
  }
  if (at === from) return null
  let value = total + part
  if (words[at] === 'and' && words[at + 1] === 'a' && words[at + 2] === 'half') return { value: value + 0.5, length: at + 3 - from }
  if (words[at] === 'point') {
    let scale = 0.1
    let digit = at + 1
    for (; UNIT_WORDS[words[digit] ?? ''] !== undefined && UNIT_WORDS[words[digit]!]! < 10; digit++, scale /= 10)
      value += UNIT_WORDS[words[digit]!]! * scale
    if (digit > at + 1) return { value: Number(value.toPrecision(10)), length: digit - from }
  }
  return { value, length: at - from }
}
