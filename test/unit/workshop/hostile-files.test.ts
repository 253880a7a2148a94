// Owns the table of hostile model files: each gets a coded error, leaves no output, and is itself untouched.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { exportModel } from '../../../models/workshop/export.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { readRecipe } from '../../../models/workshop/recipe.ts'
import { inspectVerb } from '../../../models/workshop/verbs/inspect.ts'
import {
  f32,
  key,
  keyNumber,
  keyText,
  keyTexts,
  modelKeys,
  rawGguf,
  sound,
  soundData,
  tensor,
  text,
  u32,
  u64,
  type RawFile,
} from '../../support/raw-gguf.ts'
import { starter } from '../models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-hostile-'))
afterAll(() => rmSync(folder, { recursive: true }))
const context = { signal: new AbortController().signal, progress: new Progress(null) }
const source = join(folder, 'in.gguf')
const output = join(folder, 'out.gguf')
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
})

const exported = (recipe = 'f16') => {
  const { recipe: read, sha256 } = readRecipe(recipe)
  return exportModel(
    { from: source, to: output, recipe: read, recipeSha256: sha256, version: '0', importance: null, requantise: true, force: false, threads: 1 },
    context,
  )
}
const inspected = () => inspectVerb.run({ positionals: [source], values: {} }, context)
const without = (name: string) => modelKeys().filter((one) => !one.includes(name))
const raw = (file: RawFile) => () => rawGguf(file)
const first = (change: Partial<ReturnType<typeof sound>[number]>) => raw({ tensors: [{ ...sound()[0]!, ...change }, ...sound().slice(1)] })
const data = (change: (bytes: Buffer) => void) => raw({ data: soundData(change) })
const cut = (share: number) => () => readFileSync(starter).subarray(0, Math.floor(readFileSync(starter).length * share))
const big = 2n ** 63n
const all = 2n ** 64n - 1n

/** What it is, the code, and how it is made. */
const headers: [string, string, () => Buffer][] = [
  ['no bytes', 'MODEL_NOT_GGUF', () => Buffer.alloc(0)],
  ['three bytes', 'MODEL_NOT_GGUF', () => Buffer.from('GGU')],
  ['another magic', 'MODEL_NOT_GGUF', raw({ magic: 'GGML' })],
  ['a safetensors file', 'MODEL_NOT_GGUF', () => Buffer.concat([u64(2), Buffer.from('{}')])],
  ['a zip file', 'MODEL_NOT_GGUF', () => Buffer.from('PK\x03\x04aaaaaaaaaaaaaaaaaaaa', 'latin1')],
  ['version 0', 'MODEL_NOT_GGUF', raw({ version: 0 })],
  ['version 1', 'MODEL_NOT_GGUF', raw({ version: 1 })],
  ['version 4', 'MODEL_NOT_GGUF', raw({ version: 4 })],
  ['another byte order', 'MODEL_NOT_GGUF', raw({ version: 0x03000000 })],
  ['an end after the magic', 'MODEL_TRUNCATED', () => rawGguf().subarray(0, 4)],
  ['an end in the counts', 'MODEL_TRUNCATED', () => rawGguf().subarray(0, 17)],
  ['an end in the keys', 'MODEL_TRUNCATED', () => rawGguf().subarray(0, 60)],
  ['2^63 tensors', 'MODEL_NOT_GGUF', raw({ tensorCount: big })],
  ['2^64 − 1 tensors', 'MODEL_NOT_GGUF', raw({ tensorCount: all })],
  ['more tensors than any model has', 'MODEL_NOT_GGUF', raw({ tensorCount: 65_537 })],
  ['one tensor more than there is', 'MODEL_NOT_GGUF', raw({ tensorCount: 4 })],
  ['2^63 keys', 'MODEL_NOT_GGUF', raw({ keyCount: big })],
  ['more keys than any model has', 'MODEL_NOT_GGUF', raw({ keyCount: 4097 })],
  ['a key name of 1 GB', 'MODEL_NOT_GGUF', raw({ keys: [Buffer.concat([text('x', 2 ** 30), u32(4), u32(1)])] })],
  ['a key name of 2^63 bytes', 'MODEL_NOT_GGUF', raw({ keys: [Buffer.concat([text('x', big), u32(4), u32(1)])] })],
  ['a text of 1 GB', 'MODEL_NOT_GGUF', raw({ keys: [key('general.name', 8, text('x', 2 ** 30))] })],
  ['a text of 2^63 bytes', 'MODEL_NOT_GGUF', raw({ keys: [key('general.name', 8, text('x', big))] })],
  ['a text longer than the file', 'MODEL_TRUNCATED', raw({ keys: [key('general.name', 8, text('x', 100_000))] })],
  ['a value of no known type', 'MODEL_NOT_GGUF', raw({ keys: [key('general.name', 13, u32(1))] })],
  ['a value of type 2^32 − 1', 'MODEL_NOT_GGUF', raw({ keys: [key('general.name', 0xffffffff, u32(1))] })],
  ['an array of arrays', 'MODEL_NOT_GGUF', raw({ keys: [key('a', 9, u32(9), u64(1), u32(4), u64(0))] })],
  ['an array of no known type', 'MODEL_NOT_GGUF', raw({ keys: [key('a', 9, u32(77), u64(1))] })],
  ['an array of 2^60 numbers', 'MODEL_NOT_GGUF', raw({ keys: [key('a', 9, u32(4), u64(2n ** 60n))] })],
  ['an array of 16 million texts that are not there', 'MODEL_NOT_GGUF', raw({ keys: [key('a', 9, u32(8), u64(16_000_000))] })],
  ['an array of 10 million numbers that are not there', 'MODEL_TRUNCATED', raw({ keys: [key('a', 9, u32(4), u64(10_000_000))] })],
  ['an array with a text of 2^62 bytes', 'MODEL_NOT_GGUF', raw({ keys: [key('a', 9, u32(8), u64(1), text('', 2n ** 62n))] })],
  ['a key twice', 'MODEL_NOT_GGUF', raw({ keys: [...modelKeys(), keyNumber('qwen2.block_count', 2)] })],
  ['a tensor twice', 'MODEL_NOT_GGUF', raw({ tensors: [...sound(), sound()[0]!] })],
  ['a tensor name of 2 kB', 'MODEL_NOT_GGUF', first({ name: 'n'.repeat(2000) })],
  ['five dimensions', 'MODEL_NOT_GGUF', first({ dims: [32, 1, 1, 1, 4] })],
  ['2^32 − 1 dimensions', 'MODEL_NOT_GGUF', first({ count: 0xffffffff })],
  ['a dimension of 2^63', 'MODEL_NOT_GGUF', first({ dims: [32, big] })],
  ['dimensions whose product overflows', 'MODEL_NOT_GGUF', first({ dims: [2 ** 40, 2 ** 40] })],
  ['a dimension of 0', 'MODEL_NOT_GGUF', first({ dims: [32, 0] })],
  ['no dimensions', 'MODEL_NOT_GGUF', first({ dims: [] })],
  ['an alignment of 0', 'MODEL_NOT_GGUF', raw({ keys: [...modelKeys(), keyNumber('general.alignment', 0)] })],
  ['an alignment of 3', 'MODEL_NOT_GGUF', raw({ keys: [...modelKeys(), keyNumber('general.alignment', 3)] })],
  ['an alignment of 2^31', 'MODEL_NOT_GGUF', raw({ keys: [...modelKeys(), keyNumber('general.alignment', 2 ** 31)] })],
  ['an alignment in words', 'MODEL_NOT_GGUF', raw({ keys: [...modelKeys(), keyText('general.alignment', 'wide')] })],
]
const tensors: [string, string, () => Buffer][] = [
  ['a row that is no whole block', 'MODEL_NOT_GGUF', raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [33, 4], 8, 640)] })],
  ['a type not known', 'SOURCE_UNSUPPORTED', first({ type: 200 })],
  ['a type that ggml gave up', 'SOURCE_UNSUPPORTED', first({ type: 4 })],
  [
    'a tensor that begins behind the end',
    'MODEL_TRUNCATED',
    raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [32, 4], 8, 2 ** 20)] }),
  ],
  ['an offset of 2^63', 'MODEL_TRUNCATED', raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [32, 4], 8, big)] })],
  ['an offset between two boundaries', 'MODEL_NOT_GGUF', raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [32, 4], 8, 641)] })],
  ['tensors that overlap', 'MODEL_NOT_GGUF', raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [32, 4], 8, 480)] })],
  ['two tensors in one place', 'MODEL_NOT_GGUF', raw({ tensors: [...sound().slice(0, 2), tensor('blk.0.attn_q.weight', [32, 4], 8, 0)] })],
  ['the last byte missing', 'MODEL_TRUNCATED', () => rawGguf().subarray(0, rawGguf().length - 33)],
  ['half of it missing', 'MODEL_TRUNCATED', cut(0.5)],
  ['nothing behind the header', 'MODEL_TRUNCATED', raw({ data: Buffer.alloc(0) })],
]
const models: [string, string, () => Buffer][] = [
  ['an adapter', 'MODEL_NOT_A_MODEL', raw({ keys: [...modelKeys(), keyText('general.type', 'adapter')] })],
  ['an importance matrix', 'MODEL_NOT_A_MODEL', raw({ keys: [keyText('general.type', 'imatrix')] })],
  ['a picture reader', 'MODEL_NOT_A_MODEL', raw({ keys: [...modelKeys(), keyText('general.type', 'mmproj')] })],
  ['a later part', 'MODEL_NOT_A_MODEL', raw({ keys: [...modelKeys(), keyNumber('split.no', 1), keyNumber('split.count', 2)] })],
  ['a first part', 'SOURCE_UNSUPPORTED', raw({ keys: [...modelKeys(), keyNumber('split.no', 0), keyNumber('split.count', 2)] })],
  ['no architecture', 'MODEL_NOT_A_MODEL', raw({ keys: without('general.architecture') })],
  [
    'an architecture that is a number',
    'MODEL_NOT_A_MODEL',
    raw({ keys: [...without('general.architecture'), keyNumber('general.architecture', 7)] }),
  ],
  ['no layers', 'MODEL_NOT_A_MODEL', raw({ keys: without('block_count') })],
  ['no vocabulary', 'MODEL_NOT_A_MODEL', raw({ keys: without('tokenizer.ggml.tokens') })],
  ['only a vocabulary', 'MODEL_VOCAB_ONLY', raw({ tensors: [], data: Buffer.alloc(0) })],
]
const weights: [string, string, () => Buffer][] = [
  ['NaN in a vector', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeFloatLE(NaN, 516))],
  ['infinity in a matrix', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeFloatLE(-Infinity, 8))],
  ['NaN as the last value', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeFloatLE(NaN, 508))],
  ['a scale that is infinite', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeUInt16LE(0x7c00, 640))],
  ['a scale that is NaN', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeUInt16LE(0x7e01, 674))],
  ['a value that F16 cannot hold', 'WEIGHTS_NOT_FINITE', data((bytes) => bytes.writeFloatLE(1e30, 12))],
]

async function refused(run: () => Promise<unknown>, code: string, bytes: Buffer): Promise<void> {
  writeFileSync(source, bytes)
  const error = await run().then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code })
  expect((error as AppError).message).toMatch(/\. .+\.$/)
  expect(readdirSync(folder)).toEqual(['in.gguf'])
  expect(readFileSync(source).equals(bytes)).toBe(true)
}

describe('a hostile file', () => {
  it('is told from a sound one', async () => {
    writeFileSync(source, rawGguf())
    await exported()
    expect(readdirSync(folder).sort()).toEqual(['in.gguf', 'out.gguf', 'out.gguf.manifest.json'])
  })
  it.each([...headers, ...tensors, ...models, ...weights])('with %s is refused by export: %s', (_, code, make) =>
    refused(() => exported(), code, make()),
  )
  it.each([...headers, ...tensors])('with %s is refused by inspect: %s', (_, code, make) => refused(inspected, code, make()))
  it('with tokens that are numbers is refused', () =>
    refused(
      () => exported(),
      'MODEL_NOT_A_MODEL',
      rawGguf({ keys: [...without('tokenizer.ggml.tokens'), key('tokenizer.ggml.tokens', 9, u32(6), u64(1), f32(1))] }),
    ))
  it('with a vocabulary of nothing is refused', () =>
    refused(() => exported(), 'MODEL_NOT_A_MODEL', rawGguf({ keys: [...without('tokenizer.ggml.tokens'), keyTexts('tokenizer.ggml.tokens', [])] })))

  it('that is a folder, a pipe, a dangling link or absent is refused', async () => {
    mkdirSync(source)
    await expect(exported()).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' })
    rmSync(source, { recursive: true })
    await expect(exported()).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    symlinkSync(join(folder, 'nowhere'), source)
    await expect(exported()).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    rmSync(source)
    if (process.platform === 'win32') return
    execFileSync('mkfifo', [source])
    await expect(exported()).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' })
    expect(readdirSync(folder)).toEqual(['in.gguf'])
  })
})
