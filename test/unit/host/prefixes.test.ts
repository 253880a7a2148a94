// Owns the tests of prompts that the host has read ahead, on the real engine: when it is done, what ends it, whose states are used, and what it may not cost.
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { GenerateEvent } from '../../../app/contract/engine.ts'
import { categories, type Category, type EngineStatus } from '../../../app/contract/entities.ts'
import { compose, loadPrompts } from '../../../app/ask/prompt.ts'
import { resolvePaths } from '../../../app/base/paths.ts'
import type { EngineChild } from '../../../app/host/engine-child.ts'
import { EngineHost } from '../../../app/host/engine-host.ts'
import { EngineSupervisor, type LIMITS } from '../../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../../app/host/engine-spawn-node.ts'
import { Hardware } from '../../../app/host/hardware.ts'
import { Library } from '../../../app/library/library.ts'
import { SLOW } from '../engine-here.ts'
import { starter } from '../models.ts'

type Done = Extract<GenerateEvent, { type: 'done' }>
const folder = mkdtempSync(join(tmpdir(), 'rushlight-ahead-'))
const never = new AbortController().signal
const { resources, engineEntry } = resolvePaths()
const prompts = loadPrompts(join(resources, 'prompts'))
const note = { error() {}, warn() {}, info() {} }

/** The starter as no catalogue knows it: with bytes behind its end it is a stranger’s model, which gets a system prompt. */
function model(name: string, tail: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  copyFileSync(starter, path)
  appendFileSync(path, tail.padEnd(64))
  return path
}
const stranger = model('stranger.gguf', 'one')

let close: (() => Promise<void>) | null = null
afterEach(() => close?.())
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

function start(options: { data?: string; entry?: string; limits?: Partial<typeof LIMITS>; prompts?: null } = {}) {
  const data = options.data ?? mkdtempSync(join(folder, 'data-'))
  const children: EngineChild[] = []
  const spawn = (changes: Parameters<typeof spawnNodeEngine>[1]) => {
    children.push(spawnNodeEngine(options.entry ?? engineEntry, changes))
    return children.at(-1)!
  }
  const supervisor = new EngineSupervisor({ spawn, log: note, limits: { start: SLOW, count: SLOW, ...options.limits } })
  const seen: EngineStatus[] = []
  const host = new EngineHost({
    ...{ supervisor, log: note, idleMs: 200, data, publish: (status) => void seen.push(status) },
    ...(options.prompts === null ? {} : { prompts }),
    library: new Library({ resources, models: join(data, 'models') }),
    hardware: new Hardware({ path: join(data, 'hardware.json'), fixed: null, log: note, spawnProbe: null }),
  })
  const end = async () => {
    close = null
    host.close()
    await supervisor.close()
  }
  close = end
  const ask = async (category: Category, on: (event: GenerateEvent) => void = () => {}, question = 'What is the usual dose of ibuprofen?') => {
    const messages = compose({ prompts, category, profile: 'full', history: [], question })
    let done: Done | null = null
    let text = ''
    const input = { messages, maxTokens: 12, temperature: 0, speculation: 'auto', kind: category, client: 'test' } as const
    for await (const event of host.generate(input, never)) {
      on(event)
      if (event.type === 'done') done = event
      else if (event.type === 'text') text += event.text
    }
    return { done: done!, text }
  }
  const ready = () => host.status().prefixes?.filter(({ state }) => state === 'ready').length ?? 0
  const allReady = () => expect.poll(ready, { timeout: SLOW }).toBe(categories.length)
  const states = () => (existsSync(join(data, 'states')) ? readdirSync(join(data, 'states')).filter((name) => name.endsWith('.kv')) : [])
  return { host, supervisor, data, children, seen, ask, ready, allReady, states, end }
}
const killed = (child: EngineChild | undefined) => process.kill(child!.pid!, 'SIGKILL')

describe('prompts read ahead', { timeout: 3 * SLOW }, () => {
  it('are ready for every category in a quiet time, give the same answers, and outlive the program and its engine', async () => {
    const first = start()
    await first.host.choose(stranger)
    expect(first.host.status().prefixes).toEqual(categories.map((category) => ({ category, state: 'waiting' })))
    const cold = await first.ask('medication')
    expect(cold.done).not.toHaveProperty('restored')
    await first.allReady()
    expect(first.states()).toHaveLength(categories.length)
    // each was seen at work before it was ready, one at a time
    const atWork = first.seen.map(({ prefixes }) => prefixes?.filter(({ state }) => state === 'working').map(({ category }) => category) ?? [])
    expect(new Set(atWork.flat())).toEqual(new Set(categories))
    expect(Math.max(...atWork.map((one) => one.length))).toBe(1)
    const warm = await first.ask('medication')
    expect(warm.text).toBe(cold.text)

    // another process of the engine has them all at hand again
    killed(first.children.at(-1))
    await expect.poll(() => first.host.status().restarts, { timeout: SLOW }).toBe(1)
    await first.host.ready(AbortSignal.timeout(SLOW))
    const after = await first.ask('medication')
    expect(after.done.restored).toBeGreaterThan(300)
    expect(after.text).toBe(cold.text)
    await first.end()

    const second = start({ data: first.data })
    await second.host.choose(stranger)
    const again = await second.ask('diagnosis')
    expect(again.done.restored).toBeGreaterThan(300)
    await second.allReady()
    expect(second.states()).toEqual(first.states())
    // the model's hash is known by now; the key stays what it was at the first load
    await second.host.choose(stranger)
    expect((await second.ask('diagnosis')).done.restored).toBeGreaterThan(300)
  })

  it('are no other model’s, be it of the same name and size, and come back with their own', async () => {
    const other = model('other/stranger.gguf', 'two')
    const { host, ask, allReady, states } = start()
    await host.choose(stranger)
    await allReady()
    await host.choose(other)
    expect((await ask('medication')).done).not.toHaveProperty('restored')
    await allReady()
    expect(states()).toHaveLength(2 * categories.length)
    await host.choose(stranger)
    expect((await ask('medication')).done.restored).toBeGreaterThan(300)
  })

  it('are absent for a model that gets no system prompt, and where nothing is to be read', async () => {
    const { host, states, end } = start()
    await host.choose(starter)
    expect(host.status()).not.toHaveProperty('prefixes')
    await host.choose(stranger)
    expect(host.status().prefixes).toHaveLength(categories.length)
    await host.choose(starter)
    expect(host.status()).not.toHaveProperty('prefixes')
    expect(states()).toEqual([])
    const without = start({ prompts: null })
    await without.host.choose(stranger)
    expect(without.host.status()).not.toHaveProperty('prefixes')
    await without.end()
    await end()
  })

  it('that cannot be kept are no longer waited for', async () => {
    const data = mkdtempSync(join(folder, 'data-'))
    // a file where the folder should be
    writeFileSync(join(data, 'states'), '')
    const { host, seen, ask } = start({ data })
    await host.choose(stranger)
    await expect.poll(() => 'prefixes' in host.status(), { timeout: SLOW }).toBe(false)
    expect(seen.some(({ prefixes }) => prefixes?.some(({ state }) => state === 'ready'))).toBe(false)
    expect((await ask('medication')).done.tokens).toBeGreaterThan(0)
  })
})

describe('a warm-up', { timeout: 3 * SLOW }, () => {
  /** The real engine, but for `does`, which sees that a warm-up was asked for. */
  const engine = (name: string, does: string) => {
    const path = join(folder, `${name}.mjs`)
    const log = join(folder, `${name}.log`)
    writeFileSync(
      path,
      `import { appendFileSync } from 'node:fs'
      const emit = process.emit
      let warming = null
      process.emit = function (event, message, ...rest) {
        if (event === 'message' && message?.op === 'cancel' && message.id === warming) appendFileSync(${JSON.stringify(log)}, 'cancel\\n')
        if (event === 'message' && message?.name === 'engine.load') appendFileSync(${JSON.stringify(log)}, 'load ' + JSON.stringify(message.input) + '\\n')
        if (event === 'message' && message?.name === 'engine.generate') appendFileSync(${JSON.stringify(log)}, 'generate ' + JSON.stringify({ ...message.input, messages: [] }) + '\\n')
        if (event === 'message' && message?.name === 'engine.warm') {
          warming = message.id
          appendFileSync(${JSON.stringify(log)}, 'warm\\n')
          ${does}
        }
        return emit.call(this, event, message, ...rest)
      }
      await import(${JSON.stringify(engineEntry)})`,
    )
    return { entry: path, lines: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) }
  }
  const count = (lines: string[], what: string) => lines.filter((line) => line === what).length

  it('is stopped by a question, which tells the engine its kind and client, and goes on after it', async () => {
    const { entry, lines } = engine('stopped', '')
    const { host, ask, allReady, ready } = start({ entry })
    await host.choose(stranger)
    await expect.poll(() => host.status().prefixes?.some(({ state }) => state === 'working'), { interval: 2, timeout: SLOW }).toBe(true)
    const before = ready()
    const answer = ask('general')
    await expect.poll(() => count(lines(), 'cancel'), { timeout: SLOW }).toBe(1)
    expect((await answer).done.tokens).toBeGreaterThan(0)
    // at most the one that was being sealed when the question came
    expect(ready() - before).toBeLessThanOrEqual(1)
    await allReady()
    expect(count(lines(), 'warm')).toBe(2)
    const asked = JSON.parse(
      lines()
        .find((line) => line.startsWith('generate'))!
        .slice(9),
    ) as object
    expect(asked).toMatchObject({ speculation: 'auto', kind: 'general', client: 'test' })
    const loaded = JSON.parse(
      lines()
        .find((line) => line.startsWith('load'))!
        .slice(5),
    ) as object
    expect(loaded).toMatchObject({ sequences: 2, modelSha256: null, states: { bytes: 512e6 }, shapes: { cut: 'auto' } })
    // all is at hand: the quiet times that follow have nothing to do
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(count(lines(), 'warm')).toBe(2)
  })

  it('that is silent for long is left in peace', async () => {
    // the real one waits as silently behind an answer
    const { entry, lines } = engine('silent', 'return true')
    const { host, supervisor } = start({ entry, limits: { answerSilence: 300 } })
    await host.choose(stranger)
    await expect.poll(() => count(lines(), 'warm'), { timeout: SLOW }).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(supervisor.status()).toMatchObject({ phase: 'ready', restarts: 0 })
    expect(host.isReady()).toBe(true)
  })

  it('that the engine dies of costs one restart, and is not tried again until the model is chosen anew', async () => {
    const { entry, lines } = engine('dies', `process.kill(process.pid, 'SIGKILL')`)
    const { host, ask } = start({ entry })
    await host.choose(stranger)
    await expect.poll(() => host.status().restarts, { timeout: SLOW }).toBe(1)
    await host.ready(AbortSignal.timeout(SLOW))
    // several quiet times
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(count(lines(), 'warm')).toBe(1)
    expect(host.status()).toMatchObject({ phase: 'ready', restarts: 1, error: null })
    expect(host.status()).not.toHaveProperty('prefixes')
    expect((await ask('medication')).done.tokens).toBeGreaterThan(0)
    await host.choose(stranger)
    await expect.poll(() => count(lines(), 'warm'), { timeout: SLOW }).toBe(2)
  })
})
