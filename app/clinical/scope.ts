// Owns whether a finding in a text is denied, past, someone else's or only supposed, and what kind of question the text is (NegEx and ConText, adapted).
import type { Found } from './phrases.ts'
import { PAUSE } from './phrases.ts'
import { SENTENCE_END } from './text.ts'

export const effects = [
  ...(['deny', 'deny-back', 'past', 'past-back', 'other', 'suppose', 'suppose-back', 'plain', 'stop', 'stop-deny'] as const),
  ...(['knowledge', 'treatment', 'person', 'now'] as const),
] as const
export type Effect = (typeof effects)[number]

/** Bits of the state of a word. `pastList`: only by a list that began with a past illness; it counts for names of diseases, not for signs. */
export const DENIED = 1
export const PAST = 2
export const OTHER = 4
export const SUPPOSED = 8
export const PAST_LIST = 16

const scopes: Partial<Record<Effect, { readonly bit: number; readonly reach: number; readonly back: boolean }>> = {
  deny: { bit: DENIED, reach: 8, back: false },
  'deny-back': { bit: DENIED, reach: 4, back: true },
  past: { bit: PAST, reach: 6, back: false },
  'past-back': { bit: PAST, reach: 12, back: true },
  other: { bit: OTHER, reach: 12, back: false },
  suppose: { bit: SUPPOSED, reach: 16, back: false },
  'suppose-back': { bit: SUPPOSED, reach: 5, back: true },
}
// "denies X, Y, Z" needs no "or" to reach over commas; a plain "no X, Y" may well mean that Y is there.
const lists = new Set(['deny', 'denied', 'denying', 'nil'])
const clauseDenials = new Set(['not', 'hasnt', 'didnt', 'doesnt', 'isnt', 'arent', 'wasnt', 'havent', 'dont', 'never'])
const LIST_ITEM = 4
// Words that a list of denials is followed for; it also keeps the time linear.
const LONGEST_LIST = 60

/**
 * The state of each word. `triggers` are the context phrases found in the text; a trigger that lies inside a finding ("no pulse", "not breathing")
 * is part of that finding and has no effect of its own, nor has one inside a `plain` phrase. Linear: every reach is bounded.
 */
export function wordStates(text: readonly string[], triggers: readonly Found<Effect>[], findings: readonly Found<unknown>[]): Uint8Array {
  const states = new Uint8Array(text.length)
  const stops = new Uint8Array(text.length)
  for (const { label, from } of triggers)
    if (label === 'stop' || label === 'stop-deny') stops[from] = Math.max(stops[from]!, label === 'stop' ? 2 : 1)
  for (const trigger of freeTriggers(text.length, triggers, findings)) {
    const scope = scopes[trigger.label]
    if (!scope) continue
    if (scope.back) backwards(text, states, stops, trigger.from, scope)
    else forwards(text, states, stops, trigger, scope)
  }
  return states
}
function backwards(text: readonly string[], states: Uint8Array, stops: Uint8Array, from: number, scope: { bit: number; reach: number }): void {
  for (let at = from - 1; at >= 0 && at >= from - scope.reach; at--) {
    if (text[at] === SENTENCE_END || text[at] === PAUSE || (stops[at]! > 1 && scope.bit !== PAST)) return
    states[at]! |= scope.bit
  }
}

function forwards(
  text: readonly string[],
  states: Uint8Array,
  stops: Uint8Array,
  trigger: Found<Effect>,
  scope: { bit: number; reach: number },
): void {
  const first = text[trigger.from]!
  const denial = scope.bit === DENIED
  let bit = scope.bit
  let listEnd = scope.bit === OTHER ? -1 : endOfList(text, trigger.to, denial && lists.has(first))
  for (let at = trigger.to, left = scope.reach; at < text.length && left > 0; at++, left--) {
    const word = text[at]!
    if (word === SENTENCE_END || stops[at]! >= (denial ? 1 : 2)) return
    if (word === 'and' && denial && clauseDenials.has(first)) return
    if (word === PAUSE) {
      if (at < listEnd) left = scope.reach
      else if (bit === PAST || bit === PAST_LIST) {
        if (itemLength(text, at + 1) > LIST_ITEM - 1) return
        bit = PAST_LIST
      } else return
      listEnd = Math.max(listEnd, -1)
    }
    states[at]! |= bit
  }
}

/** Words up to the next pause or end of sentence, looked at no further than needed. */
function itemLength(text: readonly string[], from: number): number {
  let length = 0
  while (from + length < text.length && length <= LIST_ITEM && text[from + length] !== PAUSE && text[from + length] !== SENTENCE_END) length++
  return length
}

/** Where the last comma of "X, Y, Z or W" stands plus one: a denial reaches over the commas before an "or". With `open` no "or" is needed. */
function endOfList(text: readonly string[], from: number, open: boolean): number {
  let last = -1
  let length = 0
  let end = -1
  for (let at = from; at < Math.min(text.length, from + LONGEST_LIST) && text[at] !== SENTENCE_END; at++) {
    if (text[at] === PAUSE) {
      last = at
      if (open) end = at + 1
      length = 0
    } else if (text[at] === 'or' || text[at] === 'nor') end = last + 1
    else if (++length > LIST_ITEM) return end
  }
  return end
}

/** The triggers that stand on their own: not inside a longer finding ("no pulse", "can't feel his legs") and not inside a `plain` phrase. Linear. */
export function freeTriggers(length: number, triggers: readonly Found<Effect>[], findings: readonly Found<unknown>[]): Found<Effect>[] {
  // furthest[i]: how far the spans reach that started at word i or before; longest[i]: how far those that started at i itself
  const furthest = new Uint32Array(length + 1)
  const longest = new Uint32Array(length + 1)
  for (const { from, to } of findings) {
    furthest[from + 1] = Math.max(furthest[from + 1]!, to)
    longest[from] = Math.max(longest[from]!, to)
  }
  for (const { label, from, to } of triggers) if (label === 'plain') furthest[from] = Math.max(furthest[from]!, to)
  for (let at = 1; at <= length; at++) furthest[at] = Math.max(furthest[at]!, furthest[at - 1]!)
  return triggers.filter(({ label, from, to }) => label === 'plain' || (furthest[from]! < to && longest[from]! <= to))
}
