// Owns which tokens of a text are a medical term, a number with its unit, or ordinary: by the tables that the classifier uses too.
import type { KeywordTables } from '../../../app/clinical/keywords.ts'
import { isNumber, words } from '../../../app/clinical/text.ts'

export const tags = ['term', 'number', 'ordinary'] as const
export type Tag = (typeof tags)[number]
interface Place {
  readonly folded: string
  /** In UTF-16 units of the text. */
  readonly from: number
  readonly to: number
}

/** Classes of the tables that are names of medicine; the others are readings, frequencies and looks. */
const TERMS = ['{drug}', '{problem}', '{critical}', '{vaccine}', '{alarm}', '{body}']
/** What follows a number beside the units of doses in the tables: time, laboratory and vital signs. Folded as the tables are. */
const MEASURES = new Set(
  [
    'second seconds minute minutes min hour hours day days week weeks month months year years time times dose doses per',
    'degree degrees c mmhg kg cm m metre metres litre litres l percent % beats breaths bpm pounds mol ng miu puffs points people',
  ].flatMap((line) => words(line).map(({ folded }) => folded)),
)
/** Between two numbers that are one statement: 4 to 6, 10-20, 140/90, 1 in 1,000. */
const BETWEEN = new Set(['to', 'or', 'in', '/', '-', '–'])
const PLACE = /\d+(?:[.,]\d+)*|\p{L}[\p{L}\p{M}\p{N}'’]*|[/%+&]|(?<=\d)[-–](?=\d)|[.!?;](?=\s|$)/gu

/**
 * The tag of every token of `text`, given the bytes of each (Evaluator.pieces); a token belongs to what it has a character of. A
 * number is digits that stand free (not T4 or B12) with ranges, ratios, units and times of day behind them, a number word before a
 * unit, or a frequency ("twice a day"); digits inside a term's name (type 2 diabetes) belong to the name.
 */
export function tagTokens(text: string, pieces: readonly Uint8Array[], tables: KeywordTables): Tag[] {
  const ofUnit = tagUnits(text, tables)
  const ofByte: Tag[] = []
  for (let n = 0; n < text.length;) {
    const character = String.fromCodePoint(text.codePointAt(n)!)
    for (let byte = 0; byte < Buffer.byteLength(character); byte++) ofByte.push(ofUnit[n]!)
    n += character.length
  }
  // tokenisers of the sentence-piece kind put a space before a text
  let at = Math.min(0, ofByte.length - pieces.reduce((sum, piece) => sum + piece.length, 0))
  return pieces.map((piece) => {
    const own = ofByte.slice(Math.max(0, at), Math.max(0, at + piece.length))
    at += piece.length
    return own.includes('number') ? 'number' : own.includes('term') ? 'term' : 'ordinary'
  })
}

function tagUnits(text: string, tables: KeywordTables): Tag[] {
  const places: Place[] = [...text.matchAll(PLACE)].map((match) => ({
    folded: words(match[0])[0]?.folded ?? match[0],
    from: match.index,
    to: match.index + match[0].length,
  }))
  const tagged = new Array<Tag>(text.length).fill('ordinary')
  const mark = (from: number, to: number, tag: Tag) => tagged.fill(tag, places[from]!.from, places[to - 1]!.to)
  for (let at = 0; at < places.length;) {
    const term = longest(places, at, tables, TERMS)
    const number = term > 0 ? 0 : numberFrom(places, at, tables)
    if (term > 0) mark(at, at + term, 'term')
    else if (number > 0) mark(at, at + number, 'number')
    at += Math.max(1, term, number)
  }
  return tagged
}

/** How many words from `at` on state an amount, a reading or a frequency; 0 for none. */
function numberFrom(places: readonly Place[], at: number, tables: KeywordTables): number {
  const often = longest(places, at, tables, ['{often}'])
  if (often > 0) return often
  const digits = isNumber(places[at]!.folded)
  if (!digits && longest(places, at, tables, ['{n}']) === 0) return 0
  let end = at + 1
  while (BETWEEN.has(places[end]?.folded ?? '') && isNumber(places[end + 1]?.folded ?? '')) end += 2
  const stated = end
  for (;;) {
    const unit =
      places[end] === undefined ? 0 : Math.max(longest(places, end, tables, ['{unit}', '{often}']), MEASURES.has(places[end]!.folded) ? 1 : 0)
    const ratio = places[end]?.folded === '/' && end > stated ? 1 : 0
    if (unit + ratio === 0) break
    end += unit + ratio
  }
  return digits || end > stated ? end - at : 0
}

/** Words of the longest name from `at` on that belongs to one of `classes`; 0 for none. */
function longest(places: readonly Place[], at: number, tables: KeywordTables, classes: readonly string[]): number {
  let node: KeywordTables['classes'] | undefined = tables.classes
  let length = 0
  for (let to = at; to < places.length; to++) {
    node = node.next.get(places[to]!.folded)
    if (!node) break
    if (node.ends.some((name) => classes.includes(name))) length = to - at + 1
  }
  return length
}
