// Owns the disk level of the answer cache: what is kept, found by form or by bucket, dropped when its seal is broken, swept by age, use and size.
import type { Log } from '../base/log.ts'
import { bucketNumber, bytesOf, opened, scopeHash, scopeFields, seal, shortHash, type Bucket, type Scope, type StoredAnswer } from './answer-rows.ts'
import { AnswersFile } from './answers-file.ts'
import type { Row } from './db.ts'

export interface Limits {
  /** Of the texts and their indexes, about; 0 keeps nothing. */
  readonly bytes: number
  readonly ageMs: number
}
export interface Facts {
  readonly answers: number
  readonly bytes: number
  /** Rows whose seal was broken: dropped, never served. */
  readonly damaged: number
  /** Times the file had to be made afresh. */
  readonly rebuilt: number
}
export type Found = StoredAnswer & { readonly id: number }
/** What a row is ranked by. Its seal has not been looked at: read it by its id before anything is made of it. */
export type Candidate = Pick<StoredAnswer, 'standard' | 'vector' | 'askedAt'> & { readonly id: number }

/** A bucket that many answers share tells none of them from another; the newest are as good as any. */
const PER_BUCKET = 24
const COLUMNS = 'a.id, a.form, a.question, a.standard, a.answer, a.vector, a.turn, a.conversation, a.asked_at, a.digest, s.hash'

/** No method throws for what happens to the file, save those that forget: a cache that fails is a miss, a deletion that fails is not one. */
export class Answers {
  readonly #file: AnswersFile
  #limits: Limits
  #used: number
  #damaged = 0

  /** `contents` names the embedder: vectors and buckets of another are worth nothing. Throws STORE_* when there can be no file. */
  constructor(path: string, options: { log: Log; contents: string; limits: Limits; maxPages?: number }) {
    this.#file = new AnswersFile(path, options)
    this.#limits = options.limits
    // a counter instead of the time: a clock that is moved must not decide what goes
    this.#used = this.#file.attempt(() => Number(this.#file.get('SELECT max(used) AS used FROM answers')?.['used'] ?? 0), 0)
  }

  byForm(scope: Scope, form: string): Found | null {
    return this.#file.attempt(() => {
      const sql = `SELECT ${COLUMNS} FROM scopes s JOIN answers a ON a.scope = s.id WHERE s.hash = ? AND a.form = ?`
      return this.#sound(this.#file.get(sql, scopeHash(scope), shortHash([form])))
    }, null)
  }

  byId(id: number): Found | null {
    return this.#file.attempt(
      () => this.#sound(this.#file.get(`SELECT ${COLUMNS} FROM answers a JOIN scopes s ON s.id = a.scope WHERE a.id = ?`, id)),
      null,
    )
  }

  /** At most `most` answers that share a bucket, those that share most first. The time grows with the depth of the index alone. */
  inBuckets(scope: Scope, buckets: readonly Bucket[], most: number): Candidate[] {
    return this.#file.attempt(() => {
      const id = this.#scopeId(scope)
      if (id === null) return []
      const shared = new Map<number, number>()
      const inBucket = 'SELECT answer FROM buckets WHERE bucket = ? ORDER BY answer DESC LIMIT ?'
      for (const { text, weight } of buckets)
        for (const answer of this.#file.numbers(inBucket, bucketNumber(id, text), PER_BUCKET)) shared.set(answer, (shared.get(answer) ?? 0) + weight)
      const best = [...shared].sort(([a, m], [b, n]) => n - m || b - a).slice(0, most)
      return best.flatMap(([answer]): Candidate[] => {
        const row = this.#file.get('SELECT standard, vector, asked_at FROM answers WHERE id = ?', answer)
        const vector = row?.['vector']
        if (!row || !(vector instanceof Uint8Array)) return []
        return [{ id: answer, standard: String(row['standard']), vector: new Int8Array(vector), askedAt: Number(row['asked_at']) }]
      })
    }, [])
  }

  /** Keeps an answer in place of an earlier one of the same form. Its id; null when the disk or the budget does not take it. */
  put(scope: Scope, form: string, buckets: readonly Bucket[], entry: StoredAnswer): number | null {
    const bytes = bytesOf(entry)
    // one answer must not push out the others
    if (bytes > this.#limits.bytes / 16) return null
    return this.#file.attempt<number | null>(
      () =>
        this.#file.transaction(() => {
          const id = this.#makeScope(scope)
          const key = shortHash([form])
          this.#delete(this.#file.all('SELECT id, buckets FROM answers WHERE scope = ? AND form = ?', id, key))
          const numbers = new BigInt64Array([...new Set(buckets.map(({ text }) => bucketNumber(id, text)))])
          const inserted = this.#file.get(
            `INSERT INTO answers (scope, form, question, standard, vector, turn, conversation, asked_at, used, bytes, buckets, digest, answer)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
            ...[id, key, entry.question, entry.standard, Buffer.from(entry.vector), entry.turn, entry.conversation, entry.askedAt],
            ...[++this.#used, bytes, Buffer.from(numbers.buffer), seal(scopeHash(scope), key, entry), entry.answer],
          )
          for (const bucket of numbers) this.#file.run('INSERT INTO buckets VALUES (?, ?)', bucket, inserted!['id'])
          return Number(inserted!['id'])
        }),
      null,
    )
  }

  /** Several at once, all or none and much quicker. */
  together(work: () => void): void {
    this.#file.attempt(() => this.#file.transaction(work), undefined)
  }

  /** What was used last goes last. */
  touch(id: number): void {
    this.#file.attempt(() => this.#file.run('UPDATE answers SET used = ? WHERE id = ?', ++this.#used, id), undefined)
  }

  drop(id: number): void {
    this.#file.attempt(
      () => this.#file.transaction(() => this.#delete(this.#file.all('SELECT id, buckets FROM answers WHERE id = ?', id))),
      undefined,
    )
  }

  /** For good, or STORE_* is thrown. */
  forget(origin: { readonly turn: string } | { readonly conversation: string }): void {
    const [column, value] = 'turn' in origin ? ['turn', origin.turn] : ['conversation', origin.conversation]
    const done = this.#file.attempt(() => {
      this.#file.transaction(() => this.#delete(this.#file.all(`SELECT id, buckets FROM answers WHERE ${column} = ?`, value)))
      this.#file.scrub()
      return true
    }, false)
    // what cannot be deleted one by one goes with the file
    if (!done) this.#file.empty()
  }

  /** All, for good, or STORE_* is thrown. */
  clear(): void {
    this.#file.empty()
  }

  /** Answers of the scopes that have all of `part` are found no more, at once; `sweep` removes them. */
  invalidate(part: Partial<Scope>): void {
    const fields = scopeFields.filter((field) => part[field] !== undefined)
    const condition = ['dead = 0', ...fields.map((field) => `${field} IS ?`)].join(' AND ')
    const values = fields.map((field) => part[field])
    this.#file.attempt(() => this.#file.run(`UPDATE scopes SET dead = 1, hash = NULL WHERE ${condition}`, ...values), undefined)
  }

  limit(limits: Limits): void {
    this.#limits = limits
  }

  /** Removes at most `most` answers that are invalid, too old at `now` or too many, least used first. True when there are more to remove. */
  sweep(now: number, most: number): boolean {
    return this.#file.attempt(() => {
      const dead = () => this.#file.all('SELECT id, buckets FROM answers WHERE scope IN (SELECT id FROM scopes WHERE dead = 1) LIMIT ?', most)
      const old = () => this.#file.all('SELECT id, buckets FROM answers WHERE asked_at < ? ORDER BY asked_at LIMIT ?', now - this.#limits.ageMs, most)
      const unused = () => (this.#excess() > 0 ? this.#file.all('SELECT id, buckets FROM answers ORDER BY used LIMIT ?', most) : [])
      for (const find of [dead, old, unused]) {
        const rows = find()
        if (rows.length === 0) continue
        this.#file.transaction(() => {
          if (find !== unused) this.#delete(rows)
          else for (const row of rows) if (this.#excess() > 0) this.#delete([row])
        })
        this.#file.shrink()
        return rows.length === most || find !== unused
      }
      this.#file.run('DELETE FROM scopes WHERE dead = 1')
      return false
    }, false)
  }

  facts(): Facts {
    const count = (name: string) => this.#file.attempt(() => Number(this.#file.get('SELECT value FROM meta WHERE name = ?', name)?.['value'] ?? 0), 0)
    return { answers: count('answers'), bytes: count('bytes'), damaged: this.#damaged, rebuilt: this.#file.rebuilt }
  }

  close(): void {
    this.#file.close()
  }

  #excess(): number {
    return Number(this.#file.get(`SELECT value FROM meta WHERE name = 'bytes'`)!['value']) - this.#limits.bytes
  }

  #scopeId(scope: Scope): number | null {
    const row = this.#file.get('SELECT id FROM scopes WHERE hash = ?', scopeHash(scope))
    return row ? Number(row['id']) : null
  }

  #makeScope(scope: Scope): number {
    const known = this.#scopeId(scope)
    if (known !== null) return known
    const { model, adapter, quantisation, prompt, category, language } = scope
    const sql = 'INSERT INTO scopes (hash, model, adapter, quantisation, prompt, category, language) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id'
    return Number(this.#file.get(sql, scopeHash(scope), model, adapter, quantisation, prompt, category, language)!['id'])
  }

  #sound(row: Row | undefined): Found | null {
    if (!row) return null
    const entry = opened(row)
    if (entry) return { ...entry, id: Number(row['id']) }
    this.#damaged++
    this.drop(Number(row['id']))
    return null
  }

  #delete(rows: readonly Row[]): void {
    for (const { id, buckets } of rows) {
      if (buckets instanceof Uint8Array)
        for (const bucket of new BigInt64Array(new Uint8Array(buckets).buffer, 0, buckets.length >> 3))
          this.#file.run('DELETE FROM buckets WHERE bucket = ? AND answer = ?', bucket, id)
      this.#file.run('DELETE FROM answers WHERE id = ?', id)
    }
  }
}
