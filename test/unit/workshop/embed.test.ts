// Owns the tests of `embed`: every step against what can be worked out by hand, the same bytes from the same seed, and what it refuses.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { loadEmbedder } from '../../../app/ask/embedder.ts'
import { cosine } from '../../../app/ask/similarity.ts'
import { countWords, mutualInformation, type Sparse } from '../../../models/workshop/embed/counts.ts'
import { fit } from '../../../models/workshop/embed/fit.ts'
import { auc, comparedPairs, jaccardScores, tfIdfScores, type Pair } from '../../../models/workshop/embed/pairs.ts'
import { truncatedSvd } from '../../../models/workshop/embed/svd.ts'
import { readTexts, type Texts } from '../../../models/workshop/embed/texts.ts'
import { random } from '../../../models/workshop/twin/random.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { embedVerb } from '../../../models/workshop/verbs/embed.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight-embed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const file = (name: string, content: string | Buffer) => {
  const path = join(root, name)
  writeFileSync(path, content)
  return path
}
const signal = new AbortController().signal
const texts = (...sentences: string[]): Texts => ({ sentences: sentences.map((one) => one.split(' ')), synonyms: [], topics: [] })
const none = { leastCount: 1, window: 1, synonymWeight: 0, topicWeight: 0 }

describe('reading', () => {
  it('finds sentences, names and topics in every form of file', () => {
    const record = {
      id: 'x1',
      kind: 'medicine',
      name: 'ramipril',
      brands: ['Tritace'],
      uses: ['high blood pressure. Heart failure'],
      doses: [{ note: 'Start low' }],
    }
    const found = readTexts([
      file('a.jsonl', `${JSON.stringify(record)}\n\n`),
      file('b.jsonl.gz', gzipSync(JSON.stringify({ question: 'What is gout?', url: 'http://no.example' }))),
      file('c.json', JSON.stringify({ gout: { synonyms: ['gouty arthritis'], cui: ['C1'] } })),
      file('d.tsv', '# a comment\nMI|AMI\tmyocardial infarction\tcaps\n'),
      file('e.txt', 'Asthma is a disease.\n'),
    ])
    const joined = found.sentences.map((words) => words.join(' '))
    expect(joined).toEqual(['high blood pressure', 'heart failure', 'start low', 'what is gout', 'asthma is a disease'])
    expect(found.synonyms.map((group) => group.map((words) => words.join(' ')))).toEqual([
      ['ramipril', 'tritace'],
      ['gout', 'gouty arthritis'],
      ['myocardial infarction', 'mi', 'ami'],
    ])
    expect(found.topics.map(({ name, sentence }) => `${name.join(' ')}: ${sentence.join(' ')}`)).toContain('ramipril: start low')
  })

  it.each([
    ['no.jsonl', '{"a": 1}\nnot json', /no\.jsonl:2: not JSON/],
    ['no.json', '{"gout": {}}', /“gout” has no list/],
    ['no.json', '[]', /not an object/],
    ['no.csv', 'a,b', /only \.jsonl/],
    ['no.jsonl.gz', 'not gzip', /cannot be read/],
  ])('refuses %s with %s', (name, content, words) => {
    expect(() => readTexts([file(name, content)])).toThrow(WrongUse)
    expect(() => readTexts([file(name, content)])).toThrow(words)
  })

  it('refuses a file that is not there', () => {
    expect(() => readTexts([join(root, 'nothing.txt')])).toThrow(/nothing\.txt cannot be read \(ENOENT\)/)
  })
})

describe('counting', () => {
  it('gives the mutual information that paper gives', () => {
    const given = texts('a b', 'a b', 'a c')
    const words = countWords(given, 1)
    expect(words).toMatchObject({ words: ['a', 'b', 'c'], counts: [3, 2, 1], total: 6 })
    const { values, columns, from } = mutualInformation(given, words, none, signal)
    // sums 3, 2, 1; contexts to the power 0.75
    const all = 3 ** 0.75 + 2 ** 0.75 + 1
    const expected = [
      Math.log((2 * all) / (3 * 2 ** 0.75)),
      Math.log((1 * all) / (3 * 1)),
      Math.log((2 * all) / (2 * 3 ** 0.75)),
      Math.log(all / 3 ** 0.75),
    ]
    expect([...from]).toEqual([0, 2, 3, 4])
    expect([...columns]).toEqual([1, 2, 0, 0])
    values.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 12))
  })

  it('weighs by distance, leaves rare words out, and stops when told to', () => {
    const given = texts('a x b', 'a y b')
    const words = countWords(given, 2)
    expect(words.words).toEqual(['a', 'b'])
    expect(mutualInformation(given, words, { ...none, window: 1 }, signal).values).toHaveLength(0)
    expect(mutualInformation(given, words, { ...none, window: 2 }, signal).values).toHaveLength(2)
    expect(() => mutualInformation(given, words, none, AbortSignal.abort())).toThrow()
  })
})

it('the decomposition finds the singular values and directions of a matrix that is known', () => {
  // A = Σ σ_i u_i v_iᵀ with orthonormal u and v from a Hadamard matrix
  const n = 16
  const popcount = (value: number) => value.toString(2).replaceAll('0', '').length
  const h = (row: number, column: number) => (popcount(row & column) % 2 === 1 ? -1 : 1) / Math.sqrt(n)
  const sigma = [9, 5, 2, 0.5]
  const dense = Array.from({ length: n * n }, (_, at) =>
    sigma.reduce((sum, value, i) => sum + value * h(Math.floor(at / n), i + 1) * h(at % n, i + 7), 0),
  )
  const matrix: Sparse = {
    size: n,
    from: Int32Array.from({ length: n + 1 }, (_, row) => row * n),
    columns: Int32Array.from({ length: n * n }, (_, at) => at % n),
    values: Float64Array.from(dense),
  }
  const { rows, values, rank } = truncatedSvd(matrix, 3, random(1), () => {})
  expect(rank).toBe(3)
  values.forEach((value, at) => expect(value).toBeCloseTo(sigma[at]!, 8))
  for (let row = 0; row < n; row++)
    for (let at = 0; at < 3; at++) expect(Math.abs(rows[row * 3 + at]!)).toBeCloseTo(Math.abs(h(row, at + 1)) * Math.sqrt(sigma[at]!), 8)
})

describe('judging', () => {
  const pairs = (...same: (0 | 1)[]) => same.map((one) => ({ same: one }))

  it('counts the area under the curve, ties as half', () => {
    expect(auc(pairs(1, 0), [2, 1])).toBe(1)
    expect(auc(pairs(1, 0), [1, 2])).toBe(0)
    expect(auc(pairs(1, 0, 1, 0), [5, 5, 5, 5])).toBe(0.5)
    expect(auc(pairs(1, 1, 0, 0), [3, 1, 2, 0])).toBe(0.75)
    expect(auc(pairs(1, 1), [1, 2])).toBeNaN()
  })

  it('scores words that are everywhere low by TF-IDF and alike by Jaccard', () => {
    const pair = (a: string, b: string): Pair => ({ a, b, same: 1, group: a })
    const given = [pair('dose of gout', 'dose of asthma'), pair('dose of gout', 'gout'), pair('dose of mumps', 'dose of measles')]
    const [tf, jac] = [tfIdfScores(given), jaccardScores(given)]
    expect(jac[0]).toBeCloseTo(0.5, 12)
    expect(tf[1]!).toBeGreaterThan(tf[0]!)
  })

  it('fits on four fifths and judges on questions it has not seen', async () => {
    const { next } = random(3)
    // the vector tells, the words do not: α must be small
    const given: Pair[] = Array.from({ length: 200 }, (_, at) => ({
      a: `question ${at >> 1}`,
      b: `other ${at}`,
      same: at % 2 === 0 ? 1 : 0,
      group: `question ${at >> 1}`,
    }))
    const same = new Map(
      given.flatMap(
        ({ a, b, same: label }) =>
          [
            [a, 1],
            [b, label === 1 ? 0.9 : 0.2],
          ] as const,
      ),
    )
    const compared = await comparedPairs(given, (text) => {
      const angle = Math.acos(same.get(text)!) + next() * 0.05
      return Float32Array.from([Math.cos(angle), Math.sin(angle)])
    })
    const fitted = fit(given, compared)
    expect(fitted.auc).toBe(1)
    expect(fitted.perFold).toHaveLength(5)
    const [serve, near] = fitted.heldOut
    expect(serve).toMatchObject({ threshold: 'serve', dissimilar: 0 })
    expect(serve!.similar).toBeGreaterThanOrEqual(95)
    // a precision of 0.8 lets one in five through
    expect(near).toMatchObject({ threshold: 'near', similar: 100 })
    expect(near!.dissimilar).toBeLessThanOrEqual(30)
    expect(fitted.serve).toBeGreaterThanOrEqual(fitted.near)
  })
})

describe('the verb', () => {
  const learn = file(
    'learn.txt',
    Array.from({ length: 30 }, (_, n) => [
      `the ${['gouty', 'swollen', 'painful'][n % 3]} joint was red and hot in the night`,
      `the ${['asthmatic', 'wheezy', 'breathless'][n % 3]} child could not sleep or run in school`,
    ])
      .flat()
      .join('\n'),
  )
  const labelled = file(
    'pairs.jsonl',
    Array.from({ length: 40 }, (_, n) =>
      JSON.stringify(
        n % 2 === 0 ? { a: `gouty joint ${n}`, b: `painful joint ${n}`, same: 1 } : { a: `gouty joint ${n - 1}`, b: 'wheezy child', same: 0 },
      ),
    ).join('\n'),
  )
  const small = { dimensions: '8', 'least-count': '1' }

  it('makes vectors that the program loads, and the same bytes again', async () => {
    const report = await runVerb(embedVerb, [join(root, 'one'), learn], { ...small, pairs: labelled })
    expect(report.rows).toHaveLength(9)
    await runVerb(embedVerb, [join(root, 'two'), learn], small)
    const [one, two] = ['one', 'two'].map((folder) => readFileSync(join(root, folder, 'words.vec')))
    expect(one!.equals(two!)).toBe(true)
    await runVerb(embedVerb, [join(root, 'two'), learn], { ...small, seed: '2', force: true })
    expect(readFileSync(join(root, 'two', 'words.vec')).equals(one!)).toBe(false)
    const embedder = loadEmbedder(join(root, 'one'))
    const near = cosine(embedder.embed('gouty'), embedder.embed('painful'))
    expect(near).toBeGreaterThan(cosine(embedder.embed('gouty'), embedder.embed('wheezy')))
    expect(embedder.rarity('the')).toBeLessThan(embedder.rarity('gouty'))
    expect(embedder.rarity('nowhere')).toBe(1)
  })

  it('fits vectors that are there already', async () => {
    await runVerb(embedVerb, [join(root, 'later'), learn], small)
    await runVerb(embedVerb, [join(root, 'later')], { pairs: labelled })
    expect(loadEmbedder(join(root, 'later')).fit.embedder).toBe(loadEmbedder(join(root, 'later')).id)
    await expectRefusal(runVerb(embedVerb, [join(root, 'later')], { pairs: labelled }), 'OUTPUT_EXISTS', 'similarity.json')
  })

  it('refuses what it cannot work with and leaves nothing behind', async () => {
    const out = join(root, 'refused')
    await expect(runVerb(embedVerb, [out])).rejects.toThrow(/--text, --pairs or both/)
    await expect(runVerb(embedVerb, [out, file('empty.txt', '')])).rejects.toThrow(/no sentence/)
    await expect(runVerb(embedVerb, [out, learn], { dimensions: 'many' })).rejects.toThrow(WrongUse)
    await expect(runVerb(embedVerb, [out], { pairs: labelled })).rejects.toThrow(/words\.vec in refused cannot be used/)
    expect(existsSync(out)).toBe(false)
    mkdirSync(out)
    writeFileSync(join(out, 'words.vec'), 'no vectors')
    await expect(runVerb(embedVerb, [out], { pairs: labelled })).rejects.toThrow(/Make it with --text/)
    await expectRefusal(runVerb(embedVerb, [out, learn], small), 'OUTPUT_EXISTS', 'words.vec')
    await runVerb(embedVerb, [join(root, 'few'), learn], small)
    const few = file('few.jsonl', '{"a": "x", "b": "y", "same": 1}')
    await expect(runVerb(embedVerb, [join(root, 'few')], { pairs: few })).rejects.toThrow(/at least ten/)
    await expect(runVerb(embedVerb, [join(root, 'few')], { pairs: file('bad.jsonl', '{"a": 1}') })).rejects.toThrow(/A line looks like/)
  })
})
