// Owns the judgement of one answer against the fact it should state: key facts, contradictions, entities, refusal.
import { amounts, foldName, namesIn, stances, type Amount } from './entities.ts'

export interface Key {
  readonly text: string
  readonly tag: 'drug' | 'dose' | 'unit' | 'contraindication' | 'criterion' | 'step'
}
/** A question with what a right answer states; `keys: []` and `unknown` for one that must be declined. */
export interface Asked {
  readonly q: string
  /** The fact; '' where only its keys are known. */
  readonly a: string
  /** Empty for a known fact: then its amounts and medicines are what must be there, or, of a fact without any, all its words. */
  readonly keys: readonly Key[]
  readonly unknown: boolean
}
export interface Names {
  readonly known: ReadonlySet<string>
  readonly longest: number
}
export interface Judgement {
  /** Every key stands in the answer and nothing contradicts the fact; for an unknown: declined. */
  readonly right: boolean
  readonly declined: boolean
  readonly keysFound: number
  readonly keysAsked: number
  /** Amounts and names of medicines that the answer states, and how many of them the fact states too. */
  readonly entities: number
  readonly entitiesRight: number
  /** Amounts or medicines that neither the fact nor the question names; "use" or "avoid" where the fact says the opposite. */
  readonly contradictions: readonly string[]
}

/** The words by which every answer declines; the corpus writes them and the page recognises them. */
export const DECLINES = /\bno checked data\b|\bi answer only\b/i

/** What medicines are called, from the records: names, other names and brands. */
export function namesOf(records: readonly { name: string; otherNames: readonly string[]; brands?: readonly string[] }[]): Names {
  const known = new Set(records.flatMap(({ name, otherNames, brands = [] }) => [name, ...otherNames, ...brands]).map(foldName))
  return { known, longest: Math.max(1, ...[...known].map((name) => name.split(' ').length)) }
}

type Entity = Amount | string
const entitiesOf = (text: string, { known, longest }: Names): Entity[] => [...amounts(text), ...namesIn(text, known, longest)]

/**
 * Deterministic and strict: a number that is not the fact's is a contradiction, wherever it comes from; a key must stand there as whole
 * words ("5 mg" is not in "15 mg"). Case, spacing, dashes and the form of quotes do not matter.
 */
export function judge(asked: Asked, answer: string, names: Names): Judgement {
  const declined = DECLINES.test(answer)
  const fact = [asked.a, ...asked.keys.map(({ text }) => text)].join('\n')
  const wanted = entitiesOf(fact, names)
  const stated = entitiesOf(answer, names)
  const allowed = new Set(wanted)
  const repeated = new Set(entitiesOf(asked.q, names))
  // who declines a known fact states nothing; who declines an unknown and states an amount all the same has not declined
  const contradictions =
    declined && !asked.unknown ? [] : [...stated.filter((one) => !allowed.has(one) && !repeated.has(one)), ...opposed(fact, asked.q, answer)]
  const { keysFound, keysAsked } = keysIn(asked, answer, wanted, stated)
  const consistent = contradictions.length === 0
  const right = consistent && (asked.unknown ? declined : !declined && keysFound === keysAsked)
  const counted = declined ? [] : stated
  return {
    ...{ right, declined, keysFound, keysAsked, contradictions },
    entities: counted.length,
    entitiesRight: counted.filter((one) => allowed.has(one)).length,
  }
}

function keysIn({ a, keys, unknown }: Asked, answer: string, wanted: readonly Entity[], stated: readonly Entity[]) {
  const folded = fold(answer)
  if (keys.length > 0 || unknown) return { keysFound: keys.filter(({ text }) => stands(folded, fold(text))).length, keysAsked: keys.length }
  const there = new Set(stated)
  const must = [...new Set(wanted)]
  if (must.length > 0) return { keysFound: must.filter((one) => there.has(one)).length, keysAsked: must.length }
  return { keysFound: stands(folded, fold(a)) ? 1 : 0, keysAsked: 1 }
}

/** A fact that only permits is contradicted by an answer that forbids, and the other way round; one that does both is not judged so. */
function opposed(fact: string, question: string, answer: string): string[] {
  const of = stances(fact)
  if (of.size !== 1) return []
  const said = stances(question)
  return [...stances(answer)].filter((stance) => !of.has(stance) && !said.has(stance))
}

/** Spelling that is no difference: case, spaces, "5mg", dashes, curled quotes, a full stop at the end. */
const fold = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[‐-―−]/g, '-')
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/(\d)(?=\p{L})/gu, '$1 ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')

const LETTER = /[\p{L}\p{N}]/u
/** Whether `part` stands in `text` as whole words and whole numbers: "5 mg" stands neither in "15 mg" nor in "0.5 mg". */
function stands(text: string, part: string): boolean {
  if (part === '') return false
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    const [before, after] = [text.slice(Math.max(0, at - 2), at), text.slice(at + part.length, at + part.length + 2)]
    const cutsLeft = LETTER.test(part[0]!) && (LETTER.test(before.slice(-1)) || (/^\d/.test(part) && /\d[.,]$/.test(before)))
    const cutsRight = LETTER.test(part.at(-1)!) && (LETTER.test(after.slice(0, 1)) || (/\d$/.test(part) && /^[.,]\d/.test(after)))
    if (!cutsLeft && !cutsRight) return true
  }
  return false
}
