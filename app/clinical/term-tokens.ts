// Owns the pieces of a typed text that the term tables are matched against, each with its place in the text.
export interface Token {
  /** UTF-16 positions in the text, end exclusive. */
  readonly start: number
  readonly end: number
  readonly typed: string
  /** Lower case, one form of each character, without accents and invisible characters; dots of b.d. and of i.v. are gone. */
  readonly plain: string
  readonly isNumber: boolean
}

// Each alternative starts with a character that no other one takes, or is tried longest first: one pass. A dotted short form keeps the
// dot that ends a sentence out; a dot in front of a word in lower case belongs to the short form.
const TOKEN =
  /\d+(?:[.,]\d+)*|[\p{L}\p{Cf}][\p{L}\p{M}\p{N}\p{Cf}]*(?:['’]\p{L}+|(?<=(?<![\p{L}\p{N}])\p{L})(?:\.\p{L}(?![\p{L}\p{N}]))+(?:\.(?=\s+[\p{Ll}\p{N}]|[,;:)]))?)?|[/%+&<>?#]|[.!;]|\n/gu
// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/
/** Longer than any word of a table: compared as typed, so that no hostile "word" is normalised at length. */
const LONGEST = 60

/** The tokens of a text in order. Hyphens, commas and brackets part tokens and are none. Time is linear in the length of the text. */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  for (const match of text.matchAll(TOKEN)) {
    const typed = match[0]
    const first = typed.charCodeAt(0)
    found.push({ start: match.index, end: match.index + typed.length, typed, plain: plainOf(typed), isNumber: first >= 48 && first <= 57 })
  }
  return found
}

function plainOf(typed: string): string {
  if (typed.length > LONGEST) return typed
  const lower = ASCII.test(typed) ? typed.toLowerCase() : folded(typed)
  return lower.length > 1 && lower.includes('.') && !(lower.charCodeAt(0) >= 48 && lower.charCodeAt(0) <= 57) ? lower.replaceAll('.', '') : lower
}

const folded = (typed: string): string =>
  typed
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]|\p{Cf}/gu, '')
    .replace(/[‘’‛′`´]/g, "'")
    .replaceAll('μ', 'mc') // NFKC makes the micro sign a Greek mu; μg is the mcg of the tables
