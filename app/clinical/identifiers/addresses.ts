// Owns postal addresses: streets with a number, postcodes, post office boxes.
import type { Hit } from './numbers.ts'

const KIND =
  '(?:street|st|road|rd|lane|ln|avenue|ave|drive|close|crescent|gardens|court|terrace|place|way|square|grove|hill|park view|park|row|mews|boulevard|blvd|view)'
const REST = `(?:,? (?:[A-Z][\\p{L}'-]+ ?){1,2})?(?:,? (?:[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}|[A-Z]{2} \\d{5}(?:-\\d{4})?))?`
/** In the text as typed: a street is a name, and names have capitals. */
const TYPED: readonly RegExp[] = [
  new RegExp(
    `(?:\\b(?:Flat|Apartment|Apt\\.?|Unit) \\d{1,4}[A-Za-z]?,? )?(?<![\\d.,/])\\b\\d{1,5}[A-Za-z]?,? (?:[A-Z][\\p{L}'’-]+ ){1,3}(?:${capital(KIND)})\\b${REST}`,
    'gu',
  ),
  new RegExp(`\\b\\d{1,5}[A-Za-z]?,? The (?:Crescent|Avenue|Close|Green|Lane|Grove|Drive|Mews|Square|Terrace|Row)\\b${REST}`, 'gu'),
  /\b\p{Lu}\p{L}+(?:straße|strasse|weg|platz|allee|gasse) \d{1,4}[a-z]?(?:, \d{4,5} \p{Lu}\p{L}+)?/gu,
  /\b\d{1,4},? (?:rue|avenue|boulevard|calle|via) (?:de la |de l'|des |du |de |del )?\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)?(?:, \p{Lu}\p{L}+)?/gu,
  // the forms of Royal Mail; the last part never holds C, I, K, M, O or V, so "B12 5 MG" is none
  /(?<![A-Za-z\d])(?:[A-PR-UWYZ]\d[A-Z\d]?|[A-PR-UWYZ][A-HK-Y]\d[A-Z\d]?) ?\d[ABD-HJLNP-UW-Z]{2}(?![A-Za-z\d])/g,
  /\bP\.?O\.? Box \d{1,6}(?:, [A-Z]\p{L}+)?/gu,
  /(?<=, )[A-Z]{2} \d{5}(?:-\d{4})?\b/g,
]
const LIVES = new RegExp(`\\b(?:lives?|living|resident|address|home)(?: is)?:? (?:at|of|in)?:? ?(\\d{1,5}[a-z]?,? (?:[a-z'-]+ ){1,3}${KIND})\\b`, 'g')

function capital(kinds: string): string {
  return kinds.replace(/[a-z]+/g, (word) => word.charAt(0).toUpperCase() + word.slice(1))
}

/** `typed` and `scanned` are the same text before and after scanning; `back` gives a place in the scanned text for one in the typed text. */
export function findAddresses(typed: string, scanned: string, back: (at: number) => number): Hit[] {
  const hits: Hit[] = []
  for (const pattern of TYPED)
    for (const { 0: match, index } of typed.matchAll(pattern))
      hits.push({ kind: 'address', start: back(index), end: back(index + match.trimEnd().replace(/,$/, '').length) })
  for (const match of scanned.matchAll(LIVES)) {
    const start = match.index + match[0].length - match[1]!.length
    hits.push({ kind: 'address', start, end: start + match[1]!.length })
  }
  return hits
}
