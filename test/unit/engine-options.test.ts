// Owns the tests of what a load can be told beside the model: batch, form of the context, file mapping, adapters that fit and adapters that do not.
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import type { LoadRequest } from '../../app/contract/engine.ts'
import { inspectAdapter } from '../../app/engine/adapter.ts'
import { readGgufHeader, type GgufHeader } from '../../app/engine/gguf-header.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { str, u32, writeGguf } from '../../models/workshop/gguf/write.ts'
import { twinAdapter, type TwinContent } from '../../models/workshop/twin/content.ts'
import { isLinear } from '../../models/workshop/twin/shapes.ts'
import { starter } from './models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-options-'))
const engine = new EngineSupervisor({ spawn: () => spawnNodeEngine(resolvePaths().engineEntry), log: { error() {}, warn() {}, info() {} } })
const load = (options: Partial<LoadRequest> = {}) => engine.load({ modelPath: starter, gpu: 'off', contextSize: 512, threads: 1, ...options })
const answer = async () => {
  let text = ''
  const input = { messages: [{ role: 'user' as const, text: 'What are the symptoms of asthma?' }], maxTokens: 24, temperature: 0 }
  for await (const event of engine.generate(input, new AbortController().signal)) if (event.type === 'text') text += event.text
  return text
}
let base: GgufHeader
const lora = (seed: number, architecture = 'qwen2', rank = 4) =>
  twinAdapter({
    ...{ architecture, name: 'noise', rank, alpha: 400, type: 'F16', seed },
    matrices: base.tensors.filter(({ name }) => isLinear(name)),
  })
async function file(name: string, content: TwinContent): Promise<string> {
  const path = join(folder, name)
  const handle = await open(path, 'w')
  await writeGguf(handle, content)
  await handle.close()
  return path
}

beforeAll(async () => void (base = await readGgufHeader(starter, { values: 'facts' })))
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

describe('a load', () => {
  it('has its defaults in the contract and says what is in effect', async () => {
    expect(await load()).toMatchObject({ batchSize: 256, kvType: 'f16', mmap: true, adapters: 0 })
    expect(await answer()).toContain('wheeze')
  })

  it('takes 8 bits for its context, a small batch and a copied file, and still answers', async () => {
    expect(await load({ batchSize: 32, kvType: 'q8_0', mmap: false })).toMatchObject({ batchSize: 32, kvType: 'q8_0', mmap: false })
    expect(await answer()).toContain('wheeze')
  })

  it('reads a prompt in steps no longer than planned, and counts layers and cards as told', async () => {
    const info = await load({ step: 8, stepSeconds: 10, gpuLayers: 0 })
    expect(info).toMatchObject({ batchSize: 256, step: 8, stepSeconds: 10, gpuLayers: 0, backend: 'cpu', devices: ['CPU'] })
    const read: number[] = []
    const messages = [{ role: 'user' as const, text: 'amoxicillin 500 mg '.repeat(40) }]
    for await (const event of engine.generate({ messages, maxTokens: 1, temperature: 0 }, new AbortController().signal))
      if (event.type === 'prefill') read.push(event.done)
    const steps = read.slice(1).map((done, n) => done - read[n]!)
    expect(Math.max(...steps)).toBe(8)
    // no time limit that matters: the first guess, then whole batches
    await load({ step: null, stepSeconds: 10, batchSize: 64 })
    read.length = 0
    for await (const event of engine.generate({ messages, maxTokens: 1, temperature: 0 }, new AbortController().signal))
      if (event.type === 'prefill') read.push(event.done)
    expect(read.slice(1, 4).map((done, n) => done - read[n]!)).toEqual([16, 64, 64])
  })

  it('can be answered with fewer threads than it was made with, and with all of them again', async () => {
    await load({ threads: 2 })
    const used = async (threads?: number) => {
      const input = { messages: [{ role: 'user' as const, text: 'asthma' }], maxTokens: 4, temperature: 0, ...(threads ? { threads } : {}) }
      for await (const event of engine.generate(input, new AbortController().signal)) if (event.type === 'done') return event.threads
      return null
    }
    expect(await used()).toBe(2)
    expect(await used(1)).toBe(1)
    expect(await used(8)).toBe(2)
  })

  it.skipIf(process.platform === 'darwin')('on a backend that is not here fails in words; there is no other in its place', async () => {
    await expect(load({ gpu: 'metal', gpuLayers: 3 })).rejects.toMatchObject({ code: 'GPU_UNAVAILABLE' })
    await load()
    expect(await answer()).toContain('wheeze')
  })

  it('that counts on more graphics memory than is free fails before it begins', async () => {
    await expect(load({ gpuBytes: 3e15 })).rejects.toMatchObject({
      code: 'GPU_MEMORY',
      message: expect.stringMatching(/^The plan needs 3000000\.0 GB of graphics memory and 0\.0 GB is free now\. .+/) as string,
    })
    await load()
    expect(await answer()).toContain('wheeze')
  })

  it('never has a batch beyond its context', async () => {
    expect(await load({ batchSize: 2048 })).toMatchObject({ batchSize: 512, contextSize: 512 })
  })

  it('refuses what is out of range', async () => {
    const twice = [1, 1].map((scale) => ({ path: 'a.gguf', scale }))
    for (const wrong of [{ batchSize: 16 }, { batchSize: 4096 }, { kvType: 'q4_0' as 'f16' }, { adapters: twice }])
      await expect(load(wrong)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('says in words when a model cannot keep its context in 8 bits', async () => {
    // heads of 16 values: half a block of Q8_0
    const narrow = await readGgufHeader(starter, { values: 'all' })
    const metadata = new Map([...narrow.metadata, ['qwen2.attention.head_count', u32(16)], ['qwen2.attention.head_count_kv', u32(8)]] as const)
    const bytes = readFileSync(starter)
    const data = ({ name }: { name: string }) => {
      const { offset, bytes: length } = narrow.tensors.find((tensor) => tensor.name === name)!
      return [bytes.subarray(narrow.dataAt + offset, narrow.dataAt + offset + length)]
    }
    const modelPath = await file('narrow.gguf', { metadata, tensors: narrow.tensors, data })
    await expect(load({ modelPath, kvType: 'q8_0' })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringContaining('Choose 16 bits') as string,
    })
    expect(await load({ modelPath })).toMatchObject({ kvType: 'f16' })
  })
})

describe('an adapter', () => {
  it('changes the answer by its scale, and not at all at scale 0', async () => {
    const path = await file('noise.gguf', lora(1))
    await load()
    const plain = await answer()
    expect(await load({ adapters: [{ path, scale: 0 }] })).toMatchObject({ adapters: 1 })
    expect(await answer()).toBe(plain)
    await load({ adapters: [{ path, scale: 1 }] })
    const noisy = await answer()
    expect(noisy).not.toBe(plain)
    // two of them at once: what one adds the other takes away
    const copy = await file('copy.gguf', lora(1))
    const both = [
      { path, scale: 1 },
      { path: copy, scale: -1 },
    ]
    expect(await load({ adapters: both, kvType: 'q8_0', mmap: false })).toMatchObject({ adapters: 2 })
    expect(await answer()).toBe(plain)
  })

  it('that does not fit is refused with its code, and the engine goes on', async () => {
    const path = await file('llama.gguf', lora(1, 'llama'))
    await expect(load({ adapters: [{ path, scale: 1 }] })).rejects.toMatchObject({
      code: 'ADAPTER_MISMATCH',
      message: expect.stringContaining('“llama”, not “qwen2”') as string,
    })
    await load()
    expect(await answer()).toContain('wheeze')
  })

  it('is read for what it is', async () => {
    const path = await file('facts.gguf', lora(2, 'qwen2', 6))
    expect(await inspectAdapter(path, starter)).toEqual({
      path,
      name: 'noise',
      rank: 6,
      alpha: 400,
      targets: 28,
      bytes: expect.any(Number) as number,
    })
  })

  const change = (edit: (content: TwinContent & { tensors: TwinContent['tensors'][number][] }) => void) => () => {
    const made = lora(3)
    const content = { ...made, metadata: new Map(made.metadata), tensors: [...made.tensors] }
    edit(content)
    return content
  }
  const set = (key: string, value: Parameters<Map<string, ReturnType<typeof str>>['set']>[1]) =>
    change(({ metadata }) => (metadata as Map<string, typeof value>).set(key, value))
  const cases: [what: string, make: () => TwinContent, says: string][] = [
    ['a model', set('general.type', str('model')), 'not a LoRA adapter'],
    ['a type that is a number', set('adapter.type', u32(1)), 'not a LoRA adapter'],
    ['a control vector', set('adapter.type', str('control')), 'not a LoRA adapter'],
    ['an alpha that is no fraction', set('adapter.lora.alpha', u32(8)), 'alpha'],
    ['an alpha without a value', set('adapter.lora.alpha', { type: 'float32', value: NaN }), 'alpha'],
    ['half a pair', change(({ tensors }) => tensors.pop()), 'one half of the pair for blk.3.ffn_up.weight'],
    ['a matrix the model lacks', change(({ tensors }) => tensors.forEach((one) => (one.name = one.name.replace('blk.0', 'blk.9')))), 'blk.9.'],
    ['a wider model', change(({ tensors }) => (tensors[0] = { ...tensors[0]!, dims: [512, 4] })), 'that of the model has'],
    ['two ranks in a pair', change(({ tensors }) => (tensors[0] = { ...tensors[0]!, dims: [256, 3] })), 'do not fit each other'],
    ['an unknown part', change(({ tensors }) => (tensors[0] = { ...tensors[0]!, name: 'blk.0.attn_k.weight.dora_scale' })), 'no part of a LoRA'],
    ['nothing', change(({ tensors }) => (tensors.length = 0)), 'holds no matrices'],
  ]
  it.each(cases)('refuses %s', async (what, make, says) => {
    const path = await file('wrong.gguf', make())
    await expect(inspectAdapter(path, starter)).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH', message: expect.stringContaining(says) as string })
  })

  it('trained on other weights is refused where both say so', async () => {
    const path = await file('based.gguf', set('rushlight.base_weights_id', str('a'.repeat(64)))())
    const named = (id: string) => ({ ...base, metadata: new Map([...base.metadata, ['rushlight.weights_id', str(id)]]) })
    await expect(inspectAdapter(path, named('b'.repeat(64)))).rejects.toMatchObject({ code: 'ADAPTER_MISMATCH' })
    expect(await inspectAdapter(path, named('a'.repeat(64)))).toMatchObject({ rank: 4 })
    expect(await inspectAdapter(path, starter)).toMatchObject({ rank: 4 })
  })

  it('that is cut short or not there is told from one that does not fit', async () => {
    const path = await file('short.gguf', lora(4))
    truncateSync(path, statSync(path).size - 100)
    await expect(inspectAdapter(path, starter)).rejects.toMatchObject({ code: 'MODEL_TRUNCATED' })
    await expect(inspectAdapter(join(folder, 'absent.gguf'), starter)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  })
})
