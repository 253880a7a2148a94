// Owns the tests of guessing from the prompt: the same greedy answer with it, fewer steps where it fits, and a judge who measures; and of probabilities.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GenerateInput } from '../../app/contract/engine.ts'
import { BLOCK, SpeculationJudge } from '../../app/engine/speculation.ts'
import { engineHere, SLOW, user, type Answer } from './engine-here.ts'
import { stories, withoutStories } from './models.ts'

const { load, ask, unload } = engineHere()
afterAll(unload)
const guessedOf = ({ done }: Answer) => done.guessed ?? { held: 0, all: 0 }

describe('guessed tokens', () => {
  const questions = ['What are the symptoms of asthma?', 'What is the usual adult dose of ibuprofen?', 'ibuprofen 400 mg every 6 hours '.repeat(3)]
  beforeAll(async () => void (await load()), SLOW)

  it.each(questions)('give the same answer as none: %s', async (question) => {
    const modes: Partial<GenerateInput>[] = [
      {},
      { speculation: 'off' },
      { speculation: 'on' },
      { speculation: 'auto' },
      { speculation: 'on', probabilities: true },
    ]
    const answers = []
    for (const mode of modes) answers.push(await ask(user(question), { maxTokens: 120, ...mode }))
    for (const { text, done } of answers) {
      expect(text).toBe(answers[0]!.text)
      expect(done).toMatchObject({ stop: answers[0]!.done.stop, tokens: answers[0]!.done.tokens })
    }
    expect(answers[0]!.done).not.toHaveProperty('guessed')
  })

  it('are some of them right when the answer repeats the question', async () => {
    const own = (await ask(user(questions[0]!))).text
    // a prompt that holds what the model is about to write
    const answer = await ask([{ role: 'user', text: questions[0]! }, { role: 'assistant', text: own }, ...user(questions[0]!)], { speculation: 'on' })
    expect(guessedOf(answer).all).toBeGreaterThan(0)
    expect(guessedOf(answer).held).toBeGreaterThan(0)
    expect(guessedOf(answer).held).toBeLessThanOrEqual(guessedOf(answer).all)
  })

  it('are not made where the answer is drawn, nor without being asked for', async () => {
    const drawn = await ask(user(questions[0]!), { temperature: 1, seed: 3, speculation: 'on' })
    expect(drawn.done).not.toHaveProperty('guessed')
    expect((await ask(user(questions[0]!), { temperature: 1, seed: 3 })).text).toBe(drawn.text)
  })

  it('leave what was written in place for a follow-up, and are stopped like any other answer', async () => {
    const first = await ask(user(questions[2]!), { speculation: 'on', maxTokens: 20 })
    const again = await ask(user(questions[2]!), { maxTokens: 20 })
    expect(again.held).toBe(again.done.promptTokens - 1)
    expect(again.text).toBe(first.text)
    const stop = new AbortController()
    const stopped = await ask(user(questions[0]!), { speculation: 'on' }, stop.signal, (event) => event.type === 'text' && stop.abort())
    expect(stopped.done.stop).toBe('stopped')
    expect(stopped.done.tokens).toBeLessThan(10)
    expect((await ask(user(questions[2]!), { maxTokens: 20, speculation: 'on' })).text).toBe(first.text)
  })

  it.skipIf(stories === null)(`fit to the very end of a context${stories === null ? ` (${withoutStories})` : ''}`, async () => {
    await load({ modelPath: stories! })
    const story = 'Once upon a time there was a little girl named Lily. She loved to play outside. '.repeat(3)
    const room = 512 - (await ask(user(story), { maxTokens: 1 })).done.promptTokens
    const plain = await ask(user(story), { maxTokens: room })
    const guessed = await ask(user(story), { maxTokens: room, speculation: 'on' })
    expect(guessedOf(guessed).held).toBeGreaterThan(0)
    expect(guessed.done.tokens).toBeLessThanOrEqual(room)
    expect(guessed.text).toBe(plain.text)
    await load()
  })
})

describe('the judge of guessing', () => {
  /** Writes blocks at these paces and returns how each was written. */
  const run = (judge: SpeculationJudge, kind: string, blocks: number, pace: { on: number; off: number }) =>
    Array.from({ length: blocks }, () => {
      const guess = judge.choose(kind, 'auto')
      judge.measured(kind, guess, BLOCK * (guess ? pace.on : pace.off), BLOCK)
      return guess
    })

  it('tries both, keeps to the faster one, and looks again now and then', () => {
    const judge = new SpeculationJudge()
    const fast = run(judge, 'medication', 104, { on: 5, off: 10 })
    expect(fast.slice(0, 4)).toEqual([false, false, true, true])
    expect(fast.slice(4).filter(Boolean).length).toBeGreaterThan(90)
    expect(fast.slice(4).every(Boolean)).toBe(false)
    // another kind of question is another matter
    const slow = run(judge, 'diagnosis', 104, { on: 12, off: 10 })
    expect(slow.slice(4).filter(Boolean).length).toBeLessThan(10)
    expect(slow.slice(4).some(Boolean)).toBe(true)
  })

  it('changes its mind when the machine does', () => {
    const judge = new SpeculationJudge()
    run(judge, '', 100, { on: 5, off: 10 })
    run(judge, '', 400, { on: 20, off: 10 })
    expect(run(judge, '', 16, { on: 20, off: 10 }).filter(Boolean).length).toBeLessThanOrEqual(1)
  })

  it('does as it is told where it is told', () => {
    const judge = new SpeculationJudge()
    run(judge, '', 50, { on: 5, off: 10 })
    expect([judge.choose('', 'off'), judge.choose('', 'on')]).toEqual([false, true])
    for (let n = 0; n < 1000; n++) judge.measured(`${n}`, true, 1, 1)
    expect(judge.choose('', 'auto')).toBe(false)
  })
})

describe('probabilities', () => {
  const question = user('What are the symptoms of asthma?')
  const of = ({ events }: Answer) => events.flatMap((event) => (event.type === 'text' ? [event.probability] : []))

  it('come with each piece of text, in range, and only when asked for', async () => {
    await load()
    const plain = await ask(question)
    const asked = await ask(question, { probabilities: true })
    expect(asked.text).toBe(plain.text)
    expect(of(plain).every((probability) => probability === undefined)).toBe(true)
    expect(of(asked).length).toBeGreaterThan(3)
    for (const probability of of(asked)) {
      expect(probability).toBeGreaterThan(0)
      expect(probability).toBeLessThanOrEqual(1)
    }
    // greedy: no other token had more, so that one of 1,316 has at least its share
    expect(Math.min(...of(asked).map(Number))).toBeGreaterThan(1 / 1316)
  })

  it('are high for what the model was taught and low for noise, and the same when guessed', async () => {
    const mean = (answer: Answer) => of(answer).reduce((sum: number, probability) => sum + Math.log(probability!), 0) / of(answer).length
    const known = await ask(question, { probabilities: true })
    const noise = await ask(user('qq zx vv kk jj ww'), { probabilities: true })
    expect(mean(known)).toBeGreaterThan(mean(noise))
    const guessed = await ask(question, { probabilities: true, speculation: 'on' })
    expect(of(guessed)).toHaveLength(of(known).length)
    for (const [n, probability] of of(guessed).entries()) expect(probability).toBeCloseTo(of(known)[n]!, 2)
  })
})
