// Owns the proof that questions can be asked in many ways of clearly different kinds, that each is whole, and that unknown names are unknown.
import { describe, expect, test } from 'vitest'
import { carried, CARRIED_SHARE } from '../../../models/workshop/corpus/carriers.ts'
import { chance } from '../../../models/workshop/corpus/chance.ts'
import { factsOf } from '../../../models/workshop/corpus/facts.ts'
import { frames, newPhrasings, trainedPhrasings } from '../../../models/workshop/corpus/frames.ts'
import { factKinds, normalised } from '../../../models/workshop/corpus/pair.ts'
import { oddThing } from '../../../models/workshop/corpus/odd-aspects.ts'
import { ask, misspelt, plain, roughened, templatesOf } from '../../../models/workshop/corpus/phrasings.ts'
import { knownNames, noData, OUTSIDE, Unknowns } from '../../../models/workshop/corpus/unknown.ts'
import { distance, NameMaker, realNames } from '../../../models/workshop/corpus/unknown-names.ts'
import { DECLINES } from '../../../models/workshop/eval/judge.ts'
import { allRecords } from './corpus-records.ts'

const records = allRecords()
const { facts, missing } = factsOf(records)
const names = knownNames(records)
/** One fact of each kind with more than one name. */
const examples = factKinds.map((kind) =>
  facts.find((fact) => fact.kind === kind && fact.slots.others.length > 0 && /[a-z]{6}/.test(fact.slots.n[0]!))!,
)

describe('templates', () => {
  test.each(factKinds)('%s: at least 24 different questions in at least 8 kinds of phrasing, and three that are never trained', (kind) => {
    const templates = templatesOf(kind)
    const trained = templates.filter(({ phrasing }) => (trainedPhrasings as readonly string[]).includes(phrasing))
    expect(new Set(trained.map(({ core }) => core)).size).toBeGreaterThanOrEqual(24)
    expect(new Set(trained.map(({ phrasing }) => phrasing)).size).toBeGreaterThanOrEqual(8)
    for (const phrasing of newPhrasings) expect(templates.filter((template) => template.phrasing === phrasing).length).toBeGreaterThanOrEqual(3)
    expect(new Set(templates.map(({ id }) => id)).size).toBe(templates.length)
  })
  test('every one of them makes a whole question that names what it asks about', () => {
    const wrong: string[] = []
    for (const fact of examples)
      for (const template of templatesOf(fact.kind)) {
        const question = ask(template, fact.slots, chance(1, template.id), names)!
        // the braces of a form are its own
        if (/\{\w|undefined|null| {2}|^\s|\s$/.test(question) || question.length > 400) wrong.push(`${template.id}: ${question}`)
        if (template.phrasing === 'misspelt' || template.phrasing === 'synonym' || fact.kind === 'condition.from-features') continue
        if (!normalised(question).includes(normalised(fact.slots.n[0]!))) wrong.push(`${template.id}: ${question}`)
      }
    expect(wrong).toEqual([])
  })
  test('a synonym is another name of the record, and there is none without one', () => {
    const fact = facts.find(({ record, kind }) => record === 'paracetamol' && kind === 'medicine.maximum')!
    const template = templatesOf(fact.kind).find(({ phrasing }) => phrasing === 'synonym')!
    const asked = ask(template, fact.slots, chance(1, 'synonym'))!
    expect(fact.slots.others.some((name) => asked.includes(name))).toBe(true)
    expect(asked).not.toContain('paracetamol')
    expect(ask(template, { n: ['paracetamol'], others: [] }, chance(1, 'synonym'))).toBeNull()
  })
  test('a seed question is as the client wrote it', () => {
    const fact = facts.find(({ id }) => id === 'migraine/condition.from-features')!
    const seed = templatesOf(fact.kind)
      .filter(({ phrasing }) => phrasing === 'seed')
      .map((template) => ask(template, fact.slots, chance(1, 'seed'))!)
    expect(seed.some((text) => /^Please analyse in detail the possible diagnosis and treatment plans for a patient with \S/.test(text))).toBe(true)
  })
  test('plain is lower case without marks; decimals keep their point', () => {
    expect(plain('What is 0.5 mg (or “2.5”) of Testamol? Tell me.')).toBe('what is 0.5 mg or 2.5 of testamol tell me')
  })
  test('roughening changes case, a mark at the end or an apostrophe, never a word', () => {
    const question = "What's the dose of testamol?"
    const forms = new Set(Array.from({ length: 300 }, (_, n) => roughened(question, chance(n, 'rough'))))
    expect(forms.size).toBeGreaterThan(3)
    expect(new Set([...forms].map(normalised))).toEqual(new Set([normalised(question)]))
  })
  test('a misspelling is one slip away, never the first letter, never another name', () => {
    const seen = new Set<string>()
    for (let n = 0; n < 300; n++) {
      const wrong = misspelt('amlodipine', chance(n, 'slip'), new Set(['amlodipina']))!
      expect(wrong[0]).toBe('a')
      expect(distance('amlodipine', wrong)).toBeGreaterThanOrEqual(1)
      expect(distance('amlodipine', wrong)).toBeLessThanOrEqual(2)
      expect(wrong).not.toBe('amlodipina')
      seen.add(wrong)
    }
    expect(seen.size).toBeGreaterThan(40)
    expect(misspelt('gout', chance(1, 'x'), new Set())).toBeNull()
  })
})

describe('what stands around a question', () => {
  const question = 'What is the maximum dose of naproxen?'
  const draws = chance(5, 'carriers')
  const dressed = Array.from({ length: 4000 }, () => carried(question, draws))

  test('leaves the question whole, but for its first letter', () => {
    for (const text of dressed) expect(text.replace('what is', 'What is')).toContain(question)
  })
  test('is there for the share that is stated, and hardly ever twice the same', () => {
    const changed = dressed.filter((text) => text !== question)
    expect(Math.abs(changed.length / dressed.length - CARRIED_SHARE)).toBeLessThan(0.03)
    expect(new Set(changed).size / changed.length).toBeGreaterThan(0.6)
  })
  test('asks nothing, names nothing that a record is about, and is none of the kinds of phrasing that are held out', () => {
    const around = dressed.map((text) => ` ${text.toLowerCase().replace(question.toLowerCase(), ' ')} `).join('\n')
    for (const name of names) expect(around.includes(` ${name} `), name).toBe(false)
    const heldOut = newPhrasings.flatMap((phrasing) => frames[phrasing]).flatMap((frame) => frame.split(/\{[^}]*\}/))
    for (const part of heldOut.filter((text) => text.trim().split(' ').length > 1)) expect(around).not.toContain(part.trim().toLowerCase())
    for (const word of ['exam', 'quiz', 'viva', 'flash card', 'wants to know', 'field', 'topic:', '{', '[', '|', '#'])
      expect(around).not.toContain(word)
  })
})

describe('unknown names', () => {
  const unknowns = new Unknowns(records, { facts, missing }, 'full')
  const maker = new NameMaker(names, ['amoxicillin', 'paracetamol'])

  test('150 real ones, in no record, half of them never trained', () => {
    const all = (['medicine', 'condition'] as const).flatMap((kind) => [realNames(kind, names, false), realNames(kind, names, true)])
    const [trained, held] = [
      [...all[0]!, ...all[2]!],
      [...all[1]!, ...all[3]!],
    ]
    expect(trained.length + held.length).toBeGreaterThanOrEqual(150)
    expect(Math.abs(trained.length - held.length) / (trained.length + held.length)).toBeLessThan(0.2)
    for (const name of [...trained, ...held]) expect(names.has(name.toLowerCase()), name).toBe(false)
    expect(trained.filter((name) => held.includes(name))).toEqual([])
    // a name that gains a record is no longer unknown
    expect(
      realNames('medicine', new Set(['abatacept', 'cisplatin']), false).concat(realNames('medicine', new Set(['abatacept', 'cisplatin']), true)),
    ).not.toContain('cisplatin')
  })
  test('those of records that are not taught, but for one that could be meant by a taught name', () => {
    const [taught, untaught] = [records.slice(0, 20), records.slice(20)]
    const known = knownNames(taught)
    const all = (['medicine', 'condition', 'emergency', 'prevention'] as const).map((kind) =>
      [false, true].map((held) => realNames(kind, known, held, untaught)),
    )
    for (const [trained, held] of all) expect(trained!.filter((name) => held!.includes(name))).toEqual([])
    const names = new Set(all.flat(2).map((name) => name.toLowerCase()))
    const shared = untaught.filter(({ name }) => !names.has(name.toLowerCase()))
    for (const { name } of shared)
      expect([...known].some((other) => other.includes(name.toLowerCase()) || name.toLowerCase().includes(other)) || name.length < 4, name).toBe(true)
    expect(shared.length).toBeLessThan(untaught.length / 10)
  })
  test('odd things to be asked of a name are thousands, and no noun of the tests is trained', () => {
    const draws = chance(6, 'odd')
    const things = (held: boolean) => new Set(Array.from({ length: 6000 }, () => oddThing('medicine', draws, held)))
    const [trained, held] = [things(false), things(true)]
    expect(trained.size).toBeGreaterThan(1500)
    const noun = (thing: string) => thing.split(' ').at(-1)
    expect([...held].filter((thing) => trained.has(thing))).toEqual([])
    expect(new Set([...held].map(noun)).size).toBeGreaterThan(40)
  })
  test('thousands of made-up ones, of which no training stream reaches one of the tests', () => {
    const draws = chance(1, 'names')
    const make = (held: boolean, count: number) =>
      new Set(
        Array.from({ length: count }, (_, n) => maker.make((['medicine', 'condition', 'emergency', 'prevention'] as const)[n % 4]!, draws, held)),
      )
    const [trained, held] = [make(false, 3000), make(true, 400)]
    expect(trained.size).toBeGreaterThan(2600)
    expect([...held].filter((name) => trained.has(name))).toEqual([])
    for (const name of [...trained, ...held]) {
      expect(name).toMatch(/^[\p{L} ]{3,60}$/u)
      expect(names.has(name.toLowerCase())).toBe(false)
    }
    // nothing that could be a known name misspelt
    const near = [...trained]
      .slice(0, 500)
      .filter((name) => [...names].some((known) => known.slice(0, 2) === name.toLowerCase().slice(0, 2) && distance(known, name.toLowerCase()) <= 2))
    expect(near).toEqual([])
  })
  test('every pair declines in the agreed words, names what is unknown and has no entity', () => {
    const draws = chance(2, 'pairs')
    const kinds = new Map<string, number>()
    for (let n = 0; n < 1500; n++) {
      const pair = unknowns.draw(draws, n % 2 === 0)
      if (!pair) continue
      kinds.set(pair.kind, (kinds.get(pair.kind) ?? 0) + 1)
      expect(pair.a).toMatch(DECLINES)
      expect(pair.keys).toEqual([])
      expect(pair.q).not.toMatch(/\{\w|undefined/)
      if (pair.kind === 'unknown.topic') expect(pair.a).toBe(OUTSIDE)
      if (pair.kind !== 'unknown.name') continue
      const name = pair.fact.slice('unknown/'.length)
      expect(pair.a).toBe(noData(name, 'full'))
      expect(normalised(pair.q)).toContain(normalised(name))
    }
    expect([...kinds.keys()].sort()).toEqual(['unknown.aspect', 'unknown.name', 'unknown.topic'])
    expect(kinds.get('unknown.name')! / 1500).toBeGreaterThan(0.4)
  })
  test('a small model is not made to repeat what it does not know', () => {
    const small = new Unknowns(records, { facts, missing }, 'core')
    const draws = chance(4, 'pairs')
    const said = new Set(Array.from({ length: 400 }, (_, n) => small.draw(draws, n % 2 === 0)?.a))
    expect(said).toEqual(new Set([noData('', 'core'), OUTSIDE]))
  })
  test('an aspect is declined only where the record is silent', () => {
    const draws = chance(3, 'silent')
    for (let n = 0; n < 3000; n++) {
      const pair = unknowns.draw(draws, false)
      if (pair?.kind !== 'unknown.aspect' || !pair.fact.startsWith('unknown/medicine.child-dose/')) continue
      const record = records.find(({ name }) => `unknown/medicine.child-dose/${name}` === pair.fact)!
      expect(record.kind === 'medicine' && record.doses.every(({ population }) => population === 'adult' || population === 'older adult')).toBe(true)
    }
  })
})
