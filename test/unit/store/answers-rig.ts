// Owns the disk level of the answer cache as its tests use it: a file in a folder of its own, and a way to meddle with it.
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bucket, Scope, StoredAnswer } from '../../../app/store/answer-rows.ts'
import { Answers, type Found, type Limits } from '../../../app/store/answers.ts'

const log = { error() {}, info() {}, warn() {} }
export const scope: Scope = { model: 'm1', adapter: null, quantisation: 'Q8_0', prompt: 'p1', category: 'medication', language: 'en' }
export const NOW = 1_800_000_000_000
export const DAY = 86_400_000
export const roomy: Limits = { bytes: 64 * 2 ** 20, ageMs: 90 * DAY }
export const bucket = (text: string, weight = 1): Bucket => ({ text, weight })
export const entry = (name: string, more: Partial<StoredAnswer> = {}): StoredAnswer => ({
  question: `Question ${name}?`,
  standard: `question ${name}`,
  answer: `Answer ${name}.`,
  vector: Int8Array.from([1, -2, 127, -127]),
  turn: `turn-${name}`,
  conversation: `talk-${name}`,
  askedAt: NOW,
  ...more,
})

export class AnswersRig {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rushlight-answers-'))
  readonly path = join(this.#folder, 'deep', 'answers.db')
  answers!: Answers

  constructor() {
    this.open()
  }

  open(options: { limits?: Limits; contents?: string; maxPages?: number } = {}): void {
    this.answers = new Answers(this.path, { log, contents: 'e1', limits: roomy, ...options })
  }

  /** A new program on the same file, after `between`. */
  reopen(options?: { limits?: Limits; contents?: string; maxPages?: number }, between: () => void = () => {}): void {
    this.answers.close()
    between()
    this.open(options)
  }

  /** Works on the file as another program would, behind the back of the cache. */
  meddle(work: (db: Database.Database) => void): void {
    this.reopen({}, () => {
      const db = new Database(this.path)
      work(db)
      db.close()
    })
  }

  put(name: string, more: Partial<StoredAnswer> = {}, buckets = [bucket('shared')]): number | null {
    return this.answers.put(scope, `form ${name}`, buckets, entry(name, more))
  }

  byForm(name: string): Found | null {
    return this.answers.byForm(scope, `form ${name}`)
  }

  inBuckets(buckets: Bucket[], most = 9): Found[] {
    return this.answers.inBuckets(scope, buckets, most).flatMap(({ id }) => this.answers.byId(id) ?? [])
  }

  close(): void {
    this.answers.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
