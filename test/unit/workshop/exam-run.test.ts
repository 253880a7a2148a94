// Owns the tests of exam as a command: the starter examined in each way, a run that goes on, a real server, and what is refused.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { inTests } from '../../../models/workshop/score/set.ts'
import { examVerb } from '../../../models/workshop/verbs/exam.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'
import { starter } from '../models.ts'

vi.setConfig({ testTimeout: 600_000 })
const folder = mkdtempSync(join(tmpdir(), 'rushlight-exam-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const sample = inTests('exam-sample.jsonl')
interface KeptLine {
  by: string
  q: string
  answer: string
  confidence: number
}
const kept = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as KeptLine)

describe('a model file', () => {
  it('is no better than guessing when it is the starter, and says so', async () => {
    const report = await runVerb(examVerb, [], { file: sample, model: starter, subject: 'diagnosis', shuffle: '3', answers: at('letters.jsonl') })
    expect(report.rows).toHaveLength(1)
    expect(report.rows[0]).toMatchObject({ set: 'sample', questions: 5, 'random %': 25, 'majority %': 40, verdict: 'like chance' })
    expect(report.rows[0]).toMatchObject({ unparsed: 0, 'too long': 0, 'core concepts %': null })
    // one question has "none of the above" and keeps its order
    expect(report.detail).toMatchObject({ model: 'rushlight-starter-q8.gguf', mode: 'letter', order: { questions: 4 }, calibration: { count: 5 } })
    expect(kept(at('letters.jsonl'))).toHaveLength(5 + 4)
    expect(report.notes!.join('\n')).toMatch(/5 questions: like chance[\s\S]*1 questions stay in one order/)
    expect(report.text).toMatch(/Table 1[\s\S]*sample %[\s\S]*Calibration[\s\S]*the same option chosen/)
  })

  it('gives each letter the probability that llama.cpp does', async () => {
    const [first] = kept(at('letters.jsonl'))
    const { probabilities, mass, letter } = JSON.parse(first!.answer) as { probabilities: number[]; mass: number; letter: string }
    const prompt = first!.q.split('\n').slice(0, -4).join('\n')
    const model = await Evaluator.open({ model: starter })
    // from the rows of logits, and not from losses as the examinee has it
    const start = (await model.tokenize(prompt, { special: true })).length
    const shares: number[] = []
    for (const one of ['A', 'B', 'C', 'D']) {
      const tokens = await model.tokenize(`${prompt} ${one}`, { special: true })
      const logits = await model.logits(tokens)
      const row = (at: number) => logits.subarray(at * model.vocabulary, (at + 1) * model.vocabulary)
      const probability = (at: number) => Math.exp(row(at - 1)[tokens[at]!]!) / row(at - 1).reduce((sum, logit) => sum + Math.exp(logit), 0)
      shares.push(tokens.slice(start).reduce((product, _, at) => product * probability(start + at), 1))
    }
    await model.close()
    const all = shares.reduce((total, share) => total + share, 0)
    expect(mass / all).toBeCloseTo(1, 3)
    shares.forEach((share, n) => expect(probabilities[n]).toBeCloseTo(share / all, 4))
    expect(letter).toBe('ABCD'[shares.indexOf(Math.max(...shares))])
  })

  it('goes on from kept answers and asks nothing twice', async () => {
    const lines = kept(at('letters.jsonl'))
    const marked = lines.map((line) => ({ ...line, answer: JSON.stringify({ ...(JSON.parse(line.answer) as object), seconds: 777 }) }))
    writeFileSync(
      at('marked.jsonl'),
      marked
        .slice(0, 4)
        .map((line) => JSON.stringify(line) + '\n')
        .join('') + '{"by": "cut o',
    )
    const report = await runVerb(examVerb, [], { file: sample, model: starter, subject: 'diagnosis', shuffle: '3', answers: at('marked.jsonl') })
    const after = kept(at('marked.jsonl'))
    expect(after.map(({ q }) => q)).toEqual(lines.map(({ q }) => q))
    expect(after.filter(({ answer }) => answer.includes('777'))).toHaveLength(4)
    expect(report.rows[0]!['questions']).toBe(5)
    // other ways of asking are other answers
    await runVerb(examVerb, [], { file: sample, model: starter, score: 'text', subject: 'emergency', answers: at('marked.jsonl') })
    expect(kept(at('marked.jsonl')).slice(lines.length)).toHaveLength(3)
    writeFileSync(at('other.jsonl'), JSON.stringify({ ...lines[0], answer: 'B' }) + '\n')
    await expectRefusal(
      runVerb(examVerb, [], { file: sample, model: starter, subject: 'diagnosis', answers: at('other.jsonl') }),
      'SOURCE_INVALID',
      'another version',
    )
  })

  it('weighs words by the token, and writes freely for the coverage', async () => {
    const report = await runVerb(examVerb, [], {
      file: sample,
      model: starter,
      score: 'text',
      coverage: true,
      subject: 'emergency',
      answers: at('text.jsonl'),
    })
    expect(report.detail).toMatchObject({ mode: 'text', calibration: null, letterMass: null, figures: { questions: 3, unparsed: 0 } })
    expect(report.rows[0]!['core concepts %']).not.toBeNull()
    const [weighed, free] = kept(at('text.jsonl'))
    const { probabilities } = JSON.parse(weighed!.answer) as { probabilities: number[] }
    const prompt = weighed!.q.split('\n').slice(0, -4).join('\n')
    const model = await Evaluator.open({ model: starter })
    const start = (await model.tokenize(prompt, { special: true })).length
    const means: number[] = []
    for (const option of ['Intramuscular', 'Intravenous', 'Subcutaneous', 'Inhaled']) {
      const tokens = await model.tokenize(prompt + option, { special: true })
      const losses = await model.losses(tokens, start)
      means.push(losses.reduce((sum, loss) => sum + loss, 0) / losses.length)
    }
    const written = await model.generate(await model.tokenize(prompt, { special: true }), 120)
    expect(free!.answer).toBe((await model.detokenize(written)).trim())
    await model.close()
    expect(probabilities.indexOf(Math.max(...probabilities))).toBe(means.indexOf(Math.min(...means)))
  })

  it('counts reasoning without an answer, and a question too long, as wrong', async () => {
    const long = { id: 'long', question: 'pain '.repeat(3000), options: { A: 'yes', B: 'no' }, answer: 'A' }
    const short = { id: 'short', question: 'Which antidote is given in opioid overdose?', options: { A: 'Naloxone', B: 'Atropine' }, answer: 'A' }
    writeFileSync(at('two.jsonl'), [long, short].map((line) => JSON.stringify(line)).join('\n'))
    const report = await runVerb(examVerb, [], { file: at('two.jsonl'), model: starter, reason: true, wrong: true })
    expect(report.detail).toMatchObject({ mode: 'reason', figures: { questions: 2, right: 0, tooLong: 1, unparsed: 1 }, calibration: null })
    expect(report.text).toMatch(/too long for the model; right: A\. yes[\s\S]*no answer that counts; right: A\. Naloxone\n {6}written: ./)
    expect(report.notes!.join('\n')).toMatch(/1 answers hold no choice[\s\S]*1 questions do not fit/)
  })

  it('stops at once', async () => {
    const stopper = new AbortController()
    const running = runVerb(examVerb, [], { file: sample, model: starter, answers: at('stopped.jsonl') }, stopper.signal)
    setTimeout(() => stopper.abort(new Error('stop')), 50)
    await expect(running).rejects.toThrow()
  })
})

describe('a server', () => {
  let answer: (response: ServerResponse, question: string) => void
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      if (request.url !== '/v1/chat/completions') {
        const known = request.url === '/v1/models'
        return void response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify({ data: [{ id: 'tiny' }] }))
      }
      const { messages } = JSON.parse(body) as { messages: { content: string }[] }
      answer(response, messages.at(-1)!.content)
    })
  })
  const say = (response: ServerResponse, text: string) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of text.split(/(?<=\s)/))
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: null }] })}\n\n`)
    response.end(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`)
  }
  let model: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    model = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('is examined by reasoning, and its words are covered', async () => {
    const right = /^([A-D])\. (?:Intramuscular|Glucagon by injection)$/m
    answer = (response, question) =>
      say(response, right.test(question) ? `It is adrenaline intramuscular.\nAnswer: ${right.exec(question)![1]}` : 'It may be C.')
    const report = await runVerb(examVerb, [], { file: sample, model, subject: 'emergency', shuffle: '1' })
    expect(report.detail).toMatchObject({
      mode: 'reason',
      figures: { questions: 3, right: 2, unparsed: 1 },
      order: { questions: 3, right: 2, rightAgain: 2, same: 2 },
    })
    expect(report.rows[0]!['core concepts %']).toBe(33.3)
    expect(String(report.detail!['model'])).toMatch(/^tiny on 127\.0\.0\.1:/)
  })
  it('keeps what was answered before it failed', async () => {
    let asked = 0
    answer = (response) => (++asked < 3 ? say(response, 'Answer: A') : void response.writeHead(500, { 'content-type': 'application/json' }).end('{}'))
    const values = { file: sample, model, answers: at('server.jsonl') }
    await expectRefusal(runVerb(examVerb, [], values), 'ENGINE_FAILED', 'code 500')
    expect(kept(at('server.jsonl'))).toHaveLength(2)
    answer = (response) => (asked++, say(response, 'Answer: A'))
    const report = await runVerb(examVerb, [], values)
    expect([asked, report.rows[0]!['questions']]).toEqual([3 + 14, 16])
  })
  it('is refused outside the network', () => expectRefusal(runVerb(examVerb, [], { file: sample, model: 'http://8.8.8.8' }), 'BAD_INPUT', '8.8.8.8'))
})

describe('wrong use', () => {
  it.each([
    ['no model', { file: sample }, 'needs --file and --model'],
    ['no file', { model: starter }, 'needs --file and --model'],
    ['another score', { file: sample, model: starter, score: 'luck' }, 'letter or text'],
    ['two ways at once', { file: sample, model: starter, score: 'text', reason: true }, 'one of --score and --reason'],
    ['probabilities of a server', { file: sample, model: 'http://127.0.0.1:9', score: 'letter' }, 'no probabilities'],
    ['an unknown subject', { file: sample, model: starter, subject: 'astrology' }, 'There are: diagnosis, emergency'],
  ])('%s', async (_, values, words) => {
    const running = runVerb(examVerb, [], values as Record<string, string | boolean>)
    await expect(running).rejects.toThrow(WrongUse)
    await expect(running).rejects.toThrow(words)
  })
  it('a model that is not there', () => expectRefusal(runVerb(examVerb, [], { file: sample, model: at('none.gguf') }), 'MODEL_MISSING'))
})
