// Owns the identifiers made of digits and marks: national numbers, record numbers, telephone, e-mail; each by its form, its check digit or its label.
import { isAadhaar, isBsn, isChineseId, isCpf, isDni, isLuhn, isMedicare, isNhs, isNir, isPesel, isSsn } from './checksums.ts'

export type Kind = 'name' | 'date of birth' | 'national number' | 'phone' | 'address' | 'email' | 'record number'
/** In the scanned text. */
export interface Hit {
  readonly kind: Kind
  readonly start: number
  readonly end: number
}

/** Forms without a label count only with a valid check digit. None can be matched in more than one way, so the time is linear. */
const CHECKED: readonly (readonly [RegExp, (text: string) => boolean])[] = [
  [/(?<![\d.-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\d-]|\.\d)/g, isNhs],
  [/(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g, isSsn],
  [/(?<![\d ])\d{3}[ -]\d{3}[ -]\d{3}(?![\d ])/g, isLuhn],
  [/(?<!\w)(?:\d{8}|[xyz]\d{7})-?[a-z](?!\w)/g, isDni],
  [/(?<![\d.])\d{11}(?![\d.])/g, isPesel],
  [/(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)/g, isCpf],
  [/(?<!\d)[2-9]\d{3} \d{4} \d{4}(?!\d)/g, isAadhaar],
  [/(?<!\d)\d{6}[-+]\d{4}(?!\d)/g, isLuhn],
  [/(?<!\d)[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\d)/g, isNir],
  [/(?<!\w)\d{17}[\dx](?!\w)/g, isChineseId],
  [/(?<!\d)[2-6]\d{3} \d{5} \d(?!\d)/g, isMedicare],
  // the United Kingdom: D, F, I, Q, U, V never stand first, nor O second; QQ is the published example
  [/(?<!\w)(?:qq|[abceghj-prstw-z][abceghj-nprstw-z]) ?\d{2} ?\d{2} ?\d{2} ?[a-d](?!\w)/g, () => true],
  [/(?<!\w)[a-z]{6}\d{2}[a-ehlmprst]\d{2}[a-z]\d{3}[a-z](?!\w)/g, () => true],
]
const NUMBER = '(?: ?(?:no|number|num|nr|id|#))?\\.?'
const IS = ' ?(?:is|:|=|#)? ?'
const LABELLED_NATIONAL = new RegExp(
  `\\b(?:nhs|ssn|social security|national insurance|ni|dni|nie|pesel|cpf|aadhaar|personnummer|sin|bsn|chi|codice fiscale|pps|medicare|nir|national id)${NUMBER}${IS}((?=[a-z\\d -]{0,20}\\d[a-z\\d -]{0,20}\\d)[a-z]{0,3}\\d[a-z\\d .-]{4,22}[a-z\\d])(?!\\w)`,
  'g',
)
const LABELLED_RECORD = new RegExp(
  `\\b(?:(?:mrn|chart|emis|accession|lab accession)${NUMBER}|(?:hospital|record|patient|case|insurance|policy|passport|unit|driving licence|driver'?s? license|member|account|pid) ?(?:no|number|num|nr|id|#)\\.?)${IS}([a-z]{0,3}-?\\d[a-z\\d/-]{2,18})(?!\\w)`,
  'g',
)
/** A personal line; 03, 08, 1800 and short numbers belong to services. */
const PHONES: readonly RegExp[] = [
  /(?<![\d+])(?:\+|00)[1-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?!\d)/g,
  /(?<![\d.,/-])0[124-79]\d{1,3}[ -]?\d{3,4}[ -]?\d{3,4}(?![\d/]|[.,]\d)/g,
  /(?<![\d.,/-])0\d{1,2}[ -]\d{3,4}[ -]\d{3,4}(?![\d/]|[.,]\d)/g,
  /(?<![\d(])\(\d{3,5}\) ?\d{3}[ .-]?\d{3,4}(?!\d)/g,
  /(?<![\d.-])[2-9]\d{2}[-.][2-9]\d{2}[-.]\d{4}(?![\d-])/g,
]
const LABELLED_PHONE = /\b(?:tel|telephone|phone|mobile|mob|cell|whatsapp)(?: (?:no|number))?\.?(?: is|:)? ?([+(]?\d[\d ().-]{6,18}\d)/g
const EMAIL = /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g
const UNIT_AFTER = /^ ?(?:mg|g|mcg|micrograms?|ml|units?|iu|mmol|kg|cm|%|\/|days?|weeks?|cells)/
const SERVICE = /^0(?:3|8)|^\+?(?:44 ?)?(?:0 ?)?80[08]/

/** `text` is scanned: lower case, plain digits and dashes. */
export function findNumbers(text: string): Hit[] {
  const hits: Hit[] = []
  const digits = (match: string) => match.replace(/\D/g, '').length
  for (const [pattern, valid] of CHECKED)
    for (const { 0: match, index } of text.matchAll(pattern))
      if (valid(match) && !UNIT_AFTER.test(text.slice(index + match.length, index + match.length + 12)))
        hits.push({ kind: 'national number', start: index, end: index + match.length })
  const labelled = (pattern: RegExp, kind: Kind, fits: (value: string) => boolean) => {
    for (const match of text.matchAll(pattern)) {
      const value = match[1]!.trim()
      const start = match.index + match[0].length - match[1]!.length
      if (fits(value)) hits.push({ kind, start, end: start + value.length })
    }
  }
  labelled(LABELLED_NATIONAL, 'national number', (value) => digits(value) >= 6 || isBsn(value))
  labelled(LABELLED_RECORD, 'record number', (value) => digits(value) >= 3)
  labelled(LABELLED_PHONE, 'phone', (value) => digits(value) >= 8 && digits(value) <= 15)
  for (const pattern of PHONES)
    for (const { 0: match, index } of text.matchAll(pattern))
      if (
        digits(match) >= 9 &&
        digits(match) <= 15 &&
        !SERVICE.test(match) &&
        !UNIT_AFTER.test(text.slice(index + match.length, index + match.length + 12))
      )
        hits.push({ kind: 'phone', start: index, end: index + match.length })
  for (const { 0: match, index } of text.matchAll(EMAIL)) hits.push({ kind: 'email', start: index, end: index + match.length })
  return hits
}
