// Owns the tests of the watch over the engine process: every way it can die, hang or be replaced, on real processes.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { EngineSupervisor, type LIMITS } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import type { Environment } from '../../app/host/visible-cards.ts'
import { starter } from './models.ts'

const request = { modelPath: starter, gpu: 'off' as const, contextSize: 1024, threads: 1 }
const user = (text: string) => [{ role: 'user' as const, text }]
const never = new AbortController().signal
const long = Array.from({ length: 90 }, (_, n) => `amoxicillin ${n} mg`).join(' ')
const folder = mkdtempSync(join(tmpdir(), 'rushlight-supervisor-'))

let engine: EngineSupervisor
let pids: number[]
let logged: string[]
let environments: Environment[]
function start(options: { entry?: string; limits?: Partial<typeof LIMITS> } = {}): EngineSupervisor {
  pids = []
  logged = []
  environments = []
  const note = (message: string, data?: Record<string, unknown>) => void logged.push(`${message} ${JSON.stringify(data)}`)
  engine = new EngineSupervisor({
    spawn: (changes) => {
      environments.push(changes)
      const child = spawnNodeEngine(options.entry ?? resolvePaths().engineEntry, changes)
      pids.push(child.pid!)
      return child
    },
    log: { error: note, warn: note, info: note },
    limits: options.limits ?? {},
  })
  return engine
}
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const answer = async (question = 'What are the symptoms of asthma?', on: (type: string) => void = () => {}, signal = never) => {
  let text = ''
  for await (const event of engine.generate({ messages: user(question), maxTokens: 40, temperature: 0 }, signal)) {
    on(event.type)
    if (event.type === 'text') text += event.text
  }
  return text
}
const untilReady = () => expect.poll(() => engine.status().phase, { timeout: 20_000 }).toBe('ready')

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  await engine.close()
  for (const pid of pids) expect(alive(pid)).toBe(false)
})

describe('an engine that dies', () => {
  it('after an answer is restarted each time: writing has ended the incident before', async () => {
    await start().load(request)
    for (let round = 1; round <= 5; round++) {
      expect(await answer()).toContain('wheeze')
      // the answer to a short question may be written before the signal arrives; reading a long one takes long enough
      let killed = false
      const lost = answer(long, () => {
        if (!killed) process.kill(pids.at(-1)!, 'SIGKILL')
        killed = true
      })
      await expect(lost).rejects.toMatchObject({ code: 'ENGINE_LOST' })
      await untilReady()
      expect(engine.status()).toMatchObject({ restarts: round, error: null })
    }
    expect(await answer()).toContain('wheeze')
  }, 60_000)

  it('while it loads is restarted, and the load ends well', async () => {
    const loading = start().load(request)
    await expect.poll(() => pids.length).toBe(1)
    process.kill(pids[0]!, 'SIGKILL')
    expect(await loading).toMatchObject({ contextSize: 1024 })
    expect(engine.status()).toMatchObject({ phase: 'ready', restarts: 1, error: null })
  })

  it('whenever it loads is left to the user, with one sentence', async () => {
    const entry = join(folder, 'dies.mjs')
    writeFileSync(entry, `process.stderr.write('/ggml/ggml.c:7: GGML_ASSERT(false) failed\\n'); process.on('message', () => process.abort())`)
    await expect(start({ entry }).load(request)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    expect(engine.status()).toMatchObject({ phase: 'failed', restarts: 1, error: { code: 'ENGINE_FAILED' } })
    await expect.poll(() => logged.filter((line) => line.startsWith('engine said') && line.includes('GGML_ASSERT')).length).toBe(2)
  })

  it('because its host was killed does not stay behind', async () => {
    start()
    const host: ChildProcess = fork(fileURLToPath(new URL('engine-orphan.ts', import.meta.url)), [], { execArgv: [] })
    const pid = await new Promise<number>((resolve) => host.once('message', (message) => resolve(message as number)))
    expect(alive(pid)).toBe(true)
    host.kill('SIGKILL')
    await expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false)
  })
})

describe.skipIf(process.platform === 'win32')('an engine that hangs (Windows has no signal that stops a process)', () => {
  it('in an answer is ended by force, and the next answer works', async () => {
    await start({ limits: { answerSilence: 500 } }).load(request)
    const hung = answer(long, (type) => type === 'prefill' && process.kill(pids[0]!, 'SIGSTOP'))
    await expect(hung).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
    await untilReady()
    expect(engine.status().restarts).toBe(1)
    expect(await answer()).toContain('wheeze')
  })

  it('in a count is ended by force', async () => {
    await start({ limits: { count: 300 } }).load(request)
    process.kill(pids[0]!, 'SIGSTOP')
    await expect(engine.count(user('x'))).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
    await untilReady()
  })

  it('does not keep the program from closing', async () => {
    await start({ limits: { close: 300 } }).load(request)
    process.kill(pids[0]!, 'SIGSTOP')
    await engine.close()
    expect(alive(pids[0]!)).toBe(false)
  })

  it('frees a person who stops, at once', async () => {
    await start().load(request)
    const stop = new AbortController()
    const types: string[] = []
    await answer(
      long,
      (type) => {
        types.push(type)
        if (type === 'prefill') {
          process.kill(pids[0]!, 'SIGSTOP')
          stop.abort()
        }
      },
      stop.signal,
    )
    expect(types.at(-1)).toBe('done')
    expect(types).not.toContain('text')
    process.kill(pids[0]!, 'SIGCONT')
    expect(await answer()).toContain('wheeze')
    expect(engine.status().restarts).toBe(0)
  })
})

describe('an engine that never comes up', () => {
  it('is given up after its second try', async () => {
    const entry = join(folder, 'deaf.mjs')
    writeFileSync(entry, 'setInterval(() => {}, 1000); process.on("disconnect", () => process.exit())')
    await expect(start({ entry, limits: { start: 400, close: 300 } }).load(request)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    expect(engine.status()).toMatchObject({ phase: 'failed', restarts: 1 })
    expect(pids).toHaveLength(2)
  })
})

describe('a load', () => {
  it('gives way to a later one, and both hear how that ends', async () => {
    start()
    const loads = await Promise.all([512, 256, 1024].map((contextSize) => engine.load({ ...request, contextSize })))
    expect(loads.map(({ contextSize }) => contextSize)).toEqual([1024, 1024, 1024])
    expect((await engine.count(user('x'))).contextSize).toBe(1024)
    expect(engine.status()).toMatchObject({ phase: 'ready', contextSize: 1024, error: null })
    expect(pids).toHaveLength(1)
  })

  it('that is restarted in its middle ends well, in a new process', async () => {
    await start().load(request)
    const loading = engine.load({ ...request, contextSize: 256 })
    await Promise.all([engine.restart(), loading])
    expect((await loading).contextSize).toBe(256)
    expect(engine.status()).toMatchObject({ phase: 'ready', restarts: 0, contextSize: 256 })
    expect(pids).toHaveLength(2)
    expect(alive(pids[0]!)).toBe(false)
  })

  it.skipIf(process.platform === 'darwin')('for other cards gets a process that sees them, once the answer of the old one is written', async () => {
    await start().load(request)
    const text = answer()
    // no such backend here: what counts is the process that was asked
    const other = engine.load({ ...request, gpu: 'metal', devices: [1] })
    await expect(other).rejects.toMatchObject({ code: 'GPU_UNAVAILABLE' })
    expect(await text).toContain('wheeze')
    await engine.load(request)
    expect(await answer()).toContain('wheeze')
    expect(pids).toHaveLength(3)
    expect(engine.status()).toMatchObject({ restarts: 0 })
    expect(environments[0]).not.toHaveProperty('CUDA_VISIBLE_DEVICES')
  })

  it('waits for the answer that is being written', async () => {
    await start().load(request)
    const text = answer()
    const info = await engine.load({ ...request, contextSize: 256 })
    expect(await text).toContain('wheeze')
    expect(info.contextSize).toBe(256)
  })

  it.skipIf(process.platform === 'win32')(
    'of more than the memory is refused with both numbers (Windows would write the empty file out)',
    async () => {
      // the real model and behind it a hole: on the disk still small, to every reader larger than any memory
      const path = join(folder, 'huge 张 Żółć.gguf')
      writeFileSync(path, readFileSync(starter))
      truncateSync(path, 4e12)
      await start().load(request)
      await expect(engine.load({ ...request, modelPath: path })).rejects.toMatchObject({
        code: 'MODEL_TOO_LARGE',
        message: expect.stringMatching(/^huge 张 Żółć\.gguf needs more than 4000\.0 GB of memory; \d+\.\d GB is free\. .+\.$/) as string,
      })
      expect(engine.status()).toMatchObject({ phase: 'failed', error: { code: 'MODEL_TOO_LARGE' } })
      await engine.load(request)
      expect(await answer()).toContain('wheeze')
    },
  )

  it('that llama.cpp refuses is logged in its own words', async () => {
    const path = join(folder, 'broken.gguf')
    writeFileSync(path, Buffer.from(readFileSync(starter).toString('latin1').replace('blk.1.ffn_down.weight', 'blk.1.ffn_dxwn.weight'), 'latin1'))
    await expect(start().load({ ...request, modelPath: path })).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' })
    expect(logged.join('\n')).toContain('missing tensor')
  })
})
