// Owns the tests of what a fault leaves behind: a killed engine, a stopped answer, a missing model. Nothing acknowledged is lost.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { startRig, type Rig } from './services.ts'

const starter = fileURLToPath(new URL('../../models/starter/rushlight-starter-q8.gguf', import.meta.url))
let rig: Rig
afterEach(() => rig?.close())

/** A prompt that the starter answers at length would be luck; a long question makes the engine read for a while instead. */
const long = 'dose of amoxicillin and ibuprofen with warfarin, '.repeat(14)

describe('a killed engine', () => {
  it('is restarted 20 times in 20 answers, and every turn is there', async () => {
    rig = await startRig()
    await rig.ready()
    const asked: string[] = []
    for (let round = 0; round < 20; round++) {
      await rig.ready()
      const pid = rig.engine().pid
      const turn = await rig.ask(`${round}: ${long}`, {}, (event) => {
        // the first news of the answer, be it reading or writing: the process dies in the middle of it
        if (event.type === 'accepted') process.kill(rig.engine().pid!, 'SIGKILL')
      })
      asked.push(turn.id)
      expect(['partial', 'failed'], `round ${round}`).toContain(turn.status)
      expect(turn.error?.code).toBe('ENGINE_LOST')
      await rig.ready()
      expect(rig.engine().pid).not.toBe(pid)
      // a clinician asks again; that the engine answers ends the incident
      const again = await rig.ask('What is the adult dose of aspirin?')
      expect(again.status).toBe('complete')
      asked.push(again.id)
    }
    expect(rig.status()).toMatchObject({ phase: 'ready', restarts: 20 })
    const conversations = await rig.client.call('conversation.list', {})
    const stored = await Promise.all(conversations.map(({ id }) => rig.client.call('conversation.open', { id })))
    expect(stored.flatMap(({ turns }) => turns.map(({ id }) => id)).sort()).toEqual(asked.sort())
  }, 120_000)
})

describe('a stop', () => {
  it('ends the answer and keeps what was written', async () => {
    rig = await startRig()
    await rig.ready()
    const stop = new AbortController()
    const turn = await rig.ask(long, {}, (event) => event.type === 'stage' && stop.abort(), stop.signal)
    expect(turn).toMatchObject({ status: 'partial', error: { code: 'CANCELLED' } })
    expect((await rig.ask('What is the adult dose of aspirin?')).status).toBe('complete')
  })

  it('works by the turn’s id from any window, and twice', async () => {
    rig = await startRig()
    await rig.ready()
    const stops: Promise<unknown>[] = []
    const turn = await rig.ask(long, {}, (event) => {
      if (event.type === 'accepted') for (let n = 0; n < 2; n++) stops.push(rig.client.call('ask.stop', { turn: event.turn.id }))
    })
    await Promise.all(stops)
    expect(turn).toMatchObject({ status: 'partial', error: { code: 'CANCELLED' } })
    await rig.client.call('ask.stop', { turn: turn.id })
  })
})

describe('a question while the model loads', () => {
  it('is saved at once and answered when the model is ready', async () => {
    rig = await startRig()
    const types: string[] = []
    const turn = await rig.ask('What is the adult dose of aspirin?', {}, (event) => types.push(event.type === 'stage' ? event.stage : event.type))
    expect(types.slice(0, 3)).toEqual(['accepted', 'facts', 'waiting'])
    expect(turn.status).toBe('complete')
  })
})

describe('a model that cannot be loaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight models 张 Żółć '))
  const file = (name: string, make: (path: string) => void) => {
    const path = join(folder, name)
    make(path)
    return path
  }
  afterEach(() => existsSync(folder) || mkdirSync(folder))

  it.each([
    ['MODEL_MISSING', () => join(folder, 'gone.gguf')],
    ['MODEL_TRUNCATED', () => file('cut.gguf', (path) => (copyFileSync(starter, path), truncateSync(path, 1_000_000)))],
    ['MODEL_NOT_GGUF', () => file('text.gguf', (path) => writeFileSync(path, 'not a model at all, only text in a file'))],
    ['MODEL_UNREADABLE', () => file('folder.gguf', (path) => mkdirSync(path))],
  ])('%s is said in one sentence and the program stays usable', async (code, make) => {
    rig = await startRig({ model: make() })
    await expect(rig.ready()).rejects.toMatchObject({ code })
    expect(rig.status()).toMatchObject({ phase: 'failed', error: { code } })
    expect(rig.status().error!.message).toMatch(/\.$/)
    const turn = await rig.ask('What is the adult dose of aspirin?')
    expect(turn).toMatchObject({ status: 'failed', error: { code } })
    const starterModel = (await rig.client.call('model.list', null)).find((model) => model.demonstration)!
    await rig.client.call('model.choose', { id: starterModel.id })
    await rig.ready()
    expect((await rig.ask('What is the adult dose of aspirin?')).status).toBe('complete')
  })

  it('one in a folder with spaces and 张 Żółć loads', async () => {
    const path = file('model ž.gguf', (to) => copyFileSync(starter, to))
    rig = await startRig({ model: path })
    await rig.ready()
    expect((await rig.ask('What is the adult dose of aspirin?')).status).toBe('complete')
    rmSync(folder, { recursive: true })
  })
})
