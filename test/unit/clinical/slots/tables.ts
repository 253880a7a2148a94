// Owns the real slot tables that the tests of the clinical gate read, loaded once a file.
import { fileURLToPath } from 'node:url'
import { gate, type Difference } from '../../../../app/clinical/gate.ts'
import type { SlotName, Slots } from '../../../../app/clinical/slots/slot.ts'
import { loadSlotTables, slotsOf } from '../../../../app/clinical/slots/slots.ts'

export const models = fileURLToPath(new URL('../../../../models', import.meta.url))
export const tables = loadSlotTables(models)
const seen = new Map<string, Slots>()
/** A question is read once a file: the tests of pairs ask for the same one again and again. */
export function read(question: string): Slots {
  let slots = seen.get(question)
  if (!slots) seen.set(question, (slots = slotsOf(question, tables)))
  return slots
}
export const slot = (question: string, name: SlotName): readonly string[] => read(question).slots.find((one) => one.slot === name)?.values ?? []
export const differs = (a: string, b: string): readonly Difference[] => {
  const verdict = gate(read(a), read(b))
  return verdict.same ? [] : verdict.differs
}
export const same = (a: string, b: string): boolean => differs(a, b).length === 0
