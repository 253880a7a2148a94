// Owns the short forms whose small letters are a word of their own: there capitals decide what is meant.
import { original, type Scan } from '../doses/scan.ts'
import { isShouted, isUpper } from '../term-forms.ts'
import type { Token } from './slot.ts'

/** SALT and salt, ALL and all, FIT and fit, PET and pet. */
const TWO_THINGS = new Set(
  `all arm art as bad bed bid cap car clap dad dame dare dog ear fast fat fit gas hit ice ill lad lap mad mam man map mane mars men mere nice
  or pad pat pet pop red rest rice sad sag salt sam star stop tap tens toe top us who`.split(/\s+/),
)

/** A text without a small letter is shouted from this many words on; a shorter one may be a short form and little else. */
const SHOUTED_WORDS = 3

/** The tokens of `text`, those of these forms that stand in capitals in capitals; where all stands in capitals none of them does. */
export function withCapitals(tokens: readonly Token[], text: string, scanned: Scan): readonly Token[] {
  if (!tokens.some((token) => TWO_THINGS.has(token.text))) return tokens
  if (isShouted(text) || (isUpper(text) && tokens.length >= SHOUTED_WORDS)) return tokens
  return tokens.map((token) => {
    const place = original(scanned, token.start, token.end)
    return TWO_THINGS.has(token.text) && isUpper(text.slice(place.start, place.end)) ? { ...token, text: token.text.toUpperCase() } : token
  })
}
