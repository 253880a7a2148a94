// Owns the tests of the answer cache's pure parts: the normalised form, the buckets, the memory level, the embedder's file and equation 8.
import fc from 'fast-check'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bucketsOf } from '../../../app/ask/answer-cache/buckets.ts'
import { formOf, pausesOf, tokensOf, wordsOf } from '../../../app/ask/answer-cache/form.ts'
import { LeastRecentlyUsed } from '../../../app/ask/answer-cache/memory.ts'
import { embedWords, loadEmbedder } from '../../../app/ask/embedder.ts'
import { cosine, jaccard, readFit, similarity, toBytes } from '../../../app/ask/similarity.ts'
import { lengthOf, readVectors, writeVectors, type VectorFile } from '../../../app/ask/word-vectors.ts'
import { AppError } from '../../../app/contract/errors.ts'

const shipped = join(import.meta.dirname, '../../../models/embedder')
const form = (question: string) => formOf(tokensOf(question))

describe('the normalised form', () => {
  it.each([
    ['Dose of Amoxicillin?', '  dose   of\namoxicillin '],
    ['co-amoxiclav 500mg', 'Co-Amoxiclav 500 mg.'],
    ['patient’s weight', "patient's WEIGHT"],
    ['.5 mg b.d.', '0.5 mg bd'],
    ['5 μg', '5 µg'],
    ['Ménière disease', 'Meniere disease'],
    ['COVID-19 vaccine', 'covid 19 vaccine'],
    ['5–10 mg', '5-10mg'],
    ['nausea, vomiting (severe)', 'nausea vomiting severe'],
    ['“gout”', 'gout…'],
  ])('is one for %s and %s', (a, b) => {
    expect(form(a)).toBe(form(b))
  })

  it.each([
    ['5 mg', '50 mg'],
    ['0.5 mg', '05 mg'],
    ['.5 mg', '5 mg'],
    ['1.5 mg', '15 mg'],
    ['1½ tablets', '11/2 tablets'],
    ['10³ cells', '103 cells'],
    ['potassium > 6', 'potassium < 6'],
    ['x ≠ 5', 'x = 5'],
    ['x ≯ 5', 'x > 5'],
    ['HbA1c ≤ 48', 'HbA1c ≥ 48'],
    ['temperature -5', 'temperature 5'],
    ['Na+ low', 'Na low'],
    ['5 %', '5'],
    ['no, penicillin', 'no penicillin'],
    ['not pregnant. Diabetic', 'not pregnant diabetic'],
    ['?PE', 'PE'],
    ['mg/kg', 'mg kg'],
    ['5 mg', '5 mcg'],
    ['β blocker', 'b blocker'],
  ])('is not one for %s and %s', (a, b) => {
    expect(form(a)).not.toBe(form(b))
  })

  it('does not see capitals and spaces, and no text breaks it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary' }), (ascii, any) => {
        expect(form(ascii.toUpperCase())).toBe(form(ascii))
        expect(form(`  ${ascii.replaceAll(' ', ' \t ')}\n`)).toBe(form(ascii))
        expect(typeof form(any)).toBe('string')
      }),
      { numRuns: 500 },
    )
  })

  it('takes time that grows with the text alone', () => {
    for (const hostile of ['a\u0301', '1.', '-', 'no,', '. ', '½', '³'].map((piece) => piece.repeat(60_000)))
      expect(tokensOf(hostile).length).toBeLessThan(200_000)
  })

  it('tells the pause behind a no', () => {
    expect(pausesOf(tokensOf('no, penicillin'))).not.toBe(pausesOf(tokensOf('no penicillin')))
    expect(pausesOf(tokensOf('fever, cough'))).toBe(pausesOf(tokensOf('fever cough')))
  })
})

describe('buckets', () => {
  const { rarity } = loadEmbedder(shipped)
  const meet = (a: string, b: string) => {
    const [first, second] = [a, b].map((text) => new Set(bucketsOf(wordsOf(tokensOf(text)), rarity).map(({ text: key }) => key)))
    return [...first!].some((key) => second!.has(key))
  }

  it.each([
    ['What is the dose of amoxicillin 5 mg?', 'amoxicillin 50 mg dose'],
    ['How do I stop olanzapine?', 'How do I discontinue olanzapine?'],
    ['side effects of ramipril in the elderly', 'ramipril adverse reactions in old people'],
    ['hepatic encephalopathy treatment', 'How is encephalopathy of the liver treated?'],
  ])('let %s meet %s', (a, b) => {
    expect(meet(a, b)).toBe(true)
  })

  it('are few, whatever the question, and none for a question that says nothing', () => {
    const words = (n: number) => Array.from({ length: n }, (_, at) => `word${at}`)
    for (const n of [1, 2, 3, 5, 500]) expect(bucketsOf(words(n), rarity).length).toBeLessThanOrEqual(9)
    expect(bucketsOf(wordsOf(tokensOf('What is it to you?')), rarity)).toEqual([])
    expect(meet('What is the cause of gout?', 'What is the dose of ramipril?')).toBe(false)
  })
})

describe('the memory level', () => {
  it('holds what a plain list of the last uses would hold', () => {
    const operation = fc.tuple(
      fc.constantFrom('get', 'set', 'delete'),
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fc.integer({ min: 1, max: 60 }),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const memory = new LeastRecentlyUsed<number>(200, (value) => value)
        let list: [string, number][] = []
        for (const [what, key, value] of operations) {
          const old = list.find(([name]) => name === key)
          if (what === 'get') {
            expect(memory.get(key)).toBe(old?.[1])
            if (old) list = [...list.filter((one) => one !== old), old]
          } else {
            list = list.filter((one) => one !== old)
            if (what === 'delete') memory.delete(key)
            else {
              memory.set(key, value)
              if (value + 2 <= 50) list.push([key, value])
              while (list.reduce((sum, [, bytes]) => sum + bytes + 2, 0) > 200) list.shift()
            }
          }
          expect(memory.size).toBe(list.length)
          expect(memory.bytes).toBe(list.reduce((sum, [, bytes]) => sum + bytes + 2, 0))
        }
      }),
    )
  })

  it('of no bytes holds nothing', () => {
    const memory = new LeastRecentlyUsed<string>(0, () => 1)
    memory.set('a', 'x')
    expect([memory.get('a'), memory.size]).toEqual([undefined, 0])
  })
})

describe('the embedder', () => {
  const embedder = loadEmbedder(shipped)
  const cos = (a: string, b: string) => cosine(embedder.embed(a), embedder.embed(b))

  it('ships in less than 4 MB and gives vectors of unit length, or none', () => {
    expect(statSync(join(shipped, 'words.vec')).size).toBeLessThan(4_000_000)
    for (const text of ['chest pain', 'Amoxicillin 500 mg', 'zyxwvutin', 'naproxenn']) expect(lengthOf(embedder.embed(text))).toBeCloseTo(1, 5)
    for (const text of ['', '?!', '…']) expect(lengthOf(embedder.embed(text))).toBe(0)
    expect(embedder.embed('x')).toHaveLength(embedder.dimensions)
  })

  it.each([
    ['high blood pressure', 'hypertension', 'skin rash'],
    ['ramipril', 'lisinopril', 'eczema'],
    ['heart attack', 'myocardial infarction', 'vaccination schedule'],
    ['kidney failure', 'renal failure', 'hearing loss'],
    ['loose stools in a child', 'diarrhoea in an infant', 'migraine in a woman'],
    ['diarrhea', 'diarrhoea', 'asthma'],
  ])('puts %s nearer to %s than to %s', (a, near, far) => {
    expect(cos(a, near)).toBeGreaterThan(cos(a, far))
  })

  it('knows of a word that is misspelt what its letters say', () => {
    for (const [typed, meant] of [
      ['amoxicilin', 'amoxicillin'],
      ['naproxenn', 'naproxen'],
      ['ramipryl', 'ramipril'],
      ['diarhoea', 'diarrhoea'],
    ] as const)
      for (const other of ['warfarin', 'fracture', 'vaccine', 'asthma']) expect(cos(typed, meant)).toBeGreaterThan(cos(typed, other))
  })

  it('does not depend on order, capitals or repetition', () => {
    expect(cos('Gout in the elderly', 'elderly gout GOUT in the')).toBeCloseTo(1, 5)
  })

  it('loses less than a hundredth of a cosine when it is stored as bytes', () => {
    const texts = ['dose of amoxicillin', 'asthma in a child', 'which tests for anaemia', 'gout treatment']
    for (const a of texts)
      for (const b of texts) expect(Math.abs(cosine(toBytes(embedder.embed(a)), toBytes(embedder.embed(b))) - cos(a, b))).toBeLessThan(0.01)
  })

  it('says which of its files is missing or damaged', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-embedder-'))
    const expectRefused = (name: string, how: string) => {
      const load = () => loadEmbedder(folder)
      expect(load).toThrow(AppError)
      expect(load).toThrow(new RegExp(`${name}.* is ${how}`))
    }
    expectRefused('words.vec', 'missing')
    cpSync(shipped, folder, { recursive: true })
    expect(loadEmbedder(folder).id).toBe(embedder.id)
    const fit = readFileSync(join(folder, 'similarity.json'), 'utf8')
    writeFileSync(join(folder, 'similarity.json'), fit.replace(embedder.id, '000000000000'))
    expectRefused('similarity.json', 'damaged')
    writeFileSync(join(folder, 'words.vec'), readFileSync(join(folder, 'words.vec')).subarray(0, -1))
    expectRefused('words.vec', 'damaged')
    rmSync(folder, { recursive: true })
  })
})

describe('a file of word vectors', () => {
  const file: VectorFile = {
    dimensions: 2,
    words: ['gout', 'ache'],
    weights: Float32Array.from([0.5, 1]),
    common: Float32Array.from([0, 0]),
    data: Int8Array.from([127, 0, 0, -64, 0, 0, 3, 4]),
    buckets: 2,
  }

  it('comes back as it was written, rows at unit length', () => {
    const vectors = readVectors(writeVectors(file))
    expect(vectors).toMatchObject(file)
    expect([...embedWords(['ache'], vectors)]).toEqual([0, -1])
    const both = embedWords(['gout', 'ache'], vectors)
    expect(both[0]! / both[1]!).toBeCloseTo(-0.5, 5)
  })

  it('that was changed anywhere is refused or still whole', () => {
    const bytes = writeVectors(file)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(20), (at, flip, cut) => {
        const changed = Buffer.from(bytes).subarray(0, bytes.length - cut)
        if (at < changed.length) changed[at] = changed[at]! ^ flip
        let vectors
        try {
          vectors = readVectors(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          return
        }
        expect(vectors.data).toHaveLength((vectors.words.length + vectors.buckets) * vectors.dimensions)
        embedWords(['gout', 'aching'], vectors)
      }),
      { numRuns: 500 },
    )
  })
})

describe('equation 8', () => {
  it('is Jaccard and cosine in the shares of α', () => {
    const a = { words: new Set(['a', 'b', 'c']), vector: [1, 0] }
    const b = { words: new Set(['b', 'c', 'd']), vector: [1, 1] }
    expect(jaccard(a.words, b.words)).toBe(0.5)
    expect(similarity(a, b, 0.7)).toBeCloseTo(0.7 * 0.5 + 0.3 * Math.SQRT1_2, 10)
    expect(similarity(a, b, 0.7)).toBe(similarity(b, a, 0.7))
    expect([jaccard(new Set(), new Set()), cosine([0, 0], [1, 1]), cosine([1], [1, 1])]).toEqual([0, 0, 0])
  })

  it('takes a fit only of its own embedder and within its ranges', () => {
    const fit = { embedder: 'e', alpha: 0.5, serve: 0.2, near: 0.3 }
    expect(readFit(JSON.stringify({ ...fit, how: 'x' }), 'e')).toEqual(fit)
    expect(() => readFit(JSON.stringify(fit), 'f')).toThrow('fitted for e')
    for (const bad of [{ alpha: 1.1 }, { serve: null }, { near: 'x' }]) expect(() => readFit(JSON.stringify({ ...fit, ...bad }), 'e')).toThrow()
  })
})
