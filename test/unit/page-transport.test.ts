// Owns the tests of the page's loopback transport: NDJSON in any pieces, a host that breaks off, a token that is refused.
import { describe, expect, it } from 'vitest'
import type { Result } from '../../app/contract/define.ts'
import { loopbackTransport } from '../../renderer/transport.ts'

type Sent = { url: string; init: RequestInit }
/** A fetch that answers with `pieces` of bytes, then ends or breaks. */
function answering(pieces: readonly string[], breaks = false) {
  const sent: Sent[] = []
  const encoder = new TextEncoder()
  const send = (url: unknown, init: RequestInit = {}) => {
    sent.push({ url: String(url), init })
    const left = [...pieces]
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = left.shift()
        if (piece !== undefined) controller.enqueue(encoder.encode(piece))
        else if (breaks) controller.error(new TypeError('network error'))
        else controller.close()
      },
    })
    return Promise.resolve(new Response(body))
  }
  return { send: send as typeof fetch, sent }
}
async function all(results: AsyncIterable<Result>): Promise<Result[]> {
  const found: Result[] = []
  for await (const result of results) found.push(result)
  return found
}
const signal = () => new AbortController().signal
const lost = { ok: false, error: { code: 'CONNECTION_LOST' } }

describe('the loopback transport', () => {
  it('sends the input as JSON with the token, and nothing in the address', async () => {
    const { send, sent } = answering(['{"ok":true,"data":1}\n'])
    expect(await loopbackTransport('secret', send).call('model.list', null)).toEqual({ ok: true, data: 1 })
    expect(sent[0]!.url).toBe('/api/call/model.list')
    expect(sent[0]!.init.headers).toMatchObject({ Authorization: 'Bearer secret', 'Content-Type': 'application/json' })
    expect(sent[0]!.init.body).toBe('{"input":null}')
  })

  it('joins lines that arrive in pieces, also in the middle of a letter', async () => {
    const bytes = new TextEncoder().encode('{"ok":true,"data":"é"}\n{"ok":true,"data":2}')
    const send = () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            start(controller) {
              for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
              controller.close()
            },
          }),
        ),
      )
    const results = await all(loopbackTransport('t', send as typeof fetch).stream('ask.run', {}, signal()))
    expect(results).toEqual([
      { ok: true, data: 'é' },
      { ok: true, data: 2 },
    ])
  })

  it('says that the connection was lost, for a call and in the middle of a stream', async () => {
    const down = (() => Promise.reject(new TypeError('fetch failed'))) as typeof fetch
    expect(await loopbackTransport('t', down).call('model.list', null)).toMatchObject(lost)
    const { send } = answering(['{"ok":true,"data":1}\n'], true)
    expect(await all(loopbackTransport('t', send).stream('ask.run', {}, signal()))).toMatchObject([{ ok: true, data: 1 }, lost])
  })

  it('hands on topics and tells once when they end', async () => {
    const { send } = answering(['{"topic":"settings","state":{"a":1}}\n{"topic":"settings","state":{"a":2}}\n'])
    const heard: unknown[] = []
    await new Promise<void>((resolve) => loopbackTransport('t', send).topics((name, state) => heard.push([name, state]), resolve))
    expect(heard).toEqual([
      ['settings', { a: 1 }],
      ['settings', { a: 2 }],
    ])
  })

  it('takes a refusal for the end and not for a topic', async () => {
    const { send } = answering(['{"ok":false,"error":{"code":"UNTRUSTED","message":"no"}}\n'])
    const heard: unknown[] = []
    await new Promise<void>((resolve) => loopbackTransport('t', send).topics((name) => heard.push(name), resolve))
    expect(heard).toEqual([])
  })
})
