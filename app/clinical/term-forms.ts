// Owns the forms of a term: capitals, plurals, and what may stand between its words. Pure.
import type { Token } from './term-tokens.ts'

/** The key under which a typed form is kept as it is. */
export const keyOf = (span: readonly Token[]): string => span.map(({ plain }) => plain).join(' ')

/** Words of one term stand side by side or are hyphenated; "high blood, pressure" is none, and "vitamin K + D" holds no K+. */
export const joined = (text: string, left: Token, right: Token): boolean =>
  left.end === right.start || (right.plain !== '+' && /^(?:[^\S\n]{1,4}|[-‐‑–])$/.test(text.slice(left.end, Math.min(right.start, left.end + 5))))

export const isUpper = (typed: string): boolean => typed === typed.toUpperCase() && typed !== typed.toLowerCase()

/** "UTIs" and "TIA's", and "utis" in small letters: the form without its plural; null for anything else. */
export function singular({ typed, plain }: Token): string | null {
  if (/[\p{Lu}\p{N}]['’]?s$/u.test(typed) && typed.length >= 3) return plain.replace(/'?s$/, '')
  return plain.length >= 4 && plain.endsWith('s') && typed === typed.toLowerCase() ? plain.replace(/'?s$/, '') : null
}
/** `typed` without the plural that `singular` saw. */
export const withoutPlural = (typed: string): string => typed.replace(/['’]?s$/, '')

/** "urinary tract infections", "deep vein thromboses", "ruptures of membranes"; what ends in s otherwise stays. */
export function pluralOf(means: string): string {
  const [, head, rest] = /^(.*?)( (?:of|with|in|on|and|after|to) .*)?$/.exec(means) as unknown as [string, string, string | undefined]
  const plural = head.endsWith('sis')
    ? head.slice(0, -2) + 'es'
    : /s$/.test(head)
      ? head
      : /[^aeiou]y$/.test(head)
        ? head.slice(0, -1) + 'ies'
        : /(?:ch|sh|x)$/.test(head)
          ? `${head}es`
          : `${head}s`
  return plural + (rest ?? '')
}

/** "Heart attack?" keeps its capital; a short form in capitals gives none. */
export const withCapital = (typed: string, means: string): string =>
  /^\p{Lu}/u.test(typed) && !isUpper(typed) ? means.slice(0, 1).toUpperCase() + means.slice(1) : means

const SHOUTED = /(?<![A-Z])(?:THE|AND|OF|WITH|FOR|WHAT|HOW|WAS|HAS|WHEN|CAN|MY|IS|TO|THIS|THAT|GIVE|SHOULD)(?![A-Z])/g
/**
 * True for a text typed with the capitals locked: then a capital says nothing. Everyday words tell it from a list of short forms; they
 * are in no table, so that the answer stays the same while the text becomes standard.
 */
export const isShouted = (text: string): boolean => new Set(text.slice(0, 2000).match(SHOUTED)).size >= 2
