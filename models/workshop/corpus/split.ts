// Owns the splits: what each fact is never trained on, the held-out questions, and the proof that none of them is in training.
import { AppError } from '../../../app/contract/errors.ts'
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { chance, pick, type Random } from './chance.ts'
import { factsOf, type Breadth, type Facts } from './facts.ts'
import { DRAW, newPhrasings, trainedPhrasings, type Phrasing } from './frames.ts'
import { factKinds, kinds, normalised, type Fact, type FactKind, type Pair } from './pair.ts'
import { ask, templatesOf, type Template } from './phrasings.ts'
import { knownNames, Unknowns } from './unknown.ts'

export const testNames = ['validation', 'test-phrasing', 'test-kind', 'test-unknown'] as const
export type TestName = (typeof testNames)[number]
/** Of all pairs of training, and of validation. */
export const UNKNOWN_SHARE = 0.26
const MADE_UP_TESTS = 250
const ASPECT_AND_TOPIC_TESTS = 250

export interface CorpusOptions {
  readonly seed: number
  readonly breadth: Breadth
}
export interface Corpus extends Facts {
  readonly options: CorpusOptions
  readonly names: ReadonlySet<string>
  readonly unknowns: Unknowns
  readonly tests: Readonly<Record<TestName, readonly Pair[]>>
  /** Per fact what is never trained, by id. */
  readonly held: ReadonlyMap<string, HeldOut>
  /** Questions that training must not hold, normalised: all of `tests`. */
  readonly banned: ReadonlySet<string>
  /** Questions dropped because another held-out one says the same. */
  readonly duplicates: number
}

/** One sentence in every dress of it for the test, another for validation. */
export interface HeldOut {
  readonly test: Template
  readonly validation: Template
}

function holdOut(fact: Fact, seed: number): HeldOut {
  const draws = chance(seed, 'held out', fact.id)
  const fitting = trainedPhrasings.filter((phrasing) => canAsk(fact, phrasing))
  const one = (): Template => pick(templatesBy(fact.kind, pick(fitting, draws)), draws)
  const test = one()
  let validation = one()
  while (validation.core === test.core) validation = one()
  return { test, validation }
}

/** Templates of a kind in one phrasing. */
export function templatesBy(kind: FactKind, phrasing: Phrasing): readonly Template[] {
  const key = `${kind} ${phrasing}`
  let found = byPhrasing.get(key)
  if (!found) byPhrasing.set(key, (found = templatesOf(kind).filter((template) => template.phrasing === phrasing)))
  return found
}
const byPhrasing = new Map<string, readonly Template[]>()

export const canAsk = (fact: Fact, phrasing: Phrasing): boolean =>
  templatesBy(fact.kind, phrasing).length > 0 &&
  (phrasing !== 'synonym' || fact.slots.others.length > 0) &&
  (phrasing !== 'misspelt' || fact.slots.n.some((name) => name.split(' ').some((word) => /^\p{L}{6,}$/u.test(word))))

/** The pair of a fact and a template; null where the template cannot ask it. */
export function pairOf(fact: Fact, template: Template, draws: Random, names: ReadonlySet<string>): Pair | null {
  const q = ask(template, fact.slots, draws, names)
  if (q === null) return null
  const { level, knowledge, category } = kinds[fact.kind]
  return {
    q,
    a: fact.answer,
    fact: fact.id,
    kind: fact.kind,
    level,
    knowledge,
    category,
    keys: fact.keys,
    phrasing: template.phrasing,
    template: template.id,
  }
}

/** Facts and held-out questions of `records`. Same records and options, same corpus. Throws SOURCE_INVALID for records without a fact. */
export function buildCorpus(records: readonly ClinicalRecord[], options: CorpusOptions, untaught: readonly ClinicalRecord[] = []): Corpus {
  const found = factsOf(records, options.breadth)
  if (found.facts.length === 0) throw new AppError('SOURCE_INVALID', 'The records hold no fact to ask about. Add records with content.')
  const { seed } = options
  const names = knownNames(records)
  const unknowns = new Unknowns(records, found, options.breadth, untaught)
  const tests: Record<TestName, Pair[]> = { validation: [], 'test-phrasing': [], 'test-kind': [], 'test-unknown': [] }
  const banned = new Set<string>()
  let duplicates = 0
  const keep = (test: TestName, pair: Pair | null) => {
    if (!pair) return
    const form = normalised(pair.q)
    if (banned.has(form)) return void duplicates++
    banned.add(form)
    tests[test].push(pair)
  }

  const held = new Map(found.facts.map((fact) => [fact.id, holdOut(fact, seed)]))
  for (const fact of found.facts) {
    const draws = chance(seed, 'tests', fact.id)
    const { test, validation } = held.get(fact.id)!
    keep('test-phrasing', pairOf(fact, test, draws, names))
    const fitting = newPhrasings.filter((phrasing) => templatesBy(fact.kind, phrasing).length > 0)
    keep('test-kind', pairOf(fact, pick(templatesBy(fact.kind, pick(fitting, draws)), draws), draws, names))
    keep('validation', pairOf(fact, validation, draws, names))
  }
  const draws = chance(seed, 'unknown')
  const named = found.facts.filter(({ kind }) => kind !== 'condition.from-features')
  for (const kind of ['medicine', 'condition', 'emergency', 'prevention'] as const) {
    const asked = named.filter((fact) => fact.kind.startsWith(`${kind}.`) && fact.kind !== 'medicine.interaction-with')
    for (const name of asked.length > 0 ? unknowns.real(kind, true) : []) keep('test-unknown', unknowns.about(pick(asked, draws), name, draws))
  }
  const real = tests['test-unknown'].length
  for (let tries = 0; tests['test-unknown'].length < real + MADE_UP_TESTS + ASPECT_AND_TOPIC_TESTS && tries < 10_000; tries++)
    keep('test-unknown', unknowns.draw(draws, true))
  const wanted = Math.round((tests.validation.length * UNKNOWN_SHARE) / (1 - UNKNOWN_SHARE))
  for (let count = 0, tries = 0; count < wanted && tries < 10 * wanted; tries++) {
    const before = tests.validation.length
    keep('validation', unknowns.draw(draws, false))
    count += tests.validation.length - before
  }
  return { ...found, options, names, unknowns, tests, held, banned, duplicates }
}

/** Weights of the phrasings that can ask `fact`, as a running sum. */
export function drawTable(fact: Fact): readonly (readonly [upTo: number, phrasing: (typeof trainedPhrasings)[number]])[] {
  let sum = 0
  return trainedPhrasings.filter((phrasing) => canAsk(fact, phrasing)).map((phrasing) => [(sum += DRAW[phrasing]), phrasing] as const)
}

let cores: ReadonlyMap<string, string> | undefined
/** Template → core, of all kinds of fact. */
const coreOf = () => (cores ??= new Map(factKinds.flatMap((kind) => templatesOf(kind)).map(({ id, core }) => [id, core])))

/**
 * Proves a pass of training against the held-out sets; an error is a fault of this program. Not one question, phrasing, core or name of the tests is in it.
 */
export function assertNoLeak(corpus: Corpus, pass: readonly Pair[]): void {
  const fresh = new Set<string>(newPhrasings)
  const heldNames = new Set(corpus.tests['test-unknown'].filter(({ kind }) => kind === 'unknown.name').map(({ fact }) => fact))
  for (const { q, fact, phrasing, template, kind } of pass) {
    const held = corpus.held.get(fact)
    const core = coreOf().get(template)
    const leak =
      corpus.banned.has(normalised(q)) ||
      fresh.has(phrasing) ||
      (held !== undefined && (core === held.test.core || core === held.validation.core)) ||
      (kind === 'unknown.name' && heldNames.has(fact))
    if (leak) throw new Error(`the training question “${q}” (${template}) is held out`)
  }
}
