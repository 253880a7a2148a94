// Owns the tests of the header reader: what it says of good files and of every kind of bad one.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AppError } from '../../app/contract/errors.ts'
import { inspectModel } from '../../app/engine/gguf.ts'
import { gguf } from './gguf-file.ts'
import { starter } from './models.ts'

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

  it('with a vocabulary and a chat template larger than any piece that is read at once', async () => {
    const tokens = Array.from({ length: 60_000 }, (_, n) => `token ${n}`)
    const keys = { ...qwen, 'tokenizer.ggml.tokens': tokens, 'tokenizer.chat_template': 'x'.repeat(700_000), 'general.name': 'after it all' }
    const path = write('large.gguf', gguf(keys, [{ name: 'a', values: 32, type: 8 }]))
    expect(await inspectModel(path)).toMatchObject({ name: 'after it all', layers: 2, parameters: 32 })
  })

  it('with a name that is long or plays tricks shows a short plain one', async () => {
    const path = write('trick.gguf', gguf({ ...qwen, 'general.name': `safe\u202e\n\u0007${'y'.repeat(3000)}` }, [{ name: 'a', values: 32, type: 8 }]))
    expect((await inspectModel(path)).name).toMatch(/^safey{116}$/)
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
    ['MODEL_NOT_A_MODEL', () => write('later-part.gguf', gguf({ 'split.no': 1, 'split.count': 3 }, tensor))],
    [
      'MODEL_NOT_A_MODEL',
      () => write('encoder.gguf', gguf({ 'general.architecture': 't5encoder', 't5encoder.block_count': 2, 'tokenizer.ggml.tokens': ['a'] }, tensor)),
    ],
    ['MODEL_NOT_A_MODEL', () => write('no-words.gguf', gguf({ 'general.architecture': 'qwen2', 'qwen2.block_count': 2 }, tensor))],
    ['MODEL_NOT_GGUF', () => write('big-endian.gguf', Buffer.from('GGUF\0\0\0\x03', 'latin1'))],
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

  it.skipIf(process.platform === 'win32')('that may not be read (permissions of Windows cannot be set from here) is MODEL_UNREADABLE', async () => {
    const path = write('secret.gguf', readFileSync(starter))
    chmodSync(path, 0o000)
    const root = process.geteuid!() === 0
    // root may read everything: become nobody for a moment
    if (root) {
      chmodSync(folder, 0o755)
      process.seteuid!(65534)
    }
    try {
      await expect(inspectModel(path)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE', message: expect.stringContaining('secret.gguf') as string })
    } finally {
      if (root) process.seteuid!(0)
    }
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
