// Owns the tests of the support file: what helps is in it, and no name of a person, folder or server.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../../../app/base/log.ts'
import { effective, judgePolicy } from '../../../app/trust/policy/effective.ts'
import { logTail, supportText, withoutNames } from '../../../app/trust/support.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'rushlight-support-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const facts = () => ({
  ...{ version: '0.1.0', host: 'loopback' as const, hardware: { cpu: 'i5', models: join(homedir(), 'models') }, plan: { what: '25 of 29 layers' } },
  ...{ models: [{ id: 'starter', sha256: 'a'.repeat(64) }], database: { turns: 12 }, audit: { ok: true, rows: 5 }, logFolder: folder },
  settings: effective(judgePolicy({ mandatory: { remoteServer: 'https://models.clinic.example:8443', cache: false }, recommended: {} }), {}),
})

it('holds versions, hardware, plan, settings with their source and the end of the log', async () => {
  createLog(folder)('host').info('started', { port: 1 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const text = supportText(facts())
  const body = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>
  expect(Object.keys(body)).toEqual([
    'made',
    'version',
    'host',
    'node',
    'platform',
    'hardware',
    'plan',
    'models',
    'settings',
    'database',
    'audit',
    'log',
  ])
  expect(body['settings']).toMatchObject({ cache: { value: false, setBy: 'policy', locked: true }, remoteServer: { value: '(set)' } })
  expect((body['log'] as string[]).at(-1)).toMatch(/\[host] started/)
  expect(text).not.toContain('clinic.example')
  if (homedir().length > 1) expect(text).not.toContain(`${homedir()}/`)
})

it('names no user, in any form of a path', () => {
  const clean = (text: string) => withoutNames(text, 'C:\\Users\\Ann Example', 'Ann Example')
  expect(clean(JSON.stringify({ at: 'C:\\Users\\Ann Example\\AppData' }))).toBe('{"at":"~\\\\AppData"}')
  expect(clean('at file:///C:/Users/Ann Example/x.ts by ann example')).toBe('at file:///~/x.ts by USER')
  expect(clean('/home/bob/models and D:\\Users\\eve\\x')).toBe('/home/USER/models and D:\\Users\\USER\\x')
  expect(withoutNames('a root cause', '/root', 'root')).toBe('a root cause')
})

it('gives the last lines only, whole ones, and none of a folder without a log', () => {
  expect(logTail(join(folder, 'nowhere'))).toEqual([])
  writeFileSync(join(folder, 'rushlight.old.log'), 'first\n')
  writeFileSync(join(folder, 'rushlight.log'), Array.from({ length: 9000 }, (_, n) => `line ${n} ${'y'.repeat(60)}`).join('\n'))
  const lines = logTail(folder, 10)
  expect(lines).toHaveLength(10)
  expect(lines.at(-1)).toMatch(/^line 8999 /)
  expect(
    logTail(folder, 100_000)
      .slice(1)
      .every((line) => /^line \d+ y{60}$/.test(line)),
  ).toBe(true)
  rmSync(join(folder, 'rushlight.log'))
  mkdirSync(join(folder, 'rushlight.log'))
  expect(logTail(folder)).toEqual(['first'])
})
