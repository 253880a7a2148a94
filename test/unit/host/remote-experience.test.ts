// Owns the tests of what is kept of engines between runs, and of names that lead outside the clinic's network.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { fenceOf } from '../../../app/deploy/selection/breaker.ts'
import { guardedLookup, readAddress } from '../../../app/engine/remote/address.ts'
import { faultOf } from '../../../app/engine/remote/failure.ts'
import { Experience, isBlameable } from '../../../app/host/engines/experience.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-experience-'))
afterAll(() => rmSync(folder, { recursive: true }))
const warned: string[] = []
const log = { error() {}, warn: (message: string) => void warned.push(message), info() {} }
let clock = new Date('2026-03-02T09:00:00Z')
const open = (path: string) => new Experience({ path, log, now: () => clock })
const answer = { promptTokens: 400, firstMs: 900, tokensPerSecond: 12, slowedBy: 1 }

describe('what engines have shown', () => {
  const path = join(folder, 'engines.json')
  it('is there again after a restart, fences included, and for this user only', () => {
    const first = open(path)
    first.answered('computer | cpu | m', answer)
    first.failed('server | 10.0.0.7', '10.0.0.7', 'The connection broke off.')
    const again = open(path)
    expect(again.learned('computer | cpu | m')!.buckets[1]).toMatchObject({ answers: 1 })
    expect(fenceOf(again.breaker('server | 10.0.0.7'), clock)).toBe('open')
    expect(again.failures).toEqual([{ at: clock.toISOString(), engine: '10.0.0.7', why: 'The connection broke off.' }])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('says the same failure once, with the newer time; forgives one engine or all', () => {
    const one = open(path)
    clock = new Date(clock.getTime() + 3_600_000)
    one.failed('server | 10.0.0.7', '10.0.0.7', 'The connection broke off.')
    expect(one.failures).toEqual([{ at: clock.toISOString(), engine: '10.0.0.7', why: 'The connection broke off.' }])
    one.forgiven('server | 10.0.0.7')
    expect(fenceOf(one.breaker('server | 10.0.0.7'), clock)).toBe('closed')
    one.failed('server | 10.0.0.7', '10.0.0.7', 'Again.')
    one.forgiveAll()
    expect(fenceOf(open(path).breaker('server | 10.0.0.7'), clock)).toBe('closed')
    // what was learned of its speed and its trouble stays
    expect(open(path).learned('server | 10.0.0.7')!.trouble).toBeGreaterThan(1)
  })

  it('stays small, whatever was plugged in over the years', () => {
    const many = open(join(folder, 'many.json'))
    for (let n = 0; n < 90; n++) many.answered(`engine ${n}`, answer)
    for (let n = 0; n < 90; n++) many.failed('engine 89', 'engine', `reason ${n}`)
    const kept = JSON.parse(readFileSync(join(folder, 'many.json'), 'utf8')) as { engines: object; failures: unknown[] }
    expect(Object.keys(kept.engines).length).toBeLessThanOrEqual(60)
    expect(kept.failures.length).toBeLessThanOrEqual(30)
    expect(many.learned('engine 0')).toBe(null)
    expect(many.learned('engine 89')).not.toBe(null)
  })

  it('that is damaged is found again, and says so; a folder that cannot be written ends nothing', () => {
    for (const text of ['', '{', '{"version":2}', '[]', '{"version":1,"engines":{"a":{"learned":null}},"failures":[]}']) {
      const broken = join(folder, 'broken.json')
      writeFileSync(broken, text)
      warned.length = 0
      expect(open(broken).failures).toEqual([])
      expect(warned).toEqual(['engine facts are damaged and found again'])
    }
    warned.length = 0
    const lost = open(join(folder, 'no', 'such', 'folder.json'))
    lost.answered('computer', answer)
    expect(lost.learned('computer')).not.toBe(null)
    expect(warned).toEqual(['engine facts not kept'])
  })
})

it('a stop, a long question and a bug are nobody’s fault', () => {
  for (const code of ['CANCELLED', 'QUESTION_TOO_LONG', 'INTERNAL'] as const) expect(isBlameable(new AppError(code))).toBe(false)
  for (const code of ['ENGINE_LOST', 'ENGINE_TIMEOUT', 'UNTRUSTED', 'GPU_MEMORY'] as const) expect(isBlameable(new AppError(code))).toBe(true)
  expect(isBlameable(new Error('x'))).toBe(false)
})

describe('a name that is looked up', () => {
  // a number is looked up as itself: no name service is needed
  const look = (hostname: string, hosts: string[] = [], all = true) =>
    new Promise<unknown>((resolve) => {
      const rules = { plainHttp: true, hosts }
      const address = readAddress('https://models.example.org', rules)
      guardedLookup(address, rules)(hostname, { all }, (error, found) => resolve(error ?? found))
    })

  it('is refused when it leads outside, in either form of the question, unless policy names the host', async () => {
    expect(faultOf(await look('8.8.8.8'))).toBe('far')
    expect(faultOf(await look('8.8.8.8', [], false))).toBe('far')
    expect(await look('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(await look('127.0.0.1', [], false)).toBe('127.0.0.1')
    expect(await look('8.8.8.8', ['models.example.org'])).toEqual([{ address: '8.8.8.8', family: 4 }])
  })
})
