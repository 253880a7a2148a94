// Owns the tests of policy: who decides what, every slip said by its key, registry output as reg.exe writes it, and templates that fit the list.
import fc from 'fast-check'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EffectiveSetting, policyEntries, policyKeys, type PolicyEntry } from '../../../app/contract/policy.ts'
import { adml, admx, registryName, samplePolicy } from '../../../app/trust/policy/admx.ts'
import { effective, judgePolicy, nearestKey, settingRows } from '../../../app/trust/policy/effective.ts'
import { parseRegistry, readMachinePolicy, readPolicyFile } from '../../../app/trust/policy/read.ts'
import { elementsOf } from '../../support/xml.ts'

const SIGNER = `MCowBQYDK2VwAyEA${'A'.repeat(43)}=`
const judged = (mandatory: Record<string, unknown>, recommended: Record<string, unknown> = {}) => judgePolicy({ mandatory, recommended })
let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-policy-'))
  file = join(folder, 'policy.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the effective value', () => {
  it('is the policy’s, else the user’s, else the recommended one, else the default', () => {
    const policy = judged({ cache: false }, { cache: true, lockMinutes: 5, mode: 'merged' })
    const now = effective(policy, { cache: true, mode: 'adapter' })
    expect(now.cache).toEqual({ value: false, setBy: 'policy', locked: true })
    expect(now.mode).toEqual({ value: 'adapter', setBy: 'user', locked: false })
    expect(now.lockMinutes).toEqual({ value: 5, setBy: 'recommended', locked: false })
    expect(now.retentionDays).toEqual({ value: 0, setBy: 'default', locked: false })
  })

  it('is told in rows that the page can show as they are', () => {
    const rows = settingRows(effective(judged({ cache: false }), {}))
    expect(rows.map(({ key }) => key)).toEqual(policyKeys)
    for (const row of rows) expect(EffectiveSetting.safeParse(row).success, row.key).toBe(true)
    expect(rows.find(({ key }) => key === 'cache')).toMatchObject({ title: 'Answer cache', value: false, setBy: 'policy', locked: true })
  })

  it('of what a user may not decide is never the user’s', () => {
    const now = effective(judged({}), { remoteServer: 'https://evil.example', encryption: false, bundleSigners: [SIGNER], cache: 'perhaps' })
    expect(now.remoteServer).toEqual({ value: '', setBy: 'default', locked: true })
    expect(now.encryption.value).toBe(true)
    expect(now.bundleSigners.value).toEqual([])
    expect(now.cache).toMatchObject({ value: true, setBy: 'default' })
  })

  it('of what only looks like a list is the safe one', () => {
    const odd = { length: [{ toString: null }] }
    const policy = judged({ modelsAllowed: odd })
    expect(effective(policy, { modelsAllowed: odd }).modelsAllowed).toMatchObject({ value: policyEntries.modelsAllowed.safe, setBy: 'policy' })
    expect(policy.problems).toHaveLength(1)
  })

  it('has a form for whatever policy and user may hold', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...policyKeys, 'toString', '__proto__', 'cahce'), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (mandatory, user) => {
          const now = effective(judged(mandatory), user) as Record<string, { value: unknown }>
          for (const key of policyKeys) expect((policyEntries[key] as PolicyEntry).schema.safeParse(now[key]!.value).success).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('defaults and safe values are themselves allowed', () => {
    for (const key of policyKeys) {
      const { schema, default: usual, safe } = policyEntries[key] as PolicyEntry
      expect(schema.safeParse(usual).success && schema.safeParse(safe).success, key).toBe(true)
    }
  })
})

describe('a slip', () => {
  it('in a key is said with the key that was meant, and that key has its safe value', () => {
    const policy = judged({ cahce: true, retentionDay: 30, somethingElse: 1 })
    expect(policy.problems.map(({ key, nearest }) => [key, nearest])).toEqual([
      ['cahce', 'cache'],
      ['retentionDay', 'retentionDays'],
      ['somethingElse', null],
    ])
    expect(effective(policy, { cache: true }).cache).toEqual({ value: false, setBy: 'policy', locked: true })
    expect(judged({ cahce: true, cache: true }).mandatory.get('cache')).toBe(true)
    expect(judged({ CACHE: false }).problems).toEqual([])
  })

  it('in a value is said in words, and the safe value counts; one that only recommends counts for nothing', () => {
    const policy = judged(
      { cache: 'no', lockMinutes: 999, mode: 'fast', remoteServer: 'http://8.8.8.8', bundleSigners: ['abc'] },
      { retentionDays: -1 },
    )
    expect(Object.fromEntries(policy.problems.map(({ key, says }) => [key, says]))).toMatchObject({
      cache: 'This is neither true nor false. Until this is corrected, the safe value counts.',
      lockMinutes: expect.stringContaining('from 0 to 240 (minutes)') as unknown,
      mode: expect.stringContaining('auto, base, adapter, merged') as unknown,
      remoteServer: expect.stringContaining('own network') as unknown,
      retentionDays: 'This is no whole number from 0 to 3650 (days).',
    })
    const now = effective(policy, { retentionDays: 90 })
    expect([now.cache.value, now.lockMinutes.value, now.remoteServer.value, now.bundleSigners.value]).toEqual([false, 10, '', []])
    expect(now.retentionDays).toMatchObject({ value: 90, setBy: 'user' })
  })

  it('is near by edits and swaps, and a far word is near to nothing', () => {
    expect([nearestKey('langauge'), nearestKey('remote_server'), nearestKey('Audit'), nearestKey('x'), nearestKey('y'.repeat(1000))]).toEqual([
      'language',
      'remoteServer',
      'audit',
      null,
      null,
    ])
  })
})

describe('a policy file', () => {
  it('is read with its recommendations; none is no policy', () => {
    expect(readPolicyFile(file).problems).toEqual([])
    writeFileSync(file, '\uFEFF{"cache": false, "recommended": {"lockMinutes": 3}}')
    const now = effective(readPolicyFile(file), {})
    expect([now.cache.setBy, now.lockMinutes.value, now.lockMinutes.setBy]).toEqual(['policy', 3, 'recommended'])
  })

  it('that cannot be read leaves nothing open: all safe, all locked, and said', () => {
    for (const text of ['', '{"cache": fals}', '[]', 'null', ' '.repeat(300_000)]) {
      writeFileSync(file, text)
      const policy = readPolicyFile(file)
      expect(policy.problems, text.slice(0, 20)).toHaveLength(1)
      const now = effective(policy, { cache: true })
      expect(Object.values(now).every(({ setBy, locked }) => setBy === 'policy' && locked)).toBe(true)
      expect([now.cache.value, now.remoteServer.value, now.unsignedModels.value]).toEqual([false, '', false])
    }
    expect(readPolicyFile(folder).problems[0]!.says).toContain('no policy file')
  })

  it('that anyone can write is said', () => {
    writeFileSync(file, '{"cache": false}')
    chmodSync(file, 0o666)
    if (process.platform !== 'win32') expect(readPolicyFile(file).problems[0]!.says).toContain('permissions')
  })
})

describe('a registry', () => {
  const recorded = [
    '',
    'HKEY_LOCAL_MACHINE\\Software\\Policies\\Rushlight',
    '    (Default)    REG_SZ    ',
    '    Cache    REG_DWORD    0x0',
    '    RetentionDays    REG_DWORD    0x5a',
    '    RemoteServer    REG_SZ    https://models.clinic.example:8443',
    '    Engines    REG_MULTI_SZ    cpu\\0vulkan',
    '    Mode    REG_SZ    merged',
    '    PinRequired    REG_DWORD    0x7',
    '',
    'HKEY_LOCAL_MACHINE\\Software\\Policies\\Rushlight\\Recommended',
    '    LockMinutes    REG_DWORD    0xa',
    '',
    'HKEY_LOCAL_MACHINE\\Software\\Policies\\Rushlight\\Other',
    '    Audit    REG_DWORD    0x0',
    '',
  ].join('\r\n')

  it('is read as reg.exe prints it', async () => {
    const raw = parseRegistry(recorded)
    expect(raw.mandatory).toEqual({
      ...{
        Cache: false,
        RetentionDays: 90,
        RemoteServer: 'https://models.clinic.example:8443',
        Engines: ['cpu', 'vulkan'],
        Mode: 'merged',
        PinRequired: 7,
      },
    })
    expect(raw.recommended).toEqual({ LockMinutes: 10 })
    const policy = await readMachinePolicy({ platform: 'win32', query: async () => recorded })
    expect(policy.problems.map(({ key }) => key)).toEqual(['pinRequired'])
    expect(effective(policy, {}).pinRequired.value).toBe(true)
  })

  it('without the key is no policy; one that fails is no licence', async () => {
    expect((await readMachinePolicy({ platform: 'win32', query: async () => null })).problems).toEqual([])
    const failed = await readMachinePolicy({ platform: 'win32', query: () => Promise.reject(new Error('access denied')) })
    expect(effective(failed, { cache: true }).cache.value).toBe(false)
    expect(failed.problems).toHaveLength(1)
  })
})

describe('the templates', () => {
  const models = fileURLToPath(new URL('../../../models/policy/', import.meta.url))
  it('in models/policy are what the list of settings gives (vitest -u writes them)', async () => {
    await expect(admx()).toMatchFileSnapshot(join(models, 'rushlight.admx'))
    await expect(adml()).toMatchFileSnapshot(join(models, 'en-US', 'rushlight.adml'))
    await expect(samplePolicy()).toMatchFileSnapshot(join(models, 'policy.json'))
  })

  it('are well-formed, name every setting and nothing else, and every reference has its end', () => {
    const [definitions, words] = [admx(), adml()].map(elementsOf)
    const policies = definitions!.filter(({ name }) => name === 'policy')
    const bound = policies.filter(({ attributes }) => attributes['key'] === 'Software\\Policies\\Rushlight')
    expect(bound.map(({ attributes }) => attributes['name'])).toEqual(policyKeys.map(registryName))
    expect(policies.length - bound.length).toBe(policyKeys.filter((key) => policyEntries[key].user).length)
    const strings = new Set(words!.filter(({ name }) => name === 'string').map(({ attributes }) => attributes['id']))
    const presentations = new Set(words!.filter(({ name }) => name === 'presentation').map(({ attributes }) => attributes['id']))
    const referred = { string: new Set<string>(), presentation: new Set<string>() }
    for (const { attributes } of definitions!)
      for (const value of Object.values(attributes)) {
        const [, kind, id] = /^\$\((string|presentation)\.(\w+)\)$/.exec(value) ?? []
        if (kind === 'string' || kind === 'presentation') referred[kind].add(id!)
      }
    expect([...referred.string].sort()).toEqual([...strings].sort())
    expect([...referred.presentation].sort()).toEqual([...presentations].sort())
    const valueNames = new Set(definitions!.map(({ attributes }) => attributes['valueName']).filter((name) => name !== undefined))
    expect([...valueNames].sort()).toEqual(policyKeys.map(registryName).sort())
  })

  it('the sample is a policy without a problem', () => {
    writeFileSync(file, samplePolicy())
    expect(readPolicyFile(file).problems).toEqual([])
  })
})
