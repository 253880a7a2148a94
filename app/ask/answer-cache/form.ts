// Owns the normalised form of a question: what may differ between two typings of one question (capitals, spacing, punctuation) and nothing else.
// A change here finds no earlier row: raise FORM in app/store/answers-file.ts with it, and make the word vectors again.
import { fold } from '../../clinical/text.ts'

// Each alternative starts with a character that no other one takes: one pass, no backtracking. Signs that change a clinical sense are tokens.
const TOKEN = /\d+(?:[.,]\d+)*|\p{L}[\p{L}\p{M}\p{N}]*|[<>≤≥=+/%°^±~#]|(?<!\p{L})[-−–](?=\s*\d)|\?(?=\p{L})|[.!?;:](?=\s)|,/gu
/** Stands where one sentence ends and another begins. A final one says nothing. */
const BREAK = '.'
/** Behind these a comma is the difference between "no, penicillin" and "no penicillin". */
const ANSWERS = new Set(['no', 'yes', 'not', 'nil', 'none', 'never'])
// Above a few marks a letter is no letter; sorting thousands of them takes quadratic time.
const MARKS = /(\p{M}{8})\p{M}+/gu
const SUPERSCRIPT = /[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g
const VULGAR = /[½¼¾⅐-⅞]/g
/** Each is a sign with a stroke through it, and the stroke would go with the accents. */
const STRUCK: readonly (readonly [RegExp, string])[] = [
  [/≠/g, ' not = '],
  [/≮/g, ' not < '],
  [/≯/g, ' not > '],
]

/**
 * The tokens of a question, in order. Two questions with equal tokens differ in capitals, spacing, accents, hyphens, quotes and closing
 * punctuation only. Numbers stay as typed but for a missing zero (.5 is 0.5) and part from a unit that touches them (5mg); <, >, %, a minus
 * before a digit, the comma of "no, …" and sentence ends inside the text stay. Linear in the length of the text.
 */
export function tokensOf(question: string): string[] {
  const found: string[] = []
  const text = plain(question)
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match
    const last = found.at(-1)
    if (token === ',') {
      if (last !== undefined && ANSWERS.has(last)) found.push(',')
    } else if ('.!?;:'.includes(token)) {
      if (token === '?' && /\p{L}/u.test(text[match.index + 1] ?? '')) found.push('?')
      else if (last !== undefined && last !== BREAK) found.push(BREAK)
    } else if (token === '−' || token === '–') found.push('-')
    else if (isDigit(token) && /(?<![\d\p{L}])\.$/u.test(text.slice(Math.max(0, match.index - 2), match.index))) found.push(`0.${token}`)
    else found.push(token)
  }
  while (found.at(-1) === BREAK) found.pop()
  return found
}

/** The normalised form itself: equal for two questions whose `tokensOf` are equal. */
export const formOf = (tokens: readonly string[]): string => tokens.join(' ')

/** What words are compared and counted by: British and American spelling and the plural are one. Numbers and signs stay as they are. */
export const wordsOf = (tokens: readonly string[]): string[] => tokens.filter((token) => token !== BREAK && token !== ',').map(fold)

/** Where a "no" stands apart from what follows: it may deny what was said before, and not what comes. */
export const pausesOf = (tokens: readonly string[]): string => tokens.flatMap((token, at) => (token === ',' ? [tokens[at - 1]] : [])).join()

const isDigit = (token: string): boolean => {
  const code = token.charCodeAt(0)
  return code >= 48 && code <= 57
}

function plain(question: string): string {
  const struck = STRUCK.reduce((text, [sign, words]) => text.replace(sign, words), question.toWellFormed())
  const text = struck
    // what the next step would glue to its neighbour: 1½ is not 11/2, and 10³ is not 103
    .replace(VULGAR, ' $&')
    .replace(SUPERSCRIPT, '^$&')
    .replace(MARKS, '$1')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]|\p{Cf}/gu, '')
  return text
    .replace(/[‘’‛′`´']/g, '')
    .replace(/(?<=\b[a-z])\.(?=[a-z]\b)/g, '') // b.d. is bd
    .replaceAll('⁄', '/')
    .replaceAll('μ', 'mc')
}
