// Owns the answer cache: memory over disk, exact form first, then what resembles it; only the clinical gate lets an earlier answer be served.
import { failure, type Log } from '../base/log.ts'
import { scopeHash, type Scope } from '../store/answer-rows.ts'
import type { Answers, Facts, Found } from '../store/answers.ts'
import { refusalOf, type Answered, type Asked, type Gate, type Hit, type Lookup, type Refusal } from './answer-cache/asked.ts'
import { bucketsOf } from './answer-cache/buckets.ts'
import { formOf, tokensOf, wordsOf } from './answer-cache/form.ts'
import { LeastRecentlyUsed } from './answer-cache/memory.ts'
import { diskLimits, isCurrent, isOn, type CacheSettings } from './answer-cache/settings.ts'
import { choose } from './answer-cache/similar.ts'
import type { Embedder, Rarity } from './embedder.ts'
import { toBytes } from './similarity.ts'

export interface CacheParts<S> {
  /** null where the disk takes no file: the memory level works alone. */
  disk: Answers | null
  embedder: Embedder
  rarity: Rarity
  gate: Gate<S>
  settings: CacheSettings
  log: Log
  now?: () => number
}
export interface CacheFacts extends Facts {
  readonly memoryHits: number
  readonly diskHits: number
  readonly near: number
  readonly misses: number
  readonly refused: number
  readonly inMemory: number
  readonly memoryBytes: number
}
interface Kept<S> {
  readonly found: Found
  readonly scope: Scope
  slots: S | null
  hits: number
}

/** Earlier questions that are read and ranked in one lookup. */
const CANDIDATES = 16
/** Removed with every answer that is kept, so that the budget holds without a pause; and in an idle moment. */
const SWEPT = 8
const SWEPT_WHEN_IDLE = 200
/** No row has this id: the answer is in memory only. */
const NOWHERE = 0
const miss: Lookup = { kind: 'miss', refused: null }

export class AnswerCache<S> {
  readonly #parts: CacheParts<S>
  readonly #memory: LeastRecentlyUsed<Kept<S>>
  readonly #now: () => number
  #settings: CacheSettings
  #deletions = 0
  #counts = { memoryHits: 0, diskHits: 0, near: 0, misses: 0, refused: 0 }

  constructor(parts: CacheParts<S>) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#now = parts.now ?? Date.now
    this.#memory = new LeastRecentlyUsed(parts.settings.memoryBytes, ({ found }) => 400 + 2 * (found.question + found.standard + found.answer).length)
    this.configure(parts.settings)
  }

  /** An earlier answer to the same question, links to similar ones, or a miss. Whatever fails or is in doubt is a miss; nothing is thrown. */
  async lookup(asked: Asked): Promise<Lookup> {
    const tokens = tokensOf(asked.standard)
    const refused = this.#refusal(asked, tokens)
    if (refused) {
      this.#counts.refused++
      return { kind: 'miss', refused }
    }
    const found = await this.#attempt<Lookup>('lookup', async () => this.#exact(asked, tokens) ?? (await this.#similar(asked, tokens)), miss)
    if (found.kind !== 'hit') this.#counts[found.kind === 'near' ? 'near' : 'misses']++
    return found
  }

  /** Keeps a complete answer, in place of an earlier one to the same question. Returns why it was not kept, or null. Nothing is thrown. */
  async keep(asked: Asked, answered: Answered): Promise<Refusal | null> {
    const tokens = tokensOf(asked.standard)
    const refused = this.#refusal(asked, tokens) ?? (answered.status !== 'complete' || answered.answer === '' ? 'not complete' : null)
    return refused ?? this.#attempt<Refusal | null>('keep', () => this.#put(asked, tokens, answered), 'failed')
  }

  /** Everything that came from one turn or one conversation, in memory and on disk, for good. Throws STORE_* when it cannot be deleted. */
  forget(origin: { readonly turn: string } | { readonly conversation: string }): void {
    this.#deletions++
    this.#memory.deleteWhere(({ found }) => ('turn' in origin ? found.turn === origin.turn : found.conversation === origin.conversation))
    this.#parts.disk?.forget(origin)
  }

  /** All of it. Throws STORE_* when it cannot be deleted. */
  clear(): void {
    this.#deletions++
    this.#memory.deleteWhere(() => true)
    this.#parts.disk?.clear()
  }

  /** Answers of a model, adapter, quantisation, prompt, category or language that is no more; a changed key alone finds none of them anyway. */
  invalidate(part: Partial<Scope>): void {
    const fields = Object.entries(part) as [keyof Scope, string | null][]
    this.#memory.deleteWhere(({ scope }) => fields.every(([field, value]) => scope[field] === value))
    this.#parts.disk?.invalidate(part)
  }

  /** What is stored already stays until `sweep` or `clear`, but is not served while the cache is off. */
  configure(settings: CacheSettings): void {
    this.#settings = settings
    this.#memory.limit(isOn(settings) ? settings.memoryBytes : 0)
    this.#parts.disk?.limit(diskLimits(settings))
  }

  /** Removes what is too old, invalid or too much, a little at a time; for idle moments. True when there is more to remove. */
  sweep(): boolean {
    return this.#parts.disk?.sweep(this.#now(), SWEPT_WHEN_IDLE) ?? false
  }

  facts(): CacheFacts {
    const disk = this.#parts.disk?.facts() ?? { answers: 0, bytes: 0, damaged: 0, rebuilt: 0 }
    return { ...disk, ...this.#counts, inMemory: this.#memory.size, memoryBytes: this.#memory.bytes }
  }

  #refusal(asked: Asked, tokens: readonly string[]): Refusal | null {
    if (!isOn(this.#settings)) return 'off'
    return refusalOf(asked) ?? (tokens.length === 0 ? 'empty' : null)
  }

  #exact({ scope, question }: Asked, tokens: readonly string[]): Hit | null {
    const form = formOf(tokens)
    const inMemory = this.#memory.get(memoryKey(scope, form))
    const found = inMemory?.found ?? this.#parts.disk?.byForm(scope, form)
    if (!found || !isCurrent(found.askedAt, this.#now(), this.#settings)) return null
    const kept: Kept<S> = inMemory ?? { found, scope, slots: null, hits: 0 }
    if (found.question !== question) {
      // one form, but not letter by letter: capitals, commas and short forms are the gate's to judge as well
      const { gate } = this.#parts
      kept.slots ??= gate.slotsOf(found.question)
      if (!gate.gate(kept.slots, gate.slotsOf(question)).same) return null
    }
    return this.#serve(kept, form, inMemory ? 'memory' : 'disk')
  }

  async #similar({ scope, question, standard }: Asked, tokens: readonly string[]): Promise<Lookup> {
    const { disk, embedder, gate, rarity } = this.#parts
    const read = disk?.inBuckets(scope, bucketsOf(wordsOf(tokens), rarity), CANDIDATES) ?? []
    const candidates = read.filter(({ askedAt }) => isCurrent(askedAt, this.#now(), this.#settings))
    if (!disk || candidates.length === 0) return miss
    const vector = await embedder.embed(standard)
    const { same, links } = choose({ question, standard }, vector, { candidates, read: (id) => disk.byId(id) }, embedder.fit, gate)
    if (same) return this.#serve({ ...same, scope, hits: 0 }, formOf(tokensOf(same.found.standard)), 'disk')
    return links.length > 0 ? { kind: 'near', links } : miss
  }

  #serve(kept: Kept<S>, form: string, level: Hit['level']): Hit {
    kept.hits++
    if (level === 'disk') this.#memory.set(memoryKey(kept.scope, form), kept)
    // the disk hears of ever rarer hits: enough to keep what is asked often, without a write each time
    if ((kept.hits & (kept.hits - 1)) === 0) this.#parts.disk?.touch(kept.found.id)
    this.#counts[level === 'memory' ? 'memoryHits' : 'diskHits']++
    const { answer, question, turn, conversation, askedAt } = kept.found
    return { kind: 'hit', level, answer, askedAt: new Date(askedAt).toISOString(), originalQuestion: question, turn, conversation }
  }

  async #put({ question, standard, scope }: Asked, tokens: readonly string[], { answer, turn, conversation }: Answered): Promise<Refusal | null> {
    const { disk, embedder, rarity } = this.#parts
    const deletions = this.#deletions
    const vector = toBytes(await embedder.embed(standard))
    // an embedder that takes its time must not bring back what was deleted meanwhile
    if (deletions !== this.#deletions) return 'forgotten'
    const entry = { question, standard, answer, vector, turn, conversation, askedAt: this.#now() }
    const id = disk?.put(scope, formOf(tokens), bucketsOf(wordsOf(tokens), rarity), entry) ?? null
    this.#memory.set(memoryKey(scope, formOf(tokens)), { found: { ...entry, id: id ?? NOWHERE }, scope, slots: null, hits: 0 })
    disk?.sweep(this.#now(), SWEPT)
    return id === null && disk !== null ? 'no room' : null
  }

  /** A cache that fails is no reason for a question to fail. */
  async #attempt<T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#parts.log.warn(`answer cache: ${what} failed`, failure(error))
      return otherwise
    }
  }
}

const memoryKey = (scope: Scope, form: string): string => `${scopeHash(scope)} ${form}`
