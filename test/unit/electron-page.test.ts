// Owns the proof of how Electron serves the page: files of its folder only, the policy on every answer, and a preload that stands alone.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isOwnBlob, isOwnUrl, pageFile, servePage } from '../../app/host/app-scheme.ts'
import { contentType, securityHeaders } from '../../app/host/csp.ts'

let folder: string
let serve: (request: Request) => Promise<Response>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-page-'))
  const page = join(folder, 'renderer')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  writeFileSync(join(page, 'index.html'), '<!doctype html>')
  writeFileSync(join(page, 'assets', 'index-D_x-1.js'), 'export {}')
  writeFileSync(join(page, 'assets', 'index-D_x-1.js.map'), '{}')
  servePage({ handle: (_scheme, handler) => void (serve = handler as never) }, page)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
// Node's Request knows no scheme of our own as Electron's does
const get = (url: string, method = 'GET') => serve({ url, method } as Request)

test('the page and its files come with their type and every header', async () => {
  const page = await get('app://rushlight/')
  expect([page.status, await page.text()]).toEqual([200, '<!doctype html>'])
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const script = await get('app://rushlight/assets/index-D_x-1.js?v=1#x')
  expect([script.status, await script.text()]).toEqual([200, 'export {}'])
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  for (const answer of [page, script, await get('app://rushlight/none.html')])
    for (const [name, value] of Object.entries(securityHeaders())) expect(answer.headers.get(name), name).toBe(value)
  const head = await get('app://rushlight/', 'HEAD')
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '15'])
})

test('the policy lets nothing in from anywhere else', () => {
  const headers = securityHeaders()
  const policy = Object.fromEntries(
    headers['Content-Security-Policy']!.split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]),
  )
  expect(policy).toEqual({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'font-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': 'svelte-trusted-html dompurify',
  })
  expect(headers['Permissions-Policy']).toMatch(/^([a-z-]+=\(\)(, |$))+$/)
  // a fresh object each time: a host that adds a header changes no other answer
  headers['Cache-Control'] = 'public'
  expect(securityHeaders()['Cache-Control']).toBe('no-store')
})

test.each([
  'app://rushlight/../secret.txt',
  'app://rushlight/..%2fsecret.txt',
  'app://rushlight/%2e%2e/secret.txt',
  'app://rushlight/%2e%2e%2fsecret.txt',
  'app://rushlight/assets/..%5c..%5csecret.txt',
  'app://rushlight/assets/%00index-D_x-1.js',
  'app://rushlight/c:/windows/win.ini',
  'app://rushlight//etc/passwd',
  'app://rushlight/%E0%A4%A',
  'app://rushlight/assets/',
  'app://rushlight/assets',
  'app://rushlight/assets/index-D_x-1.js.map',
  'app://rushlight/.hidden',
  'app://elsewhere/index.html',
  'https://rushlight/index.html',
])('%s is not found', async (url) => expect((await get(url)).status).toBe(404))

test('nothing is written to', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await get('app://rushlight/', method)).status).toBe(404)
})

test('no path leads out of the folder', () => {
  const piece = fc.oneof(fc.constantFrom('..', '.', '%2e', '%2f', '%5c', '/', '\\', ':', '%00', '~', '%', 'a', '%c0%af'), fc.string({ maxLength: 4 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const parts = pageFile('/' + pieces.join(''))
      for (const part of parts ?? []) {
        expect(part).not.toMatch(/[/\\:\0]|^\.|^$/)
      }
    }),
    { numRuns: 2000 },
  )
})

test('an address is ours by scheme and host', () => {
  for (const url of ['app://rushlight', 'app://rushlight/', 'app://rushlight/a?b#c']) expect(isOwnUrl(url), url).toBe(true)
  for (const url of [
    '',
    'app:',
    'app:rushlight',
    'app://',
    'app://rushlight:1/',
    'app://rushlight.org/',
    'app://x@rushlight.org/',
    'http://rushlight/',
    'APPS://rushlight/',
  ])
    expect(isOwnUrl(url), url).toBe(false)
  expect(isOwnBlob('blob:app://rushlight/1')).toBe(true)
  expect(isOwnBlob('app://rushlight/1')).toBe(false)
  expect(isOwnBlob('blob:https://rushlight/1')).toBe(false)
})

test('an unknown kind of file is sent as bytes', () => {
  expect(contentType('a/b.WOFF2')).toBe('font/woff2')
  expect(contentType('x.exe')).toBe('application/octet-stream')
  expect(contentType('x')).toBe('application/octet-stream')
})

test('the built preload is one CommonJS file that needs electron only and exposes two functions', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const out = join(folder, 'preload')
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      '--config',
      'app/vite.config.ts',
      '--mode',
      'preload',
      '--outDir',
      out,
      '--logLevel',
      'error',
    ],
    { cwd: root },
  )
  const ipc = new Map<string, (...args: unknown[]) => void>()
  const sent: unknown[][] = []
  const exposed: Record<string, unknown> = {}
  const electron = {
    contextBridge: { exposeInMainWorld: (name: string, value: unknown) => void (exposed[name] = value) },
    ipcRenderer: {
      send: (...args: unknown[]) => sent.push(args),
      on: (channel: string, hear: (...args: unknown[]) => void) => ipc.set(channel, hear),
      off: (channel: string, hear: unknown) => ipc.get(channel) === hear && ipc.delete(channel),
    },
  }
  const require = (name: string) => {
    if (name !== 'electron') throw new Error(`a sandboxed preload cannot require ${name}`)
    return electron
  }
  // no process, no module, no import: what a sandboxed preload has
  vm.runInNewContext(readFileSync(join(out, 'preload.cjs'), 'utf8'), { require, crypto: globalThis.crypto, exports: {} })

  expect(Object.keys(exposed)).toEqual(['rushlight'])
  const bridge = exposed['rushlight'] as { post(message: unknown): void; listen(hear: (message: unknown) => void): () => void }
  expect(Object.keys(bridge).sort()).toEqual(['listen', 'post'])
  const heard: unknown[][] = []
  const off = bridge.listen((...args) => heard.push(args))
  bridge.post({ id: 1 })
  const [channel, page, message] = sent[0]!
  expect([channel, message]).toEqual(['rushlight:in', { id: 1 }])
  expect(page).toMatch(/^[0-9a-f-]{36}$/)
  ipc.get('rushlight:out')!({ sender: 'ipcRenderer' }, page, { id: 2 })
  ipc.get('rushlight:out')!({}, 'another document', { id: 3 })
  // the message and nothing else: the event would hand over ipcRenderer
  expect(heard).toEqual([[{ id: 2 }]])
  off()
  expect(ipc.has('rushlight:out')).toBe(false)
})
