// Owns which orders of the same words are the same question: a normal form that two such orders share.
import { MOVABLE } from './aspect.ts'
import { isDescribed, isPerson, type Atom, type SlotName } from './slot.ts'
import type { Filled } from './words.ts'

/** Each of these may stand anywhere, as long as it stands only once and nothing in the question relates one thing to another. */
const FREE: ReadonlySet<SlotName> = new Set([
  ...(['aspect', 'drug', 'amount', 'frequency', 'duration', 'route', 'form', 'age', 'weight', 'sex', 'pregnancy', 'organ', 'subject'] as const),
])
/** What an aspect can be asked of. */
const HEADS: ReadonlySet<SlotName> = new Set(['drug', 'subject', 'organ', 'pregnancy'])
/** Words that end what an aspect is about; behind the others of these it would be about more. */
const ENDS = new Set('in for at on by from during after before when if because while among until since without under over'.split(' '))
const LINKS = new Set(['and', 'with', 'between', 'of'])

/**
 * The words in the order that matters. Sorted where order cannot change the sense: one aspect, one medicine, one run of each other slot and
 * no word that relates them; or the interaction of two medicines. Otherwise as written, except that "side effects of X" is "X side effects".
 */
export function orderOf({ atoms, about }: Filled): string[] {
  const pair = interacting(atoms)
  if (pair) return pair
  const runs: Run[] = []
  somebody(atoms).forEach(({ slot, value }, at) => {
    const last = runs.at(-1)
    if (last?.slot === slot) last.words += ` ${value}`
    else runs.push({ slot, words: value, isAsked: about.has(at) })
  })
  const count = (slot: SlotName) => atoms.filter((atom) => atom.slot === slot).length
  const once = new Set(runs.map(({ slot }) => slot)).size === runs.length
  const movable = atoms.every(({ slot, value }) => slot !== 'aspect' || MOVABLE.has(value))
  if (
    once &&
    movable &&
    count('aspect') <= 1 &&
    count('drug') <= 1 &&
    count('amount') <= 1 &&
    atoms.every((atom) => FREE.has(atom.slot) && (atom.slot !== 'sex' || isDescribed(atom)))
  )
    return [...runs.map(({ words }) => words).sort(), ...askedOf(runs)]
  return turned(somebody(atoms), about).map(({ value }) => value)
}

interface Run {
  readonly slot: SlotName
  words: string
  /** A dropped "of" says that the aspect is about this. */
  readonly isAsked: boolean
}

/** "diabetes complications, pregnancy" and "pregnancy complications, diabetes": where there are two, which one the aspect stands with. */
function askedOf(runs: readonly Run[]): string[] {
  const at = runs.findIndex(({ slot }) => slot === 'aspect')
  if (at < 0 || runs.filter(({ slot }) => HEADS.has(slot)).length < 2) return []
  const isHead = (run: Run | undefined) => run !== undefined && HEADS.has(run.slot)
  const head = runs.find(({ isAsked }) => isAsked) ?? [runs[at - 1], runs[at + 1]].find(isHead)
  return [`of ${head?.words ?? 'neither'}`]
}

/** "interaction between A and B", "interaction of B with A": neither comes first, and the words that link them say nothing. */
export function withoutLinks({ atoms, about }: Filled): Filled {
  return interacting(atoms) ? { atoms: atoms.filter(({ value }) => !LINKS.has(value)), about: new Set() } : { atoms, about }
}

function interacting(atoms: readonly Atom[]): string[] | null {
  const drugs = atoms.filter(({ slot }) => slot === 'drug')
  if (drugs.length !== 2 || atoms.filter(({ slot }) => slot === 'aspect').length !== 1) return null
  const known = atoms.every(({ slot, value }) => slot === 'drug' || (slot === 'aspect' && value === 'interaction') || LINKS.has(value))
  return known ? ['interaction', ...drugs.map(({ value }) => value).sort()] : null
}

/** "a child aged 5 years" and "a 5 year old child": the words for one person in one order. Two persons stay as they are. */
function somebody(atoms: readonly Atom[]): readonly Atom[] {
  const result: Atom[] = []
  for (let at = 0; at < atoms.length;) {
    let to = at
    while (to < atoms.length && isPerson(atoms[to]!) && (atoms[to]!.slot !== 'sex' || isDescribed(atoms[to]!))) to++
    const run = atoms.slice(at, to)
    const figures = run.filter(({ slot, value }) => slot === 'age' && /\d/.test(value)).length
    const count = (slot: SlotName) => run.filter((atom) => atom.slot === slot).length
    const one = figures <= 1 && count('age') - figures <= 1 && count('sex') <= 1 && count('weight') <= 1
    result.push(...(one ? run.sort((a, b) => (a.value < b.value ? -1 : 1)) : run))
    if (run.length === 0) result.push(atoms[at]!)
    at = Math.max(to, at + 1)
  }
  return result
}

/** Puts an aspect behind the medicine or condition that a dropped "of" joined to it, where nothing more follows that it could be about. */
function turned(atoms: readonly Atom[], about: ReadonlySet<number>): readonly Atom[] {
  const result: Atom[] = []
  for (let at = 0; at < atoms.length; at++) {
    const aspect = atoms[at]!
    let to = at + 1
    while (to < atoms.length && isThing(atoms[to]!)) to++
    const ends = to === atoms.length || ENDS.has(atoms[to]!.value)
    if (aspect.slot === 'aspect' && MOVABLE.has(aspect.value) && about.has(at + 1) && to > at + 1 && ends) {
      result.push(...atoms.slice(at + 1, to), aspect)
      at = to - 1
    } else result.push(aspect)
  }
  return result
}

const isThing = ({ slot, value }: Atom): boolean =>
  slot === 'drug' || slot === 'subject' || (slot === 'word' && !ENDS.has(value) && !LINKS.has(value) && value.length > 2)
