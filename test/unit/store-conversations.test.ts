// Owns the tests of the edges of conversations: replaced turns, titles, what a search brings first, and an export that text cannot break.
import { marked } from 'marked'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConversationHit, Turn, type Classification, type Provenance } from '../../app/contract/entities.ts'
import { Conversations } from '../../app/store/conversations.ts'
import { openStore, type Store } from '../../app/store/db.ts'

const log = { error() {}, info() {}, warn() {} }
const classification: Classification = { category: 'medication', decidedBy: 'rules', matched: [], scores: {} }
let folder: string
let store: Store
let talks: Conversations
let clock = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-talks-'))
  store = openStore(join(folder, 'rushlight.db'), { log })
  talks = new Conversations(store, () => new Date(Date.UTC(2026, 0, 1) + clock++ * 1000).toISOString())
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})
const ask = (question: string, conversation: string | null = null, supersedes?: string) =>
  talks.createTurn({ conversation, question, classification, understood: [], ...(supersedes === undefined ? {} : { supersedes }) })
const answer = (question: string, text: string, conversation: string | null = null, provenance: Provenance | null = null) =>
  talks.finishTurn(ask(question, conversation).turn.id, { status: 'complete', answer: text, reasoning: '', provenance, error: null })
const notFound = expect.objectContaining({ code: 'TURN_NOT_FOUND' })

describe('a replaced turn', () => {
  it('of another conversation is refused, and nothing is put aside', () => {
    const other = ask('Other?')
    const { conversation } = answer('One?', '1')
    answer('Two?', '2', conversation.id)
    expect(() => ask('Three?', conversation.id, other.turn.id)).toThrow(notFound)
    expect(() => ask('New?', null, other.turn.id)).toThrow(notFound)
    expect(() => talks.history(conversation.id, other.turn.id)).toThrow(notFound)
    expect(talks.open(conversation.id).turns.map((turn) => turn.supersededBy)).toEqual([null, null])
    expect(talks.list({ limit: 10 })).toHaveLength(2)
  })
})

describe('a title', () => {
  it('is the first line, cut at a word or between whole characters', () => {
    expect(ask('  Dose?\nand more').conversation.title).toBe('Dose?')
    const long = ask('word '.repeat(40)).conversation.title
    expect(long).toMatch(/^(word )+word…$/)
    expect(long.length).toBeLessThanOrEqual(80)
    const rare = ask(`a${'𠀀'.repeat(100)}`).conversation.title
    expect(rare.isWellFormed()).toBe(true)
    expect(rare.length).toBeLessThanOrEqual(80)
  })
})

describe('a search', () => {
  it('finds a conversation by the name that someone gave it, before the texts', () => {
    const named = answer('Cough?', 'Rest.')
    const text = answer('Anaemia in pregnancy?', 'Iron.')
    talks.rename(named.conversation.id, 'Anémia clinic')
    expect(talks.list({ search: 'anemia cli', limit: 10 }).map(({ id }) => id)).toEqual([named.conversation.id])
    expect(talks.list({ search: 'ana', limit: 10 }).map(({ id }) => id)).toEqual([text.conversation.id])
    talks.rename(text.conversation.id, 'Cough and more')
    expect(talks.list({ search: 'cough', limit: 10 }).map(({ id }) => id)).toEqual([text.conversation.id, named.conversation.id])
    expect(talks.list({ search: 'cough', limit: 1 })).toHaveLength(1)
  })

  it('is not filled by one conversation that says the word in every turn', () => {
    const { conversation } = answer('Warfarin warfarin warfarin?', 'Warfarin warfarin warfarin.')
    for (let n = 0; n < 30; n++) answer('Warfarin warfarin warfarin?', 'Warfarin warfarin.', conversation.id)
    const other = answer('A long question that mentions warfarin only once among many other words?', 'A long answer about other things.')
    expect(talks.list({ search: 'warfarin', limit: 2 }).map(({ id }) => id)).toEqual([conversation.id, other.conversation.id])
  })

  it('and the list give what the contract says, a damaged row included', () => {
    const { turn } = answer('Dose?', 'x')
    answer('Dose again?', 'y')
    store.run(`UPDATE turns SET category = 'nonsense', understood = '7', classification = '"', provenance = '{"model":1}' WHERE id = ?`, turn.id)
    for (const search of [undefined, 'dose']) {
      const hits = talks.list({ search, limit: 10 })
      expect(hits).toHaveLength(2)
      for (const hit of hits) expect(ConversationHit.safeParse(hit).error).toBeUndefined()
    }
    expect(Turn.safeParse(talks.open(turn.conversation).turns[0]).error).toBeUndefined()
  })
})

describe('an export', () => {
  const provenance: Provenance = {
    model: { id: 'own', name: 'My <b>model', version: '', quantisation: '', demonstration: true, sha256: '' },
    mode: 'base',
    adapter: null,
    engine: { name: 'llama.cpp', backend: 'cpu', gpuLayers: 0, layers: 4, threads: 2 },
    prompt: { profile: 'full', hash: 'abc', earlierTurns: 0, droppedTurns: 0 },
    cache: null,
    stop: 'end',
    promptTokens: 1,
    tokens: 1,
    firstTokenMs: 1,
    tokensPerSecond: 1,
    appVersion: '1',
    at: '2026-01-01T00:00:00.000Z',
  }

  it.each([
    ['a carriage return', 'one\r# Reviewed\rtwo'],
    ['raw HTML', '</blockquote><h1>Reviewed</h1><!-- hidden'],
    ['escaped HTML', String.raw`\</blockquote>\\<h1>Reviewed</h1> \![x](file://x.png)`],
    ['an open fence', '```\nnever closed'],
    ['a picture', 'see ![x](file://x.png) and ![y][z]'],
    ['a link definition', 'see [1], [2] and [3]\n\n[1]: file://x\n\n- [2]: file://y\n\n  > [3]: file://z'],
    ['an underlined heading', 'Reviewed\n===\n\nby a clinician\n---'],
  ])('holds %s inside the quotation', (_, text) => {
    const { conversation } = answer('Dose?', text, null, provenance)
    const { markdown } = talks.exportMarkdown(conversation.id)
    const html = String(marked.parse(markdown))
    const outside = html.replace(/<blockquote>[\s\S]*?<\/blockquote>(?![\s\S]*<\/blockquote>[\s\S]*<h3>)/g, '')
    expect(html.match(/<blockquote>/g)!.length).toBe(html.match(/<\/blockquote>/g)!.length)
    expect(outside).not.toContain('Reviewed')
    expect(html).not.toMatch(/<img|<!--|href="file/)
    expect(html.trimEnd()).toMatch(/2026-01-01T00:00:00\.000Z\.<\/p>$/)
    expect(markdown).toContain('written by a language model')
    expect(markdown).toContain('not for patient care')
  })

  it('leaves comparisons as they are, and names the file well', () => {
    const { conversation } = answer('eGFR <30 & K+ >6?', 'Stop if <30 or > 6.')
    const { fileName, markdown } = talks.exportMarkdown(conversation.id)
    expect(markdown).toContain('> Stop if <30 or > 6.')
    expect(fileName).toMatch(/^rushlight-2026-01-01-eGFR-30-K-6\.md$/)
    talks.rename(conversation.id, `../..\\CON: ${'𠀀'.repeat(100)} हिन्दी`)
    const odd = talks.exportMarkdown(conversation.id).fileName
    expect(odd).toMatch(/^rushlight-2026-01-01-CON-[^/\\:*?"<>|.]+\.md$/u)
    expect(odd.isWellFormed()).toBe(true)
    expect(Buffer.byteLength(odd)).toBeLessThan(255)
  })
})
