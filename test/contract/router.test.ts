// Owns the tests of the door: parse, code, cancel, snapshot, on the router itself and through a port.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createClient } from '../../app/contract/client.ts'
import { call, stream, topic } from '../../app/contract/define.ts'
import { AppError } from '../../app/contract/errors.ts'
import { portTransport, type Port } from '../../app/contract/port.ts'
import { servePort } from '../../app/base/port-server.ts'
import { Router } from '../../app/base/router.ts'

const contract = {
  'number.double': call(z.object({ n: z.number().max(100) }), z.number()),
  'number.fail': call(z.null(), z.number()),
  'number.crash': call(z.null(), z.number()),
  'number.count': stream(z.object({ to: z.number() }), z.number()),
  state: topic(z.object({ phase: z.string() })),
} as const

function setUp() {
  const seen = { ended: 0, aborted: 0, internal: [] as unknown[] }
  const router = new Router(
    contract,
    {
      'number.double': ({ n }) => n * 2,
      'number.fail': () => {
        throw new AppError('MODEL_MISSING', 'The file is gone. Put it back.', { file: 'x' })
      },
      'number.crash': () => {
        throw new Error('secret question text')
      },
      'number.count': async function* ({ to }, signal) {
        try {
          for (let n = 0; n < to && !signal.aborted; n++) {
            yield n
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          if (signal.aborted) seen.aborted++
        } finally {
          seen.ended++
        }
      },
    },
    (name, error) => seen.internal.push([name, error]),
  )
  router.publish('state', { phase: 'one' })
  return { router, seen }
}

/** Two ends of one port in this process, with messages cloned as a real port would. */
function portPair(): { a: Port; b: Port; close(): void } {
  const ends = [new Set<(message: unknown) => void>(), new Set<(message: unknown) => void>()] as const
  const closers = new Set<() => void>()
  const end = (own: 0 | 1): Port => ({
    post: (message) => queueMicrotask(() => ends[own === 0 ? 1 : 0].forEach((on) => on(structuredClone(message)))),
    listen: (on, onClose) => {
      ends[own].add(on)
      if (onClose) closers.add(onClose)
      return () => ends[own].delete(on)
    },
  })
  return { a: end(0), b: end(1), close: () => closers.forEach((closed) => closed()) }
}

describe('router', () => {
  it('answers, and refuses what the contract does not hold', async () => {
    const { router } = setUp()
    expect(await router.call('number.double', { n: 4 })).toEqual({ ok: true, data: 8 })
    for (const name of ['nope', 'constructor', '__proto__', 'toString', 'number.count', 'state', '']) {
      expect(await router.call(name, {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_ROUTE' } })
    }
    for (const input of [undefined, null, 4, 'x', [], { n: '4' }, { n: 101 }, { n: NaN }]) {
      expect(await router.call('number.double', input)).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
    }
  })

  it('passes coded errors on and keeps the text of unknown ones to itself', async () => {
    const { router, seen } = setUp()
    expect(await router.call('number.fail', null)).toEqual({
      ok: false,
      error: { code: 'MODEL_MISSING', message: 'The file is gone. Put it back.', data: { file: 'x' } },
    })
    const crash = await router.call('number.crash', null)
    expect(crash).toMatchObject({ ok: false, error: { code: 'INTERNAL' } })
    expect(JSON.stringify(crash)).not.toContain('secret')
    expect(seen.internal).toHaveLength(1)
  })
})

describe('port', () => {
  it('carries calls, streams and topics', async () => {
    const { router } = setUp()
    const { a, b } = portPair()
    servePort(router, b)
    const client = createClient<typeof contract>(portTransport(a))
    expect(await client.call('number.double', { n: 21 })).toBe(42)
    await expect(client.call('number.fail', null)).rejects.toMatchObject({ code: 'MODEL_MISSING', data: { file: 'x' } })
    const got: number[] = []
    for await (const n of client.stream('number.count', { to: 5 }, new AbortController().signal)) got.push(n)
    expect(got).toEqual([0, 1, 2, 3, 4])
    const states: string[] = []
    const leave = client.watch((_, state) => states.push(state.phase))
    await expect.poll(() => states).toEqual(['one'])
    router.publish('state', { phase: 'two' })
    await expect.poll(() => states).toEqual(['one', 'two'])
    leave()
    await client.call('number.double', { n: 1 })
    router.publish('state', { phase: 'three' })
    await client.call('number.double', { n: 1 })
    expect(states).toEqual(['one', 'two'])
  })

  it('lets an aborted stream run to its own end, and ends one that the reader leaves', async () => {
    const { router, seen } = setUp()
    const { a, b } = portPair()
    servePort(router, b)
    const client = createClient<typeof contract>(portTransport(a))
    const stop = new AbortController()
    for await (const n of client.stream('number.count', { to: 100_000 }, stop.signal)) if (n === 3) stop.abort()
    expect(seen).toMatchObject({ ended: 1, aborted: 1 })
    for await (const n of client.stream('number.count', { to: 100_000 }, new AbortController().signal)) if (n === 3) break
    await expect.poll(() => seen.ended).toBe(2)
  })

  it('ends everything on both sides when the port closes', async () => {
    const { router, seen } = setUp()
    const { a, b, close } = portPair()
    servePort(router, b)
    const client = createClient<typeof contract>(portTransport(a))
    let lost = false
    client.watch(
      () => {},
      () => (lost = true),
    )
    const reading = (async () => {
      for await (const n of client.stream('number.count', { to: 100_000 }, new AbortController().signal)) if (n === 2) close()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await expect.poll(() => seen.ended).toBe(1)
    expect(lost).toBe(true)
    await expect(client.call('number.double', { n: 1 })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  it('survives any message at all', async () => {
    const { router } = setUp()
    const { a, b } = portPair()
    servePort(router, b)
    for (const message of [
      null,
      undefined,
      0,
      'x',
      [],
      {},
      { id: 'x' },
      { id: 1 },
      { id: 1, op: 'x' },
      { id: 1, op: 'call' },
      { id: 1.5, op: 'call', name: 'number.double' },
      { id: 2, op: 'cancel' },
    ])
      a.post(message)
    const client = createClient<typeof contract>(portTransport(a))
    expect(await client.call('number.double', { n: 2 })).toBe(4)
  })
})
