// Owns the tests of several answers at once on real llama.cpp: what they say, who waits, how they are stopped, and adapters that change between them.
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { affordableSequences } from '../../app/engine/affordable.ts'
import { adapterGroup } from '../../app/engine/adapter-switch.ts'
import { readGgufHeader } from '../../app/engine/gguf-header.ts'
import { writeGguf } from '../../models/workshop/gguf/write.ts'
import { twinAdapter } from '../../models/workshop/twin/content.ts'
import { isLinear } from '../../models/workshop/twin/shapes.ts'
import { engineHere, SLOW, user, type Answer } from './engine-here.ts'
import { starter } from './models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-sequences-'))
const { load, ask, unload } = engineHere()
const questions = ['What are the symptoms of asthma?', 'What is the usual adult dose of ibuprofen?', 'What are the symptoms of gout?']
const asked: Answer[] = []
async function adapter(name: string, seed: number, architecture = 'qwen2'): Promise<string> {
  const base = await readGgufHeader(starter, { values: 'facts' })
  const path = join(folder, name)
  const handle = await open(path, 'w')
  const matrices = base.tensors.filter(({ name }) => isLinear(name))
  await writeGguf(handle, twinAdapter({ architecture, name: 'noise', rank: 4, alpha: 400, type: 'F16', seed, matrices }))
  await handle.close()
  return path
}

beforeAll(async () => {
  expect(await load()).toMatchObject({ sequences: 1, flashAttention: 'auto' })
  for (const question of questions) asked.push(await ask(user(question)))
}, SLOW)
afterAll(async () => {
  await unload()
  rmSync(folder, { recursive: true })
})

describe('several sequences', () => {
  it('answer several questions at once as each was answered alone', async () => {
    expect(await load({ sequences: 3 })).toMatchObject({ sequences: 3 })
    const order: string[] = []
    const together = await Promise.all(
      questions.map((question, n) => ask(user(question), {}, undefined, (event) => event.type === 'text' && order.push(`${n}`))),
    )
    // llama.cpp may round otherwise in a larger batch; the starter is sure enough of these answers for it to make no difference
    expect(together.map(({ text }) => text)).toEqual(asked.map(({ text }) => text))
    // they were written in turns, not one after the other
    expect(order.join('')).not.toMatch(/^0+1+2+$/)
  })

  it('give each conversation its own: what was read for one is still there when another has been asked', async () => {
    await load({ sequences: 2 })
    const long = 'A patient of 70 years takes ramipril 5 mg, metformin 500 mg and aspirin 75 mg every day. '
    const [one, two] = [user(`${long}What are the symptoms of asthma?`), user('What are the symptoms of gout? '.repeat(4))]
    const first = await ask(one, { maxTokens: 4 })
    await ask(two, { maxTokens: 4 })
    const again = await ask(one, { maxTokens: 4 })
    expect(again.held).toBe(again.done.promptTokens - 1)
    expect(again.text).toBe(first.text)
  })

  it('are stopped one by one; the others go on', async () => {
    await load({ sequences: 2 })
    const stop = new AbortController()
    let stoppedAt = 0
    const [stopped, whole] = await Promise.all([
      ask(
        user(questions[0]!),
        {},
        stop.signal,
        (event) => event.type === 'text' && event.tokens === 3 && ((stoppedAt = performance.now()), stop.abort()),
      ),
      ask(user(questions[1]!)),
    ])
    expect(stoppedAt).toBeGreaterThan(0)
    expect(stopped.done).toMatchObject({ stop: 'stopped' })
    expect(stopped.done.tokens).toBeLessThanOrEqual(4)
    expect(whole.text).toBe(asked[1]!.text)
  })

  it('survive a storm of stops, and then answer as ever', async () => {
    await load({ sequences: 3 })
    const all = Array.from({ length: 24 }, (_, n) => {
      const stop = new AbortController()
      const answer = ask(user(questions[n % 3]!), {}, stop.signal, ({ type }) => {
        if (n % 4 === 1 && type === 'prefill') stop.abort()
        if (n % 4 === 2 && type === 'text') stop.abort()
      })
      if (n % 4 === 3) stop.abort()
      return answer
    })
    for (const [n, { done, text }] of (await Promise.all(all)).entries()) {
      if (n % 4 === 0) expect(text).toBe(asked[n % 3]!.text)
      else expect(done.stop).toBe('stopped')
    }
    expect((await ask(user(questions[2]!))).text).toBe(asked[2]!.text)
  })

  it('are as many as fit in memory, and never none', () => {
    const shape = { layers: 28, kvHeads: 4, keyLength: 128, valueLength: 128 }
    const options = { contextSize: 4096, kvType: 'f16', gpuLayers: 0 } as const
    // 57,344 bytes a token
    const each = 4096 * 57_344
    const fit = (memory: number, more: object = {}) => affordableSequences(8, { ...options, ...more }, shape, { memory, graphics: 0 })
    expect(fit(100 * each)).toBe(8)
    expect(fit(5 * each)).toBe(4)
    expect(fit(0)).toBe(1)
    expect(fit(5 * each, { kvType: 'q8_0' })).toBe(7)
    expect(affordableSequences(8, { ...options, gpuLayers: 14 }, shape, { memory: 100 * each, graphics: 2 * each })).toBe(3)
  })
})

describe('adapters of an answer', () => {
  let [a, b] = ['', '']
  beforeAll(async () => {
    ;[a, b] = [await adapter('a.gguf', 1), await adapter('b.gguf', 2)]
  }, SLOW)
  const question = user(questions[0]!)

  it('change it without a reload, and leave nothing behind', async () => {
    const changed: string[] = []
    for (const path of [a, b]) {
      await load({ adapters: [{ path, scale: 1 }] })
      changed.push((await ask(question)).text)
    }
    expect(new Set([asked[0]!.text, ...changed]).size).toBe(3)
    await load({ sequences: 2 })
    const texts: string[] = []
    for (const adapters of [[], [{ path: a, scale: 1 }], [{ path: b, scale: 1 }], [{ path: a, scale: 1 }], [{ path: a, scale: 0 }], undefined])
      texts.push((await ask(question, adapters ? { adapters } : {})).text)
    expect(texts).toEqual([asked[0]!.text, changed[0], changed[1], changed[0], asked[0]!.text, asked[0]!.text])
  })

  it('are never mixed with those of another answer that is asked for at once', async () => {
    await load({ sequences: 3, adapters: [{ path: a, scale: 1 }] })
    const alone = (await ask(question)).text
    const texts = await Promise.all([{}, { adapters: [] }, {}, { adapters: [{ path: b, scale: 1 }] }, {}].map((own) => ask(question, own)))
    expect(texts.map(({ text }) => text)).toEqual([alone, asked[0]!.text, alone, expect.not.stringMatching(alone) as string, alone])
  })

  it('that do not fit are refused in words, and the next question is answered', async () => {
    const other = await adapter('other.gguf', 1, 'llama')
    await load()
    await expect(ask(question, { adapters: [{ path: other, scale: 1 }] })).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH' })
    await expect(ask(question, { adapters: [{ path: join(folder, 'absent.gguf'), scale: 1 }] })).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect((await ask(question)).text).toBe(asked[0]!.text)
  })

  it('are the same in any order, and none at scale 0', () => {
    const [x, y] = [
      { path: 'x', scale: 1 },
      { path: 'y', scale: 0.5 },
    ]
    expect(adapterGroup([x, y])).toBe(adapterGroup([y, x]))
    expect(adapterGroup([{ ...x, scale: 0 }])).toBe(adapterGroup([]))
    expect(adapterGroup([x])).not.toBe(adapterGroup([{ ...x, scale: 2 }]))
  })
})
