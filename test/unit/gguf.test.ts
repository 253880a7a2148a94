// Owns the tests of the header reader: what it says of good files and of every kind of bad one.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AppError } from '../../app/contract/errors.ts'
import { inspectModel } from '../../app/engine/gguf.ts'
import { gguf } from './gguf-file.ts'

const starter = fileURLToPath(new URL('../../models/starter/rushlight-starter-q8.gguf', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'rushlight gguf '))
afterAll(() => rmSync(folder, { recursive: true }))
const write = (name: string, data: Uint8Array | string) => {
  const path = join(folder, name)
  writeFileSync(path, data)
  return path
}
const qwen = { 'general.architecture': 'qwen2', 'qwen2.block_count': 2, 'qwen2.context_length': 64, 'tokenizer.ggml.tokens': ['a', 'b'] }

describe('a good file', () => {
  it('tells its facts', async () => {
    expect(await inspectModel(starter)).toMatchObject({
      architecture: 'qwen2',
      quantisation: 'Q8_0',
      layers: 4,
      trainContextSize: 1024,
      name: 'med-starter',
      bytes: 3_559_104,
    })
    expect((await inspectModel(starter)).parameters).toBeGreaterThan(3_200_000)
  })

  it('of mixed precision names its types, largest first', async () => {
    const path = write(
      'mixed.gguf',
      gguf(qwen, [
        { name: 'a', values: 3200, type: 20 },
        { name: 'b', values: 320, type: 8 },
        { name: 'norm', values: 1, type: 0 },
      ]),
    )
    expect((await inspectModel(path)).quantisation).toBe('IQ4_NL + Q8_0')
  })
})

describe('a bad file', () => {
  const tensor = [{ name: 'a', values: 32, type: 8 }]
  it.each<[string, () => string]>([
    ['MODEL_MISSING', () => join(folder, 'gone.gguf')],
    ['MODEL_MISSING', () => join(write('file', ''), 'below.gguf')],
    ['MODEL_MISSING', () => (symlinkSync('/nowhere/at/all', join(folder, 'dangling.gguf')), join(folder, 'dangling.gguf'))],
    ['MODEL_UNREADABLE', () => (mkdirSync(join(folder, 'folder.gguf')), join(folder, 'folder.gguf'))],
    ['MODEL_NOT_GGUF', () => write('empty.gguf', '')],
    ['MODEL_NOT_GGUF', () => write('text.gguf', 'GGML is another thing')],
    ['MODEL_NOT_GGUF', () => write('version.gguf', Buffer.from('GGUF\x63\0\0\0', 'latin1'))],
    ['MODEL_NOT_GGUF', () => write('endless.gguf', Buffer.concat([Buffer.from('GGUF\x03\0\0\0', 'latin1'), Buffer.alloc(16, 0xff)]))],
    ['MODEL_TRUNCATED', () => write('cut.gguf', readFileSync(starter).subarray(0, 1_000_000))],
    ['MODEL_TRUNCATED', () => write('cut-header.gguf', readFileSync(starter).subarray(0, 5_000))],
    ['MODEL_VOCAB_ONLY', () => write('vocab.gguf', gguf(qwen, []))],
    ['MODEL_NOT_A_MODEL', () => write('adapter.gguf', gguf({ ...qwen, 'general.type': 'adapter' }, tensor))],
    [
      'MODEL_NOT_A_MODEL',
      () => write('bert.gguf', gguf({ 'general.architecture': 'bert', 'bert.block_count': 2, 'tokenizer.ggml.tokens': ['a'] }, tensor)),
    ],
    ['MODEL_NOT_A_MODEL', () => write('nothing.gguf', gguf({ 'general.name': 'x' }, tensor))],
  ])('is %s, in a sentence with its name', async (code, make) => {
    const path = make()
    const error = await inspectModel(path).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code })
    expect((error as AppError).message).toMatch(/\.gguf .+\.$/)
  })

  it('damaged anywhere gives facts or a code, never anything else', async () => {
    const good = readFileSync(starter)
    const header = good.subarray(0, 60_000)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(header.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), async (changes) => {
        const copy = Buffer.from(good)
        for (const [at, value] of changes) copy[at] = value
        const path = write('mutated.gguf', copy)
        await inspectModel(path).catch((error: unknown) => {
          if (!(error instanceof AppError)) throw error
        })
      }),
      { numRuns: 150 },
    )
  })

  it('with a name in another script is no different', async () => {
    const path = join(folder, '张 Żółć.gguf')
    copyFileSync(starter, path)
    expect((await inspectModel(path)).layers).toBe(4)
  })
})
