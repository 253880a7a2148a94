// Owns the tests of the page's state against a scripted host behind the real router and contract: asking, refusals, drafts, replacing, losing.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { contract, type AppContract } from '../../app/contract/contract.ts'
import { createClient } from '../../app/contract/client.ts'
import type { Handlers } from '../../app/contract/define.ts'
import type { AskEvent } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import { localTransport } from '../../app/base/local-transport.ts'
import { Router } from '../../app/base/router.ts'
import { classification, conversation, turn } from '../flow/scripted-data.ts'
import { createPage } from '../../renderer/state/page.ts'

const stored = new Map<string, string>()
beforeEach(() => {
  stored.clear()
  const location = { hash: '', pathname: '/' }
  vi.stubGlobal('location', location)
  vi.stubGlobal('history', { replaceState: (_state: unknown, _title: string, hash: string) => (location.hash = hash) })
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  })
  vi.stubGlobal('requestAnimationFrame', (work: () => void) => setTimeout(work, 16))
  vi.stubGlobal('cancelAnimationFrame', (id: number) => clearTimeout(id))
})

type Run = (input: { question: string; conversation: string | null; supersedes?: string | undefined }) => AsyncIterable<AskEvent>
function pageWith(run: Run, more: Partial<Handlers<AppContract>> = {}) {
  const missing = () => Promise.reject(new AppError('INTERNAL'))
  const handlers = {
    ...Object.fromEntries(Object.keys(contract).map((name) => [name, missing])),
    'question.preview': ({ question }: { question: string }) => ({
      classification: classification(question),
      tokens: question.length,
      limit: 100,
      identifiers: [],
      without: null,
      understood: [],
    }),
    'conversation.list': () => [],
    'ask.run': run,
    ...more,
  } as unknown as Handlers<AppContract>
  return createPage(createClient<AppContract>(localTransport(new Router(contract, handlers))))
}
let ids = 0
/** Accepts, writes `pieces`, ends. */
const writes = (pieces: string[], gate: Promise<void> = Promise.resolve()): Run =>
  async function* (input) {
    const id = input.conversation ?? 'c1'
    const own = turn(`t${++ids}`, id, input.question, '')
    const about = conversation(id, input.question, new Date())
    yield { type: 'accepted', conversation: about, turn: { ...own, status: 'answering', provenance: null } }
    for (const text of pieces) yield { type: 'text', text }
    await gate
    yield { type: 'done', conversation: about, turn: { ...own, answer: pieces.join('') } }
  }
const ended = (page: ReturnType<typeof pageWith>) => vi.waitFor(() => expect(page.ask.last?.live).toBe(false))

describe('asking', () => {
  it('clears the field only when the question is stored, then shows the answer', async () => {
    const page = pageWith(writes(['One is here. ', 'Two is here.\n\n- a']))
    page.composer.write('Amoxicillin dose?')
    expect(await page.composer.submit(null, (input) => page.ask.send(input))).toBe(true)
    expect(page.composer.text).toBe('')
    expect(stored.get('rushlight.drafts')).toBe('{}')
    await ended(page)
    expect(page.ask.last!.units.map((unit) => unit.text)).toEqual(['One is here. Two is here.', 'a'])
    expect(page.route.conversation).toBe('c1')
    expect(page.announcer.messages.map(({ text }) => text)).toEqual(['One is here. Two is here.', 'a.', 'The answer is complete.'])
  })

  it('flushes many pieces as one', async () => {
    let open = () => {}
    let frames = 0
    vi.stubGlobal('requestAnimationFrame', (work: () => void) => (frames++, setTimeout(work, 16)))
    const page = pageWith(
      writes(
        Array.from({ length: 500 }, () => 'word '),
        new Promise((resolve) => (open = resolve)),
      ),
    )
    await page.ask.send({ question: 'x', conversation: null })
    await vi.waitFor(() => expect(page.ask.last!.words).toBe(500))
    expect(frames).toBeLessThan(20)
    open()
    await ended(page)
    expect(page.ask.last!.words).toBe(500)
  })

  it('keeps the text when the host refuses, and says how many words are too many', async () => {
    const page = pageWith(() => {
      throw new AppError('QUESTION_TOO_LONG', undefined, { tokens: 40, limit: 20 })
    })
    page.composer.write('one two three four five six seven eight nine ten')
    expect(await page.composer.submit(null, (input) => page.ask.send(input))).toBe(false)
    expect(page.composer.text).toBe('one two three four five six seven eight nine ten')
    expect(page.composer.refusal?.title).toBe('The question is about 5 words too long.')
    expect(page.composer.refusal?.text).toContain('40 of 20 tokens')
  })

  it('refuses a text that the preview found too long without sending it', async () => {
    let asked = 0
    const page = pageWith(() => {
      asked++
      throw new AppError('INTERNAL')
    })
    page.composer.write('word '.repeat(40))
    await vi.waitFor(() => expect(page.composer.share).toBeGreaterThan(1))
    expect(await page.composer.submit(null, (input) => page.ask.send(input))).toBe(false)
    expect([asked, page.composer.refusal?.title]).toEqual([0, 'The question is about 20 words too long.'])
  })

  it('keeps what was written when the stream breaks off', async () => {
    const page = pageWith(async function* (input) {
      const own = turn('lost', 'c1', input.question, '')
      yield { type: 'accepted', conversation: conversation('c1', input.question, new Date()), turn: { ...own, status: 'answering' } }
      yield { type: 'text', text: 'Half an ans' }
      throw new AppError('CONNECTION_LOST')
    })
    await page.ask.send({ question: 'x', conversation: null })
    await ended(page)
    const { turn: own, units } = page.ask.last!
    expect([own.status, own.error?.code, own.answer, units[0]?.text]).toEqual(['partial', 'CONNECTION_LOST', 'Half an ans', 'Half an ans'])
    expect(page.conversations.list[0]?.lastStatus).toBe('partial')
  })

  it('puts a replaced answer, and what followed it, under the new one', async () => {
    const page = pageWith(writes(['answer']))
    await page.ask.send({ question: 'first', conversation: null })
    await ended(page)
    await page.ask.send({ question: 'second', conversation: 'c1' })
    await ended(page)
    await page.ask.again(page.ask.current[0]!)
    await ended(page)
    expect(page.ask.current.map(({ turn: own }) => own.question)).toEqual(['first'])
    expect(page.ask.replacedBy(page.ask.last!.turn).map(({ turn: own }) => own.question)).toEqual(['first', 'second'])
  })

  it('goes on in the background while another conversation is open', async () => {
    let open = () => {}
    const page = pageWith(writes(['text'], new Promise((resolve) => (open = resolve))), {
      'conversation.open': ({ id }) => ({ conversation: conversation(id, 'other', new Date()), turns: [turn('o1', id, 'other', 'old')] }),
    })
    await page.ask.send({ question: 'first', conversation: null })
    await page.ask.open('c2')
    expect([page.ask.running, page.ask.current.length]).toEqual([null, 1])
    open()
    await vi.waitFor(() => expect(page.conversations.list[0]?.lastStatus).toBe('complete'))
    expect(page.ask.current[0]!.turn.question).toBe('other')
  })
})

describe('drafts', () => {
  it('belong to their conversation and survive the window', async () => {
    const page = pageWith(writes([]))
    page.composer.write('a new one')
    page.composer.load('c7')
    expect(page.composer.text).toBe('')
    page.composer.write('a follow-up')
    page.composer.load(null)
    expect(page.composer.text).toBe('a new one')
    const again = pageWith(writes([]))
    expect(again.composer.text).toBe('a new one')
    again.composer.load('c7')
    expect(again.composer.text).toBe('a follow-up')
  })

  it('come back when an edit is given up', () => {
    const page = pageWith(writes([]))
    page.composer.write('half a thought')
    page.composer.edit(turn('t', 'c1', 'an old question', ''))
    expect(page.composer.text).toBe('an old question')
    page.composer.cancelEdit()
    expect(page.composer.text).toBe('half a thought')
  })
})

describe('opening', () => {
  it('shows a new question when the conversation is gone, and throws why', async () => {
    const page = pageWith(writes([]), {
      'conversation.open': () => {
        throw new AppError('CONVERSATION_NOT_FOUND')
      },
    })
    await expect(page.ask.open('gone')).rejects.toMatchObject({ code: 'CONVERSATION_NOT_FOUND' })
    expect([page.route.conversation, page.ask.opening]).toEqual([null, false])
  })
})
