// Owns the proof of Electron's entry: order of starting, what the window may do, one instance, and an orderly end.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { codes } from '../../app/contract/errors.ts'
import { call } from '../../app/contract/define.ts'
import { Router } from '../../app/base/router.ts'
import type { RunningServices, ServiceOptions } from '../../app/host/services.ts'
import * as fake from './fake-electron.ts'

/** A refusal in the class that the freshly evaluated entry knows. */
const refuse = async (): Promise<never> => {
  const { AppError } = await import('../../app/contract/errors.ts')
  throw new AppError('STORE_READ_ONLY')
}
const { app, FakeEvent, fireReady, ipcMain, log, reset, session } = fake
// the entry is evaluated afresh for each test, the stand-in is not
vi.mock('electron', () => fake)
// the services have their own tests; here it matters when the entry starts and closes them, and what it does when they fail
const started: ServiceOptions[] = []
let start: (options: ServiceOptions) => Promise<RunningServices>
vi.mock('../../app/host/services.ts', () => ({ createServices: (options: ServiceOptions) => (started.push(options), start(options)) }))

let data: string
let closed = 0
const argv = process.argv
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rushlight-electron-'))
  reset()
  started.length = 0
  closed = 0
  start = () => Promise.resolve(services())
  process.argv = ['electron', '.', '--data', data]
  vi.resetModules()
})
afterEach(() => {
  process.argv = argv
  process.removeAllListeners('uncaughtException')
  rmSync(data, { recursive: true, force: true })
})

function services(close: () => Promise<void> = () => Promise.resolve()): RunningServices {
  const contract = { 'app.info': call(z.null(), z.object({ version: z.string() })) }
  const router = new Router(contract, { 'app.info': () => ({ version: 'test' }) })
  return {
    router: router as unknown as RunningServices['router'],
    ready: () => Promise.resolve(),
    close: () => (closed++, close()),
  }
}

/** Evaluates the entry as Electron does, and only then lets it become ready. */
async function boot(): Promise<void> {
  await import('../../app/host/main.ts')
  fireReady()
}
async function bootToWindow() {
  await boot()
  await vi.waitFor(() => expect(log.windows).toHaveLength(1))
  return log.windows[0]!
}

test('the entry does not wait for ready while it is evaluated', async () => {
  // a top-level await, however indirect, would keep this import from settling: ready has not been fired
  await import('../../app/host/main.ts')
  expect(log.windows).toHaveLength(0)
  fireReady()
  await vi.waitFor(() => expect(log.windows).toHaveLength(1))
})

test('sandbox, scheme and switches are set before ready, and the lock lies in the data folder', async () => {
  await import('../../app/host/main.ts')
  expect(log.order).toEqual(['enableSandbox', 'setPath userData', 'lock'])
  expect(app.paths.get('userData')).toBe(join(data, 'electron'))
  expect(log.schemes).toEqual([{ scheme: 'app', privileges: expect.objectContaining({ standard: true, secure: true, bypassCSP: false }) }])
  expect(log.switches.get('host-resolver-rules')).toBe('MAP * ~NOTFOUND')
  for (const name of ['disable-background-networking', 'disable-component-update', 'disable-sync', 'no-pings'])
    expect(log.switches.has(name)).toBe(true)
})

test('the window is sandboxed and isolated, shows our page, and appears once painted', async () => {
  const window = await bootToWindow()
  expect(window.options.webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
    devTools: true,
  })
  expect(window.options.webPreferences?.preload).toMatch(/out[\\/]preload[\\/]preload\.cjs$/)
  expect(window.url).toBe('app://rushlight/')
  expect(window.options.show).toBe(false)
  window.emit('ready-to-show')
  expect(window.calls).toEqual(['show'])
})

test('in a package there are no developer tools, and the models lie beside the program', async () => {
  reset({ packaged: true })
  Object.defineProperty(process, 'resourcesPath', { value: join(data, 'resources'), configurable: true })
  const window = await bootToWindow()
  expect(window.options.webPreferences?.devTools).toBe(false)
  expect(JSON.stringify(log.menus)).not.toContain('toggleDevTools')
  expect(started[0]?.paths.resources).toBe(join(data, 'resources', 'models'))
})

test('every rule is in force before the page is loaded', async () => {
  const loaded = vi.fn()
  app.on('web-contents-created', () => loaded({ ...session.defaultSession.set }))
  const { webContents } = await bootToWindow()
  const before = loaded.mock.calls[0]![0] as Record<string, unknown>
  for (const rule of ['permissionRequest', 'permissionCheck', 'device', 'beforeRequest']) expect(before[rule], rule).toBeTypeOf('function')
  expect(session.defaultSession.listenerCount('will-download')).toBe(1)
  const event = new FakeEvent()
  webContents.emit('will-navigate', event)
  expect(event.defaultPrevented).toBe(true)
  expect(webContents.openHandler({ url: 'https://example.org/' })).toEqual({ action: 'deny' })
})

test('a second start ends at once, starts nothing and brings the first window forward', async () => {
  reset({ free: false })
  await boot()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(log.exits).toEqual([0])
  expect(started).toHaveLength(0)

  reset()
  vi.resetModules()
  const window = await bootToWindow()
  window.minimized = true
  app.emit('second-instance')
  expect(window.calls).toEqual(['restore', 'show', 'focus'])
})

test('a failure to start is shown as its sentence, and the exit code is 1', async () => {
  start = refuse
  await boot()
  await vi.waitFor(() => expect(log.exits).toEqual([1]))
  expect(log.errors).toEqual([['Rushlight cannot start', codes.STORE_READ_ONLY]])
  expect(log.windows).toHaveLength(0)
})

test('an unknown failure shows none of its own text', async () => {
  start = () => Promise.reject(new Error('warfarin for patient 12'))
  await boot()
  await vi.waitFor(() => expect(log.exits).toEqual([1]))
  expect(JSON.stringify(log.errors)).not.toContain('warfarin')
})

test('quitting waits for the services to close, once', async () => {
  const closing = Promise.withResolvers<void>()
  start = () => Promise.resolve(services(() => closing.promise))
  await bootToWindow()
  app.emit('window-all-closed')
  app.quit()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(log.exits).toEqual([])
  closing.resolve()
  await vi.waitFor(() => expect(log.exits.length).toBeGreaterThan(0))
  expect(log.exits.every((code) => code === 0)).toBe(true)
  expect(closed).toBe(1)
})

test('quitting does not wait for ever', async () => {
  start = () => Promise.resolve(services(() => new Promise(() => {})))
  await bootToWindow()
  vi.useFakeTimers()
  try {
    app.quit()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(log.exits).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(log.exits).toEqual([0])
  } finally {
    vi.useRealTimers()
  }
})

test('a crashed page is loaded again; one that crashes twice in a row closes the window', async () => {
  const window = await bootToWindow()
  window.webContents.emit('render-process-gone', {}, { reason: 'clean-exit' })
  expect(window.webContents.reloads).toBe(0)
  window.webContents.emit('render-process-gone', {}, { reason: 'crashed' })
  expect(window.webContents.reloads).toBe(1)
  window.webContents.emit('render-process-gone', {}, { reason: 'oom' })
  expect(window.webContents.reloads).toBe(1)
  expect(window.calls).toEqual(['close'])
})

test('the page is served and answered: a file with its policy, a call through the bridge', async () => {
  const window = await bootToWindow()
  expect(log.handlers.has('app')).toBe(true)
  const frame = { url: 'app://rushlight/', parent: null }
  ipcMain.emit('rushlight:in', { sender: window.webContents, senderFrame: frame }, 'page-1', { id: 1, op: 'call', name: 'app.info', input: null })
  await vi.waitFor(() =>
    expect(window.webContents.sent).toContainEqual(['rushlight:out', 'page-1', { id: 1, result: { ok: true, data: { version: 'test' } } }]),
  )
})

test('the options reach the services; Chromium’s own do no harm', async () => {
  process.argv = ['electron', '.', '--data', data, '--model', 'other', '--verbose', '--disable-gpu', '--force-device-scale-factor=2']
  await bootToWindow()
  expect(started[0]).toMatchObject({ host: 'electron', model: 'other', verbose: true, paths: { data } })
})

test('--smoke shows no window, prints one line and says in its code whether all was well', async () => {
  process.argv = ['electron', '.', '--smoke']
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (written.push(String(text)), true))
  try {
    const window = await bootToWindow()
    window.emit('ready-to-show')
    const frame = { url: 'app://rushlight/', parent: null }
    ipcMain.emit('rushlight:in', { sender: window.webContents, senderFrame: frame }, 'page-1', { id: 1, op: 'call', name: 'app.info', input: null })
    await vi.waitFor(() => expect(log.exits).toHaveLength(1))
    expect(window.calls).toEqual([])
    expect(window.options.show).toBe(false)
  } finally {
    write.mockRestore()
  }
  const lines = written.filter((text) => text.startsWith('{"name":"smoke"'))
  expect(lines).toHaveLength(1)
  const result = JSON.parse(lines[0]!) as { ok: boolean; checks: { id: string; ok: boolean }[] }
  // this router cannot answer a question, so the last check fails and nothing else does
  expect(result.checks.filter(({ ok }) => !ok).map(({ id }) => id)).toEqual(['answer'])
  expect(result.ok).toBe(false)
  expect(log.exits).toEqual([1])
  // it ran in a folder of its own
  const own = started[0]!.paths.data
  expect(own).not.toBe(data)
  rmSync(own, { recursive: true, force: true })
  expect(existsSync(own)).toBe(false)
})

test('a data folder that cannot be made is left for the services to report', async () => {
  process.argv = ['electron', '.', '--data', '/dev/null/nowhere']
  start = refuse
  await boot()
  await vi.waitFor(() => expect(log.errors).toHaveLength(1))
  expect(log.exits).toEqual([1])
})
