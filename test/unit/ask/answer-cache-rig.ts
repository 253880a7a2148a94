// Owns the answer cache as its tests use it: real SQLite, the shipped vectors, the real gate, and a clock that the test holds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnswerCache, type CacheParts } from '../../../app/ask/answer-cache.ts'
import type { Answered, Asked, Gate, Lookup, Refusal } from '../../../app/ask/answer-cache/asked.ts'
import { diskLimits, usualCacheSettings, type CacheSettings } from '../../../app/ask/answer-cache/settings.ts'
import { loadEmbedder } from '../../../app/ask/embedder.ts'
import { gate as clinicalGate } from '../../../app/clinical/gate.ts'
import type { Slots } from '../../../app/clinical/slots/slot.ts'
import { loadSlotTables, slotsOf } from '../../../app/clinical/slots/slots.ts'
import { standardise } from '../../../app/clinical/terms.ts'
import type { Scope } from '../../../app/store/answer-rows.ts'
import { Answers } from '../../../app/store/answers.ts'

const models = join(import.meta.dirname, '../../../models')
const tables = loadSlotTables(models)
const log = { error() {}, info() {}, warn() {} }
export const embedder = loadEmbedder(join(models, 'embedder'))
export const gate: Gate<Slots> = { slotsOf: (question) => slotsOf(question, tables), gate: clinicalGate }
export const scope: Scope = { model: 'm1', adapter: null, quantisation: 'Q8_0', prompt: 'p1', category: 'medication', language: 'en' }
export const DAY = 86_400_000

export const asked = (question: string, more: Partial<Asked> = {}): Asked => ({
  scope,
  question,
  standard: standardise(question, tables.terms).text,
  emergency: false,
  followUp: false,
  identifiable: false,
  ...more,
})
export const answered = (answer: string, more: Partial<Answered> = {}): Answered => ({
  answer,
  status: 'complete',
  turn: 't1',
  conversation: 'c1',
  ...more,
})

export class Rig {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rushlight-cache-'))
  readonly path = join(this.#folder, 'answers.db')
  now = Date.UTC(2027, 0, 15, 9)
  disk!: Answers
  cache!: AnswerCache<Slots>

  constructor() {
    this.open()
  }

  open(settings: CacheSettings = usualCacheSettings, more: Partial<CacheParts<Slots>> = {}): void {
    this.disk = new Answers(this.path, { log, contents: embedder.id, limits: diskLimits(settings) })
    this.cache = new AnswerCache({ disk: this.disk, embedder, rarity: embedder.rarity, gate, settings, log, now: () => this.now, ...more })
  }

  /** A new program on the same disk: nothing in memory. */
  reopen(settings?: CacheSettings, more?: Partial<CacheParts<Slots>>): void {
    this.disk.close()
    this.open(settings, more)
  }

  keep(question: string, answer = `Answer to: ${question}`, more: Partial<Answered> = {}): Promise<Refusal | null> {
    return this.cache.keep(asked(question), answered(answer, more))
  }

  lookup(question: string): Promise<Lookup> {
    return this.cache.lookup(asked(question))
  }

  async kindOf(question: string): Promise<Lookup['kind']> {
    return (await this.lookup(question)).kind
  }

  close(): void {
    this.disk.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
