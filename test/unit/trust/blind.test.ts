// Owns the tests of sealed search: it finds what the plain one finds, and neither words nor their order lie in the database.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlindIndex } from '../../../app/store/blind-index.ts'
import { Conversations } from '../../../app/store/conversations.ts'
import { openStore, type Store } from '../../../app/store/db.ts'
import { sealAll, sealedWith, sealingIsHalfDone, unsealAll } from '../../../app/store/sealing.ts'
import { removeCopies, wipe } from '../../../app/store/retention.ts'
import { Keyring } from '../../../app/trust/vault/keyring.ts'
import { keyFileWrapper } from '../../../app/trust/vault/wrappers.ts'
import { Vault } from '../../../app/trust/vault/vault.ts'

const warnings: string[] = []
const log = { error() {}, info() {}, warn: (message: string) => void warnings.push(message) }
let folder: string
let path: string
let store: Store
let talks: Conversations
let ring: Keyring
let vault: Vault
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-blind-'))
  path = join(folder, 'rushlight.db')
  store = openStore(path, { log })
  talks = new Conversations(store)
  ring = await Keyring.open(join(folder, 'vault.json'), keyFileWrapper(join(folder, 'key')), { sealed: false })
  vault = new Vault(ring)
  warnings.length = 0
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const texts = [
  ['Dose of amoxicillin for otitis media?', 'Amoxicillin 500 mg three times a day.'],
  ['Amoxicilline-allergie bij kind?', 'Geef geen amoxicilline.'],
  ['Is metformin safe at eGFR 28?', 'Stop metformin below 30.'],
  ['Café-au-lait spots in a child', 'Think of neurofibromatosis.'],
  ['K 7.1 after ramipril', 'Treat hyperkalaemia: calcium gluconate.'],
] as const
function add([question, answer]: readonly [string, string]): string {
  const classification = { category: 'general' as const, decidedBy: 'rules' as const, matched: [], scores: {} }
  const { turn } = talks.createTurn({ conversation: null, question, classification, understood: [{ typed: 'otitis', means: 'ear' }], clinical: null })
  return talks.finishTurn(turn.id, { status: 'complete', answer, reasoning: 'because', provenance: null, error: null, clinical: null }).conversation
    .id
}
const everyByte = () =>
  readdirSync(folder)
    .filter((name) => name.startsWith('rushlight.db'))
    .map((name) => readFileSync(join(folder, name)).toString('latin1'))
    .join()
const titles = () => store.all('SELECT id, title FROM conversations ORDER BY id')

describe('sealing', () => {
  it('leaves no word in the database, its log or its free pages, and everything still opens', async () => {
    for (const text of texts) add(text)
    const before = store.all('SELECT id, question, answer, reasoning, understood FROM turns ORDER BY rowid')
    expect(everyByte()).toContain('gluconate')
    expect(await sealAll(store, vault)).toBe(0)
    await new BlindIndex(store, vault).rebuild()
    store.all('PRAGMA wal_checkpoint(TRUNCATE)')
    for (const word of ['amoxicillin', 'gluconate', 'otitis', 'because', 'metformin']) expect(everyByte().toLowerCase(), word).not.toContain(word)
    expect(sealedWith(store)).toBe(vault.activeId)
    const opened = store.all('SELECT id, question, answer, reasoning, understood FROM turns ORDER BY rowid').map((row) => ({
      id: row['id'],
      ...Object.fromEntries(
        ['question', 'answer', 'reasoning', 'understood'].map((column) => [
          column,
          vault.open({ table: 'turns', column, row: String(row['id']) }, String(row[column])),
        ]),
      ),
    }))
    expect(opened).toEqual(before)
  })

  it('broken off anywhere is taken up again; a rotation seals anew and the old key can go', async () => {
    for (const text of texts) add(text)
    const stop = () => {
      throw new Error('killed')
    }
    await expect(sealAll(store, vault, stop)).rejects.toThrow('killed')
    expect(sealingIsHalfDone(store)).toBe(true)
    await sealAll(store, vault)
    expect(sealingIsHalfDone(store)).toBe(false)
    await ring.rotate()
    await sealAll(store, vault)
    await new BlindIndex(store, vault).rebuild()
    ring.retire()
    expect(new BlindIndex(store, vault).find('calcium', 10)).toHaveLength(1)
    for (const row of titles())
      expect(vault.open({ table: 'conversations', column: 'title', row: String(row['id']) }, String(row['title']))).not.toBe('')
  })

  it('can be taken back: the plain search and the plain triggers are there again', async () => {
    for (const text of texts) add(text)
    const [before, found] = [titles(), talks.list({ search: 'amox', limit: 10 })]
    await sealAll(store, vault)
    await unsealAll(store, vault)
    expect(titles()).toEqual(before)
    expect(talks.list({ search: 'amox', limit: 10 })).toEqual(found)
    add(['Newly asked after it?', 'Found.'])
    expect(talks.list({ search: 'newly', limit: 10 })).toHaveLength(1)
    expect(sealedWith(store)).toBeNull()
  })

  it('takes a question that only looks sealed for what it is', async () => {
    const fake = `rl1.00000000.${'A'.repeat(60)}`
    add([fake, 'x'])
    expect(await sealAll(store, vault)).toBe(0)
    const row = store.get('SELECT id, question FROM turns')!
    expect(vault.open({ table: 'turns', column: 'question', row: String(row['id']) }, String(row['question']))).toBe(fake)
  })
})

describe('the blind index', () => {
  it('finds what the plain index finds, word by word and by beginnings', async () => {
    for (const text of texts) add(text)
    const words = [
      'amoxicillin',
      'amox',
      'AMOXICILLIN dose',
      'dose amox',
      'amoxicillinex',
      'cafe',
      'café au',
      'eGFR 28',
      'k 7',
      'metfo',
      'metfz',
      'metf',
      'calcium gluc',
      'hyperkalaemia',
      'nothing here',
      'day three',
      'neurofibromatosi',
      'mg',
    ]
    const plain = new Map(
      words.map((word) => [
        word,
        talks
          .list({ search: word, limit: 10 })
          .map(({ id }) => id)
          .sort(),
      ]),
    )
    await sealAll(store, vault)
    const index = new BlindIndex(store, vault)
    await index.rebuild()
    for (const word of words)
      expect(
        index
          .find(word, 10)
          .map(({ conversation }) => conversation)
          .sort(),
        word,
      ).toEqual(plain.get(word))
    expect(index.find('amox', 1)).toHaveLength(1)
    expect(index.find('', 10)).toEqual([])
    expect(index.find('gluconate', 10)[0]!.snippet).toBe('Treat hyperkalaemia: calcium \uE000gluconate\uE001.')
  })

  it('forgets a deleted turn, takes a changed one, and a damaged text hides no other', async () => {
    const [first] = texts.map(add)
    await sealAll(store, vault)
    const index = new BlindIndex(store, vault)
    await index.rebuild()
    talks.delete(first!)
    expect(index.find('otitis', 10)).toEqual([])
    const row = store.get(`SELECT rowid AS n, id FROM turns ORDER BY rowid LIMIT 1`)!
    store.transaction(() => {
      store.run(
        'UPDATE turns SET answer = ? WHERE rowid = ?',
        vault.seal({ table: 'turns', column: 'answer', row: String(row['id']) }, 'now zebra'),
        row['n'],
      )
      index.put(Number(row['n']), '', 'now zebra')
    })
    expect(index.find('zeb', 10)).toHaveLength(1)
    store.run('UPDATE turns SET answer = ? WHERE rowid = ?', 'plain words of an intruder', row['n'])
    expect(index.find('zeb', 10)).toEqual([])
    expect(warnings).toContain('sealed text does not open')
    expect(index.find('metformin', 10)).toHaveLength(1)
  })

  it('says nothing of words and order: equal sets of words, equal rows', () => {
    const tokens = (text: string) => vault.blind.tokens(text.split(' '))
    expect(tokens('dose of amoxicillin')).toEqual(tokens('amoxicillin dose of of dose'))
    expect(tokens('dose').every((token) => /^[0-9a-f]{12}$/.test(token))).toBe(true)
    expect(vault.blind.prefix('a')).toBeNull()
    expect(vault.blind.word('do')).not.toBe(vault.blind.prefix('do')?.token)
    expect(vault.blind.prefix('metf')).toEqual({ token: vault.blind.prefix('met')!.token, exact: false })
  })
})

describe('a wipe', () => {
  it('leaves neither turns nor copies', async () => {
    for (const text of texts) add(text)
    store.run('VACUUM INTO ?', `${path}.before-0060`)
    expect(wipe(store)).toBe(5)
    expect(removeCopies(path)).toEqual(['rushlight.db.before-0060'])
    expect(everyByte()).not.toContain('gluconate')
    expect(talks.list({ limit: 10 })).toEqual([])
  })
})
