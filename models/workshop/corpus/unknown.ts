// Owns the pairs that decline: unknown names, aspects that no record has, questions outside medicine.
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { pick, type Random } from './chance.ts'
import type { Breadth, Facts } from './facts.ts'
import { trainedPhrasings } from './frames.ts'
import { kinds, type Fact, type FactKind, type Pair, type Slots } from './pair.ts'
import { oddAspect, oddThing } from './odd-aspects.ts'
import { ask, templatesFrom, templatesOf, unnamed, type Template } from './phrasings.ts'
import { NameMaker, realNames, type NameKind } from './unknown-names.ts'
import { aspects, fillings, HELD_EVERY, offTopic, silent, type Aspect } from './unknown-topics.ts'

/** `core`: for a model of a few million parameters, which misspells a name that it is to repeat and then seems to speak of something else. */
export const noData = (what: string, breadth: Breadth): string => `I have no checked data on ${breadth === 'core' ? 'this' : what}.`
export const OUTSIDE = 'I answer only questions about medicines, conditions, emergencies and prevention.'
/** Of the pairs that decline: a name, an aspect, a topic. */
const SHARES = { name: 0.5, aspect: 0.33 }
const REAL_SHARE = 0.5
const SILENT_SHARE = 0.3
/** Of the aspects that no record has. */
const ODD_SHARE = 0.7

/** Phrasings for any name: a made-up one has no synonym, and no spelling to miss. */
const ANY = new Set<string>(trainedPhrasings.filter((phrasing) => phrasing !== 'synonym' && phrasing !== 'misspelt'))
const plainTemplates = (templates: readonly Template[]) => templates.filter(({ phrasing }) => ANY.has(phrasing))
const held = <T>(list: readonly T[], yes: boolean) => list.filter((_, at) => (at % HELD_EVERY === HELD_EVERY - 1) === yes)

export class Unknowns {
  readonly #facts: readonly Fact[]
  readonly #records: readonly ClinicalRecord[]
  readonly #silent: readonly { name: string; others: readonly string[]; kind: FactKind }[]
  readonly #maker: NameMaker
  readonly #known: ReadonlySet<string>
  readonly #breadth: Breadth
  readonly #real: Readonly<Record<NameKind, { readonly trained: readonly string[]; readonly held: readonly string[] }>>

  /** `untaught`: records whose names are as unknown as any other, and likelier to be asked about. */
  constructor(
    records: readonly ClinicalRecord[],
    { facts, missing }: Pick<Facts, 'facts' | 'missing'>,
    breadth: Breadth,
    untaught: readonly ClinicalRecord[] = [],
  ) {
    this.#records = records
    this.#breadth = breadth
    this.#facts = facts.filter(({ kind }) => !unnamed(kind))
    this.#silent = records.flatMap(({ id, name, otherNames }) =>
      (missing.get(id) ?? []).filter((kind) => silent[kind] !== undefined).map((kind) => ({ name, others: otherNames, kind })),
    )
    this.#known = knownNames(records)
    const of = (kind: NameKind, held: boolean) => realNames(kind, this.#known, held, untaught)
    const both = (kind: NameKind) => ({ trained: of(kind, false), held: of(kind, true) })
    this.#real = { medicine: both('medicine'), condition: both('condition'), emergency: both('emergency'), prevention: both('prevention') }
    const medicines = records.filter(({ kind }) => kind === 'medicine').map(({ name }) => name)
    this.#maker = new NameMaker(this.#known, medicines)
  }

  /** One pair. With `test` only what training never sees: held-out names, aspects and topics. */
  draw(chance: Random, test: boolean): Pair | null {
    const fate = chance.next()
    if (fate < SHARES.name) return this.#name(chance, test)
    return fate < SHARES.name + SHARES.aspect ? this.#aspect(chance, test) : this.#topic(chance, test)
  }

  /** Real names of one kind that are not taught. */
  real(kind: NameKind, test: boolean): readonly string[] {
    return this.#real[kind][test ? 'held' : 'trained']
  }

  /** A question about `name`, or about a name of its own choice, as if it were known. */
  #name(chance: Random, test: boolean): Pair | null {
    const fact = pick(this.#facts, chance)
    return this.about(fact, this.#pickName(fact.kind.split('.')[0] as NameKind, chance, test), chance)
  }

  #pickName(kind: NameKind, chance: Random, test: boolean): string {
    const real = this.real(kind, test)
    if (real.length > 0 && chance.next() < REAL_SHARE) return pick(real, chance)
    return this.#maker.make(kind, chance, test)
  }

  /** The question of `fact`'s kind about an unknown `name`; of two drugs that are taken together, either may be the unknown one. */
  about(fact: Fact, name: string, chance: Random): Pair | null {
    const partner = fact.kind === 'medicine.interaction-with' && chance.below(2) === 0
    const slots: Slots = partner ? { ...fact.slots, w: [name] } : { ...fact.slots, n: [name], others: [] }
    const template = pick(plainTemplates(templatesOf(fact.kind)), chance)
    return this.#pair(ask(template, slots, chance), noData(name, this.#breadth), 'unknown.name', fact.kind, `unknown/${name}`, template)
  }

  #aspect(chance: Random, test: boolean): Pair | null {
    if (!test && this.#silent.length > 0 && chance.next() < SILENT_SHARE) {
      const { name, others, kind } = pick(this.#silent, chance)
      const template = pick(plainTemplates(templatesOf(kind)), chance)
      return this.#pair(
        ask(template, { n: [name], others }, chance),
        noData(`${silent[kind]!} ${name}`, this.#breadth),
        'unknown.aspect',
        kind,
        `unknown/${kind}/${name}`,
        template,
      )
    }
    const { kind, name, otherNames } = pick(this.#records, chance)
    const odd = chance.next() < ODD_SHARE
    const found: Aspect = odd ? oddAspect : pick(held(aspects[kind], test), chance)
    const label = odd ? found.label.replace('{x}', oddThing(kind, chance, test)) : found.label
    const template = pick(plainTemplates(templatesFrom(`${kind}/${found.label}`, found)), chance)
    const like: FactKind = (
      { medicine: 'medicine.class', condition: 'condition.features', emergency: 'emergency.steps', prevention: 'prevention.who' } as const
    )[kind]
    const question = ask(template, { n: [name], others: otherNames, x: [label.slice('the '.length, -' of'.length)] }, chance)
    return this.#pair(question, noData(`${label} ${name}`, this.#breadth), 'unknown.aspect', like, `unknown/${kind}/${label}`, template)
  }

  #topic(chance: Random, test: boolean): Pair | null {
    const text = pick(held(offTopic, test), chance)
    const question = text.replace(/\{(\w+)\}/g, (_, slot: string) => pick(fillings[slot]!, chance))
    const template: Template = { id: `topic/${text}`, phrasing: 'direct', core: text, text }
    const pair = this.#pair(question, OUTSIDE, 'unknown.topic', 'medicine.class', 'unknown/topic', template)
    return pair && { ...pair, category: 'general' }
  }

  /** Level, knowledge and category are those of the question that it resembles, so that it is learned beside it. */
  #pair(q: string | null, a: string, kind: Pair['kind'], like: FactKind, fact: string, { id, phrasing }: Template): Pair | null {
    if (q === null) return null
    const { level, knowledge, category } = kinds[like]
    return { q, a, fact, kind, level, knowledge, category, keys: [], phrasing, template: id }
  }
}

/** Every name under which a record may be asked about, small letters. */
export const knownNames = (records: readonly ClinicalRecord[]): ReadonlySet<string> =>
  new Set(
    records.flatMap((record) =>
      [record.name, ...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])].map((name) =>
        name.toLowerCase().replaceAll('’', "'"),
      ),
    ),
  )
