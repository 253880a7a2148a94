// Owns the allergy slot: that someone is allergic, and to which medicine.
import type { Atom, Reading, SlotReader } from './slot.ts'

export const allergy: SlotReader = {
  slot: 'allergy',
  phrases: {
    allergy: 'allergy|allergic|hypersensitive|hypersensitivity',
    'allergic reaction': 'allergic reaction',
    'no known allergy': 'no known allergy|no known allergies',
    'no known drug allergy': 'no known drug allergy|no known drug allergies',
    intolerance: 'intolerance|intolerant',
    'anaphylaxis to': 'anaphylaxis to|anaphylactic to',
  },
}

/** Of a list it is not clear how much of it the allergy is to: that stays as written. */
const JOINS = new Set(['and', 'or', '+', '/', 'plus', 'nor'])

/** "allergic to penicillin", "penicillin-allergic" and "penicillin allergy" are one state of one person. Atoms by place. */
export function withAllergens({ texts }: Reading, atoms: readonly Atom[]): Atom[] {
  const starting = new Map(atoms.map((atom) => [atom.from, atom]))
  const result: Atom[] = []
  let done = 0
  atoms.forEach((one, at) => {
    if (one.from < done) return
    const next = atoms[at + 1]
    if (isAllergy(one) && texts[one.to] === 'to' && one.to + 1 < texts.length) {
      // eggs and nuts are in no table of medicines
      const allergen = starting.get(one.to + 1) ?? { value: texts[one.to + 1]!, to: one.to + 2, slot: 'word' }
      const more = JOINS.has(texts[allergen.to] ?? '') || starting.get(allergen.to)?.slot === 'drug'
      if (!more && (allergen.slot === 'drug' || allergen.slot === 'word')) {
        result.push({ slot: 'allergy', value: `${allergen.value} ${one.value}`, from: one.from, to: allergen.to })
        done = allergen.to
        return
      }
    }
    const listed = JOINS.has(texts[one.from - 1] ?? '') || (at > 0 && atoms[at - 1]!.slot === 'drug' && atoms[at - 1]!.to === one.from)
    if (!listed && one.slot === 'drug' && next && isAllergy(next) && next.from === one.to && texts[next.to] !== 'to') {
      result.push({ slot: 'allergy', value: `${one.value} ${next.value}`, from: one.from, to: next.to })
      done = next.to
    } else result.push(one)
  })
  return result
}

const isAllergy = ({ slot, value }: Atom): boolean => slot === 'allergy' && (value === 'allergy' || value === 'intolerance')
