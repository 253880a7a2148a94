// Owns the plain form in which a text is searched for doses and identifiers: one kind of letter, space, dot and micro sign, and where each stood.

/** `text` is lower case and never longer in meaning than the original; `at[i]` is where its character i stood in the original. */
export interface Scan {
  readonly text: string
  readonly at: readonly number[]
}

/** Letters that look Latin and are not: a name written with one of them is still that name. */
const LOOK_ALIKE: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', ɡ: 'g', г: 'g', һ: 'h', і: 'i', ј: 'j', к: 'k', ӏ: 'l', м: 'm', н: 'n', о: 'o', р: 'p' },
  ...{ ѕ: 's', т: 't', у: 'y', х: 'x', ν: 'v', ο: 'o', ρ: 'p', α: 'a', ι: 'i', κ: 'k', τ: 't', υ: 'u', ı: 'i' },
}
/** A vulgar fraction after a whole number, and alone. */
const FRACTION: Readonly<Record<string, string>> = { '½': '.5', '¼': '.25', '¾': '.75' }
/** Printed between groups of three digits; an ordinary space is not, since "2 500 mg tablets" are two tablets. */
const THIN = /[\u2007\u2009\u202f]/
const SUPER_OR_SUB = /[\u00b2\u00b3\u00b9\u2070-\u209f]/
const SINGLE: Readonly<Record<string, string>> = {
  ...{ '·': '.', '∙': '.', '⋅': '.', '‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '−': '-', '×': 'x', '⁄': '/', '∕': '/' },
  ...{ '’': "'", '‘': "'", '‛': "'", '′': "'", '´': "'", '`': "'", '“': '"', '”': '"' },
}

/** Time and memory grow linearly with the text. */
export function scan(original: string): Scan {
  let text = ''
  const at: number[] = []
  let from = 0
  for (const character of original) {
    const plain = plainOf(character, text)
    for (let i = 0; i < plain.length; i++) at.push(from)
    text += plain
    from += character.length
  }
  at.push(original.length)
  return { text, at }
}

function plainOf(character: string, before: string): string {
  const code = character.codePointAt(0)!
  if (code < 0x80) return code === 13 ? '\n' : character.toLowerCase()
  const fraction = FRACTION[character]
  if (fraction !== undefined) return /\d$/.test(before.slice(-1)) ? fraction : `0${fraction}`
  if (SUPER_OR_SUB.test(character)) return character
  if (THIN.test(character)) return '\u2009'
  const single = SINGLE[character]
  if (single !== undefined) return single
  if (/[\p{Cf}\p{M}]/u.test(character)) return ''
  if (/[\u0085\u2028\u2029]/.test(character)) return '\n'
  if (/\s/.test(character)) return ' '
  const folded = character.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '')
  // one character that grows into a whole phrase is no letter of a dose
  if (folded.length > 4) return ' '
  return Array.from(folded, (letter) => LOOK_ALIKE[letter] ?? SINGLE[letter] ?? letter).join('')
}

/** The span of the original text that `from` to `to` of the scanned text came from. */
export const original = ({ at }: Scan, from: number, to: number): { start: number; end: number } => ({
  start: at[from]!,
  end: to === from ? at[from]! : Math.max(at[to]!, at[to - 1]! + 1),
})
