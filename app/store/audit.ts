// Owns the audit log: rows chained by hash, a signed head, their proof, their pruning and their export. No patient text has a place in it.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { Category } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import type { Store } from './db.ts'
import { parseColumn } from './rows.ts'
import { readState, writeState } from './trust-state.ts'

// Every text is an identifier, a hash or a word of a fixed list: what somebody typed would not pass.
const Name = z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/)
const Hash = z.string().regex(/^([0-9a-f]{64})?$/)
const Names = z.array(Name).max(200)
const Count = z.number().int().min(0)

/** What may be written down. `who` is the operating system's user, added by the log. */
export const AuditEvent = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('answer'),
    turn: Name,
    category: Category,
    status: z.enum(['complete', 'partial', 'failed']),
    mode: z.enum(['base', 'adapter', 'merged']).nullable(),
    model: Hash,
    adapter: Hash,
    prompt: Name.or(z.literal('')),
    cache: z.enum(['hit', 'miss', 'off']),
    rules: Names,
  }),
  z.strictObject({ what: z.literal('settings'), changed: Names, by: z.enum(['user', 'policy']) }),
  z.strictObject({ what: z.literal('lock'), change: z.enum(['locked', 'panic', 'unlocked', 'pin refused', 'pin set', 'pin removed']) }),
  z.strictObject({ what: z.literal('data'), change: z.enum(['deleted', 'exported', 'expired', 'wiped', 'restored', 'sealed']), turns: Count }),
  z.strictObject({
    what: z.literal('bundle'),
    id: Name,
    version: Count,
    change: z.enum(['activated', 'refused', 'rolled back']),
    code: Name.nullable(),
  }),
  z.strictObject({ what: z.literal('advisory'), id: Name, disabled: Names }),
  z.strictObject({ what: z.literal('model'), model: Hash, change: z.enum(['loaded', 'failed']), code: Name.nullable() }),
  z.strictObject({ what: z.literal('program'), change: z.enum(['started', 'closed', 'pruned', 'key changed']), version: Name }),
])
export type AuditEvent = z.infer<typeof AuditEvent>

const Point = z.strictObject({ seq: Count, hash: Hash, signature: z.string().max(200) })
type Point = z.infer<typeof Point>
export interface Signer {
  sign(text: string): string
  verifies(text: string, signature: string): boolean
}
export interface AuditProof {
  ok: boolean
  rows: number
  /** Whether the last row is vouched for: a head whose key is gone proves nothing. */
  head: 'signed' | 'not signed'
  /** The first row that is not what it was, or not there, and what is wrong in words; null when all is well. */
  broken: { seq: number; why: string } | null
}

const HEAD = 'audit head'
/** Where the log begins after a pruning: the last row that was taken away. */
const ANCHOR = 'audit anchor'
const START = '0'.repeat(64)

export class AuditLog {
  readonly #store: Store
  readonly #who: string
  readonly #signer: Signer | null
  readonly #now: () => string

  /** `who` is shortened to what a name may hold. Without a signer the chain still shows a changed row, but not a log that was cut or made anew. */
  constructor(store: Store, options: { who: string; signer?: Signer; now?: () => string }) {
    this.#store = store
    this.#who = options.who.replace(/[^A-Za-z0-9._:-]/g, '_').slice(0, 100) || '_'
    this.#signer = options.signer ?? null
    this.#now = options.now ?? (() => new Date().toISOString())
  }

  /** Durable when it returns. Throws a ZodError for an event with a text that is no identifier: a fault of the caller, not of a person. */
  append(event: AuditEvent): void {
    const known = AuditEvent.parse(event)
    this.#store.transaction(() => {
      const last = this.#last()
      const seq = last.seq + 1
      const entry = canonical({ seq, at: this.#now(), who: this.#who, ...known })
      const hash = chained(last.hash, entry)
      this.#store.run('INSERT INTO audit VALUES (?, ?, ?)', seq, entry, hash)
      writeState(this.#store, HEAD, this.#signed(HEAD, seq, hash))
    })
  }

  /** Reads every row. A log is sound when each row follows from the one before, none is missing, and the head signs the last. */
  verify(): AuditProof {
    const anchor = readState(this.#store, ANCHOR, Point)
    const head = readState(this.#store, HEAD, Point)
    let [before, rows] = [anchor ?? { seq: 0, hash: START }, 0]
    let broken: AuditProof['broken'] =
      anchor && !this.#holds(ANCHOR, anchor) ? { seq: anchor.seq, why: 'the beginning is not signed by this installation' } : null
    this.#store.takeWhile((row) => {
      const [seq, entry, hash] = [Number(row['seq']), String(row['entry']), String(row['hash'])]
      rows++
      if (broken) return false
      if (seq !== before.seq + 1)
        broken = { seq: before.seq + 1, why: seq > before.seq + 1 ? 'rows are missing' : 'a row has been put before the beginning' }
      else if (hash !== chained(before.hash, entry) || (parseColumn(entry) as { seq?: unknown } | undefined)?.seq !== seq)
        broken = { seq, why: 'the row was changed' }
      before = { seq, hash }
      return broken === null
    }, 'SELECT seq, entry, hash FROM audit ORDER BY seq')
    if (!broken) {
      if (!head) broken = before.seq > 0 ? { seq: before.seq, why: 'the head of the log is missing or damaged' } : null
      else if (head.seq > before.seq) broken = { seq: before.seq + 1, why: `rows are missing at the end: there were ${head.seq}` }
      else if (head.seq !== before.seq || head.hash !== before.hash) broken = { seq: before.seq, why: 'the head does not belong to the last row' }
      else if (!this.#holds(HEAD, head)) broken = { seq: head.seq, why: 'the head is not signed by this installation' }
    }
    return { ok: broken === null, rows, head: this.#signer && head && head.signature !== '' ? 'signed' : 'not signed', broken }
  }

  /** One JSON object a line: what was logged, and its hash, so that anyone can compute the chain again. */
  exportLines(): string {
    return this.#store
      .all('SELECT entry, hash FROM audit ORDER BY seq')
      .map(({ entry, hash }) => `${JSON.stringify({ ...(JSON.parse(String(entry)) as object), hash })}\n`)
      .join('')
  }

  /** Takes away what was logged before `time` (ISO 8601); the rest stays provable. Throws STORE_CORRUPT when the log is broken: evidence stays. */
  prune(time: string): number {
    const proof = this.verify()
    if (proof.broken) throw brokenLog(proof.broken)
    return this.#store.transaction(() => {
      // only up to the first that stays: a clock that was set back must not tear a hole
      const last = this.#store.get(
        `SELECT seq, hash FROM audit WHERE seq < coalesce((SELECT min(seq) FROM audit WHERE json_extract(entry, '$.at') >= ?), 9e15) ORDER BY seq DESC LIMIT 1`,
        time,
      )
      if (!last) return 0
      const [{ n } = { n: 0 }] = this.#store.all('SELECT count(*) AS n FROM audit WHERE seq <= ?', last['seq'])
      this.#store.run('DELETE FROM audit WHERE seq <= ?', last['seq'])
      writeState(this.#store, ANCHOR, this.#signed(ANCHOR, Number(last['seq']), String(last['hash'])))
      return Number(n)
    })
  }

  /** Signs head and beginning with the present key; before the old one is retired. Throws STORE_CORRUPT when the log is broken. */
  signAgain(): void {
    const proof = this.verify()
    if (proof.broken) throw brokenLog(proof.broken)
    this.#store.transaction(() => {
      for (const key of [HEAD, ANCHOR]) {
        const point = readState(this.#store, key, Point)
        if (point) writeState(this.#store, key, this.#signed(key, point.seq, point.hash))
      }
    })
  }

  /** Goes on from the head, so that a log whose end was taken away does not hide it by growing. */
  #last(): { seq: number; hash: string } {
    const [head, anchor] = [readState(this.#store, HEAD, Point), readState(this.#store, ANCHOR, Point)]
    const row = this.#store.get('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1')
    const last = row ? { seq: Number(row['seq']), hash: String(row['hash']) } : (anchor ?? { seq: 0, hash: START })
    return head && head.seq > last.seq ? head : last
  }

  #signed(key: string, seq: number, hash: string): Point {
    return { seq, hash, signature: this.#signer?.sign(`${key} ${seq} ${hash}`) ?? '' }
  }

  #holds(key: string, { seq, hash, signature }: Point): boolean {
    return this.#signer === null || this.#signer.verifies(`${key} ${seq} ${hash}`, signature)
  }
}

const chained = (before: string, entry: string) => createHash('sha256').update(`${before}\n${entry}`).digest('hex')

/** JSON with its keys in order and no spaces (the part of RFC 8785 that these values need): one entry, one text. */
function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))))
}

function brokenLog({ seq, why }: { seq: number; why: string }): AppError {
  return new AppError('STORE_CORRUPT', `The audit log is not whole from row ${seq} on: ${why}. Export it and keep the database as evidence.`, {
    reason: 'audit_broken',
    seq,
  })
}
