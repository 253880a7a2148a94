// Owns the tests of the audit log: every way to change, cut or renew it is found, and no text of a patient can enter it.
import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { createHash, createHmac } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditLog, type AuditEvent, type Signer } from '../../../app/store/audit.ts'
import { openStore, type Store } from '../../../app/store/db.ts'

const log = { error() {}, info() {}, warn() {} }
const signerOf = (key: string): Signer => {
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('hex')
  return { sign, verifies: (text, signature) => sign(text) === signature }
}
let folder: string
let store: Store
let audit: AuditLog
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-audit-'))
  store = openStore(join(folder, 'rushlight.db'), { log })
  audit = new AuditLog(store, { who: 'n.nurse', signer: signerOf('this install') })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const answer: AuditEvent = {
  ...{ what: 'answer', turn: 'a1', category: 'medication', status: 'complete', mode: 'base', model: 'a'.repeat(64), adapter: '', prompt: 'p1' },
  ...{ cache: 'miss', rules: ['anaphylaxis'] },
}
const fill = (rows: number) => {
  for (let n = 0; n < rows; n++) audit.append({ ...answer, turn: `t${n}` })
}
const broken = () => audit.verify().broken

describe('the audit log', () => {
  it('is whole after writing, across a restart, and says so', () => {
    expect(audit.verify()).toEqual({ ok: true, rows: 0, head: 'not signed', broken: null })
    fill(20)
    audit.append({ what: 'settings', changed: ['cache'], by: 'user' })
    const again = new AuditLog(store, { who: 'n.nurse', signer: signerOf('this install') })
    again.append({ what: 'program', change: 'started', version: '0.1.0' })
    expect(again.verify()).toEqual({ ok: true, rows: 22, head: 'signed', broken: null })
  })

  it('shows the first row that was changed, taken out, put in or put in another order', () => {
    fill(10)
    const rows = store.all('SELECT * FROM audit ORDER BY seq')
    const reset = () => {
      store.run('DELETE FROM audit')
      for (const { seq, entry, hash } of rows) store.run('INSERT INTO audit VALUES (?, ?, ?)', seq, entry, hash)
    }
    store.run(`UPDATE audit SET entry = replace(entry, 'n.nurse', 'd.doctor') WHERE seq = 4`)
    expect(broken()).toMatchObject({ seq: 4, why: 'the row was changed' })
    reset()
    store.run('DELETE FROM audit WHERE seq = 6')
    expect(broken()).toMatchObject({ seq: 6, why: 'rows are missing' })
    reset()
    store.run('DELETE FROM audit WHERE seq < 3')
    expect(broken()).toMatchObject({ seq: 1, why: 'rows are missing' })
    reset()
    store.run('UPDATE audit SET seq = -seq WHERE seq IN (2, 3)')
    store.run('UPDATE audit SET seq = CASE seq WHEN -2 THEN 3 ELSE 2 END WHERE seq < 0')
    expect(broken()?.seq).toBe(2)
    reset()
    expect(broken()).toBeNull()
  })

  it('shows an end that was cut off, also after it has grown again', () => {
    fill(10)
    store.run('DELETE FROM audit WHERE seq > 7')
    expect(broken()).toEqual({ seq: 8, why: 'rows are missing at the end: there were 10' })
    fill(1)
    expect(broken()).toMatchObject({ seq: 8, why: 'rows are missing' })
  })

  it('made anew by somebody without the key is not signed, however well it is chained', () => {
    fill(3)
    const forged = new AuditLog(store, { who: 'x', signer: signerOf('another key') })
    store.run('DELETE FROM audit')
    store.run('DELETE FROM trust_state')
    for (let n = 0; n < 3; n++) forged.append(answer)
    expect(broken()).toEqual({ seq: 3, why: 'the head is not signed by this installation' })
    store.run(`DELETE FROM trust_state WHERE key = 'audit head'`)
    expect(broken()).toMatchObject({ seq: 3, why: 'the head of the log is missing or damaged' })
  })

  it('any single change of any byte of any row is found', () => {
    fill(5)
    const rows = store.all('SELECT seq, entry FROM audit').map(({ seq, entry }) => [Number(seq), String(entry)] as const)
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.nat(), fc.constantFrom('x', '9', '"', ' '), ([seq, entry], at, character) => {
        const place = at % entry.length
        const changed = entry.slice(0, place) + character + entry.slice(place + 1)
        store.run('UPDATE audit SET entry = ? WHERE seq = ?', changed, seq)
        expect(broken()?.seq ?? null).toBe(changed === entry ? null : seq)
        store.run('UPDATE audit SET entry = ? WHERE seq = ?', entry, seq)
      }),
      { numRuns: 60 },
    )
  })

  it('takes no text that somebody typed, whatever the field', () => {
    const typed = 'Mrs Example, 71, chest pain'
    const bad: unknown[] = [
      { ...answer, turn: typed },
      { ...answer, rules: [typed] },
      { ...answer, model: typed },
      { ...answer, question: typed },
      { what: 'settings', changed: [typed], by: 'user' },
      { what: 'note', text: typed },
    ]
    for (const event of bad) expect(() => audit.append(event as AuditEvent), JSON.stringify(event)).toThrow()
    expect(audit.exportLines()).toBe('')
    const named = new AuditLog(store, { who: 'Dr Ann O’Neil\n{"seq":9}' })
    named.append(answer)
    expect(audit.exportLines()).toContain('"who":"Dr_Ann_O_Neil___seq_:9_"')
  })

  it('is exported so that a stranger can compute the chain', () => {
    fill(4)
    let before = '0'.repeat(64)
    const lines = audit.exportLines().trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    for (const line of lines) {
      const { hash, ...entry } = JSON.parse(line) as { hash: string }
      expect(
        createHash('sha256')
          .update(`${before}\n${JSON.stringify(entry)}`)
          .digest('hex'),
      ).toBe(hash)
      before = hash
    }
  })

  it('pruned by age stays provable and goes on; a broken one is not pruned away', () => {
    let day = 1
    audit = new AuditLog(store, { who: 'n', signer: signerOf('this install'), now: () => `2026-01-${String(day++).padStart(2, '0')}T08:00:00.000Z` })
    fill(10)
    expect(audit.prune('2026-01-05T00:00:00.000Z')).toBe(4)
    expect(audit.verify()).toMatchObject({ ok: true, rows: 6, head: 'signed' })
    fill(1)
    expect(audit.verify()).toMatchObject({ ok: true, rows: 7 })
    store.run('DELETE FROM audit WHERE seq = 5')
    expect(broken()).toMatchObject({ seq: 5, why: 'rows are missing' })
    expect(() => audit.prune('2027-01-01T00:00:00.000Z')).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(audit.verify().rows).toBeGreaterThan(0)
  })

  it('pruned to nothing still knows where it was', () => {
    fill(3)
    expect(audit.prune('2100-01-01T00:00:00.000Z')).toBe(3)
    expect(audit.verify()).toMatchObject({ ok: true, rows: 0 })
    fill(1)
    expect(audit.verify()).toMatchObject({ ok: true, rows: 1 })
    expect(store.get('SELECT seq FROM audit')).toEqual({ seq: 4 })
  })
})
