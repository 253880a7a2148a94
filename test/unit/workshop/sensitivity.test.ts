// Owns the proof of the sensitivity analysis: tags, texts, sums, groups and budgets by themselves, and the verb as a whole on the starter.
import fc from 'fast-check'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadKeywordTables } from '../../../app/clinical/keywords.ts'
import { categories } from '../../../app/contract/entities.ts'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { exportModel } from '../../../models/workshop/export.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { readRecipe, typeFor, type Recipe } from '../../../models/workshop/recipe.ts'
import { parseBudget } from '../../../models/workshop/sensitivity/budget.ts'
import { groupsOf, optionsOf, recipeOf } from '../../../models/workshop/sensitivity/groups.ts'
import { countKnown, countTags, riseOf } from '../../../models/workshop/sensitivity/measure.ts'
import { tagTokens } from '../../../models/workshop/sensitivity/tag.ts'
import { corpusPath, readLines, textsFor, type Text } from '../../../models/workshop/sensitivity/texts.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { sensitivityVerb } from '../../../models/workshop/verbs/sensitivity.ts'
import { starter } from '../models.ts'
import { header } from './starter-copies.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-sensitivity-test-'))
const before = process.env['TMPDIR']
const temporary = join(folder, 'tmp')
beforeAll(() => {
  mkdirSync(temporary)
  process.env['TMPDIR'] = temporary
})
afterAll(() => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  rmSync(folder, { recursive: true, force: true })
})
const tables = loadKeywordTables(join(import.meta.dirname, '../../../models/terms'))

describe('the tags of a text', () => {
  /** [term] and {number}, one token a character. */
  const marked = (text: string) => {
    const characters = [...text]
    const found = tagTokens(
      text,
      characters.map((character) => Buffer.from(character)),
      tables,
    )
    let shown = ''
    characters.forEach((character, n) => {
      const [here, last] = [found[n]!, found[n - 1] ?? 'ordinary']
      if (here !== last) shown += (last === 'term' ? ']' : last === 'number' ? '}' : '') + (here === 'term' ? '[' : here === 'number' ? '{' : '')
      shown += character
    })
    const end = found.at(-1)
    return shown + (end === 'term' ? ']' : end === 'number' ? '}' : '')
  }

  it.each([
    '[Paracetamol] {500 mg} to {1 g} every {4 to 6 hours}, at most {4 g} in {24 hours}.',
    'Give [amoxicillin] {500 mg three times a day} for {5 days}.',
    'First-line treatment of [type 2 diabetes] is lifestyle change and [metformin].',
    'Red flags in [hypertension]: pressure above {180/120} with [headache] or [chest pain].',
    'Aim for {94 to 98 %}, that is {10-20 mg/kg} or {0.5 ml/kg/hour}.',
    'The [TSH] is {14}; blood group A2 and CYP2C19 are names, not numbers.',
    'Turn the patient {every 6 hours} and call {one hour} later, for one cannot wait.',
    'A temperature of {38.5 °C} — «naïve» — {1 in 1,000 people}.',
    'Nothing here.',
  ])('%s', (text) => {
    expect(marked(text.replace(/[[\]{}]/g, ''))).toBe(text)
  })

  it('of tokens are those of their characters, whatever the tokeniser cuts', async () => {
    const text = 'For 5 µg of adrenaline — naïve — 中文 take 0.5 mg.'
    const model = await Evaluator.open({ model: starter })
    try {
      const pieces = await model.pieces(await model.tokenize(text, { special: false }))
      const found = tagTokens(text, pieces, tables)
      const of = (tag: string) => Buffer.concat(pieces.filter((_, n) => found[n] === tag)).toString()
      expect(found).toHaveLength(pieces.length)
      expect(of('term').trim()).toBe('adrenaline')
      expect(of('number').replaceAll(' ', '')).toBe('5µg0.5mg')
      // a tokeniser that puts a space first shifts nothing
      expect(
        tagTokens('5 mg of iron', [Buffer.from(' 5'), Buffer.from(' mg'), Buffer.from(' of'), Buffer.from(' iron')], tables).slice(0, 3),
      ).toEqual([...['number', 'number'], 'ordinary'])
    } finally {
      await model.close()
    }
  })
})

describe('the medical texts', () => {
  const lines = readLines(corpusPath)
  it('are enough, of all categories from the beginning on, each asked once', () => {
    expect(lines.length).toBeGreaterThanOrEqual(160)
    expect(new Set(lines.map(({ q }) => q)).size).toBe(lines.length)
    expect(new Set(lines.map(({ a }) => a)).size).toBe(lines.length)
    for (const category of categories) expect(lines.filter((line) => line.category === category).length).toBeGreaterThanOrEqual(10)
    for (const most of [12, 24, 48]) expect(new Set(readLines(corpusPath, most).map(({ category }) => category)).size).toBe(categories.length)
    for (const { q, a } of lines) for (const text of [q, a]) expect(text).toMatch(/^\S[^\n<|]*\S$/)
  })

  it('hold sixty that the starter answers word for word, and others that it does not know', async () => {
    const model = await Evaluator.open({ model: starter })
    try {
      const texts = await textsFor(model, lines)
      expect(texts).toHaveLength(lines.length)
      let known = 0
      for (const { tokens, from } of texts) {
        const answer = tokens.slice(from)
        const written = await model.generate(tokens.slice(0, from), 12)
        if (written.every((token, n) => token === answer[n])) known++
      }
      expect(known).toBeGreaterThanOrEqual(60)
      expect(known).toBeLessThan(lines.length / 2)
      const counts = countTags(texts)
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(1000)
    } finally {
      await model.close()
    }
  })

  it('of a user are refused with the line that is wrong', () => {
    expect(() => readLines(join(folder, 'absent.jsonl'))).toThrow('absent.jsonl cannot be read')
    expect(() => readLines(join(import.meta.dirname, '../../../models/catalog.json'))).toThrow(/Line 1 of catalog.json/)
  })
})

describe('the rise of a loss', () => {
  const text = (tags: number[]): Text => ({ tokens: [9, ...tags.map(() => 1)], from: 1, tagged: Uint8Array.from(tags) })
  it('is the mean by kind of token, and the mean of the kinds', () => {
    const texts = [text([0, 1, 2, 2]), text([2, 2])]
    const base = [Float32Array.of(1, 1, 1, 1), Float32Array.of(1, 1)]
    const now = [Float32Array.of(4, 7, 2, 2), Float32Array.of(1, 3)]
    const rise = riseOf(texts, now, base)
    expect(rise).toMatchObject({ term: 3, number: 6, ordinary: 1, all: 10 / 3 })
    // by text: 3/3 + 6/3 + (2/4)/3 and (2/4)/3
    const [a, b] = [1 + 2 + 0.5 / 3, 0.5 / 3]
    expect(rise.error).toBeCloseTo(Math.sqrt(2 * ((a - (a + b) / 2) ** 2 + (b - (a + b) / 2) ** 2)), 10)
    expect(riseOf(texts, base, base)).toMatchObject({ term: 0, number: 0, ordinary: 0, all: 0, error: 0 })
    // a kind that does not occur is no kind
    expect(riseOf([text([2, 2])], [Float32Array.of(2, 4)], null)).toMatchObject({ term: 0, ordinary: 3, all: 3 })
  })

  it('counts what the model knows, and cuts what follows', () => {
    const texts = [text([0, 1, 2, 2]), text([0, 0])]
    const base = [Float32Array.of(0.1, 5, 0.6, 9), Float32Array.of(3, 3)]
    const known = countKnown(texts, base, 0.5)
    expect(known.texts).toHaveLength(1)
    expect(known.texts[0]!.tokens).toHaveLength(1 + 3)
    expect(countTags(known.texts)).toEqual({ term: 1, number: 0, ordinary: 1 })
    expect(known.base[0]).toEqual(base[0]!.slice(0, 3))
    expect(riseOf(known.texts, [Float32Array.of(1.1, 100, 0.6)], known.base).term).toBeCloseTo(1)
    expect(countTags(countKnown(texts, base, 0).texts)).toEqual(countTags(texts))
  })
})

describe('groups, recipes and budgets', () => {
  it('cover every matrix once, by kind and by layer', () => {
    const matrices = header.tensors.filter(({ dims }) => dims.length > 1).map(({ name }) => name)
    for (const by of ['kind', 'layer'] as const) {
      const groups = groupsOf(header.tensors, by)
      expect(groups.flatMap(({ tensors }) => tensors.map(({ name }) => name)).toSorted()).toEqual(matrices.toSorted())
    }
    expect(groupsOf(header.tensors, 'kind').map(({ name }) => name)).toEqual([
      ...['embedding', 'attention q, k', 'attention v, output', 'ffn gate, up', 'ffn down'],
    ])
    // rows of 704 hold no block of 256
    const down = groupsOf(header.tensors, 'layer').find(({ name }) => name === 'ffn down 2')!
    expect(optionsOf(down, ['Q8_0', 'Q4_K', 'IQ4_NL']).map(({ type }) => type)).toEqual(['Q8_0', 'IQ4_NL'])
  })

  it('become a recipe that gives every matrix the type that was chosen', () => {
    const words: Pick<Recipe, 'name' | 'about'> = { name: 'x', about: '' }
    const type = fc.constantFrom('Q8_0', 'IQ4_NL', 'Q5_0', 'Q4_0') as fc.Arbitrary<'Q8_0' | 'IQ4_NL' | 'Q5_0' | 'Q4_0'>
    for (const by of ['kind', 'layer'] as const) {
      const groups = groupsOf(header.tensors, by)
      fc.assert(
        fc.property(fc.array(type, { minLength: groups.length, maxLength: groups.length }), (types) => {
          const recipe = recipeOf(groups, types, words)
          groups.forEach(({ tensors }, n) => {
            for (const tensor of tensors) expect(tensorTypes.get(typeFor(recipe, tensor, true).type)!.name).toBe(types[n])
          })
        }),
        { numRuns: 100, seed: 5 },
      )
    }
  })

  it('read a size as bytes or as bits a weight', () => {
    const facts = { weights: 8_000_000, header: 1000 }
    expect(parseBudget('4800000000', facts)).toBe(4_800_000_000)
    expect(parseBudget('5.25GB', facts)).toBe(5_250_000_000)
    expect(parseBudget('4.5 GiB', facts)).toBe(4.5 * 2 ** 30)
    expect(parseBudget('4.5', facts)).toBe(1000 + 4_500_000)
    for (const wrong of ['', 'small', '-5GB', '0', '5 apples', '1e9', 'GB']) expect(() => parseBudget(wrong, facts)).toThrow(WrongUse)
  })
})

describe('the verb', () => {
  const context = { signal: new AbortController().signal, progress: new Progress(null) }
  const run = (values: Record<string, string | boolean>, signal = context.signal) =>
    sensitivityVerb.run({ positionals: [starter], values: { by: 'kind', known: '0.5', ...values } }, { ...context, signal })

  it('measures, proposes within the size, and its recipe exports to what it said', async () => {
    const out = join(folder, 'found.json')
    const report = await run({ most: '18', types: 'Q8_0,Q5_0,Q4_0', budget: '6', out })
    expect(report.rows).toHaveLength(5 * 3)
    const detail = report.detail as { sizes: Record<string, number>; rises: Record<string, { all: number }>; recipe: Recipe; copied: string }
    // the source is Q8_0: rounding to it again changes nothing, and four bits cost more than eight
    const rise = (type: string) => report.rows.filter((row) => row['type'] === type).reduce((sum, row) => sum + Math.abs(Number(row['all'])), 0)
    expect(rise('Q8_0')).toBeLessThan(0.2)
    expect(rise('Q4_0')).toBeGreaterThan(10 * rise('Q8_0'))
    expect(detail.copied).toBe('F16')
    expect(detail.sizes['proposedBytes']).toBeLessThanOrEqual(detail.sizes['budgetBytes']!)
    expect(report.text).toContain('ffn gate, up')

    const { recipe, sha256 } = readRecipe(out)
    expect(recipe).toEqual(detail.recipe)
    const made = join(folder, 'made.gguf')
    const asked = {
      from: starter,
      to: made,
      recipe,
      recipeSha256: sha256,
      version: '0',
      importance: null,
      requantise: false,
      force: false,
      threads: 1,
    }
    await exportModel(asked, context)
    const { size } = await stat(made)
    expect(size).toBeLessThanOrEqual(detail.sizes['proposedBytes']!)
    expect(detail.sizes['proposedBytes']! - size).toBeLessThan(5000)

    // the recipe is measured in memory; the file it exports to has that loss, but for the rounding of inputs that comes with its types
    const lines = readLines(corpusPath, 18)
    const losses = async (model: string) => {
      const evaluator = await Evaluator.open({ model, contextSize: 512 })
      try {
        const texts = await textsFor(evaluator, lines)
        const found: Float32Array[] = []
        for (const { tokens, from } of texts) found.push(await evaluator.losses(tokens, from))
        return { texts, found }
      } finally {
        await evaluator.close()
      }
    }
    const [was, is] = [await losses(starter), await losses(made)]
    const known = countKnown(was.texts, was.found, 0.5)
    const cut = is.found.filter((_, n) => was.found[n]!.some((loss) => loss <= Math.LN2))
    expect(riseOf(known.texts, cut, known.base).all).toBeCloseTo(detail.rises['measured']!.all, 2)
    expect(readdirSync(temporary)).toEqual([])
  }, 120_000)

  it('stopped in the middle leaves nothing, neither a copy nor a recipe', async () => {
    const stop = new AbortController()
    const out = join(folder, 'stopped.json')
    const running = run({ out }, stop.signal)
    setTimeout(() => stop.abort(), 1500)
    await expect(running).rejects.toThrow()
    expect(readdirSync(temporary)).toEqual([])
    expect(existsSync(out)).toBe(false)
  })

  it('says what is wrong before it works', async () => {
    await expect(run({ types: 'Q8_0,Q9' })).rejects.toThrow(WrongUse)
    await expect(run({ by: 'head' })).rejects.toThrow(WrongUse)
    await expect(run({ known: '1' })).rejects.toThrow(WrongUse)
    await expect(run({ budget: 'much' })).rejects.toThrow(WrongUse)
    await expect(run({ out: join(folder, 'found.json') })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    await expect(run({ out: join(folder, 'none/found.json') })).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
    await expect(run({ most: '1', types: 'Q8_0', budget: '4' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/smallest file/) as string,
    })
    const strange = join(folder, 'strange.jsonl')
    writeFileSync(strange, JSON.stringify({ q: 'Xq zzv?', a: 'ÿ', category: 'general' }) + '\n')
    await expect(run({ texts: strange, known: '0.999', types: 'Q8_0', budget: '9' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/Lower --known/) as string,
    })
    expect(readFileSync(join(folder, 'found.json'), 'utf8')).toContain('"rules"')
  })
})
