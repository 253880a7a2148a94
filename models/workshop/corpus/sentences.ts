// Owns how sentences of a record become parts of a short answer: fragments, lists, nothing cut inside a clause. Pure.

/** What begins with a capital in the middle of a sentence too. Words with further capitals, digits or a hyphen after one letter keep theirs anyway. */
const PROPER = new Set(
  (
    'Addison Africa African Alzheimer Ashkenazi Amsler Apgar Asian Aspergillus Australian Baker Barrett Bell Brugada Caribbean Chinese Clonorchis Clostridioides ' +
    'Cockcroft Crohn Cushing Edinburgh England English Epworth Europe European Fournier Gilbert Glasgow Guillain Haemophilus Han Helicobacter Hib Horner Hunt ' +
    'India Japanese Jarisch Kawasaki Korean Lewy Listeria Loa Ludwig Lyme Lynch Magill Marfan Mediterranean Ménière Microsporum Mobitz Murphy ' +
    'Mycoplasma Opisthorchis Parkinson Perthes Pneumocystis Ramsay Raynaud Reye Ringer Rinne Sjögren South St Stevens Thai Tinel Turner United Valsalva Venturi ' +
    'Wells Wernicke Wolff Xa'
  ).split(' '),
)

/** A sentence as it stands inside another: no full stop, a small first letter unless the word is a name or an abbreviation. */
export function fragment(sentence: string): string {
  const text = sentence.trim().replace(/\.$/, '')
  const first = /^[\p{L}]+/u.exec(text)?.[0] ?? ''
  const keep = PROPER.has(first) || /[A-Z]/.test(first.slice(1)) || (first.length === 1 && !/^\p{L}\s/u.test(text)) || /^\p{L}+\d/u.test(text)
  return keep ? text : text.slice(0, 1).toLowerCase() + text.slice(1)
}

export const wordCount = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** The clauses of a text that stand by themselves: parted by full stops and semicolons outside brackets. */
export function clauses(text: string): string[] {
  const found: string[] = []
  let [from, depth] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '(') depth++
    else if (character === ')') depth--
    const ends = depth === 0 && (character === ';' || (character === '.' && endsSentence(text, at)))
    if (!ends) continue
    found.push(text.slice(from, at))
    from = at + 1
  }
  return [...found, text.slice(from)].map((clause) => clause.trim().replace(/\.$/, '')).filter((clause) => clause !== '')
}

/** Not the full stop of "e.g. two" or "S. japonicum". */
const endsSentence = (text: string, at: number): boolean =>
  /^\.\s+\S/.test(text.slice(at, at + 4)) && !/(^|[\s.(])(\p{L}|approx|vs|spp|no)$/iu.test(text.slice(0, at))

export interface Parts {
  /** In order, as fragments. */
  readonly items: readonly string[]
  /** False where some were left out for length. */
  readonly whole: boolean
}

/** The first clause may be longer by so much: better that than nothing. */
const ALONE = 10

/**
 * As many of the sentences as have at most `words` words together, at least the first clause of the first. Null where even that is much longer:
 * a clinical sentence cut inside a clause can say the opposite.
 */
export function within(sentences: readonly string[], words: number, most = Infinity): Parts | null {
  const all = sentences.flatMap(clauses)
  const items: string[] = []
  let count = 0
  for (const clause of all) {
    count += wordCount(clause)
    if (count > words + (items.length === 0 ? ALONE : 0) || items.length === most) break
    items.push(fragment(clause))
  }
  return items.length === 0 ? null : { items, whole: items.length === all.length }
}

/** "a", "a and b", "a, b and c"; items with commas of their own, and those that are whole sentences, are parted by semicolons. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  if (items.some((item) => /[,;:]| and /.test(item) || wordCount(item) > 6)) return items.join('; ')
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)!}`
}

/** The beginning of an item by which it is recognised: at most `words` words, no mark at the end. */
export const head = (item: string, words = 6): string =>
  item
    .split(' ')
    .slice(0, words)
    .join(' ')
    .replace(/[\s,;:(]+$/, '')
