// Owns the judgement of one answer against the fact it should state: key facts, contradictions, entities, refusal.
import { amounts, foldName, namesIn, type Amount } from './entities.ts'

export interface Key {
  text: string
  tag: 'drug' | 'dose' | 'unit' | 'contraindication' | 'criterion' | 'step'
}
/** A question with what a right answer states; `keys: []` and `unknown` for one that must be declined. */
export interface Asked {
  q: string
  a: string
  keys: readonly Key[]
  unknown: boolean
}
export interface Names {
  known: ReadonlySet<string>
  longest: number
}
export interface Judgement {
  /** Every key stands in the answer and nothing contradicts the fact; for an unknown: declined. */
  right: boolean
  declined: boolean
  keysFound: number
  keysAsked: number
  /** Amounts and names of medicines that the answer states, and how many of them the fact states too. */
  entities: number
  entitiesRight: number
  /** Amounts or medicines that neither the fact nor the question names. */
  contradictions: string[]
}

/** The words by which every answer declines; the corpus writes them and the page recognises them. */
export const DECLINES = /\bno checked data\b|\bi answer only\b/i

/** What medicines are called, from the records: names, other names and brands. */
export function namesOf(records: readonly { name: string; otherNames: readonly string[]; brands?: readonly string[] }[]): Names {
  const known = new Set(records.flatMap(({ name, otherNames, brands = [] }) => [name, ...otherNames, ...brands]).map(foldName))
  return { known, longest: Math.max(1, ...[...known].map((name) => name.split(' ').length)) }
}

/** Deterministic and strict: a number that is not the fact's is a contradiction, wherever it comes from. */
export function judge(asked: Asked, answer: string, names: Names): Judgement {
  const declined = DECLINES.test(answer)
  const folded = fold(answer)
  const keysFound = asked.keys.filter(({ text }) => folded.includes(fold(text))).length
  const stated = [...amounts(answer), ...namesIn(answer, names.known, names.longest)]
  const allowed = new Set<Amount | string>([...amounts(asked.a), ...namesIn(asked.a, names.known, names.longest)])
  const repeated = new Set<Amount | string>([...amounts(asked.q), ...namesIn(asked.q, names.known, names.longest)])
  const contradictions = declined ? [] : stated.filter((one) => !allowed.has(one) && !repeated.has(one))
  const right = asked.unknown ? declined : !declined && keysFound === asked.keys.length && contradictions.length === 0
  const counted = declined ? [] : stated
  return {
    ...{ right, declined, keysFound, keysAsked: asked.keys.length, contradictions },
    entities: counted.length,
    entitiesRight: counted.filter((one) => allowed.has(one)).length,
  }
}

const fold = (text: string) => text.toLowerCase().replace(/\s+/g, ' ')
