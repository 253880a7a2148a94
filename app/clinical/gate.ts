// Owns the clinical gate of the answer cache: whether the answer to one question may be served for another, and what differs in words.
import type { Slot, SlotName, Slots } from './slots/slot.ts'
import { slotsOf, type SlotTables } from './slots/slots.ts'

export interface Difference {
  readonly slot: SlotName
  /** What the first question says there, and the second; '' where one says nothing. */
  readonly a: string
  readonly b: string
}
export type Verdict = { readonly same: true } | { readonly same: false; readonly differs: readonly Difference[] }

/** Longer than a link on the page can show. */
const LONGEST = 60

/**
 * Two questions are the same only when every slot holds the same: any doubt is a difference. Symmetric, and pure. It does not know of
 * category, model, adapter, quantisation and prompt: those are the key of the cache.
 */
export function gate(a: Slots, b: Slots): Verdict {
  // texts that differ in case, spacing and punctuation alone are one question, whatever a short form in them may mean
  if (a.text === b.text) return { same: true }
  const differs: Difference[] = []
  for (const slot of new Set([...a.slots, ...b.slots].map((one) => one.slot))) {
    if (slot === 'order') continue
    const [left, right] = [valuesOf(a, slot), valuesOf(b, slot)]
    const [onlyLeft, onlyRight] = [without(left, right), without(right, left)]
    if (onlyLeft.length > 0 || onlyRight.length > 0) differs.push({ slot, a: inWords(onlyLeft), b: inWords(onlyRight) })
  }
  const [left, right] = [valuesOf(a, 'order'), valuesOf(b, 'order')]
  if (differs.length === 0 && left.join('\n') !== right.join('\n')) differs.push({ slot: 'order', a: inWords(left, ' '), b: inWords(right, ' ') })
  return differs.length === 0 ? { same: true } : { same: false, differs }
}

/** "5 mg → 50 mg", "not said → in pregnancy". */
export const inShort = ({ a, b }: Difference): string => `${a || 'not said'} → ${b || 'not said'}`

/** The gate over the tables of `loadSlotTables`, as the answer cache takes it. */
export const clinicalGate = (tables: SlotTables) => ({ slotsOf: (question: string): Slots => slotsOf(question, tables), gate })

const valuesOf = ({ slots }: Slots, name: SlotName): readonly string[] => slots.find(({ slot }: Slot) => slot === name)?.values ?? []

/** What `values` holds more often than `others` does. */
function without(values: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return values.filter((value) => {
    const at = left.indexOf(value)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function inWords(values: readonly string[], between = ', '): string {
  const text = values.join(between)
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`
}
