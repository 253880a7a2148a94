// Owns the folder of prompt states: which there are, which one helps a prompt most, what is thrown away when they take too many bytes.
import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isWhole, readFacts, seal, type StateFacts } from './state-file.ts'

export interface State extends StateFacts {
  readonly path: string
  readonly bytes: number
  /** Milliseconds since 1970; that of the file, so that the next start knows it. */
  usedAt: number
  /** Its bytes were read and are as they were sealed: once in the life of this process is enough. */
  whole: boolean
}

/** A state that nobody has used for so long is worth half. */
const HALF_LIFE = 7 * 24 * 3600_000
/** What another process is writing now is left alone; what one left behind that died is not. */
const ABANDONED = 3600_000
const NAME = /^[0-9a-f]{40}\.kv$/

/** What keeping the state is worth: milliseconds that it saves, less as time goes by, for each byte. A clock that was set back makes nothing old. */
export function worth({ ms, bytes, usedAt }: Pick<State, 'ms' | 'bytes' | 'usedAt'>, now: number): number {
  return (ms * 0.5 ** (Math.max(0, now - usedAt) / HALF_LIFE)) / bytes
}

/**
 * Holds no state in memory: llama.cpp reads them from files only, and a file that is in use lies in the system's file cache, where it is read
 * in milliseconds. Only prompts that `save` is given are ever written: what people ask is not among them.
 */
export class StateStore {
  readonly #folder: string
  readonly #bytes: number
  readonly #states = new Map<string, State>()

  private constructor(folder: string, bytes: number) {
    this.#folder = folder
    this.#bytes = bytes
  }

  /** Finds what is there, deletes what is damaged, and keeps within `bytes`. A folder that cannot be used is an empty one. */
  static async open(folder: string, bytes: number): Promise<StateStore> {
    const store = new StateStore(folder, bytes)
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {})
    for (const name of await readdir(folder).catch((): string[] => [])) await store.#find(name)
    await store.#evict()
    return store
  }

  get bytes(): number {
    return [...this.#states.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get states(): readonly State[] {
    return [...this.#states.values()]
  }

  /** The state that has most of the beginning of `tokens`, with how many it has; null when none has any. */
  best(key: string, adapters: string, tokens: readonly number[]): { state: State; common: number } | null {
    let best: { state: State; common: number } | null = null
    for (const state of this.#states.values()) {
      if (state.key !== key || state.adapters !== adapters) continue
      const common = commonLength(state.tokens, tokens)
      if (common > (best?.common ?? 0)) best = { state, common }
    }
    return best
  }

  /** Keeps the state that `write` puts into the file it is given. Resolves to null when there is no room for it. */
  async save(facts: StateFacts, write: (path: string) => Promise<unknown>): Promise<State | null> {
    const name = nameOf(facts)
    const path = join(this.#folder, name)
    const part = `${path}.${process.pid}.part`
    try {
      await write(part)
      const bytes = await seal(part, facts)
      if (bytes > this.#bytes) return null
      await rename(part, path)
      const state: State = { ...facts, path, bytes, usedAt: Date.now(), whole: true }
      this.#states.set(name, state)
      await this.#evict(state)
      return state
    } catch {
      // a full disk, a folder without permission: what is not kept is computed again
      return null
    } finally {
      await rm(part, { force: true }).catch(() => {})
    }
  }

  /** Whether the file is there and whole, which is read once. One that is not is deleted and counts as never there. */
  async check(state: State): Promise<boolean> {
    try {
      if ((await lstat(state.path)).size !== state.bytes) throw new Error('another length')
      if (state.whole) return true
      const facts = await readFacts(state.path)
      // another process may have put another file in its place; the name holds what it is of
      if (!facts || nameOf(facts) !== nameOf(state) || !(await isWhole(state.path))) throw new Error('damaged')
      state.whole = true
      return true
    } catch {
      await this.#drop(state)
      return false
    }
  }

  /** Has `read` load the file if it is whole. A file that is damaged, or that llama.cpp refuses, is deleted and counts as never there. */
  async restore(state: State, read: (path: string) => Promise<unknown>): Promise<boolean> {
    if (!(await this.check(state))) return false
    try {
      await read(state.path)
    } catch {
      await this.#drop(state)
      return false
    }
    state.usedAt = Date.now()
    const used = new Date(state.usedAt)
    await utimes(state.path, used, used).catch(() => {})
    return true
  }

  async #find(name: string): Promise<void> {
    const path = join(this.#folder, name)
    try {
      const { size, mtimeMs } = await lstat(path)
      if (/^[0-9a-f]{40}\.kv\.\d+\.part$/.test(name) && Date.now() - mtimeMs > ABANDONED) await rm(path)
      if (!NAME.test(name)) return
      const facts = await readFacts(path)
      if (facts && nameOf(facts) === name) this.#states.set(name, { ...facts, path, bytes: size, usedAt: mtimeMs, whole: false })
      else await rm(path)
    } catch {
      // what cannot be read or removed is not used
    }
  }

  /** Deletes what is worth least until the rest fits. `kept` was just made and goes last. */
  async #evict(kept?: State): Promise<void> {
    const now = Date.now()
    const order = [...this.#states.values()].filter((state) => state !== kept).sort((a, b) => worth(a, now) - worth(b, now))
    for (const state of order) {
      if (this.bytes <= this.#bytes) return
      await this.#drop(state)
    }
  }

  async #drop(state: State): Promise<void> {
    this.#states.delete(nameOf(state))
    await rm(state.path, { force: true }).catch(() => {})
  }
}

function nameOf({ key, adapters, tokens }: StateFacts): string {
  const hash = createHash('sha256').update(JSON.stringify([key, adapters]))
  return `${hash.update(Int32Array.from(tokens)).digest('hex').slice(0, 40)}.kv`
}

/** How many tokens two prompts have in common at their beginning. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const shorter = Math.min(a.length, b.length)
  let at = 0
  while (at < shorter && a[at] === b[at]) at++
  return at
}
