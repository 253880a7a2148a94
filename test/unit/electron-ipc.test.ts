// Owns the proof of Electron's transports: who may speak over IPC, what ends with its document, and the engine as a utility process.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { createClient } from '../../app/contract/client.ts'
import { call, stream, topic } from '../../app/contract/define.ts'
import { portTransport, type Port } from '../../app/contract/port.ts'
import { Router } from '../../app/base/router.ts'
import { servePort } from '../../app/base/port-server.ts'
import { serveIpc } from '../../app/host/electron-ipc.ts'
import { spawnElectronEngine } from '../../app/host/engine-spawn-electron.ts'
import * as fake from './fake-electron.ts'

vi.mock('electron', () => import('./fake-electron.ts'))
const { FakeContents, fireReady, ipcMain, log, reset } = fake
type Contents = InstanceType<typeof FakeContents>

const contract = {
  'number.double': call(z.number(), z.number()),
  'number.count': stream(z.object({ to: z.number() }), z.number()),
  'number.state': topic(z.number()),
} as const
let router: Router<typeof contract>
let running = 0
let refused = 0
let pages = 0

beforeEach(() => {
  reset()
  running = refused = pages = 0
  router = new Router(contract, {
    'number.double': (value) => value * 2,
    'number.count': async function* ({ to }, signal) {
      running++
      try {
        for (let at = 1; at <= to; at++) {
          yield at
          await new Promise((resolve) => setTimeout(resolve, 1))
          signal.throwIfAborted()
        }
      } finally {
        running--
      }
    },
  })
  router.publish('number.state', 7)
  serveIpc(ipcMain as never, router, { onRefused: () => refused++, onPage: () => pages++ })
})

// whatever a test has begun must be over: nothing may outlive its document
afterEach(() => vi.waitFor(() => expect(running).toBe(0)))

const own = { url: 'app://rushlight/index.html', parent: null }
const send = (contents: Contents, page: unknown, message: unknown, frame: object | null = own) =>
  ipcMain.emit('rushlight:in', { sender: contents, senderFrame: frame }, page, message)

/** The page's end, as preload.ts and the page's transport make it. */
function pagePort(contents: Contents, page: string): Port {
  return {
    post: (message) => void send(contents, page, structuredClone(message)),
    listen: (onMessage) => {
      let at = 0
      const hear = () => {
        for (; at < contents.sent.length; at++) if (contents.sent[at]![1] === page) onMessage(contents.sent[at]![2])
      }
      contents.hearers.add(hear)
      return () => void contents.hearers.delete(hear)
    },
  }
}
const clientOf = (contents: Contents, page: string) => createClient<typeof contract>(portTransport(pagePort(contents, page)))

test.each([
  ['a foreign page', { url: 'https://example.org/', parent: null }],
  ['another host of the same scheme', { url: 'app://elsewhere/', parent: null }],
  ['a lookalike address', { url: 'https://rushlight/app://rushlight/', parent: null }],
  ['a host that only begins like ours', { url: 'app://rushlight.example.org/', parent: null }],
  ['a file', { url: 'file:///app/rushlight/', parent: null }],
  ['a frame inside our page', { url: 'app://rushlight/', parent: own }],
  ['a frame that is gone', null],
  ['an empty address', { url: '', parent: null }],
  ['a blank page', { url: 'about:blank', parent: null }],
])('%s is refused without an answer', async (_name, frame) => {
  const contents = new FakeContents()
  send(contents, 'page', { id: 1, op: 'call', name: 'number.double', input: 1 }, frame)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(contents.sent).toEqual([])
  expect([refused, pages]).toEqual([1, 0])
})

test('our page is answered: a call, a bad input, an unknown name, a topic with its snapshot', async () => {
  const client = clientOf(new FakeContents(), 'page')
  expect(await client.call('number.double', 21)).toBe(42)
  await expect(client.call('number.double', 'x' as never)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  await expect(client.call('constructor' as never, null as never)).rejects.toMatchObject({ code: 'UNKNOWN_ROUTE' })
  const seen: unknown[] = []
  const off = client.watch((_name, state) => seen.push(state))
  router.publish('number.state', 8)
  off()
  router.publish('number.state', 9)
  expect(seen).toEqual([7, 8])
  expect([refused, pages]).toEqual([0, 1])
})

test('a stream arrives in order and ends; an abort ends the work', async () => {
  const client = clientOf(new FakeContents(), 'page')
  const seen: number[] = []
  for await (const value of client.stream('number.count', { to: 5 }, new AbortController().signal)) seen.push(value)
  expect(seen).toEqual([1, 2, 3, 4, 5])

  const stop = new AbortController()
  const run = async () => {
    for await (const value of client.stream('number.count', { to: 1e6 }, stop.signal)) if (value === 3) stop.abort()
  }
  await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(running).toBe(0)
})

test('nonsense is dropped', async () => {
  const contents = new FakeContents()
  for (const message of [null, 1, 'x', [], {}, { id: 'a' }, { id: 1, op: 'nonsense' }, { id: 1.5, op: 'call', name: 'number.double' }])
    send(contents, 'page', message)
  for (const page of [undefined, 5, {}]) send(contents, page, { id: 1, op: 'call', name: 'number.double', input: 1 })
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(contents.sent).toEqual([])
  expect(refused).toBe(3)
})

/** Starts a stream that only its document's end can stop. */
async function begin(contents: Contents, page: string): Promise<void> {
  send(contents, page, { id: 1, op: 'stream', name: 'number.count', input: { to: 1e6 } })
  await vi.waitFor(() => expect(contents.sent.length).toBeGreaterThan(2))
  expect(running).toBe(1)
}

test.each<[string, (contents: Contents) => void]>([
  ['its window is closed', (contents) => contents.destroy()],
  ['its process is gone', (contents) => contents.emit('render-process-gone', {}, { reason: 'crashed' })],
  [
    'another document has replaced it',
    (contents) => {
      contents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
      contents.emit('did-navigate')
    },
  ],
  ['another document speaks in its place', (contents) => void send(contents, 'next page', { id: 1, op: 'topics' })],
])('a running stream ends when %s', async (_name, end) => {
  const contents = new FakeContents()
  await begin(contents, 'page')
  end(contents)
  await vi.waitFor(() => expect(running).toBe(0))
  const stray = contents.sent.filter(([, page]) => page === 'page').length
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(contents.sent.filter(([, page]) => page === 'page')).toHaveLength(stray)
})

test('a navigation that was refused, or that stays in the document, ends nothing', async () => {
  const contents = new FakeContents()
  await begin(contents, 'page')
  contents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
  contents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: true })
  contents.emit('did-start-navigation', { isMainFrame: false, isSameDocument: false })
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(running).toBe(1)
  contents.destroy()
})

test('a reloaded page keeps its port even if it speaks before did-navigate, and its predecessor cannot take it back', async () => {
  const contents = new FakeContents()
  await begin(contents, 'old')
  contents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
  const client = clientOf(contents, 'new')
  const seen: unknown[] = []
  client.watch((_name, state) => seen.push(state))
  contents.emit('did-navigate')
  send(contents, 'old', { id: 9, op: 'call', name: 'number.double', input: 1 })
  router.publish('number.state', 8)
  expect(seen).toEqual([7, 8])
  expect(await client.call('number.double', 4)).toBe(8)
  await vi.waitFor(() => expect(running).toBe(0))
  expect(contents.sent.filter(([, page, message]) => page === 'old' && (message as { id: number }).id === 9)).toEqual([])
})

test('two windows do not hear each other', async () => {
  const [first, second] = [new FakeContents(), new FakeContents()]
  await begin(first, 'a')
  expect(await clientOf(second, 'b').call('number.double', 3)).toBe(6)
  second.destroy()
  expect(running).toBe(1)
  first.destroy()
  await vi.waitFor(() => expect(running).toBe(0))
})

test('the engine runs as a utility process that speaks the same port', async () => {
  fireReady()
  const engine = spawnElectronEngine('/program/out/app/engine.js')
  const { entry, options, child } = log.forks[0]!
  expect(entry).toBe('/program/out/app/engine.js')
  expect(options).toMatchObject({ serviceName: 'Rushlight engine', stdio: 'pipe' })
  expect(engine.pid).toBe(4711)
  // its far end: the real server over the fake process
  const far: Port = {
    post: (message) => void child.emit('message', structuredClone(message)),
    listen: (onMessage) => {
      child.postMessage = (message) => onMessage(structuredClone(message))
      return () => {}
    },
  }
  child.once('exit', servePort(router, far))
  const client = createClient<typeof contract>(portTransport(engine.port, { code: 'ENGINE_LOST', message: 'lost' }))
  expect(await client.call('number.double', 5)).toBe(10)

  const exits: unknown[] = []
  engine.onExit((code, signal) => exits.push([code, signal]))
  const counting = (async () => {
    for await (const value of client.stream('number.count', { to: 1e6 }, new AbortController().signal)) if (value === 2) engine.kill()
  })()
  await expect(counting).rejects.toMatchObject({ code: 'ENGINE_LOST' })
  expect(exits).toEqual([[143, null]])
  expect(engine.pid).toBeUndefined()
  // late listeners hear of it too, and nothing is posted to a dead process
  engine.onExit((code) => exits.push(code))
  expect(exits).toEqual([[143, null], 143])
  const received = child.received.length
  engine.port.post({ id: 1, op: 'topics' })
  expect(child.received).toHaveLength(received)
})

test('what the engine prints is read and thrown away, so that a full pipe cannot stop it', async () => {
  fireReady()
  spawnElectronEngine('/engine.js')
  const { child } = log.forks[0]!
  const big = 'x'.repeat(1024 * 1024)
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.write(big)
    await vi.waitFor(() => expect(pipe.readableLength + pipe.writableLength).toBe(0))
  }
})
