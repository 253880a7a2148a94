// Owns the questions: every template of a kind of fact, what belongs together in it, and how it is filled for one fact.
import { pick, type Random } from './chance.ts'
import { ageless, frames, newPhrasings, stories, trainedPhrasings, type Phrasing } from './frames.ts'
import { factKinds, type FactKind, type Slots } from './pair.ts'
import { capital } from './sentences.ts'
import { careWordings } from './wordings-care.ts'
import { medicineWordings, type Wordings } from './wordings-medicine.ts'

export interface Template {
  /** "medicine.maximum/telegram/17" */
  readonly id: string
  readonly phrasing: Phrasing
  /** Templates with one core say the same sentence in another dress: held out together. */
  readonly core: string
  readonly text: string
}

const wordings: Readonly<Record<FactKind, Wordings>> = { ...medicineWordings, ...careWordings }
/** Its questions describe the thing instead of naming it. */
export const unnamed = (kind: string) => kind === 'condition.from-features'

const templates = new Map<string, readonly Template[]>()

/** Every template of `kind`, in a fixed order. */
export const templatesOf = (kind: FactKind): readonly Template[] => templatesFrom(kind, wordings[kind])

/** Every template made of `words`; `id` begins with the kind of record that they are about, and names them for good. */
export function templatesFrom(id: string, words: Wordings): readonly Template[] {
  let found = templates.get(id)
  if (!found) templates.set(id, (found = build(id, words)))
  return found
}

/** Number of templates of all kinds of fact. */
export const templateCount = (): number => factKinds.reduce((sum, kind) => sum + templatesOf(kind).length, 0)

type Part = readonly [core: string, text: string]

function build(id: string, words: Wordings): Template[] {
  const all: Record<Phrasing, Part[]> = Object.fromEntries([...trainedPhrasings, ...newPhrasings].map((phrasing) => [phrasing, []])) as never
  const own = (frame: string) => !unnamed(id) || !/\{[nN]\}/.test(frame)

  const asks = words.asks.map((text, at): Part => [`ask ${at}`, text])
  const nouned = (any: readonly string[], the: readonly string[]) =>
    words.nouns.flatMap((noun) => [...any, ...(isThe(noun) ? the : [])].map((frame) => put(frame, { noun })))
  const shorted = (list: readonly string[]) => list.filter(own).flatMap((frame) => words.shorts.map((s) => put(frame, { s })))
  const orders = (words.orders ?? []).map((text): Part => [text, text])
  /** Frames around asks share the core of the ask; around nouns and shorts they are a sentence of their own. */
  const around = (list: readonly string[]): Part[] =>
    list.filter(own).flatMap((frame): Part[] => {
      if (frame.includes('{ask')) return asks.map(([core, ask]): Part => [core, put(frame, { ask })[1]])
      if (!frame.includes('{noun}')) return words.shorts.map((s) => put(frame, { s }))
      return words.nouns.filter((noun) => isThe(noun) || !NEEDS_THE.test(frame)).map((noun) => put(frame, { noun }))
    })

  all.direct = asks
  all.imperative = nouned(frames.imperative, frames.imperativeThe)
  all.indirect = nouned(frames.indirect, frames.indirectThe)
  all.telegram = unnamed(id) ? shorted(['{s}', '{s}?', '{S}', '{S}?']) : shorted(frames.telegram)
  all['name-first'] = shorted(frames['name-first'])
  all.seed = [...nouned(frames.seed, []), ...orders]
  all.plain = [...asks, ...all.imperative, ...all.indirect, ...orders]
  const story = stories[unnamed(id) ? 'unnamed' : (id.split(/[./]/)[0] as keyof typeof stories)]
  all.story = around(story.filter((frame) => !ageless.has(id) || !frame.includes('{years}')))
  all['two-sentence'] = around(frames.twoSentence)
  all.wrapped = around(frames.wrapped)
  all.shorthand = unnamed(id) ? shorted(['{s} pls', '? {s}', 'q: {s}']) : shorted(frames.shorthand)
  if (!unnamed(id)) {
    all.synonym = [...asks, ...all.telegram, ...all['name-first'], ...all.imperative]
    all.misspelt = [...asks, ...all.telegram]
  }
  for (const phrasing of newPhrasings) all[phrasing] = around(frames[phrasing])
  if (unnamed(id)) all.form = shorted(['Findings: {s}. Wanted: the answer.', 'query={s}', '[{s}] ?'])

  return Object.entries(all).flatMap(([phrasing, parts]) =>
    parts.map(([core, text], at): Template => ({ id: `${id}/${phrasing}/${at}`, phrasing: phrasing as Phrasing, core, text })),
  )
}

const isThe = (noun: string) => noun.startsWith('the ')
/** Frames that only a noun goes into, no "how …" and no "whether …". */
const NEEDS_THE = / (about|of) \{noun\}|remembers|learn/

/** A frame with its wording; the sentence is its own core. */
function put(frame: string, { ask = '', noun = '', s = '' }: { ask?: string; noun?: string; s?: string }): Part {
  const text = frame.replace('{ask-}', small(ask)).replace('{ask}', ask).replace('{noun}', noun).replace('{S}', capital(s)).replace('{s}', s)
  return [text, text]
}
/** Only a question word becomes small: a slot keeps its own letters. */
const small = (ask: string) => (/^[A-Z][a-z]+ /.test(ask) && !ask.startsWith('I ') ? ask.slice(0, 1).toLowerCase() + ask.slice(1) : ask)

/** Phrasings whose first letter stays as it is. */
const RAW: ReadonlySet<Phrasing> = new Set(['telegram', 'shorthand', 'form'])

/**
 * The question that `template` asks about a fact. Null where it cannot: no other name for a synonym, no word long enough to be misspelt.
 * `taken` are names that a misspelling must not hit.
 */
export function ask(template: Template, slots: Slots, chance: Random, taken: ReadonlySet<string> = new Set()): string | null {
  const { phrasing } = template
  const name = phrasing === 'synonym' ? another(slots, chance) : phrasing === 'misspelt' ? misspelt(slots.n[0]!, chance, taken) : slots.n[0]!
  if (name === null) return null
  const text = template.text
    .replace(/\{(\w+)\}/g, (whole, slot: string) => {
      if (slot === 'n') return name
      if (slot === 'N') return capital(name)
      if (slot === 'years') return String(19 + chance.below(74))
      const choices = slots[slot]
      return choices && choices.length > 0 ? pick(choices, chance) : whole
    })
    .replaceAll('’', "'")
  if (phrasing === 'plain') return plain(text)
  return RAW.has(phrasing) ? text : capital(text)
}

const another = ({ others }: Slots, chance: Random) => (others.length > 0 ? pick(others, chance) : null)

/** Lower case without punctuation, as typed in a hurry; a point inside a number stays. */
export const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[?!;:,“”"()]|\.(?!\d)/g, '')
    .replace(/\s+/g, ' ')
    .trim()

const LEAST_LETTERS = 6
/** One letter left out, doubled, changed with the next or replaced, never the first; null where no word is long enough or every try hits a real name. */
export function misspelt(name: string, chance: Random, taken: ReadonlySet<string>): string | null {
  const words = name.split(' ')
  const long = words.flatMap((word, at) => (/^\p{L}+$/u.test(word) && word.length >= LEAST_LETTERS ? [at] : []))
  if (long.length === 0) return null
  for (let tries = 0; tries < 8; tries++) {
    const which = pick(long, chance)
    const word = words[which]!
    const at = 1 + chance.below(word.length - 2)
    const ways = [
      word.slice(0, at) + word.slice(at + 1),
      word.slice(0, at) + word[at]! + word.slice(at),
      word.slice(0, at) + word[at + 1]! + word[at]! + word.slice(at + 2),
      word.slice(0, at) + pick([...'aeioutnrsl'], chance) + word.slice(at + 1),
    ]
    const wrong = words.with(which, pick(ways, chance)).join(' ')
    if (wrong !== name && !taken.has(wrong.toLowerCase())) return wrong
  }
  return null
}

/** What typing does to a question, now and then: small letters, a mark missing, a mark too many. */
export function roughened(question: string, chance: Random): string {
  const fate = chance.next()
  if (fate < 0.1) return question.toLowerCase()
  if (fate < 0.18) return question.replace(/[.?!]$/, '')
  if (fate < 0.2) return question.replace(/\?$/, '??')
  if (fate < 0.25) return question.replaceAll("'", '’')
  return question
}
