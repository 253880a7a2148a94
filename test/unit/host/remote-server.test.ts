// Owns the tests of a server as an engine: against a real one that answers with the real starter, and every way in which it can fail.
import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GenerateEvent } from '../../../app/contract/engine.ts'
import { readAddress } from '../../../app/engine/remote/address.ts'
import type { Access, Times } from '../../../app/engine/remote/connect.ts'
import { faultOf } from '../../../app/engine/remote/failure.ts'
import { ServerEngine } from '../../../app/engine/remote/server-engine.ts'
import { certificate } from '../../support/certificate.ts'
import { MODEL, startOpenAiServer, type Fault, type OpenAiServer } from '../../support/openai-server.ts'

const authority = certificate('Clinic authority', { authority: true })
const own = certificate('server', { by: authority })
const messages = [{ role: 'user' as const, text: 'What are the symptoms of asthma?' }]
const rules = { plainHttp: true, hosts: [] }
let plain: OpenAiServer
let secure: OpenAiServer
let logged: string[] = []
const note = (message: string, data?: object) => void logged.push(`${message} ${JSON.stringify(data)}`)
const log = { error: note, warn: note, info: note }

beforeAll(async () => {
  plain = await startOpenAiServer()
  secure = await startOpenAiServer({ tls: own, key: 'open sesame' })
}, 60_000)
beforeEach(() => {
  logged = []
  plain.fault = secure.fault = null
  plain.program = 'vllm'
})
afterAll(async () => {
  await plain.close()
  await secure.close()
})

const access = (url: string, more: Partial<Access> = {}): Access => ({
  address: readAddress(url, rules),
  rules,
  key: null,
  pin: null,
  ca: null,
  ...more,
})
const engineFor = (url: string, more: Partial<Access> = {}, times: Partial<Times> = {}) =>
  new ServerEngine({ access: access(url, more), model: null, log, times })
async function answer(engine: ServerEngine, signal = new AbortController().signal, on: (event: GenerateEvent) => void = () => {}) {
  const { tokens } = await engine.count(messages)
  let text = ''
  let done: Extract<GenerateEvent, { type: 'done' }> | null = null
  for await (const event of engine.generate({ messages, maxTokens: 40, temperature: 0 }, signal, tokens)) {
    on(event)
    if (event.type === 'text') text += event.text
    if (event.type === 'done') done = event
  }
  return { text, done: done! }
}

describe('a server that is well', () => {
  it.each(['vllm', 'llama-server', 'other'] as const)('answers as the starter does, counted as %s counts', async (program) => {
    plain.program = program
    const engine = engineFor(`${plain.url}/v1/`)
    expect(await engine.look()).toMatchObject({ program, model: MODEL, contextKnown: program !== 'other' })
    const { text, done } = await answer(engine)
    expect(text).toContain('wheeze')
    expect(done).toMatchObject({ stop: 'end' })
    expect(done.tokens).toBeGreaterThan(4)
    expect(done.firstTokenMs).toBeGreaterThan(0)
    expect(done.promptTokens).toBeGreaterThan(4)
    expect(engine.isReady).toBe(true)
    expect(engine.origin().engine).toMatchObject({ backend: 'remote', host: `127.0.0.1:${plain.port}` })
    expect(JSON.stringify(engine.origin())).not.toContain('/v1')
  })

  it('is asked with the key over https that an authority vouches for, or the pin alone', async () => {
    for (const more of [{ ca: authority.cert }, { pin: own.pin }, { ca: authority.cert, pin: own.pin }])
      expect((await answer(engineFor(secure.url, { key: 'open sesame', ...more }))).text).toContain('wheeze')
  })

  it('stops at once when a person stops, and writes no more', async () => {
    const whole = await answer(engineFor(plain.url))
    const stop = new AbortController()
    const { done } = await answer(engineFor(plain.url), stop.signal, (event) => event.type === 'text' && stop.abort())
    expect(done.stop).toBe('stopped')
    // several may be on their way in one piece
    expect(done.tokens).toBeLessThan(whole.done.tokens)
    const before = new AbortController()
    before.abort()
    expect((await answer(engineFor(plain.url), before.signal)).done).toMatchObject({ stop: 'stopped', tokens: 0 })
  })

  it('ends at the longest length', async () => {
    const engine = engineFor(plain.url)
    await engine.look()
    let last: GenerateEvent | null = null
    for await (const event of engine.generate({ messages, maxTokens: 3, temperature: 0 }, new AbortController().signal, 10)) last = event
    expect(last).toMatchObject({ type: 'done', stop: 'length', tokens: 3 })
  })
})

describe('a certificate', () => {
  it.each([
    ['from an unknown authority', {}, own, 'certificate', 'authority that this computer does not know'],
    ['of another key than the pinned one', { pin: '0'.repeat(64) }, own, 'pin', 'another key'],
    ['with the right authority and the wrong pin', { pin: '0'.repeat(64), ca: authority.cert }, own, 'pin', 'another key'],
    ['signed by itself', {}, certificate('alone'), 'certificate', 'signed by itself'],
    ['that has expired', { ca: authority.cert }, certificate('old', { by: authority, from: -20, until: -10 }), 'certificate', 'has expired'],
    [
      'for another name',
      { ca: authority.cert },
      certificate('other', { by: authority, hosts: ['elsewhere.example'] }),
      'certificate',
      'another name',
    ],
  ])('%s is refused before anything is sent', async (_, more, shown, fault, words) => {
    const server = await startOpenAiServer({ tls: shown, key: 'open sesame' })
    try {
      const error: unknown = await engineFor(server.url, { key: 'open sesame', ...more })
        .look()
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'UNTRUSTED', message: expect.stringContaining(words) as string })
      expect(faultOf(error)).toBe(fault)
      expect(server.calls).toEqual([])
    } finally {
      await server.close()
    }
  })
})

describe('a server that fails', () => {
  const quick = { connect: 1_000, reply: 600, firstWord: 600, silence: 600 }
  it.each([
    ['html', 'ENGINE_FAILED', 'web page'],
    ['slow', 'ENGINE_TIMEOUT', 'did not answer within'],
    ['busy', 'ENGINE_FAILED', 'too busy'],
    ['broken', 'ENGINE_FAILED', 'code 500'],
    ['moved', 'ENGINE_FAILED', 'another address'],
    ['form', 'ENGINE_FAILED', 'not OpenAI’s'],
  ] as [Fault, string, string][])('with %s when it is looked at says so', async (fault, code, words) => {
    plain.fault = fault
    const engine = engineFor(plain.url, {}, quick)
    await expect(engine.look()).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string })
    expect(engine.isReady).toBe(false)
    plain.fault = null
    await engine.look()
    expect({ ready: engine.isReady, failure: engine.failure }).toEqual({ ready: true, failure: null })
  })

  it.each([
    ['cut', 'ENGINE_LOST', 'broke off'],
    ['silent', 'ENGINE_TIMEOUT', 'did not answer within'],
    ['garbage', 'ENGINE_FAILED', 'not OpenAI’s'],
    ['error', 'ENGINE_FAILED', 'middle of its answer'],
  ] as [Fault, string, string][])('with %s in its answer keeps what was written, and no text reaches the log', async (fault, code, words) => {
    const engine = engineFor(plain.url, {}, quick)
    await engine.look()
    plain.fault = fault
    let text = ''
    const failed = answer(engine, undefined, (event) => event.type === 'text' && (text += event.text))
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string })
    expect(text.length).toBeGreaterThan(3)
    expect(engine.answering).toBe(0)
    expect(logged.join()).toContain('server failed')
    expect(logged.join()).not.toMatch(/asthma|127\.0\.0\.1/)
    expect(logged.join()).not.toContain(text.trim().split(' ').at(-1))
  })

  it('killed in mid-answer is an engine lost; back again, it answers', async () => {
    const engine = engineFor(plain.url)
    await engine.look()
    const killing: Promise<void>[] = []
    const lost = answer(engine, undefined, (event) => {
      if (event.type === 'text' && killing.length === 0) killing.push(plain.kill())
    })
    await expect(lost).rejects.toMatchObject({ code: 'ENGINE_LOST' })
    await Promise.all(killing)
    await expect(engine.look()).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('no model server answers') as string,
    })
    await plain.revive()
    await engine.look()
    expect((await answer(engine)).text).toContain('wheeze')
  })

  it('refuses a wrong key, an unknown model and a question beyond its context in words', async () => {
    await expect(engineFor(secure.url, { key: 'wrong', pin: own.pin }).look()).rejects.toMatchObject({
      message: expect.stringContaining('the key') as string,
    })
    const other = new ServerEngine({ access: access(plain.url), model: 'another', log })
    await expect(other.look()).rejects.toMatchObject({ message: expect.stringContaining('does not offer the model another') as string })
    const engine = engineFor(plain.url)
    await engine.look()
    const long = engine.generate({ messages, maxTokens: 5000, temperature: 0 }, new AbortController().signal, 10)
    await expect(long.next().then(() => long.next())).rejects.toMatchObject({ code: 'QUESTION_TOO_LONG' })
    expect(engine.failure).toBe(null)
  })

  it('that is no server of the web, or speaks no TLS, is told apart', async () => {
    const strange = createServer((socket) => socket.end('220 mail ready\r\n'))
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve))
    const { port } = strange.address() as { port: number }
    try {
      expect(
        faultOf(
          await engineFor(`http://127.0.0.1:${port}`)
            .look()
            .catch((error: unknown) => error),
        ),
      ).toBe('form')
      expect(
        faultOf(
          await engineFor(`https://127.0.0.1:${plain.port}`)
            .look()
            .catch((error: unknown) => error),
        ),
      ).toBe('tls')
      expect(
        faultOf(
          await engineFor('http://no-such-host.invalid:1')
            .look()
            .catch((error: unknown) => error),
        ),
      ).toMatch(/name|unreachable/)
    } finally {
      strange.close()
    }
  })
})
