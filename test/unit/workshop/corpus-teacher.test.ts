// Owns the proof that a teacher is asked, judged and resumed: a real model file, and a real server that answers well, badly, late or not at all.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { collect, keysIn, openTeacher, refusalOf, type TeacherAnswer } from '../../../models/workshop/corpus/from-teacher.ts'
import { keyOf, type Pair } from '../../../models/workshop/corpus/pair.ts'
import { httpTeacher } from '../../../models/workshop/corpus/teacher-http.ts'
import type { Teacher } from '../../../models/workshop/corpus/teacher.ts'
import { namesOf } from '../../../models/workshop/eval/judge.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { expectRefusal } from '../../support/run-verb.ts'
import { starter } from '../models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-teacher-'))
const at = (name: string) => join(folder, name)
const signal = new AbortController().signal
const names = namesOf([
  { name: 'paracetamol', otherNames: ['acetaminophen'] },
  { name: 'ibuprofen', otherNames: [] },
])
const pair = (q: string, a: string, fields: Partial<Pair> = {}): Pair => ({
  ...{ q, a, fact: `f/${q}`, kind: 'medicine.maximum', level: 1, knowledge: 'basic', category: 'medication', phrasing: 'direct', template: 't' },
  keys: [keyOf('Paracetamol', 'drug'), keyOf('4 g', 'dose'), keyOf('g', 'unit')],
  ...fields,
})
const most = pair('What is the maximum dose of paracetamol?', 'Paracetamol, maximum adult dose: 4 g in 24 hours.')

describe('judging', () => {
  test.each<[string, string | null]>([
    ['The maximum dose of paracetamol is 4 g in 24 hours.', null],
    ['Paracetamol: at most 4 g in 24 hours for an adult.', null],
    ['Paracetamol: at most 4000 mg in 24 hours.', 'contradicts'],
    ['Paracetamol: at most 4 g, ibuprofen 2.4 g in 24 hours.', 'contradicts'],
    ['At most 4 g in 24 hours.', 'missing'],
    ['I have no checked data on paracetamol.', 'declines'],
    ['', 'empty'],
    [`Paracetamol 4 g in 24 hours ${'and so on '.repeat(30)}`, 'too long'],
  ])('%s', (answer, why) => {
    const refused = refusalOf(most, answer, names)
    if (why === null) expect(refused).toBeNull()
    else expect(refused).toContain(why)
  })
  test('of what is no drug, dose or unit half must be said', () => {
    const criteria = {
      ...most,
      keys: [keyOf('Paracetamol', 'drug'), keyOf('jaundice', 'criterion'), keyOf('allergy', 'criterion'), keyOf('ascites', 'criterion')],
    }
    const said = (answer: string) => refusalOf({ ...criteria, a: 'Paracetamol: jaundice, allergy, ascites.' }, answer, names)
    expect(said('Paracetamol: not in jaundice or allergy.')).toBeNull()
    expect(said('Paracetamol: not in jaundice.')).toContain('most of the fact')
  })
  test('its entities are those of the fact, as the teacher writes them', () => {
    expect(keysIn('The most of paracetamol is 4 g.', most.keys).map(({ text }) => text)).toEqual(['paracetamol', '4 g', 'g'])
    expect(keysIn('Nothing.', most.keys)).toEqual([])
  })
  test('an unknown must be declined', () => {
    const unknown = pair('What is zorb?', 'I have no checked data on zorb.', { kind: 'unknown.name', keys: [] })
    expect(refusalOf(unknown, 'I have no checked data on it.', names)).toBeNull()
    expect(refusalOf(unknown, 'Zorb is a statin.', names)).toBe('does not decline')
  })
})

test('a model file: its answers are kept when they state the fact, and asked only once', async () => {
  const wrong = { ...most, q: 'What class of drug is paracetamol?', fact: 'f/class' }
  const teacher = await openTeacher(starter, signal)
  const path = at('model.jsonl')
  try {
    const answers = await collect(teacher, [most, wrong], path, { names, signal, progress: new Progress(null) })
    expect(answers.map(({ answer, refused }) => [answer, refused === null])).toEqual([
      ['The maximum dose of paracetamol is 4 g in 24 hours.', true],
      ['Paracetamol is an analgesic and antipyretic.', false],
    ])
    expect(
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as TeacherAnswer),
    ).toEqual(answers)
  } finally {
    await teacher.close()
  }
})

test('a run goes on where it was killed: whole lines are kept, a cut one is asked again, another teacher asks anew', async () => {
  let asked: string[] = []
  const teacher = (name: string): Teacher => ({
    name,
    close: () => Promise.resolve(),
    ask: (question) => Promise.resolve((asked.push(question), `About: ${question}`)),
  })
  const list = ['one', 'two', 'three'].map((q) => pair(q, 'x', { keys: [] }))
  const path = at('resume.jsonl')
  const run = (name: string, questions: readonly Pair[]) => collect(teacher(name), questions, path, { names, signal, progress: new Progress(null) })
  await run('first', list.slice(0, 2))
  const whole = readFileSync(path)
  appendFileSync(path, '{"q":"three","fact":"f/three","teacher":"fi')
  asked = []
  expect(await run('first', list)).toHaveLength(3)
  expect(asked).toEqual(['three'])
  expect(readFileSync(path).subarray(0, whole.length).equals(whole)).toBe(true)
  expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(3)
  asked = []
  await run('second', list)
  expect(asked).toEqual(['one', 'two', 'three'])

  writeFileSync(at('strange.jsonl'), '{"q":"a","fact":"b","teacher":"c","answer":"d","refused":null}\nnothing\n')
  await expectRefusal(
    collect(teacher('x'), list, at('strange.jsonl'), { names, signal, progress: new Progress(null) }),
    'SOURCE_INVALID',
    'strange.jsonl, line 2',
  )
})

describe('a server', () => {
  type Answer = (response: ServerResponse, tries: number) => void
  let answer: Answer
  let requests: string[]
  const json = (response: ServerResponse, value: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      if (request.url === '/v1/models') return void json(response, { data: [{ id: 'tiny' }] })
      requests.push(body)
      answer(response, requests.length)
    })
  })
  let address: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => (requests = []))
  const ask = async (signal_ = signal) =>
    (await httpTeacher(address, { signal: signal_, silence: 300, pause: 5 })).ask('What is the maximum dose of paracetamol?')
  const event = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`
  const stream = (response: ServerResponse, ...events: string[]) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const one of events) response.write(one)
    return response
  }

  test('a streamed answer, asked with the model that the server lists', async () => {
    answer = (response) => stream(response, event('Paracetamol: '), ': a comment\n\n', event('4 g.'), event('', 'stop'), 'data: [DONE]\n\n').end()
    expect(await ask()).toBe('Paracetamol: 4 g.')
    const sent = JSON.parse(requests[0]!) as { model: string; temperature: number; messages: { role: string; content: string }[] }
    expect([sent.model, sent.temperature]).toEqual(['tiny', 0])
    expect(sent.messages.at(-1)).toEqual({ role: 'user', content: 'What is the maximum dose of paracetamol?' })
  })
  test('an answer in one piece', async () => {
    answer = (response) => json(response, { choices: [{ message: { content: 'Paracetamol: 4 g.' } }] })
    expect(await ask()).toBe('Paracetamol: 4 g.')
  })
  test('busy twice, then an answer', async () => {
    answer = (response, tries) =>
      tries < 3 ? json(response, {}, tries === 1 ? 503 : 429) : json(response, { choices: [{ message: { content: 'ok' } }] })
    expect(await ask()).toBe('ok')
    expect(requests).toHaveLength(3)
  })
  test.each<[string, Answer, string, string, number]>([
    [
      'a web page',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>'),
      'SOURCE_INVALID',
      'web page',
      1,
    ],
    [
      'a web page under a false name',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('\n<!doctype html>'),
      'SOURCE_INVALID',
      'web page',
      1,
    ],
    [
      'half a JSON',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":'),
      'SOURCE_INVALID',
      'not JSON',
      1,
    ],
    ['no text', (response) => json(response, { choices: [] }), 'SOURCE_INVALID', 'without a text', 1],
    ['an error in the stream', (response) => stream(response, 'data: {"error":{"message":"no"}}\n\n').end(), 'SOURCE_INVALID', 'error', 1],
    ['a refusal', (response) => json(response, {}, 401), 'SOURCE_INVALID', '401', 1],
    ['a redirect', (response) => response.writeHead(302, { location: 'http://example.org/' }).end(), 'ENGINE_LOST', 'cannot be reached', 4],
    ['a stream that ends early', (response) => stream(response, event('Paracetamol: ')).end(), 'ENGINE_LOST', 'broke off', 4],
    ['a connection that is cut', (response) => stream(response, event('Para')).socket!.destroy(), 'ENGINE_LOST', 'closed the connection', 4],
    ['silence', () => undefined, 'ENGINE_TIMEOUT', 'said nothing', 4],
    ['silence in the middle', (response) => stream(response, event('Para')), 'ENGINE_TIMEOUT', 'said nothing', 4],
    ['a server that is always busy', (response) => json(response, {}, 500), 'ENGINE_LOST', '500', 4],
  ])('%s', async (_, given, code, words, tries) => {
    answer = given
    await expectRefusal(ask(), code, words)
    expect(requests).toHaveLength(tries)
  })
  test('stopping ends the wait at once', async () => {
    answer = () => undefined
    const stopper = new AbortController()
    const waiting = ask(stopper.signal)
    setTimeout(() => stopper.abort(new Error('stop')), 50)
    await expect(waiting).rejects.toThrow('stop')
  })
  test('an address outside the local network is never asked; one where nothing listens is said', async () => {
    for (const outside of ['http://8.8.8.8:8080', 'http://[2001:4860:4860::8888]/v1'])
      await expectRefusal(httpTeacher(outside, { signal, pause: 1 }), 'SOURCE_UNSUPPORTED', 'not on the local network')
    await expectRefusal(httpTeacher('http://127.0.0.1:1', { signal, pause: 1 }), 'ENGINE_LOST', 'cannot be reached')
    await expectRefusal(httpTeacher('not an address', { signal }), 'SOURCE_INVALID', 'address')
  })
})
