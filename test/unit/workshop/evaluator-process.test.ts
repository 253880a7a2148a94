// Owns the proof of what the evaluator refuses and how it ends: adapters, models that do not load, crashes, aborts, a parent that is killed.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { lastWords } from '../../../models/workshop/ffi/last-words.ts'
import { f32, str, u32 } from '../../../models/workshop/gguf/write.ts'
import { starter } from '../models.ts'
import { asArchitecture, copies, question } from './starter-copies.ts'

const { at, written, adapter, remove } = copies()
const folder = dirname(at('x'))
afterAll(remove)

const gone = async (pid: number): Promise<boolean> => {
  for (let n = 0; n < 100; n++) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}
describe('adapters', () => {
  it('act by their scale, are exchanged, and leave nothing behind', async () => {
    const [none, some] = [await adapter('zero.gguf', 0), await adapter('some.gguf', 0.5)]
    const model = await Evaluator.open({ model: starter, adapters: [{ path: some, scale: 1 }] })
    try {
      const tokens = await model.tokenize(question, { special: true })
      const acting = await model.logits(tokens)
      await model.setAdapters([])
      const bare = await model.logits(tokens)
      expect(acting).not.toEqual(bare)
      await model.setAdapters([{ path: none, scale: 1 }])
      expect(await model.logits(tokens)).toEqual(bare)
      await model.setAdapters([{ path: some, scale: 1 }])
      expect(await model.logits(tokens)).toEqual(acting)
      // still there after the graph has been watched
      await model.importance([tokens])
      expect(await model.logits(tokens)).toEqual(acting)
    } finally {
      await model.close()
    }
  })

  it('that do not fit are refused with llama.cpp’s reason', async () => {
    const wrong = await adapter('wrong.gguf', 1, 128)
    const attempt = Evaluator.open({ model: starter, adapters: [{ path: wrong, scale: 1 }] })
    await expect(attempt).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH', message: expect.stringMatching(/attn_q.*shape/i) as string })
    await expect(attempt).rejects.not.toThrow(folder)
    await expect(Evaluator.open({ model: starter, adapters: [{ path: starter, scale: 1 }] })).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH' })
    await expect(Evaluator.open({ model: starter, adapters: [{ path: at('none'), scale: 1 }] })).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    await expect(Evaluator.open({ model: wrong })).rejects.toMatchObject({ code: 'MODEL_NOT_A_MODEL' })
  })
})

describe('models that do not load', () => {
  const cases: [string, string, RegExp, () => Promise<string>][] = [
    ['absent', 'MODEL_MISSING', /not where it should be/, () => Promise.resolve(at('absent.gguf'))],
    ['a tensor too few', 'MODEL_LOAD_FAILED', /blk\.3\.ffn_norm\.weight.*not found/, () => written('few.gguf', { drop: 'blk.3.ffn_norm.weight' })],
    [
      'an unknown tokeniser',
      'MODEL_LOAD_FAILED',
      /unknown tokenizer/,
      () => written('tok.gguf', { keys: { 'tokenizer.ggml.model': str('nosuch') } }),
    ],
    ['an unknown architecture', 'MODEL_ARCHITECTURE', /nosuch/, () => written('arch.gguf', { keys: asArchitecture('nosuch') })],
    ['layers without end', 'TOOL_CRASHED', /SIGABRT.*GGML_ASSERT/, () => written('layers.gguf', { keys: { 'qwen2.block_count': u32(2e9) } })],
    [
      'a negative epsilon',
      'TOOL_CRASHED',
      /SIGABRT.*eps >= 0/,
      () => written('eps.gguf', { keys: { 'qwen2.attention.layer_norm_rms_epsilon': f32(-1) } }),
    ],
    [
      'no GGUF',
      'MODEL_NOT_GGUF',
      /./,
      () => {
        writeFileSync(at('text.gguf'), 'not a model')
        return Promise.resolve(at('text.gguf'))
      },
    ],
  ]
  it.each(cases)('%s: %s', async (_, code, message, make) => {
    const attempt = Evaluator.open({ model: await make() }).then(async (model) => {
      await model.logits([1, 2, 3]).finally(() => model.close())
    })
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
    await expect(attempt).rejects.not.toThrow(folder)
  })
})

describe('the child process', () => {
  it('when killed fails the call under way and every later one, with a code', async () => {
    const model = await Evaluator.open({ model: starter })
    const call = model.logits(await model.tokenize(question.repeat(30), { special: true }))
    process.kill(model.pid!, 'SIGSEGV')
    await expect(call).rejects.toMatchObject({ code: 'TOOL_CRASHED', message: expect.stringContaining('SIGSEGV') as string })
    await expect(model.tokenize('x', { special: false })).rejects.toMatchObject({ code: 'TOOL_CRASHED' })
    await model.close()
    expect(await gone(model.pid!)).toBe(true)
  })

  it('ends on close and on abort, at once and even in the middle of work', async () => {
    const stop = new AbortController()
    const model = await Evaluator.open({ model: starter, signal: stop.signal })
    const long = await model.tokenize(question.repeat(40), { special: true })
    const calls = [model.losses(long), model.losses(long), model.losses(long)]
    stop.abort()
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await gone(model.pid!)).toBe(true)
    await expect(Evaluator.open({ model: starter, signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' })

    const other = await Evaluator.open({ model: starter })
    const work = other.losses(long)
    const closing = other.close()
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' })
    await closing
    await other.close()
    expect(await gone(other.pid!)).toBe(true)
  })

  it('does not outlive the process that started it', async () => {
    const script = at('opener.ts')
    const evaluator = fileURLToPath(new URL('../../../models/workshop/ffi/evaluator.ts', import.meta.url))
    writeFileSync(
      script,
      `import { Evaluator } from ${JSON.stringify(evaluator)}
      const model = await Evaluator.open({ model: ${JSON.stringify(starter)} })
      process.stdout.write(String(model.pid))
      await new Promise(() => setInterval(() => {}, 1000))`,
    )
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))))
    expect(pid).toBeGreaterThan(0)
    parent.kill('SIGKILL')
    expect(await gone(pid)).toBe(true)
  })
})

describe('last words', () => {
  it('are the reasons, newest kept, without folders', () => {
    const heard = [
      'print_info: rope_finetuned = unknown',
      'llama_model_loader: loaded meta data from /home/someone/models/a.gguf',
      'llama_model_load: error loading model: C:\\Users\\someone\\a.gguf is short',
      '/build/ggml/src/ggml.c:12: GGML_ASSERT(a) failed',
    ].join('\n')
    expect(lastWords(heard)).toEqual(['llama_model_load: error loading model: a.gguf is short', 'ggml.c:12: GGML_ASSERT(a) failed'])
    expect(lastWords('one\ntwo\n')).toEqual(['one', 'two'])
    expect(lastWords('')).toEqual([])
    expect(lastWords('error '.repeat(5000)).join('').length).toBeLessThanOrEqual(600)
  })
})
