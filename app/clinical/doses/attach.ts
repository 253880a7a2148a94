// Owns which medicine an amount belongs to: the one beside it, before it in the sentence, or named earlier; an unknown word beside it is nobody's.
import type { AmountFound } from './amounts.ts'
import type { Formulary, Mention } from './drug-names.ts'
import { unknownAfter, unknownBefore } from './unknown.ts'

export interface Named {
  readonly name: string | null
  readonly mention: Mention | null
}
interface Search {
  readonly all: string
  readonly amount: AmountFound
  readonly mentions: readonly Mention[]
  readonly from: number
  readonly until: number
  readonly formulary: Formulary
  readonly last: Mention | null
  readonly firstHere: boolean
}

const BESIDE = /\b(?:with|without|or|no|not|taking|than|after) (?:[a-z]{2,10} )?$/
const NOT_GIVEN = /^ (?:(?:is|was|are|were) not|failed|unavailable|fails)\b/
const CARRIER =
  /^[\s:,(-]*(?:(?:of|dose|doses|oral|orally|tablets?|capsules?|iv|im|sc|po|intravenous|intramuscular|nebulised|subcutaneous|inhaled|mr|is|at|by mouth)[\s:,-]*)*$/

export function drugOf({ all, amount, mentions, from, until, formulary, last, firstHere }: Search): Named {
  const name = (mention: Mention): Named => ({ name: mention.medicine?.name ?? mention.name, mention })
  const before = mentions.filter((mention) => mention.end <= amount.start)
  const adjacent = before.at(-1)
  if (adjacent && CARRIER.test(all.slice(adjacent.end, amount.start))) return name(adjacent)
  // "lamotrigine, with valproate: 25 mg" is lamotrigine
  const subject = ({ start, end }: Mention) => !BESIDE.test(all.slice(Math.max(from, start - 20), start)) && !NOT_GIVEN.test(all.slice(end, end + 16))
  const earlier = before.filter(subject).at(-1) ?? adjacent
  const later = mentions.find((mention) => mention.start >= amount.end)
  if (later && CARRIER.test(all.slice(amount.end, later.start).replace(/[:,]/g, ';'))) return name(later)
  const unknown =
    unknownBefore(all.slice(earlier?.end ?? from, amount.start), earlier !== undefined, formulary) ??
    unknownAfter(all.slice(amount.end, until), formulary)
  if (unknown) return { name: unknown, mention: null }
  if (earlier) return name(earlier)
  if (later && firstHere && mentions.every(({ medicine }) => medicine === later.medicine)) return name(later)
  return last ? name(last) : { name: null, mention: null }
}
