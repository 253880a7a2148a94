// Owns the tests of plans in execution: placed and measured on the real engine, and the way down when cards fail, in processes that fail for it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { whyUnavailable } from '../../app/engine/backend-parts.ts'
import { EngineHost } from '../../app/host/engine-host.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { Hardware } from '../../app/host/hardware.ts'
import { sequencesOf } from '../../app/host/plan-request.ts'
import type { Environment } from '../../app/host/visible-cards.ts'
import { Library } from '../../app/library/library.ts'
import { starter } from './models.ts'
import { startRig, type Rig } from './services.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-placing-'))
afterAll(() => rmSync(folder, { recursive: true }))
const profile = (name: string) => join(import.meta.dirname, `../profiles/${name}.json`)
let rig: Rig | null = null
afterEach(async () => {
  await rig?.close()
  rig = null
})
const start = async (options: Parameters<typeof startRig>[0] = {}) => (rig = await startRig(options))
const log = (data: string) => readFileSync(join(data, 'logs', 'rushlight.log'), 'utf8')

const note = { error() {}, warn() {}, info() {} }
/** The engine’s host without the rest of the program; quiet times begin after 300 ms. */
function hostOf(engineEntry: string, probe: string | null) {
  const paths = resolvePaths({ data: mkdtempSync(join(folder, 'data-')) })
  const supervisor = new EngineSupervisor({ spawn: (changes) => spawnNodeEngine(engineEntry, changes), log: note })
  const spawnProbe = probe === null ? null : (changes: Environment) => spawnNodeEngine(probe, changes)
  const host = new EngineHost({
    ...{ supervisor, log: note, publish: () => {}, idleMs: 300 },
    library: new Library({ resources: paths.resources, models: paths.models }),
    hardware: new Hardware({ path: join(paths.data, 'hardware.json'), fixed: null, log: note, spawnProbe }),
  })
  return { host, supervisor }
}

describe('another model', () => {
  it('is placed after the one before is gone; a broken one leaves nothing that could answer in its name', async () => {
    const { host, supervisor } = hostOf(resolvePaths().engineEntry, null)
    const broken = join(folder, 'broken.gguf')
    writeFileSync(broken, 'no model')
    try {
      await Promise.all([host.choose(starter), host.choose(starter)])
      expect(host.isReady()).toBe(true)
      await expect(host.choose(broken)).rejects.toMatchObject({ code: 'MODEL_NOT_GGUF' })
      expect(host.isReady()).toBe(false)
      expect(host.status()).toMatchObject({ phase: 'failed', error: { code: 'MODEL_NOT_GGUF' } })
      // the later choice counts, whatever becomes of the earlier one
      const [first] = await Promise.allSettled([host.choose(broken), host.choose(starter)])
      expect(first.status).toBe('fulfilled')
      expect(host.isReady()).toBe(true)
      expect(host.status()).toMatchObject({ phase: 'ready', error: null, plan: { what: 'the processor alone, context of 1024 tokens' } })
      expect((await host.count([{ role: 'user', text: 'asthma' }])).tokens).toBeGreaterThan(1)
    } finally {
      host.close()
      await supervisor.close()
    }
  })
})

describe('a plan', () => {
  it('is executed, explained, and compared with what an answer took', async () => {
    const { ready, status, ask } = await start()
    await ready()
    const { plan, backend, threads, gpuLayers } = status()
    expect({ backend, gpuLayers }).toEqual({ backend: 'cpu', gpuLayers: 0 })
    expect(plan).toMatchObject({ doing: '', what: 'the processor alone, context of 1024 tokens', tried: [], measured: null })
    expect(plan!.reasons.join(' ')).toMatch(/The whole model is computed by the processor\. .*threads? on/)
    expect(plan!.predicted!.tokensPerSecond).toBeGreaterThan(0)
    expect(threads).toBeGreaterThanOrEqual(1)
    expect((await ask('What are the symptoms of asthma?')).status).toBe('complete')
    const { measured } = status().plan!
    expect(measured!.firstTokenMs).toBeGreaterThan(0)
    expect(measured!.predictedFirstTokenMs).toBeGreaterThan(0)
    expect(measured!.predictedTokensPerSecond).toBeGreaterThan(0)
  })

  it('is asked for a second context only where each device has room for it', () => {
    type Device = Parameters<typeof sequencesOf>[0]['devices'][number]
    const device = (total: number, kv: number, usable: number, shared = false): Device => ({
      ...{ id: 'x', name: 'x', backend: 'cuda', embedding: false, output: false, blocks: { first: 0, count: 1 }, free: usable, usable, shared },
      memory: { weights: 0, twice: 0, kv, compute: 0, adapters: 0, process: 0, total },
    })
    expect(sequencesOf({ devices: [device(4e9, 1e9, 5e9)] })).toBe(2)
    expect(sequencesOf({ devices: [device(4e9, 1e9, 5e9 - 1)] })).toBe(1)
    expect(sequencesOf({ devices: [device(1e9, 0, 9e9), device(7e9, 1e9, 8e9)] })).toBe(2)
    // a card that is as good as full keeps its layers rather than a second context
    expect(sequencesOf({ devices: [device(1e9, 0, 9e9), device(7.5e9, 1e9, 8e9)] })).toBe(1)
    // shared memory counts with the processor's
    expect(sequencesOf({ devices: [device(1e9, 0, 8e9), device(6.5e9, 1e9, 9e9, true)] })).toBe(1)
  })

  it('that no memory can hold is refused with what would fit', async () => {
    const path = join(folder, 'small.json')
    const small = JSON.parse(readFileSync(profile('i5-laptop-no-avx2'), 'utf8')) as { cpu: { memoryFree: number } }
    small.cpu.memoryFree = 190e6
    writeFileSync(path, JSON.stringify(small))
    const { ready, status } = await start({ hardware: path })
    const sentence = /^The model is too large for this computer now: it needs 0\.\d GB, and 0\.\d GB may be used\. Close other programs, or choose/
    await expect(ready()).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE', message: expect.stringMatching(sentence) as string })
    expect(status()).toMatchObject({ phase: 'failed', error: { code: 'MODEL_TOO_LARGE' } })
  })

  it('from a profile that cannot be read is said in words, before anything starts', async () => {
    const path = join(folder, 'broken.json')
    writeFileSync(path, '{"cpu": 1}')
    await expect(startRig({ hardware: path })).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('broken.json') as string })
  })
})

describe.skipIf(whyUnavailable('cuda') === null)('a card that the facts promise and the machine has not (this one may have it)', () => {
  it('is left for the processor, visibly, and not tried again', async () => {
    const data = mkdtempSync(join(folder, 'data-'))
    const first = await start({ hardware: profile('rtx-3060-12gb'), data, keep: true })
    await first.ready()
    const { plan, backend, error } = first.status()
    expect({ backend, error }).toEqual({ backend: 'cpu', error: null })
    expect(plan!.what).toBe('the processor alone, context of 1024 tokens')
    expect(plan!.tried[0]).toMatchObject({
      what: expect.stringMatching(/^\d+ of \d+ layers on .*3060.* \(CUDA\), context of 1024 tokens$/) as string,
      why: expect.stringContaining('cannot be used in this way here') as string,
    })
    expect((await first.ask('What are the symptoms of asthma?')).status).toBe('complete')
    await first.close()
    const left = () => log(data).match(/plan left for the next one/g)!.length
    const before = left()
    expect(before).toBe(plan!.tried.length)
    expect(log(data)).not.toContain('asthma')
    const again = await start({ hardware: profile('rtx-3060-12gb'), data, keep: true })
    await again.ready()
    expect(again.status().plan!.tried[0]!.why).toContain('has failed on this computer before')
    await again.close()
    expect(left()).toBe(before)
    // a person who asks for it gets another try
    const third = await start({ hardware: profile('rtx-3060-12gb'), data, keep: true })
    await third.ready()
    await third.client.call('hardware.look', null)
    await expect.poll(() => third.status().plan!.tried[0]?.why, { timeout: 10_000 }).toContain('cannot be used in this way here')
    await third.ready()
    expect(third.status()).toMatchObject({ phase: 'ready', backend: 'cpu', error: null })
  }, 60_000)
})

describe('the way down, with an engine that fails as told', () => {
  /** Real but for its cards: `fails` gets what the engine is told and says how it fails; null lets it be. */
  const engine = (name: string, fails: string) => {
    const path = join(folder, `${name}.mjs`)
    const real = JSON.stringify(resolvePaths().engineEntry)
    writeFileSync(
      path,
      `import { appendFileSync } from 'node:fs'
      const fails = ${fails}
      const emit = process.emit
      let told = null
      process.emit = function (event, message, ...rest) {
        if (event === 'message' && (message?.name === 'engine.load' || message?.name === 'engine.generate')) {
          if (message.name === 'engine.load') {
            told = message.input
            appendFileSync(${JSON.stringify(join(folder, `${name}.log`))}, told.gpu + ' ' + told.gpuLayers + ' ' + told.contextSize + '\\n')
          }
          const how = fails(told, message.name)
          if (how === 'dies') process.kill(process.pid, 'SIGKILL')
          else if (how) {
            process.send({ id: message.id, result: { ok: false, error: { code: how, message: 'It fails as told. Try the next one.' } } })
            process.send({ id: message.id, end: true })
            return true
          }
          // the rest is done by the real engine, which has no card here
          message = { ...message, input: message.name === 'engine.load' ? { ...message.input, gpu: 'off', devices: null, gpuBytes: 0, gpuLayers: 0 } : message.input }
        }
        return emit.call(this, event, message, ...rest)
      }
      await import(${real})`,
    )
    return {
      engineEntry: path,
      loads: () =>
        readFileSync(join(folder, `${name}.log`), 'utf8')
          .trim()
          .split('\n'),
    }
  }

  it('takes fewer layers when memory has vanished, and does not hold it against the plan', async () => {
    const { engineEntry, loads } = engine('vanished', `({ gpuLayers }) => (gpuLayers > 3 ? 'GPU_MEMORY' : null)`)
    const data = mkdtempSync(join(folder, 'data-'))
    const { ready, status, ask } = await start({ hardware: profile('rtx-3060-12gb'), engineEntry, data, keep: true })
    await ready()
    const layers = loads().map((line) => Number(line.split(' ')[1]))
    expect(layers.length).toBeGreaterThan(1)
    expect(layers).toEqual([...layers].sort((a, b) => b - a))
    expect(layers.at(-1)).toBeLessThanOrEqual(3)
    expect(status().plan!.tried).toHaveLength(layers.length - 1)
    expect(status().plan!.what).toContain('CUDA')
    expect((await ask('What are the symptoms of asthma?')).status).toBe('complete')
    expect(() => readFileSync(join(data, 'hardware.json'), 'utf8')).toThrow()
  })

  it('ends with the processor when every card crashes: each plan twice at the most, none again at the next start', async () => {
    const { engineEntry, loads } = engine('crashes', `({ gpu }) => (gpu === 'off' ? null : 'dies')`)
    const data = mkdtempSync(join(folder, 'data-'))
    const first = await start({ hardware: profile('rtx-3060-12gb'), engineEntry, data, keep: true })
    await first.ready()
    expect(first.status()).toMatchObject({ phase: 'ready', error: null })
    const counts = new Map<string, number>()
    for (const line of loads()) counts.set(line, (counts.get(line) ?? 0) + 1)
    expect(Math.max(...counts.values())).toBe(2)
    expect(loads().at(-1)).toMatch(/^off 0 /)
    await first.close()
    const before = loads().length
    const again = await start({ hardware: profile('rtx-3060-12gb'), engineEntry, data, keep: true })
    await again.ready()
    expect(loads().length).toBe(before + 1)
    expect(again.status().plan!.tried.every(({ why }) => why.includes('has failed on this computer before'))).toBe(true)
  }, 60_000)

  it('goes on after an answer that kills the engine twice; what was asked is kept', async () => {
    const { engineEntry } = engine('answers', `({ gpu }, name) => (gpu === 'off' || name === 'engine.load' ? null : 'dies')`)
    const { ready, status, ask } = await start({ hardware: profile('rtx-3060-12gb'), engineEntry })
    await ready()
    for (const round of [1, 2]) {
      const lost = await ask('What are the symptoms of asthma?')
      expect({ round, status: lost.status }).toEqual({ round, status: 'failed' })
      await expect.poll(() => status().phase, { timeout: 20_000 }).toBe('ready')
    }
    const { plan } = status()
    expect(plan!.tried).toHaveLength(1)
    expect(plan!.tried[0]!.why).toContain('stopped twice')
  }, 60_000)

  it('turns to a card that is found once the computer is quiet', async () => {
    const { engineEntry, loads } = engine('accepts', `() => null`)
    const probe = join(folder, 'probe.mjs')
    writeFileSync(
      probe,
      `process.on('message', ({ id, name, input }) => {
        const data = name === 'probe.bandwidth' ? { oneThread: 1e10, all: 2e10 } : { names: input.backend === 'cuda' ? ['Found'] : [], memoryTotal: 8e9, memoryFree: 7e9, unified: false, system: '' }
        process.send({ id, result: { ok: true, data } })
        process.send({ id, end: true })
      })`,
    )
    const { host, supervisor } = hostOf(engineEntry, probe)
    try {
      await host.choose(starter)
      expect(host.status().plan!.what).toContain('the processor alone')
      await expect.poll(() => host.status().plan!.what, { timeout: 15_000 }).toMatch(/ on Found \(CUDA\), context of 1024 tokens$/)
      await host.ready(AbortSignal.timeout(10_000))
      expect(loads()).toHaveLength(2)
      // nothing better is left: the next quiet times change nothing
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(loads()).toHaveLength(2)
    } finally {
      host.close()
      await supervisor.close()
    }
  })

  it('is not taken for a file that is damaged: no plan helps it', async () => {
    const { engineEntry, loads } = engine('damaged', `() => 'MODEL_TRUNCATED'`)
    const { ready } = await start({ hardware: profile('rtx-3060-12gb'), engineEntry })
    await expect(ready()).rejects.toMatchObject({ code: 'MODEL_TRUNCATED' })
    expect(loads()).toHaveLength(1)
  })
})
