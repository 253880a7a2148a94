// Owns what happens to typed text: the cleaning before it is stored, and the words that the clinical tables are matched against.

/** One word of a text. `plain` is for showing, `folded` for comparing with a table that went through the same function. */
export interface Word {
  readonly plain: string
  readonly folded: string
}

// A page break or vertical tab of a pasted document ends a line as much as CR LF does.
const LINE_END = /\r\n|[\r\v\f\u0085\u2028\u2029]/g
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g
const VISIBLE = /[^\s\p{Cf}\p{M}]/u

/**
 * The question as it is stored and sent: well-formed Unicode, line ends as \n, no control characters but \n and \t, trimmed.
 * Everything else stays exactly as typed. '' when nothing in it can be seen.
 */
export function cleanQuestion(text: string): string {
  const clean = text.toWellFormed().replace(LINE_END, '\n').replace(CONTROL, '').trim()
  return VISIBLE.test(clean) ? clean : ''
}

// Each alternative starts with a character that no other one takes, and none can match the empty string: one pass, no backtracking.
const WORD = /\d+(?:[.,]\d+)*|\p{L}[\p{L}\p{M}\p{N}']*|[/%+&]|(\?(?=\p{L}))|[.!?;](?=\s|$)|\n/gu
/** Stands between sentences, so that no phrase is found across the end of one. */
export const SENTENCE_END = '.'

/**
 * The words of a text, in order: lower case, one form of each character, no accents, no invisible characters. Hyphens and other
 * punctuation part words; a number and its unit are two words; '/', '%', '+' '&' (as "and") and the '?' of "?PE" are words; an apostrophe disappears.
 * Time and memory grow linearly with the text.
 */
export function words(text: string): Word[] {
  const found: Word[] = []
  for (const [match, query] of normalise(text).matchAll(WORD)) {
    const first = match.charCodeAt(0)
    if (query !== undefined) found.push({ plain: '?', folded: '?' })
    else if (match === '&') found.push({ plain: '&', folded: 'and' })
    else if (match === '\n' || '.!?;'.includes(match[0]!)) found.push({ plain: match, folded: SENTENCE_END })
    else if (first >= 48 && first <= 57) found.push({ plain: match, folded: match })
    else found.push({ plain: match, folded: fold(match.replaceAll("'", '')) })
  }
  return found
}

/** True for a word that is a number; its value does not matter to a table, only that one stands there. */
export const isNumber = (word: string): boolean => word.charCodeAt(0) >= 48 && word.charCodeAt(0) <= 57

// Normalisation sorts the marks on a letter, in quadratic time: no language needs more than a few, a hostile text has thousands.
const MARKS = /(\p{M}{8})\p{M}+/gu

function normalise(text: string): string {
  return text
    .toWellFormed()
    .replace(MARKS, '$1')
    .replace(LINE_END, '\n')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]|\p{Cf}/gu, '')
    .replace(/[‘’‛′`´]/g, "'")
    .replace(/(?<=\b[a-z])\.(?=[a-z]\b)/g, '') // b.d. is bd
    .replaceAll('μ', 'mc') // NFKC makes the micro sign a Greek mu; μg is the mcg of the tables
}

// Longer than any word of a table; such a "word" is compared as it is.
const LONGEST = 40

/**
 * Folds British and American spelling and the plural into one form: ae and oe to e (anaemia, oedema), -our to -or, -is- to -iz-
 * (immunise), sulph to sulf; -ies to -y, -es after a hiss, and a last -s. The result is for comparing only: it need
 * not be a word, since tables pass through here too.
 */
export function fold(word: string): string {
  if (word.length < 4 || word.length > LONGEST) return word
  let folded = word.replace(/[ao]e/g, 'e')
  if (folded.length >= 6) folded = folded.replace(/our(?=s?$|ed$|ing$)/, 'or').replace(/is(?=e$|es$|ed$|ing$|er$|ation)/, 'iz')
  folded = folded.replace('sulph', 'sulf')
  if (folded.endsWith('ies') && folded.length >= 5) return folded.slice(0, -3) + 'y'
  if (/(?:sh|[^a]ch|x|ss)es$/.test(folded)) return folded.slice(0, -2)
  return /[^suaiy]s$|[^r][ay]s$/.test(folded) && folded.length >= 4 ? folded.slice(0, -1) : folded
}
