// Owns the tests of prompt states on real llama.cpp: the same answers from them, none for another model, and a warm-up that gives way.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoadRequest, Message, WarmEvent } from '../../app/contract/engine.ts'
import { engineHere, SLOW, user, type Answer } from './engine-here.ts'
import { starter } from './models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-prefix-'))
const statesFolder = join(folder, 'states')
const states = { folder: statesFolder, bytes: 100e6 }
const { load, ask, warm, unload } = engineHere()
const system = (text: string): Message[] => [{ role: 'system', text }]
const medication = system(`You answer questions about medicines for doctors. ${'State the dose, the route and the interval. '.repeat(6)}`)
const diagnosis = system(`You answer questions about diagnosis for doctors. ${'Name what is dangerous first. '.repeat(8)}`)
const prefixes = [
  { id: 'medication', messages: medication },
  { id: 'diagnosis', messages: diagnosis },
]
const question = [...medication, ...user('What is the usual adult dose of ibuprofen?')]
const warmed = (events: WarmEvent[]) => events.filter((event) => event.type === 'warm')
const files = () => readdirSync(statesFolder)
/** A fresh load with no state from elsewhere in it. */
const loadWith = (options: Partial<LoadRequest> = {}) => load({ states, ...options })
let cold: Answer

beforeAll(async () => {
  await load()
  cold = await ask(question)
  expect(cold.done).not.toHaveProperty('restored')
}, SLOW)
afterAll(async () => {
  await unload()
  rmSync(folder, { recursive: true })
})

describe('a prompt that was read while nobody asked', () => {
  it('is stored once, with progress, and gives the same answer from its state', async () => {
    await loadWith()
    const events = await warm({ prefixes, shapes: false })
    const steps = events.filter((event) => event.type === 'prefix' && event.id === 'medication') as Extract<WarmEvent, { type: 'prefix' }>[]
    expect(steps.length).toBeGreaterThan(2)
    expect(steps.at(-1)!.done).toBe(steps[0]!.total)
    expect(warmed(events)).toMatchObject([
      { id: 'medication', from: 'read', tokens: steps[0]!.total },
      { id: 'diagnosis', from: 'read' },
    ])
    expect(events.at(-1)).toEqual({ type: 'done', stopped: false })
    expect(files()).toHaveLength(2)
    const answer = await ask(question)
    expect(answer.done.restored).toBe(steps[0]!.total)
    expect(answer.text).toBe(cold.text)
    expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'stored' }, { from: 'stored' }])
  })

  it('is there after a restart, in each of several sequences, and a follow-up goes on where its conversation is', async () => {
    await loadWith()
    expect((await ask(question)).done.restored).toBeGreaterThan(50)
    await loadWith({ sequences: 2 })
    expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'read' }, { from: 'read' }])
    await loadWith({ sequences: 2 })
    expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'stored' }, { from: 'stored' }])
    const both = await Promise.all([ask(question), ask(question)])
    for (const { text, done } of both) {
      expect(done.restored).toBeGreaterThan(50)
      expect(text).toBe(cold.text)
    }
    const more: Message[] = [...question, { role: 'assistant', text: cold.text }, ...user('And what are the symptoms of gout?')]
    const followUp = await ask(more)
    expect(followUp.done).not.toHaveProperty('restored')
    // all of the first prompt at least; the answer may be cut into other tokens when it is read than when it was written
    expect(followUp.held).toBeGreaterThanOrEqual(cold.done.promptTokens - 1)
    await load()
    expect((await ask(more)).text).toBe(followUp.text)
  })

  it('of other texts is of use as far as they are the same', async () => {
    await loadWith()
    const other = await ask([...system(`${medication[0]!.text} Be brief.`), ...user('What are the symptoms of gout?')])
    expect(other.done.restored).toBeGreaterThan(50)
    await load()
    expect((await ask([...system(`${medication[0]!.text} Be brief.`), ...user('What are the symptoms of gout?')])).text).toBe(other.text)
  })

  it('that is short, longer than the context, or has nowhere to be kept is not stored', async () => {
    const none = [{ id: 'short', messages: system('Hi.') }]
    const long = [{ id: 'long', messages: system('amoxicillin 500 mg '.repeat(400)) }]
    await loadWith()
    expect(warmed(await warm({ prefixes: [...none, ...long], shapes: false }))).toMatchObject([
      { from: 'none', tokens: 0 },
      { from: 'none', tokens: 0 },
    ])
    await load()
    expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'none' }, { from: 'none' }])
    await load({ states: { folder: join(folder, 'no room'), bytes: 0 } })
    expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'none' }, { from: 'none' }])
    expect((await ask(question)).text).toBe(cold.text)
  })
})

describe('a state', { timeout: 2 * SLOW }, () => {
  it('that is damaged is thrown away, the answer is the same, and it is made again', async () => {
    const spoil: ((path: string) => void)[] = [
      (path) => {
        const bytes = readFileSync(path)
        bytes[Math.floor(bytes.length / 2)]! ^= 1
        writeFileSync(path, bytes)
      },
      (path) => writeFileSync(path, readFileSync(path).subarray(0, 5000)),
      (path) => writeFileSync(path, 'something else'),
    ]
    rmSync(statesFolder, { recursive: true })
    await loadWith()
    await warm({ prefixes, shapes: false })
    for (const damage of spoil) {
      for (const name of files()) damage(join(statesFolder, name))
      await loadWith()
      const answer = await ask(question)
      expect(answer.done).not.toHaveProperty('restored')
      expect(answer.text).toBe(cold.text)
      expect(warmed(await warm({ prefixes, shapes: false }))).toMatchObject([{ from: 'read' }, { from: 'read' }])
      expect(files()).toHaveLength(2)
    }
  })

  it('never comes back for another model, even of the same name, size and time, nor for another form of the context', async () => {
    const path = join(folder, 'copy', 'model.gguf')
    mkdirSync(join(folder, 'copy'))
    copyFileSync(starter, path)
    const { atime, mtime, size } = statSync(path)
    await loadWith({ modelPath: path })
    expect((await ask(question)).done).not.toHaveProperty('restored')
    await warm({ prefixes, shapes: false })
    expect((await ask(user('x'))).done.stop).toBeDefined()
    expect((await ask(question)).done.restored).toBeGreaterThan(50)

    for (const options of [
      { kvType: 'q8_0' },
      { contextSize: 768 },
      { sequences: 2 },
      { flashAttention: 'off' },
      { modelSha256: 'ab'.repeat(32) },
    ] as const) {
      await loadWith({ modelPath: path, ...options })
      expect((await ask(question)).done, JSON.stringify(options)).not.toHaveProperty('restored')
    }
    // as a fine-tuning would: all weights a little, everything else as it was
    const bytes = readFileSync(path)
    for (let at = size / 2; at < size; at += 997) bytes[Math.floor(at)]! ^= 1
    writeFileSync(path, bytes)
    utimesSync(path, atime, mtime)
    await loadWith({ modelPath: path })
    expect((await ask(question)).done).not.toHaveProperty('restored')
  })
})

describe('a warm-up', () => {
  it('gives way to a question at once, and goes on after it', async () => {
    rmSync(statesFolder, { recursive: true })
    await loadWith({ stepSeconds: 0.01 })
    let answer: Promise<Answer> | null = null
    const order: string[] = []
    const events = await warm({ prefixes, shapes: false }, undefined, (event) => {
      if (event.type === 'warm') order.push(event.id)
      if (event.type === 'prefix' && event.done > 0 && !answer) answer = ask(question).finally(() => order.push('answer'))
    })
    expect(order).toEqual(['answer', 'medication', 'diagnosis'])
    expect((await answer!).text).toBe(cold.text)
    expect(warmed(events)).toMatchObject([{ from: 'read' }, { from: 'read' }])
  })

  it('stops when told to, and when another model is loaded meanwhile', async () => {
    rmSync(statesFolder, { recursive: true })
    await loadWith()
    const stop = new AbortController()
    const stopped = await warm({ prefixes }, stop.signal, (event) => event.type === 'prefix' && event.done > 0 && stop.abort())
    expect(stopped.at(-1)).toEqual({ type: 'done', stopped: true })
    expect(files()).toEqual([])
    const next: Promise<unknown>[] = []
    const replaced = await warm({ prefixes }, undefined, (event) => {
      if (event.type === 'prefix' && next.length === 0) next.push(load())
    })
    expect(replaced.at(-1)).toEqual({ type: 'done', stopped: true })
    expect(next).toHaveLength(1)
    await Promise.all(next)
    await unload()
    await expect(warm({ prefixes })).rejects.toMatchObject({ code: 'MODEL_NOT_LOADED' })
  })
})
