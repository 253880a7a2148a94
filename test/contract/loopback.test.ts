// Owns the tests of the loopback's rules: who is refused, with what status, and that the rest gets through.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AppContract } from '../../app/contract/contract.ts'
import { Router } from '../../app/base/router.ts'
import { serveLoopback, type Loopback } from '../../app/host/loopback.ts'
import { Tokens } from '../../app/host/tokens.ts'

const page = mkdtempSync(join(tmpdir(), 'rushlight-page-'))
let ended = 0
let loopback: Loopback
let session = ''
let port = 0

type Reply = { status: number; body: string; headers: http.IncomingHttpHeaders }
function send(path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, path, method: options.method ?? 'POST', headers: { 'content-type': 'application/json', ...options.headers } },
      (response) => {
        let body = ''
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (body += chunk))
          .on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
      },
    )
    request.on('error', reject)
    request.end(options.method === 'GET' ? undefined : (options.body ?? '{}'))
  })
}
const authorised = (extra: Record<string, string> = {}) => ({ authorization: `Bearer ${session}`, ...extra })

beforeAll(async () => {
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(page, 'app.js.map'), '{}')
  const handlers = {
    'app.info': () => ({ version: '1', host: 'loopback' as const, dataFolder: '', modelFolder: '', logFolder: '' }),
    'ask.run': async function* (_: unknown, signal: AbortSignal) {
      try {
        for (let n = 0; n < 1000 && !signal.aborted; n++) {
          yield { type: 'text' as const, text: `${n}` }
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      } finally {
        ended++
      }
    },
  }
  const { contract } = await import('../../app/contract/contract.ts')
  const router = new Router<AppContract>(contract, handlers as never)
  loopback = await serveLoopback(router, page)
  port = Number(new URL(loopback.origin).port)
  const open = loopback.openingUrl().split('#open=')[1]!
  session = (JSON.parse((await send('/api/session', { body: JSON.stringify({ open }) })).body) as { token: string }).token
  // used once
  expect((await send('/api/session', { body: JSON.stringify({ open }) })).status).toBe(401)
})
afterAll(async () => {
  await loopback.close()
  rmSync(page, { recursive: true })
})

describe('loopback', () => {
  it('listens on 127.0.0.1 only', () => expect(loopback.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/))

  it('serves the page with a strict policy, and nothing outside its folder', async () => {
    const index = await send('/', { method: 'GET' })
    expect(index.status).toBe(200)
    expect(index.headers['content-security-policy']).toContain("require-trusted-types-for 'script'")
    expect(index.headers['x-content-type-options']).toBe('nosniff')
    for (const path of [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/etc/passwd',
      '//etc/passwd',
      '/app.js.map',
      '/index.html/../../x',
    ]) {
      expect((await send(path, { method: 'GET' })).status, path).toBe(404)
    }
  })

  it('answers who holds the token', async () => {
    const reply = await send('/api/call/app.info', { headers: authorised(), body: '{"input":null}' })
    expect(JSON.parse(reply.body)).toMatchObject({ ok: true, data: { version: '1' } })
  })

  it.each([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer x' }, 401],
    ['the control key as a session', 'control' as const, 401],
    ['another name for this address', { host: 'evil.example' }, 421],
    ['another port', { host: '127.0.0.1:1' }, 421],
    ['localhost instead of the number', { host: 'localhost' }, 421],
    ['a foreign origin', { origin: 'http://evil.example' }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['a request from another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a request from another port of this machine', { 'sec-fetch-site': 'same-site' }, 403],
    ['a form post', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a text post', { 'content-type': 'text/plain' }, 415],
  ])('refuses %s', async (_, headers, status) => {
    // the session is known only now, after the table was built
    const given: Record<string, string> =
      headers === 'control' ? { authorization: `Bearer ${loopback.controlKey}` } : { ...(status === 401 ? {} : authorised()), ...headers }
    const reply = await send('/api/call/app.info', { headers: given, body: '{"input":null}' })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toMatchObject({ ok: false, error: { code: 'UNTRUSTED' } })
  })

  it('refuses GET on the interface, broken JSON and a body without end', async () => {
    expect((await send('/api/call/app.info', { method: 'GET', headers: authorised() })).status).toBe(405)
    expect((await send('/api/call/app.info', { headers: authorised(), body: '{"input":' })).status).toBe(400)
    expect(
      (await send('/api/call/app.info', { headers: authorised(), body: `"${'x'.repeat(3 * 1024 * 1024)}"` }).catch(() => ({ status: 413 }))).status,
    ).toBe(413)
    expect(JSON.parse((await send('/api/call/__proto__', { headers: authorised() })).body)).toMatchObject({ error: { code: 'UNKNOWN_ROUTE' } })
    expect((await send('/api/nothing/app.info', { headers: authorised() })).status).toBe(404)
  })

  it('ends an answer whose reader has gone', async () => {
    const before = ended
    await new Promise<void>((resolve) => {
      const body = JSON.stringify({ input: { question: 'q', conversation: null } })
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          `POST /api/stream/ask.run HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${session}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ),
      )
      socket.once('data', () => {
        socket.destroy()
        resolve()
      })
    })
    await expect.poll(() => ended).toBe(before + 1)
  })
})

describe('opening tokens', () => {
  it('expire after two minutes and are never many', () => {
    let now = 0
    const tokens = new Tokens(() => now)
    const old = tokens.issue()
    now = 120_001
    expect(tokens.redeem(old)).toBeNull()
    const first = tokens.issue()
    for (let n = 0; n < 16; n++) tokens.issue()
    expect(tokens.redeem(first)).toBeNull()
    expect(tokens.redeem(undefined)).toBeNull()
    expect(tokens.redeem(tokens.issue())).toMatch(/^[\w-]{43}$/)
  })
})
