// Owns the proof of how Electron's program is found and fetched: through its own downloader and installer, from a server on this computer.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { electronBinary, explain, fetchElectron } from '../../app/bootstrap/electron.mjs'

const real = fileURLToPath(new URL('../../node_modules', import.meta.url))
const { version } = JSON.parse(readFileSync(join(real, 'electron', 'package.json'), 'utf8')) as { version: string }
const run = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' }[process.platform as string] ?? 'electron'
const zip = zipOf({ [run]: 'the program', version })

let home: string
let folder: string
let server: http.Server
let asked: string[]
let answer: (response: ServerResponse) => void
let env: NodeJS.ProcessEnv
const said: string[] = []
const options = () => ({ folder, env, node: process.execPath, log: (text: string) => void said.push(text) })

beforeEach(async () => {
  said.length = 0
  asked = []
  home = mkdtempSync(join(tmpdir(), 'rushlight-fetch-'))
  folder = join(home, 'node_modules')
  // the real package, but for a checksum that fits the small file served here
  mkdirSync(join(folder, 'electron'), { recursive: true })
  for (const file of ['package.json', 'install.js', 'index.js']) cpSync(join(real, 'electron', file), join(folder, 'electron', file))
  const name = `electron-v${version}-${process.platform}-${process.arch}.zip`
  writeFileSync(join(folder, 'electron', 'checksums.json'), JSON.stringify({ [name]: createHash('sha256').update(zip).digest('hex') }))
  for (const name of ['@electron', '@electron-internal']) symlinkSync(join(real, name), join(folder, name))
  answer = (response) => response.end(zip)
  server = http.createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  env = {
    PATH: process.env['PATH'],
    HOME: home,
    ELECTRON_MIRROR: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    electron_config_cache: join(home, 'cache'),
    // what would switch the packaged checksums off is not passed on
    electron_use_remote_checksums: '1',
  }
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(home, { recursive: true, force: true })
})
const memory = () => join(folder, '.electron-fetch.json')

test('it is downloaded, checked, unpacked and found; then it is not asked for again', async () => {
  expect(electronBinary({ folder, env })).toBeNull()
  const fetched = await fetchElectron(options())
  expect(fetched).toEqual({ ok: true, path: join(folder, 'electron', 'dist', run) })
  expect(readFileSync(join(folder, 'electron', 'dist', run), 'utf8')).toBe('the program')
  expect(said[0]).toContain(`Fetching Electron ${version}`)
  expect(said).toHaveLength(2)
  expect(asked).toEqual([`/v${version}/electron-v${version}-${process.platform}-${process.arch}.zip`])
  expect(await fetchElectron(options())).toEqual(fetched)
  expect([asked.length, said.length]).toEqual([1, 2])
})

test('a failure is said once and remembered for a day; another version or force tries again', async () => {
  answer = (response) => void response.writeHead(503).end()
  const start = Date.parse('2026-11-24T08:00:00Z')
  const at = (hours: number, more = {}) => fetchElectron({ ...options(), now: () => start + hours * 3_600_000, ...more })
  expect(await at(0)).toEqual({ ok: false, reason: 'the download server answered 503' })
  expect(JSON.parse(readFileSync(memory(), 'utf8'))).toMatchObject({
    version,
    time: '2026-11-24T08:00:00.000Z',
    reason: 'the download server answered 503',
  })
  expect([asked.length, said.length]).toEqual([1, 1])
  expect(await at(23)).toMatchObject({ ok: false, reason: expect.stringContaining('the download server answered 503; it is tried again') as string })
  expect([asked.length, said.length]).toEqual([1, 1])
  await at(23, { force: true })
  expect(asked).toHaveLength(2)
  await at(48)
  expect(asked).toHaveLength(3)
  writeFileSync(memory(), JSON.stringify({ ...(JSON.parse(readFileSync(memory(), 'utf8')) as object), version: '1.0.0' }))
  answer = (response) => response.end(zip)
  expect(await at(49)).toMatchObject({ ok: true })
  expect(existsSync(memory())).toBe(false)
})

test('a file with another checksum is not unpacked', async () => {
  answer = (response) => response.end(zipOf({ [run]: 'something else', version }))
  expect(await fetchElectron(options())).toEqual({ ok: false, reason: 'the file that arrived does not have the expected checksum' })
  expect(existsSync(join(folder, 'electron', 'dist'))).toBe(false)
})

test('a server that falls silent is not waited for', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': zip.length + 1 })
    response.write(zip.subarray(0, 10))
  }
  const started = performance.now()
  expect(await fetchElectron({ ...options(), silenceMs: 1500 })).toEqual({ ok: false, reason: 'nothing arrived for 2 seconds' })
  expect(performance.now() - started).toBeLessThan(5000)
})

test('a slow download is not a silent one', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': big.length })
    const step = Math.ceil(big.length / 6)
    const send = (from: number) =>
      from >= big.length ? response.end() : void (response.write(big.subarray(from, from + step)), setTimeout(send, 400, from + step))
    send(0)
  }
  const big = zipOf({ [run]: 'x'.repeat(1_200_000), version })
  const name = `electron-v${version}-${process.platform}-${process.arch}.zip`
  writeFileSync(join(folder, 'electron', 'checksums.json'), JSON.stringify({ [name]: createHash('sha256').update(big).digest('hex') }))
  expect(await fetchElectron({ ...options(), silenceMs: 1500 })).toMatchObject({ ok: true })
})

test('a server that cannot be reached is named as such', async () => {
  env['ELECTRON_MIRROR'] = 'http://127.0.0.1:9/'
  expect(await fetchElectron(options())).toEqual({ ok: false, reason: 'its download server cannot be reached' })
})

test('an unpacking that was cut off, or of another version, does not count', async () => {
  await fetchElectron(options())
  writeFileSync(join(folder, 'electron', 'dist', 'version'), '44.0.0')
  expect(electronBinary({ folder, env })).toBeNull()
  writeFileSync(join(folder, 'electron', 'dist', 'version'), `v${version}\n`)
  expect(electronBinary({ folder, env })).not.toBeNull()
  rmSync(join(folder, 'electron', 'path.txt'))
  expect(electronBinary({ folder, env })).toBeNull()
})

test('the environment may name another folder, or forbid the download', async () => {
  env['ELECTRON_SKIP_BINARY_DOWNLOAD'] = '1'
  expect(await fetchElectron(options())).toMatchObject({ ok: false, reason: expect.stringContaining('ELECTRON_SKIP_BINARY_DOWNLOAD') as string })
  const own = join(folder, 'own')
  env['ELECTRON_OVERRIDE_DIST_PATH'] = own
  expect(await fetchElectron({ ...options(), force: true })).toMatchObject({
    ok: false,
    reason: expect.stringContaining('ELECTRON_OVERRIDE_DIST_PATH') as string,
  })
  mkdirSync(join(own, run, '..'), { recursive: true })
  writeFileSync(join(own, run), '')
  expect(electronBinary({ folder, env })).toBe(join(own, run))
  expect(asked).toEqual([])
})

test.each([
  ['TypeError: fetch failed\nError: getaddrinfo ENOTFOUND', 'its download server cannot be reached'],
  ['TypeError: fetch failed\nError: self-signed certificate SELF_SIGNED_CERT_IN_CHAIN', 'the download server’s certificate is not trusted here'],
  ['Error: ENOSPC: no space left on device', 'the disk is full'],
  ['Error: EACCES: permission denied', 'its files could not be written'],
  ['Error: what', 'its download failed'],
])('%j means: %s', (errors, reason) => expect(explain(errors)).toBe(reason))

/** A zip of small files, stored without compression. */
function zipOf(files: Record<string, string>): Buffer {
  const parts: Buffer[] = []
  const index: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const body = Buffer.from(text)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt32LE(crc32(body), 10)
    fields.writeUInt32LE(body.length, 14)
    fields.writeUInt32LE(body.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), body])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    index.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, tail, Buffer.from(name)]))
    parts.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(index)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(index.length, 4)
  end.writeUInt16LE(index.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, directory, Buffer.from('PK\x05\x06'), end])
}
