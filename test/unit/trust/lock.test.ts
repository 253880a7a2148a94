// Owns the tests of the lock: PINs that are taken, waits that nobody gets round, idle time, panic and a damaged memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../app/store/db.ts'
import { rawState, writeState } from '../../../app/store/trust-state.ts'
import { Lock, type LockOptions } from '../../../app/trust/lock/lock.ts'
import { hashPin, isPin } from '../../../app/trust/lock/pin.ts'
import { beginAttempt, noAttempts, waitAfter, waitLeft } from '../../../app/trust/lock/waits.ts'

const cost = { log2N: 10, r: 8, p: 1 }
const reason = (expected: string) => expect.objectContaining({ data: expect.objectContaining({ reason: expected }) as unknown })

function setUp(more: Partial<LockOptions> = {}) {
  const time = { monotonic: 1000, wall: 1_800_000_000_000 }
  const stored: { value: unknown } = { value: undefined }
  const changes: string[] = []
  const options: LockOptions = {
    memory: { get: () => structuredClone(stored.value), set: (value) => void (stored.value = structuredClone(value)) },
    clock: { monotonic: () => time.monotonic, wall: () => time.wall },
    ...{ idleMs: 60_000, leastDigits: 4, cost, onChange: (state, why) => void changes.push(`${state} ${why}`) },
    ...more,
  }
  const pass = (ms: number) => {
    time.monotonic += ms
    time.wall += ms
  }
  return { time, stored, changes, pass, start: () => new Lock(options) }
}

describe('a PIN', () => {
  it('is refused when it is no PIN or one that everybody tries', async () => {
    for (const pin of ['123', '12a4', '', '1234567890123', '٣٣١٢']) await expect(hashPin(pin, { least: 4, cost })).rejects.toThrow(reason('pin_form'))
    for (const pin of ['0000', '1234', '9876', '7890', '1212', '123123'])
      await expect(hashPin(pin, { least: 4, cost }), pin).rejects.toThrow(reason('pin_weak'))
    await expect(hashPin('2580', { least: 6, cost })).rejects.toThrow(reason('pin_form'))
  })

  it('is proved by its hash, with its pepper and not without it, and is not in the hash', async () => {
    const pepper = Buffer.alloc(32, 1)
    const hash = await hashPin('2580', { least: 4, pepper, cost })
    expect(await isPin('2580', hash, pepper)).toBe(true)
    expect(await isPin('2581', hash, pepper)).toBe(false)
    expect(await isPin('2580', hash)).toBe(false)
    expect(await isPin('2580x', hash, pepper)).toBe(false)
    expect((await hashPin('2580', { least: 4, pepper, cost })).hash).not.toBe(hash.hash)
  })

  it('is hashed with 64 MiB where no test says otherwise', async () => {
    const { log2N, r, p } = await hashPin('2580', { least: 4 })
    expect(128 * 2 ** log2N * r * p).toBe(64 * 2 ** 20)
  })
})

describe('waits', () => {
  it('grow from the fifth failure and end at an hour', () => {
    expect([0, 4, 5, 6, 7, 11, 12, 50].map(waitAfter)).toEqual([0, 0, 30_000, 60_000, 120_000, 1_920_000, 3_600_000, 3_600_000])
  })

  it('are neither shortened nor prolonged beyond their own length by a clock set back', () => {
    let attempts = noAttempts
    for (let n = 0; n < 6; n++) attempts = beginAttempt(attempts, 1_000_000_000)
    expect(waitLeft(attempts, 1_000_010_000).ms).toBe(50_000)
    const back = waitLeft(attempts, 5)
    expect(back.ms).toBe(60_000)
    expect(waitLeft(back.attempts, 30_005).ms).toBe(30_000)
    expect(waitLeft(back.attempts, 60_005).ms).toBe(0)
  })
})

describe('the lock', () => {
  it('is open without a PIN, and begins locked with one', async () => {
    const { start, changes } = setUp()
    const lock = start()
    expect(lock.state).toBe('open')
    await lock.setPin('2580', '')
    expect(start().state).toBe('locked')
    expect(changes).toEqual(['locked start'])
  })

  it('comes after idle time, not while somebody works, and not without a PIN', async () => {
    const { start, pass, changes } = setUp()
    const lock = start()
    pass(100_000)
    lock.tick()
    expect(lock.state).toBe('open')
    await lock.setPin('2580', '')
    lock.activity()
    pass(59_999)
    lock.tick()
    lock.activity()
    pass(59_999)
    lock.tick()
    expect(lock.state).toBe('open')
    pass(1)
    lock.tick()
    expect(lock.state).toBe('locked')
    lock.activity()
    expect(lock.state).toBe('locked')
    await lock.unlock('2580')
    expect(changes).toEqual(['locked idle', 'open unlocked'])
  })

  it('comes at once by the panic key, with or without a PIN', async () => {
    const { start } = setUp()
    const lock = start()
    lock.panic()
    expect(lock.state).toBe('locked')
    await lock.unlock('')
    await lock.setPin('2580', '')
    lock.panic()
    await expect(lock.unlock('')).rejects.toThrow(reason('pin_wrong'))
    await lock.unlock('2580')
    expect(lock.state).toBe('open')
  })

  it('holds against a storm of PINs, through restarts, with the clock set back and forth', async () => {
    const { start, time, pass } = setUp()
    await start().setPin('2580', '')
    let lock = start()
    let judged = 0
    for (let n = 0; n < 300; n++) {
      if (n % 7 === 0) lock = start()
      if (n % 11 === 0) time.wall -= 86_400_000
      const said = await lock.unlock('1357').then(
        () => 'opened',
        (error: { data: { reason: string } }) => error.data.reason,
      )
      expect(['pin_wrong', 'pin_wait']).toContain(said)
      if (said === 'pin_wrong') judged++
      pass(100)
    }
    // thirty seconds in all: the free ones, and not one more
    expect(judged).toBe(5)
    await expect(lock.unlock('2580')).rejects.toThrow(reason('pin_wait'))
    pass(lock.waitMs)
    await lock.unlock('2580')
    expect(lock.waitMs).toBe(0)
  })

  it('counts a try before it looks: killed meanwhile, it was a failure', async () => {
    const { start, stored } = setUp()
    await start().setPin('2580', '')
    const lock = start()
    const running = lock.unlock('2580')
    expect(stored.value).toMatchObject({ attempts: { failures: 1 } })
    await expect(lock.unlock('2580')).rejects.toThrow(reason('pin_wait'))
    await running
    expect(stored.value).toMatchObject({ attempts: { failures: 0 } })
  })

  it('changes and removes a PIN only for whoever knows it, under the same waits', async () => {
    const { start } = setUp()
    const lock = start()
    await lock.setPin('2580', '')
    await expect(lock.setPin('1470', '0000')).rejects.toThrow(reason('pin_wrong'))
    await expect(lock.removePin('')).rejects.toThrow(reason('pin_wrong'))
    await lock.setPin('1470', '2580')
    await lock.removePin('1470')
    expect(lock.hasPin).toBe(false)
  })

  it('does not open because its memory is damaged', () => {
    const { start, stored } = setUp()
    stored.value = { pin: 'gone' }
    expect(start).toThrow(reason('pin_damaged'))
  })

  it('lives in the database: it outlasts a restart, and a damaged row does not open it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-lock-'))
    const store = openStore(join(folder, 'rushlight.db'), { log: { error() {}, warn() {}, info() {} } })
    try {
      const memory = { get: () => rawState(store, 'lock'), set: (value: unknown) => writeState(store, 'lock', value) }
      const { start } = setUp({ memory })
      await start().setPin('2580', '')
      expect(start().state).toBe('locked')
      store.run(`UPDATE trust_state SET value = '{broken' WHERE key = 'lock'`)
      expect(start).toThrow(reason('pin_damaged'))
    } finally {
      store.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
