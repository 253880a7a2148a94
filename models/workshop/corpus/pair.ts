// Owns what the training data is made of: kinds of fact with category, level and knowledge, the facts, the entities in them, the pairs.
import type { Category } from '../../../app/contract/entities.ts'

/** Concept complexity: 0 a name and its class, 1 one value, 2 a list, 3 two things that must be put together. */
export type Level = 0 | 1 | 2 | 3
export type Knowledge = 'basic' | 'specialised'
interface KindOf {
  readonly category: Category
  readonly level: Level
  readonly knowledge: Knowledge
  /** Of the smaller set, for a model that must be trained in two hours on two cores. */
  readonly core: boolean
}
const kind = (category: Category, level: Level, knowledge: Knowledge, core = knowledge === 'basic'): KindOf => ({ category, level, knowledge, core })

/** Borders of the categories as equation 1 has them: doses are medication, plans are treatment, signs and tests are diagnosis. */
export const kinds = {
  'medicine.class': kind('medication', 0, 'basic'),
  'medicine.uses': kind('medication', 2, 'basic'),
  'medicine.adult-dose': kind('medication', 1, 'basic'),
  'medicine.maximum': kind('medication', 1, 'basic'),
  'medicine.child-dose': kind('medication', 1, 'basic'),
  'medicine.contraindications': kind('medication', 2, 'basic'),
  'medicine.interactions': kind('medication', 2, 'specialised', true),
  'medicine.pregnancy': kind('medication', 1, 'specialised', true),
  'medicine.kidney': kind('medication', 1, 'specialised', true),
  'medicine.side-effects': kind('medication', 2, 'specialised'),
  'medicine.breastfeeding': kind('medication', 1, 'specialised'),
  'medicine.liver': kind('medication', 1, 'specialised'),
  'medicine.monitoring': kind('medication', 2, 'specialised'),
  'medicine.indication-dose': kind('medication', 3, 'specialised'),
  'medicine.age-dose': kind('medication', 3, 'specialised'),
  'medicine.interaction-with': kind('medication', 3, 'specialised'),
  'condition.features': kind('diagnosis', 2, 'basic'),
  'condition.red-flags': kind('diagnosis', 2, 'basic'),
  'condition.treatment': kind('treatment', 1, 'basic'),
  'condition.refer': kind('treatment', 1, 'specialised', true),
  'condition.from-features': kind('diagnosis', 3, 'specialised', true),
  'condition.tests': kind('diagnosis', 2, 'specialised'),
  'condition.differentials': kind('diagnosis', 2, 'specialised'),
  'condition.safety-net': kind('treatment', 1, 'specialised'),
  'emergency.recognise': kind('emergency', 2, 'basic'),
  'emergency.first-step': kind('emergency', 1, 'basic'),
  'emergency.steps': kind('emergency', 2, 'basic'),
  'emergency.drug-dose': kind('emergency', 3, 'specialised', true),
  'emergency.avoid': kind('emergency', 2, 'specialised'),
  'prevention.who': kind('prevention', 1, 'basic'),
  'prevention.measures': kind('prevention', 2, 'basic'),
  'prevention.schedule': kind('prevention', 1, 'specialised', true),
  'prevention.not-for': kind('prevention', 2, 'specialised'),
} as const satisfies Readonly<Record<string, KindOf>>
export type FactKind = keyof typeof kinds
export const factKinds = Object.keys(kinds) as FactKind[]

/** What must be declined: a name, an aspect of a known name, a question outside medicine. */
export const unknownKinds = ['unknown.name', 'unknown.aspect', 'unknown.topic'] as const
export type UnknownKind = (typeof unknownKinds)[number]

/** Weight of a key entity in the fourth term of equation 6: a wrong dose or unit does the most harm. */
export const WEIGHTS = { drug: 2, dose: 3, unit: 3, contraindication: 2, criterion: 1.5, step: 1.5 } as const
export type Tag = keyof typeof WEIGHTS
export interface Key {
  /** An exact part of the answer. */
  readonly text: string
  readonly tag: Tag
  readonly weight: number
}
export const keyOf = (text: string, tag: Tag): Key => ({ text, tag, weight: WEIGHTS[tag] })

/** What a question can be filled with: `n` is the name, `others` further names of the same thing; the rest as the kind's wordings need. */
export type Slots = Readonly<Record<string, readonly string[]>> & { readonly n: readonly string[]; readonly others: readonly string[] }
export interface Fact {
  /** "amoxicillin/medicine.adult-dose", with "/2" where a record has several. */
  readonly id: string
  readonly record: string
  readonly kind: FactKind
  /** One sentence of at most 45 words that begins with the name. */
  readonly answer: string
  readonly keys: readonly Key[]
  readonly slots: Slots
}
export const MOST_WORDS = 45

export interface Pair {
  readonly q: string
  readonly a: string
  /** The fact's id; of a pair that declines, what is declined. */
  readonly fact: string
  readonly kind: FactKind | UnknownKind
  readonly level: Level
  readonly knowledge: Knowledge
  readonly category: Category
  readonly keys: readonly Key[]
  /** Kind of phrasing: "direct", "telegram", … */
  readonly phrasing: string
  /** The template within it; the same one asks other facts of the kind too. */
  readonly template: string
}

/** What a vocabulary is learnt from: no made-up name, so that an unknown name is made of small pieces, as one typed by a user will be. */
export const learnable = (pairs: readonly Pair[]): string[] =>
  pairs.filter(({ kind }) => kind !== 'unknown.name').flatMap(({ q, a }) => [q, a, 'user\n', 'assistant\n'])

/** How questions are compared: neither case nor punctuation nor spacing makes a question new ("heat stroke: signs?" is "heatstroke signs"). */
export const normalised = (question: string): string =>
  question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
