// Owns the tests of the Node host as a process: start, second start, end, and what it says when it cannot start.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { windowArguments, hasDisplay } from '../../app/host/browser-window.ts'

const entry = fileURLToPath(new URL('../../app/host/headless.ts', import.meta.url))
let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rushlight-host-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true, maxRetries: 5 }))

function start(...args: string[]) {
  const child = spawn(process.execPath, [entry, '--no-window', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, ended, said: () => text, url: () => /http:\/\/127\.0\.0\.1:\d+\/#open=[\w-]+/.exec(text)?.[0] }
}

describe('the Node host', () => {
  it('has one instance for a data folder; a second start opens the first', async () => {
    const first = start('--data', data)
    await expect.poll(first.url, { timeout: 15_000 }).toBeTruthy()
    expect(statSync(join(data, 'running.json')).mode & 0o077).toBe(0)
    const second = start('--data', data)
    expect(await second.ended).toBe(0)
    expect(second.said()).toContain('running already')
    expect(new URL(second.url()!).origin).toBe(new URL(first.url()!).origin)
    expect(second.url()).not.toBe(first.url())

    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(existsSync(join(data, 'running.json'))).toBe(false)
  })

  it('starts over what a killed one left behind', async () => {
    const killed = start('--data', data)
    await expect.poll(killed.url, { timeout: 15_000 }).toBeTruthy()
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(existsSync(join(data, 'running.json'))).toBe(true)
    const next = start('--data', data)
    await expect.poll(next.url, { timeout: 15_000 }).toBeTruthy()
    expect(next.said()).not.toContain('running already')
    next.child.kill('SIGTERM')
    expect(await next.ended).toBe(0)
  })

  it.each([
    ['a file where the data folder should be', () => (writeFileSync(join(data, 'x'), ''), join(data, 'x', 'y')), /written to.*STORE_READ_ONLY/],
    ['a database that is none', () => (writeFileSync(join(data, 'rushlight.db'), 'x'.repeat(9000)), data), /damaged.*STORE_CORRUPT/],
  ])('says in one line what is wrong: %s', async (_, make, words) => {
    const host = start('--data', make())
    expect(await host.ended).toBe(1)
    expect(host.said()).toMatch(words)
    expect(host.said().trim().split('\n')).toHaveLength(1)
  })

  it('writes no question into its log', async () => {
    const host = start('--data', data)
    await expect.poll(host.url, { timeout: 15_000 }).toBeTruthy()
    const [origin, open] = host.url()!.split('/#open=') as [string, string]
    const post = (path: string, body: unknown, token = '') =>
      fetch(`${origin}/api/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
    const { token } = (await (await post('session', { open })).json()) as { token: string }
    const answer = await (await post('stream/ask.run', { input: { question: 'Zebrafish allergy dose?', conversation: null } }, token)).text()
    expect(answer).toContain('"type":"done"')
    await post('call/conversation.open', { input: { id: 'Zebrafish!' } }, token)
    host.child.kill('SIGTERM')
    await host.ended
    expect(readFileSync(join(data, 'logs', 'rushlight.log'), 'utf8')).not.toMatch(/zebrafish/i)
    expect(host.said()).not.toMatch(/zebrafish/i)
  })
})

describe('the app window', () => {
  it('is Chromium with its own profile, offline, with its sandbox unless root forbids it', () => {
    const args = windowArguments('http://127.0.0.1:1/#open=x', '/data', false)
    expect(args).toContain('--app=http://127.0.0.1:1/#open=x')
    expect(args.some((arg) => arg.startsWith('--user-data-dir='))).toBe(true)
    expect(args).not.toContain('--no-sandbox')
    expect(windowArguments('x', '/data', true)).toContain('--no-sandbox')
    expect(hasDisplay({}, 'linux')).toBe(false)
    expect(hasDisplay({ DISPLAY: ':0' }, 'linux')).toBe(true)
    expect(hasDisplay({}, 'win32')).toBe(true)
  })
})
