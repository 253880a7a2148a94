// Owns what a slot of a question is: its names, the piece of text that fills it, and the form in which two questions are compared.

/** Clinical details that must be equal before one question's answer may serve another. `word` holds what no other slot explains. */
export const slotNames = [
  ...(['drug', 'amount', 'number', 'form', 'route', 'frequency', 'duration'] as const),
  ...(['age', 'weight', 'sex', 'pregnancy', 'organ', 'allergy'] as const),
  ...(['negation', 'direction', 'side', 'course', 'comparison'] as const),
  ...(['aspect', 'subject', 'kind', 'language', 'word', 'order'] as const),
] as const
export type SlotName = (typeof slotNames)[number]

/** One slot of one question. `values` are standard forms, sorted; those of `order` stand in the order that matters. */
export interface Slot {
  readonly slot: SlotName
  readonly values: readonly string[]
}

/** A question as the gate sees it. */
export interface Slots {
  /** The question without case, spacing, punctuation and courtesies: equal texts are the same question. */
  readonly text: string
  /** Only slots that hold something, in the order of `slotNames`. */
  readonly slots: readonly Slot[]
}

/** A piece of a question that fills a slot: tokens `from` up to, not including, `to`. */
export interface Atom {
  readonly slot: SlotName
  readonly value: string
  readonly from: number
  readonly to: number
}

/** One token of a question in its standard form. */
export interface Token {
  /** Folded word, value of a number, or a sign. */
  readonly text: string
  /** UTF-16 positions in the scanned text, end exclusive. */
  readonly start: number
  readonly end: number
  readonly isNumber: boolean
  /** Nothing stands between this token and the one before: the "a" of "3a" is no article. */
  readonly glued: boolean
}

export interface Reading {
  /** Lower case, standard terms: what the dose readers search. */
  readonly scanned: string
  readonly tokens: readonly Token[]
  /** The texts of the tokens, for the readers of words. */
  readonly texts: readonly string[]
}

/** Fills a slot with tokens `from` to `to`; false where one of them is taken already. */
export type Take = (slot: SlotName, value: string, from: number, to: number) => boolean

/** One module per slot: phrases with their standard value, and a reader for what phrases cannot say (numbers). */
export interface SlotReader {
  readonly slot: SlotName
  /** Standard value → the ways to say it, parted by |. */
  readonly phrases?: Readonly<Record<string, string>>
  readonly read?: (reading: Reading, take: Take) => void
}

const PERSON: ReadonlySet<SlotName> = new Set(['age', 'sex', 'weight'])
/** True for what says who somebody is. Obesity is a condition as well, a weight in kilograms is not. */
export const isPerson = ({ slot, value }: Atom): boolean => PERSON.has(slot) && (slot !== 'weight' || /\d/.test(value))

const SEXES = new Set(['man', 'woman', 'boy', 'girl'])
/** A word that only says the sex of somebody: a mother or "she" may be somebody else. */
export const isDescribed = ({ slot, value }: Atom): boolean => slot === 'sex' && SEXES.has(value)
