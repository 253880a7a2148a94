// Owns the proof that nothing held out is trained: phrasings, kinds of phrasing, names, questions; and that passes and order are as they are said to be.
import { beforeAll, describe, expect, test } from 'vitest'
import { newPhrasings, trainedPhrasings } from '../../../models/workshop/corpus/frames.ts'
import { FULL_ORDER, ordered, stageOf } from '../../../models/workshop/corpus/order.ts'
import { factKinds, normalised, type Pair } from '../../../models/workshop/corpus/pair.ts'
import { PHRASINGS, trainingPass, type Pass } from '../../../models/workshop/corpus/passes.ts'
import { templatesOf } from '../../../models/workshop/corpus/phrasings.ts'
import { assertNoLeak, buildCorpus, testNames, UNKNOWN_SHARE, type Corpus } from '../../../models/workshop/corpus/split.ts'
import { allRecords, condition, emergency, medicine, prevention } from './corpus-records.ts'

const records = allRecords()
let corpus: Corpus
let passes: Pass[]
let all: Pair[]
beforeAll(() => {
  corpus = buildCorpus(records, { seed: 1, breadth: 'core' })
  passes = [0, 1, 2].map((number) => trainingPass(corpus, number))
  all = passes.flatMap(({ pairs }) => pairs)
})
/** Letters and digits alone: a comparison of the test's own. */
const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

describe('nothing held out is trained', () => {
  test('no question of any held-out set, however it is spaced, marked or capitalised', () => {
    const seen = new Set(all.map(({ q }) => bare(q)))
    for (const name of testNames) {
      expect(corpus.tests[name].length).toBeGreaterThan(400)
      expect(corpus.tests[name].filter(({ q }) => seen.has(bare(q)))).toEqual([])
    }
  })
  test('no held-out question stands in two held-out sets', () => {
    const held = testNames.flatMap((name) => corpus.tests[name].map(({ q }) => normalised(q)))
    expect(new Set(held).size).toBe(held.length)
  })
  test('a held-out phrasing is not trained for its fact in any dress, and is trained for others', () => {
    const cores = new Map(factKinds.flatMap((kind) => templatesOf(kind).map(({ id, core }) => [id, `${kind} ${core}`])))
    const byFact = new Set<string>()
    const byOthers = new Map<string, Set<string>>()
    for (const { fact, template } of all) {
      const core = cores.get(template)
      if (core === undefined) continue
      byFact.add(`${fact} ${core}`)
      if (!byOthers.has(core)) byOthers.set(core, new Set())
      byOthers.get(core)!.add(fact)
    }
    const held = corpus.tests['test-phrasing']
    expect(held.filter(({ fact, template }) => byFact.has(`${fact} ${cores.get(template)!}`))).toEqual([])
    // three passes have drawn nearly every sentence for some other fact
    const seenElsewhere = held.filter(({ fact, template }) => [...(byOthers.get(cores.get(template)!) ?? [])].some((other) => other !== fact))
    expect(seenElsewhere.length / held.length).toBeGreaterThan(0.95)
  })
  test('a new kind of phrasing is in no pass, and every fact is asked in one', () => {
    const fresh = new Set<string>(newPhrasings)
    expect(all.filter(({ phrasing }) => fresh.has(phrasing))).toEqual([])
    expect(corpus.tests['test-kind'].every(({ phrasing }) => fresh.has(phrasing))).toBe(true)
    expect(new Set(corpus.tests['test-kind'].map(({ phrasing }) => phrasing)).size).toBe(newPhrasings.length)
    expect(corpus.tests['test-kind'].length / corpus.facts.length).toBeGreaterThan(0.98)
  })
  test('a held-out unknown name is in no question and no answer of training', () => {
    const held = corpus.tests['test-unknown']
      .filter(({ kind }) => kind === 'unknown.name')
      .map(({ fact }) => fact.slice('unknown/'.length).toLowerCase())
    expect(new Set(held).size).toBeGreaterThan(200)
    const names = new Set(held)
    const said = new Set(all.filter(({ kind }) => kind.startsWith('unknown.')).map(({ fact }) => fact.slice('unknown/'.length).toLowerCase()))
    expect([...names].filter((name) => said.has(name))).toEqual([])
    // a name can hide in a longer one
    const words = (text: string) =>
      ` ${text
        .toLowerCase()
        .replace(/[^\p{L}]+/gu, ' ')
        .trim()} `
    const asked = all
      .filter(({ kind }) => kind === 'unknown.name')
      .map(({ q }) => words(q))
      .join('|')
    expect([...names].filter((name) => asked.includes(words(name)))).toEqual([])
  })
  test('the proof itself finds a leak of each kind', () => {
    const pass = passes[0]!.pairs
    expect(() => assertNoLeak(corpus, pass)).not.toThrow()
    for (const name of testNames) {
      const leaked = { ...corpus.tests[name][0]! }
      expect(() => assertNoLeak(corpus, [...pass, leaked])).toThrow('held out')
      expect(() => assertNoLeak(corpus, [...pass, { ...leaked, q: leaked.q.toUpperCase() + ' !' }])).toThrow('held out')
    }
    const other = { ...corpus.tests['test-phrasing'][0]!, q: 'a question that is nowhere' }
    expect(() => assertNoLeak(corpus, [other])).toThrow('held out')
    expect(() => assertNoLeak(corpus, [{ ...pass[0]!, phrasing: 'exam' }])).toThrow('held out')
    const name = corpus.tests['test-unknown'].find(({ kind }) => kind === 'unknown.name')!
    expect(() => assertNoLeak(corpus, [{ ...name, q: 'another question' }])).toThrow('held out')
  })
})

describe('a pass', () => {
  test('has at least 2,000 pairs, four to eight phrasings a fact, no question twice, the stated share to be declined', () => {
    const { pairs } = passes[0]!
    expect(pairs.length).toBeGreaterThan(2000)
    expect(new Set(pairs.map(({ q }) => normalised(q))).size).toBe(pairs.length)
    const counts = new Map<string, number>()
    for (const { fact } of pairs) counts.set(fact, (counts.get(fact) ?? 0) + 1)
    const perFact = corpus.facts.map(({ id }) => counts.get(id) ?? 0)
    expect(Math.max(...perFact)).toBe(PHRASINGS.most)
    expect(perFact.filter((count) => count < PHRASINGS.least).length / perFact.length).toBeLessThan(0.01)
    const unknown = pairs.filter(({ kind }) => kind.startsWith('unknown.')).length
    expect(Math.abs(unknown / pairs.length - UNKNOWN_SHARE)).toBeLessThan(0.005)
  })
  test('draws every kind of phrasing, and one question has one answer', () => {
    expect(new Set(passes[0]!.pairs.map(({ phrasing }) => phrasing))).toEqual(new Set(trainedPhrasings))
    const answers = new Map<string, string>()
    const two: string[] = []
    for (const { q, a } of all) {
      const form = normalised(q)
      if ((answers.get(form) ?? a) !== a) two.push(q)
      answers.set(form, a)
    }
    expect(two).toEqual([])
  })
  test('is the same whenever it is made, and unlike the others and unlike that of another seed', () => {
    expect(trainingPass(corpus, 1)).toEqual(passes[1])
    const [first, second] = passes.map(({ pairs }) => new Set(pairs.map(({ q }) => q))) as [Set<string>, Set<string>]
    expect([...second].filter((q) => first.has(q)).length / second.size).toBeLessThan(0.25)
    const small = [medicine(), condition(), emergency(), prevention()]
    const of = (seed: number) => trainingPass(buildCorpus(small, { seed, breadth: 'full' }), 0).pairs.map(({ q }) => q)
    expect(of(1)).toEqual(of(1))
    expect(of(2)).not.toEqual(of(1))
  })
  test('a new record changes nothing for the held-out phrasings of the others', () => {
    const before = buildCorpus([medicine(), condition()], { seed: 1, breadth: 'full' })
    const after = buildCorpus([medicine(), condition(), emergency()], { seed: 1, breadth: 'full' })
    const known = new Set(before.facts.map(({ id }) => id))
    expect(after.tests['test-phrasing'].filter(({ fact }) => known.has(fact))).toEqual(before.tests['test-phrasing'])
  })
})

describe('order', () => {
  test('complexity rises in stages, basic knowledge comes before specialised, and no stage is in alphabetical order', () => {
    const { pairs } = passes[0]!
    const list = ordered(pairs, FULL_ORDER, 1)
    expect(list.length).toBe(pairs.length)
    expect(new Set(list)).toEqual(new Set(pairs))
    const stages = list.map((pair) => stageOf(pair, FULL_ORDER))
    expect(stages).toEqual([...stages].sort((a, b) => a - b))
    expect(list.findLastIndex(({ knowledge }) => knowledge === 'basic')).toBeLessThan(list.findIndex(({ knowledge }) => knowledge === 'specialised'))
    const first = list.filter((pair) => stageOf(pair, FULL_ORDER) === 0).map(({ fact }) => fact)
    expect(first).not.toEqual([...first].sort())
  })
  test('either rule can be left out, and the seed decides the rest', () => {
    const { pairs } = passes[0]!
    const levels = ordered(pairs, { progressive: true, basicFirst: false }, 1).map(({ level }) => level)
    expect(levels).toEqual([...levels].sort((a, b) => a - b))
    const knowledge = ordered(pairs, { progressive: false, basicFirst: true }, 1).map((pair) => pair.knowledge)
    expect(knowledge).toEqual([...knowledge].sort())
    const free = { progressive: false, basicFirst: false }
    expect(ordered(pairs, free, 1)).toEqual(ordered(pairs, free, 1))
    expect(ordered(pairs, free, 2)).not.toEqual(ordered(pairs, free, 1))
  })
})
