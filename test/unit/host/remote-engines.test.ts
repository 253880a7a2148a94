// Owns the tests of the choice between this computer and a server in the whole program: set up, answered, killed, fenced, back, and nothing lost.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EngineList, ServerInput, ServerState } from '../../../app/contract/hardware.ts'
import { readAddress } from '../../../app/engine/remote/address.ts'
import { ServerEngine } from '../../../app/engine/remote/server-engine.ts'
import { Engines } from '../../../app/host/engines/engines.ts'
import { Experience } from '../../../app/host/engines/experience.ts'
import { serverOne } from '../../../app/host/engines/server-one.ts'
import { serverPolicyFor } from '../../../app/host/remote/server-policy.ts'
import { certificate } from '../../support/certificate.ts'
import { MODEL, startOpenAiServer, type OpenAiServer } from '../../support/openai-server.ts'
import { startRig, type Rig } from '../services.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-remote-'))
const own = certificate('server')
const question = 'What are the symptoms of asthma?'
const policy = { allowed: true, plainHttp: true, hosts: [], url: null }
const note = { error() {}, warn() {}, info() {} }
let server: OpenAiServer
let rig: Rig | null = null
let list: EngineList
let state: ServerState
let leave = () => {}

beforeAll(async () => {
  // room for Rushlight's instructions, which the starter was not trained on
  server = await startOpenAiServer({ contextSize: 1024 })
}, 60_000)
beforeEach(() => {
  server.fault = null
  server.calls.length = server.chats.length = 0
})
afterEach(async () => {
  leave()
  await rig?.close()
  rig = null
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
  rig = await startRig({ serverPolicy: policy, ...options })
  leave = rig.client.watch((name, value) => {
    if (name === 'engine.list') list = value
    if (name === 'server.state') state = value
  })
  await rig.ready()
  return rig
}
const input = (more: Partial<ServerInput> = {}): ServerInput => ({ enabled: true, url: server.url, model: '', use: 'server', ...more })
const one = (id: string) => list.engines.find((engine) => engine.id === id)
const untilServer = () => expect.poll(() => one('server'), { timeout: 20_000 }).toMatchObject({ chosen: true, state: 'ready' })

describe('a server of the clinic', () => {
  it('that policy does not allow cannot be set up, tested or used', async () => {
    const { client, status } = await start({ serverPolicy: { ...policy, allowed: false } })
    await expect(client.call('server.save', input())).rejects.toMatchObject({
      code: 'UNTRUSTED',
      message: expect.stringContaining('policy') as string,
    })
    await expect(client.call('server.test', input())).rejects.toMatchObject({ code: 'UNTRUSTED' })
    expect(state).toMatchObject({ allowed: false, enabled: false })
    expect(server.calls).toEqual([])
    expect(status().server).toBe(undefined)
  })

  it('answers, and the answer says who wrote it; what is typed stays here until it is asked', async () => {
    const { client, ask, status, data } = await start()
    const before = await ask(question)
    expect(before.provenance!.engine).toMatchObject({ backend: 'cpu' })
    await client.call('server.save', input({ key: 'secret-of-the-clinic' }))
    await untilServer()
    await expect.poll(() => status().server, { timeout: 20_000 }).toEqual({ host: `127.0.0.1:${server.port}`, model: MODEL })
    server.calls.length = 0
    const preview = await client.call('question.preview', { question })
    expect(preview.tokens).toBeGreaterThan(3)
    expect(server.calls).toEqual([])
    const turn = await ask(question)
    expect(turn).toMatchObject({ status: 'complete', error: null })
    expect(turn.provenance).toMatchObject({ engine: { name: 'vLLM', backend: 'remote', host: `127.0.0.1:${server.port}` }, model: { name: MODEL } })
    expect(turn.provenance!.promptTokens).toBeGreaterThan(20)
    expect(server.calls).toContain('POST /v1/chat/completions')
    await expect.poll(() => one('server')!.answers, { timeout: 20_000 }).toBe(1)
    expect(one('computer')).toMatchObject({ chosen: false, why: 'You prefer the server.' })
    // for this user only, and the key is told to nobody
    expect(statSync(join(data, 'server.json')).mode & 0o777).toBe(0o600)
    expect(state.hasKey).toBe(true)
    expect(JSON.stringify(state)).not.toContain('secret-of-the-clinic')
    for (const file of ['engines.json', 'server.json', 'logs/rushlight.log'])
      expect(readFileSync(join(data, file), 'utf8')).not.toMatch(/asthma|wheez/i)
    expect(readFileSync(join(data, 'logs/rushlight.log'), 'utf8')).not.toContain('secret-of-the-clinic')
  })

  it('killed in mid-answer leaves a partial answer with the reason; the next question goes to this computer; back, it is asked again', async () => {
    const { client, ask, status } = await start()
    await client.call('server.save', input())
    await untilServer()
    const killing: Promise<void>[] = []
    const lost = await ask(question, {}, (event) => {
      if (event.type === 'text' && killing.length === 0) killing.push(server.kill())
    })
    await Promise.all(killing)
    expect(lost).toMatchObject({ status: 'partial', error: { code: 'ENGINE_LOST', message: expect.stringContaining('broke off') as string } })
    expect(lost.answer.length).toBeGreaterThan(0)
    expect(lost.provenance).toMatchObject({ stop: 'lost', engine: { backend: 'remote' } })
    const next = await ask(question)
    expect(next).toMatchObject({ status: 'complete', provenance: { engine: { backend: 'cpu' } } })
    expect(next.provenance!.engine.host).toBe(undefined)
    // on a slow computer its first wait may be over by now
    const left = expect.stringMatching(/^(fenced|not ready)$/) as string
    await expect.poll(() => one('server'), { timeout: 20_000 }).toMatchObject({ chosen: false, state: left })
    expect(list.failures[0]).toMatchObject({ engine: `127.0.0.1:${server.port}`, why: expect.stringContaining('broke off') as string })
    expect(status().server).toBe(undefined)
    await server.revive()
    await client.call('server.save', input())
    await untilServer()
    expect(await ask(question)).toMatchObject({ status: 'complete', provenance: { engine: { backend: 'remote' } } })
  })

  it('that fails before a word is written costs nothing: the same question is answered here', async () => {
    const { client, ask } = await start()
    await client.call('server.save', input())
    await untilServer()
    server.fault = 'html'
    const turn = await ask(question)
    expect(turn).toMatchObject({ status: 'complete', error: null, provenance: { engine: { backend: 'cpu' } } })
    expect(server.chats).toEqual([])
    await expect.poll(() => list.failures[0]?.why, { timeout: 20_000 }).toContain('web page')
    await expect.poll(() => state.problem, { timeout: 20_000 }).toContain('web page')
  })

  it('is kept over a restart, and left out where policy has changed', async () => {
    const data = mkdtempSync(join(folder, 'data-'))
    const first = await start({ data, keep: true })
    await first.client.call('server.save', input({ use: 'balance' }))
    await expect.poll(() => one('server')?.state, { timeout: 20_000 }).toBe('ready')
    await first.close()
    await start({ data, keep: true })
    await expect.poll(() => one('server')?.state, { timeout: 20_000 }).toBe('ready')
    expect(state).toMatchObject({ enabled: true, url: server.url, use: 'balance' })
    await rig!.close()
    const third = await start({ data, keep: true, serverPolicy: { ...policy, plainHttp: false } })
    expect(state.problem).toContain('https://')
    expect(list.engines.map(({ id }) => id)).toEqual(['computer'])
    expect((await third.ask(question)).provenance!.engine.backend).toBe('cpu')
  })

  it('that the organisation names is asked from the start, and no other can be entered', async () => {
    const { client, ask } = await start({ serverPolicy: serverPolicyFor(server.url) })
    await expect.poll(() => one('server')?.state, { timeout: 20_000 }).toBe('ready')
    expect(state).toMatchObject({ named: true, enabled: true, url: server.url })
    expect(await client.call('server.save', input({ url: 'http://10.9.8.7:1' }))).toMatchObject({ url: server.url })
    await untilServer()
    expect((await ask(question)).provenance!.engine.host).toBe(`127.0.0.1:${server.port}`)
    expect(await client.call('server.save', input({ enabled: false }))).toMatchObject({ enabled: false })
    expect((await ask(question)).provenance!.engine.backend).toBe('cpu')
    expect(serverPolicyFor('').allowed).toBe(false)
  })

  it('is tested before it is trusted: its key is shown to be compared, and pinned', async () => {
    const secure = await startOpenAiServer({ tls: own, key: 'k' })
    try {
      const { client } = await start()
      const unknown = client.call('server.test', input({ url: secure.url, key: 'k' }))
      await expect(unknown).rejects.toMatchObject({ code: 'UNTRUSTED', data: { fault: 'certificate', pin: own.pin } })
      expect(secure.calls).toEqual([])
      const found = await client.call('server.test', input({ url: secure.url, key: 'k', pin: own.pin }))
      expect(found).toMatchObject({ program: 'vllm', models: [MODEL], model: MODEL, contextSize: 1024, contextKnown: true, pin: own.pin })
      for (const [wrong, words] of [
        [{ pin: 'abc' }, 'SHA-256'],
        [{ authority: 'no PEM' }, 'PEM'],
        [{ key: 'two words' }, 'characters'],
        [{ url: 'https://9.9.9.9' }, 'clinic’s own network'],
        [{ url: 'models' }, 'https://'],
      ] as const)
        await expect(client.call('server.save', input(wrong))).rejects.toMatchObject({
          code: 'BAD_INPUT',
          message: expect.stringContaining(words) as string,
        })
      expect(state).toMatchObject({ enabled: false, url: '' })
    } finally {
      await secure.close()
    }
  })
})

describe('two engines of one kind', () => {
  it('a question whose engine fails before the first word is taken on by the other with the same prompt', async () => {
    const second = await startOpenAiServer()
    try {
      const experience = new Experience({ path: join(folder, 'two.json'), log: note })
      const rules = { plainHttp: true, hosts: [] }
      const [a, b] = [server, second].map(
        ({ url }) =>
          new ServerEngine({ access: { address: readAddress(url, rules), rules, key: null, pin: null, ca: null }, model: null, log: note }),
      ) as [ServerEngine, ServerEngine]
      await Promise.all([a.look(), b.look()])
      const both = [serverOne(a, experience), { ...serverOne(b, experience), id: 'computer' as const }]
      const status = () => {
        throw new Error('not asked for here')
      }
      const engines = new Engines({
        ...{ engines: () => both, use: () => 'server', battery: () => false, changed: () => {} },
        experience,
        status,
        log: note,
      })
      const asked = engines.forQuestion()
      const messages = [{ role: 'user' as const, text: question }]
      await asked.count(messages)
      expect(asked.origin('general').engine.host).toBe(a.host)
      server.fault = 'busy'
      let text = ''
      for await (const event of asked.generate({ messages, maxTokens: 60, temperature: 0 }, new AbortController().signal))
        if (event.type === 'text') text += event.text
      expect(text).toContain('wheeze')
      expect(asked.origin('general').engine.host).toBe(b.host)
      expect(experience.failures[0]).toMatchObject({ engine: a.host, why: expect.stringContaining('too busy') as string })
      // with both fenced the question ends with the reason, and a person who asks again is heard
      second.fault = 'busy'
      const hopeless = engines.forQuestion()
      await expect(hopeless.count(messages)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
      server.fault = second.fault = null
      await Promise.all([a.look(), b.look()])
      expect((await engines.forQuestion().count(messages)).tokens).toBeGreaterThan(3)
    } finally {
      await second.close()
    }
  })
})
