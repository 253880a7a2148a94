// Owns the tests of twins: exact shapes, a tokenizer that is a real one in all but sense, weights that every type accepts, and files that run.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../../app/base/paths.ts'
import { LoadInput, type GenerateEvent, type LoadRequest } from '../../../app/contract/engine.ts'
import { tensorTypes, typeIdOf } from '../../../app/engine/ggml-types.ts'
import { inspectModel } from '../../../app/engine/gguf.ts'
import { factOf, readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { LoadedModel } from '../../../app/engine/llama.ts'
import { EngineSupervisor } from '../../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../../app/host/engine-spawn-node.ts'
import { dequantise, valid } from '../../../models/workshop/ffi/rows.ts'
import { bytesOf, writeGguf } from '../../../models/workshop/gguf/write.ts'
import { readRecipe, Recipe, typeFor } from '../../../models/workshop/recipe.ts'
import { twinModel } from '../../../models/workshop/twin/content.ts'
import { random } from '../../../models/workshop/twin/random.ts'
import { shapes, tensorsOf, type ShapeName } from '../../../models/workshop/twin/shapes.ts'
import { makeVocabulary } from '../../../models/workshop/twin/vocabulary.ts'
import { Weights } from '../../../models/workshop/twin/weights.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { twinVerb } from '../../../models/workshop/verbs/twin.ts'
import { runVerb } from '../../support/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-twin-'))
const engine = new EngineSupervisor({ spawn: () => spawnNodeEngine(resolvePaths().engineEntry), log: { error() {}, warn() {}, info() {} } })
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})
const at = (name: string) => join(folder, name)
const twin = (args: string[], signal?: AbortSignal) => {
  const { values, positionals } = parseArgs({ args, options: twinVerb.options, allowPositionals: true })
  return runVerb(twinVerb, positionals, { ...values } as Record<string, string | boolean>, signal)
}
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
async function answer(request: Partial<LoadRequest> & { modelPath: string }, text: string) {
  const info = await engine.load({ gpu: 'off', contextSize: 256, threads: 1, ...request })
  const messages = [{ role: 'user' as const, text }]
  const { tokens } = await engine.count(messages)
  const events: GenerateEvent[] = []
  for await (const event of engine.generate({ messages, maxTokens: 8, temperature: 0 }, new AbortController().signal)) events.push(event)
  return { info, tokens, done: events.at(-1), text: events.map((event) => (event.type === 'text' ? event.text : '')).join('') }
}

describe('a shape', () => {
  // as the models' cards state them
  it.each<[ShapeName, number]>([
    ['qwen2-7b', 7_615_616_512],
    ['qwen2-1.5b', 1_543_714_304],
    ['qwen2-0.5b', 494_032_768],
    ['llama-8b', 8_030_261_248],
  ])('%s has the parameters of its model: %d', (name, parameters) => {
    // a table of frequencies is not a parameter
    const weights = tensorsOf(shapes[name]).filter((tensor) => tensor.name !== 'rope_freqs.weight')
    expect(weights.reduce((sum, { dims }) => sum + dims.reduce((product, length) => product * length, 1), 0)).toBe(parameters)
  })
})

describe.each([
  ['qwen2', 152_064, 151_643, 151_387],
  ['llama', 128_256, 128_000, 280_147],
] as const)('the vocabulary of %s', (architecture, size, regular, merges) => {
  const made = makeVocabulary(architecture, size, 5)

  it('is exactly as large as the real one, without a text twice', () => {
    expect(made.tokens.length).toBe(size)
    expect(made.types.length).toBe(size)
    expect(new Set(made.tokens).size).toBe(size)
    expect(made.merges.length).toBe(merges)
    expect(new Set(made.merges).size).toBe(merges)
    expect([made.bos, made.eos, made.padding].every((id) => id >= regular && made.types[id] === 3)).toBe(true)
  })

  it('is consistent: each token but the bytes is the join of two earlier ones, and each merge makes a token', () => {
    const order = new Map(made.tokens.slice(0, regular).map((text, id) => [text, id]))
    const reached = new Set<string>()
    for (const merge of made.merges) {
      const [left, right] = merge.split(' ') as [string, string]
      const id = order.get(left + right)
      expect(id === undefined || order.get(left)! >= id || order.get(right)! >= id, merge).toBe(false)
      reached.add(left + right)
    }
    expect(reached.size).toBe(regular - 256)
  })

  it('comes from its seed', () => {
    const hash = (seed: number) =>
      createHash('sha256')
        .update(makeVocabulary(architecture, size, seed).tokens.join(' '))
        .digest('hex')
    expect(hash(5)).toBe(createHash('sha256').update(made.tokens.join(' ')).digest('hex'))
    expect(hash(6)).not.toBe(hash(5))
  })
})

describe('weights', () => {
  it('are Gaussian with a deviation of 0.02, and of any type that a recipe can name', { timeout: 60_000 }, async () => {
    const weights = new Weights(3)
    for (const name of Recipe.shape.rules.element.shape.type.options) {
      const tensor = { name: 'x', dims: [512, 96], type: typeIdOf(name)! }
      const parts: Uint8Array[] = []
      for await (const part of weights.of(tensor)) parts.push(part)
      const bytes = Buffer.concat(parts)
      expect(bytes.length, name).toBe(bytesOf(tensor))
      expect(await valid(tensor.type, bytes), name).toBe(true)
      const values = await dequantise(tensor.type, bytes, 512 * 96)
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)
      expect(deviation, name).toBeGreaterThan(0.018)
      expect(deviation, name).toBeLessThan(0.022)
    }
  })

  it('come from chance that repeats itself: 0.5 and 1 are its mean and deviation', () => {
    const [one, two, other] = [random(9), random(9), random(10)]
    const [a, b, c] = [one, two, other].map((chance) => Array.from({ length: 20_000 }, () => chance.next())) as [number[], number[], number[]]
    expect(a).toEqual(b)
    expect(a.slice(0, 3)).not.toEqual(c.slice(0, 3))
    expect(a.reduce((sum, value) => sum + value, 0) / a.length).toBeCloseTo(0.5, 2)
    const normal = Array.from({ length: 20_000 }, () => one.gauss())
    expect(normal.reduce((sum, value) => sum + value, 0) / normal.length).toBeCloseTo(0, 1)
    expect(Math.sqrt(normal.reduce((sum, value) => sum + value ** 2, 0) / normal.length)).toBeCloseTo(1, 1)
  })
})

describe('a twin', () => {
  const small = at('small.gguf')
  const args = ['--shape', 'qwen2-0.5b', '--layers', '2']

  it('loads, reads and writes in the engine, by its recipe, and says what it is', { timeout: 60_000 }, async () => {
    const report = await twin([small, ...args])
    expect(report.rows.at(-1)).toMatchObject({ group: 'all', tensors: 26 })
    const header = await readGgufHeader(small, { values: 'all' })
    expect(factOf(header, 'general.name')).toBe('Twin of Qwen2.5-0.5B, 2 of 24 layers (random weights, writes nonsense)')
    const { recipe } = readRecipe('rushlight-7b')
    for (const tensor of header.tensors)
      expect(tensor.type, tensor.name).toBe(typeFor(recipe, { ...tensor, type: tensor.dims.length > 1 ? 1 : 0 }, true).type)
    expect(header.tensors.slice(-6).every(({ name }) => /ffn_(gate|up|down)/.test(name))).toBe(true)
    expect(new Set(header.tensors.map(({ type }) => tensorTypes.get(type)!.name))).toEqual(new Set(['Q8_0', 'IQ4_NL', 'F32']))

    const { info, tokens, done, text } = await answer({ modelPath: small }, 'What is the usual adult dose?')
    expect(info).toMatchObject({ architecture: 'qwen2', trainContextSize: 32_768, quantisation: 'Q8_0 + IQ4_NL' })
    // merges are at work: fewer tokens than characters
    const bare = (await engine.count([{ role: 'user', text: 'x' }])).tokens - 1
    expect(tokens - bare).toBeLessThan('What is the usual adult dose?'.length)
    expect(done).toMatchObject({ type: 'done', stop: 'length', tokens: 8 })
    expect(text).not.toBe('')
    // an accent or a letter of another script is several bytes, and every byte is a token
    expect((await engine.count([{ role: 'user', text: 'é中😀\u0001' }])).tokens - bare).toBe(2 + 3 + 4 + 1)
  })

  it('is the same file again from the same seed, and another from another', { timeout: 60_000 }, async () => {
    const again = at('again.gguf')
    await twin([again, ...args])
    expect(sha256(again)).toBe(sha256(small))
    await expect(twin([again, ...args])).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    await twin([again, ...args, '--seed', '2', '--force'])
    expect(sha256(again)).not.toBe(sha256(small))
    rmSync(again)
  })

  it('carries an adapter of its shape, and refuses that of another', { timeout: 60_000 }, async () => {
    const [adapter, other] = [at('adapter.gguf'), at('other.gguf')]
    const report = await twin([adapter, ...args, '--adapter-rank', '16'])
    expect(report.rows.at(-1)).toMatchObject({ tensors: 2 * 7 * 2 })
    expect((await answer({ modelPath: small, adapters: [{ path: adapter, scale: 1 }] }, 'dose?')).info).toMatchObject({ adapters: 1 })
    await twin([other, '--shape', 'qwen2-1.5b', '--layers', '1', '--adapter-rank', '2', '--type', 'f32'])
    await expect(answer({ modelPath: small, adapters: [{ path: other, scale: 1 }] }, 'dose?')).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH' })
  })

  it('of the Llama family runs too, with its own template and BOS', { timeout: 60_000 }, async () => {
    // the width is not what is tested here; 128,256 rows of 4,096 would be a gigabyte
    const narrow = { ...shapes['llama-8b'], width: 256, feedForward: 512, heads: 4, kvHeads: 2 }
    const { recipe, sha256: recipeSha256 } = readRecipe('rushlight-7b')
    const content = twinModel(narrow, { recipe, recipeSha256, seed: 1, layers: 1 })
    const path = at('llama.gguf')
    const handle = await open(path, 'w')
    await writeGguf(handle, content)
    await handle.close()
    const { info, done } = await answer({ modelPath: path, kvType: 'q8_0' }, 'What is the dose?')
    expect(info).toMatchObject({ architecture: 'llama', trainContextSize: 131_072, kvType: 'q8_0' })
    expect(done).toMatchObject({ type: 'done', tokens: 8 })
    const options = LoadInput.parse({ modelPath: path, gpu: 'off', contextSize: 256, threads: 1 })
    const model = await LoadedModel.load(options, await inspectModel(path), () => {}, new AbortController().signal)
    const tokens = model.tokenize([{ role: 'user', text: '<|eot_id|>' }])
    await model.dispose()
    const [BEGIN, HEADER, TURN_END] = [128_000, 128_006, 128_009] as number[]
    expect(tokens.indexOf(BEGIN as (typeof tokens)[number])).toBe(0)
    expect(tokens.filter((token) => token === BEGIN).length).toBe(1)
    // what a person writes is never the end of a turn; each turn but the one to be written has one
    const turns = tokens.filter((token) => token === HEADER).length
    expect(turns).toBeGreaterThanOrEqual(2)
    expect(tokens.filter((token) => token === TURN_END).length).toBe(turns - 1)
  })

  it('is refused where the words are wrong, and leaves nothing when it is stopped', async () => {
    for (const wrong of [
      ['--shape', 'qwen2-70b'],
      ['--layers', '2'],
      ['--shape', 'qwen2-0.5b', '--layers', '25'],
      ['--shape', 'qwen2-0.5b', '--type', 'q4_k'],
      ['--shape', 'qwen2-0.5b', '--type', 'f16', '--recipe', 'q8'],
      ['--shape', 'qwen2-0.5b', '--recipe', 'q8', '--adapter-rank', '8'],
    ])
      await expect(twin([at('no.gguf'), ...wrong])).rejects.toBeInstanceOf(WrongUse)
    await expect(twin([at('no.gguf'), '--shape', 'qwen2-0.5b', '--recipe', 'absent.json'])).rejects.toMatchObject({ code: 'RECIPE_INVALID' })
    const stopped = AbortSignal.abort(new Error('stopped'))
    await expect(twin([at('no.gguf'), ...args], stopped)).rejects.toThrow('stopped')
    expect(existsSync(at('no.gguf'))).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([])
  })
})
