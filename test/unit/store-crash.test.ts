// Owns the tests of what a killed process leaves in the database: every acknowledged turn, a whole file, a version that is either old or new.
import Database from 'better-sqlite3'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Conversations } from '../../app/store/conversations.ts'
import { openStore } from '../../app/store/db.ts'

const log = { error() {}, info() {}, warn() {} }
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const ROUNDS = 10
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-crash-'))
  path = join(folder, 'rushlight.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the writer until some milliseconds after its first word, kills it, and returns what it has acknowledged. */
function writeAndDie(afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [script('./store-writer.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (text === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      text += chunk.toString()
    })
    child.on('close', () => resolve(text.slice(0, text.lastIndexOf('\n'))))
  })
}

it('a writer killed at any moment has lost no acknowledged turn', async () => {
  const acknowledged = new Map<string, string>()
  let cut = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of (await writeAndDie(Math.random() * 150)).split('\n')) {
      const [state, id] = line.split(' ')
      acknowledged.set(id!, state!)
    }
    const store = openStore(path, { log })
    expect(store.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    cut += new Conversations(store).recoverUnfinished()
    const stored = new Map(store.all('SELECT id, status, answer FROM turns').map(({ id, status, answer }) => [String(id), { status, answer }]))
    for (const [id, state] of acknowledged) {
      const turn = stored.get(id)
      const halves = [`Half of ${id}`, `All of ${id}`]
      expect(turn, `${state} ${id} is there`).toBeDefined()
      if (state === 'finished') expect(turn).toEqual({ status: 'complete', answer: `All of ${id}` })
      else if (state === 'half') expect(halves).toContain(turn!.answer)
      else expect(['', ...halves]).toContain(turn!.answer)
    }
    expect([...stored.values()].filter(({ status }) => status === 'answering')).toEqual([])
    store.close()
  }
  expect(acknowledged.size).toBeGreaterThan(ROUNDS)
  // a writer that is always between two turns would prove nothing
  expect(cut).toBeGreaterThan(0)
}, 60_000)

it('a migration killed from within leaves the old version whole, with its snapshot', () => {
  const store = openStore(path, { log })
  const talks = new Conversations(store)
  const { turn } = talks.createTurn({
    conversation: null,
    question: 'Kept?',
    classification: { category: 'general', decidedBy: 'rules', matched: [], scores: {} },
    understood: [],
  })
  talks.finishTurn(turn.id, { status: 'complete', answer: 'Kept.', reasoning: '', provenance: null, error: null })
  const version = store.get('PRAGMA user_version')
  store.close()

  const child = spawnSync(process.execPath, [script('./store-migrator.ts'), path], { encoding: 'utf8' })
  expect({ signal: child.signal, stderr: child.stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
  const after = openStore(path, { log })
  expect(after.get('PRAGMA user_version')).toEqual(version)
  expect(after.all(`SELECT name FROM sqlite_master WHERE name = 'extra'`)).toEqual([])
  expect(new Conversations(after).open(turn.conversation).turns[0]).toMatchObject({ answer: 'Kept.' })
  after.close()
  expect(existsSync(`${path}.before-9000.partial`)).toBe(false)
  const snapshot = new Database(`${path}.before-9000`, { readonly: true })
  expect(snapshot.prepare('SELECT answer FROM turns').pluck().all()).toEqual(['Kept.'])
  snapshot.close()
})
