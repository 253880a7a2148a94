// Owns which columns are sealed, and the way of a database from plain to sealed, to another key, and back: row by row, resumable.
import * as z from 'zod'
import type { Store } from './db.ts'
import { readState, writeState } from './trust-state.ts'

export interface Place {
  readonly table: string
  readonly column: string
  readonly row: string
}
/** What the vault offers the store. */
export interface Sealer {
  seal(place: Place, text: string): string
  /** Throws an AppError for what does not open. */
  open(place: Place, sealed: string): string
  isCurrent(text: string): boolean
  readonly activeId: string
  readonly blind: {
    tokens(words: Iterable<string>): string[]
    word(word: string): string
    prefix(start: string): { token: string; exact: boolean } | null
  }
}

/** Column by table; `id` names the row in the sealed value. A column that an earlier version lacks is passed over. The answer cache has a file of its own. */
export const sealedColumns: readonly { table: string; id: string; columns: readonly string[] }[] = [
  { table: 'conversations', id: 'id', columns: ['title'] },
  { table: 'turns', id: 'id', columns: ['question', 'classification', 'understood', 'answer', 'reasoning', 'clinical'] },
]
const BATCH = 200
const STATE = 'sealing'
/** `first`: rows may still be plain. `doing` is written before the first row changes: what it says holds for some rows and may not hold for others. */
const State = z.strictObject({ key: z.string().nullable(), doing: z.enum(['seal', 'unseal']).nullable(), first: z.boolean() })

/** null: plain; else the id of the key that the rows are sealed with, or are being sealed with. */
export function sealedWith(store: Store): string | null {
  return readState(store, STATE, State)?.key ?? null
}

/** True while a change of all rows was begun and not ended: call `sealAll` or `unsealAll` again before anything is read. */
export function sealingIsHalfDone(store: Store): boolean {
  return (readState(store, STATE, State)?.doing ?? null) !== null
}

/**
 * Seals everything that is plain or sealed by an earlier key, and leaves no plain trace: word index, free pages, write-ahead log. Kill it at
 * any moment and call it again. `onRows` hears how many rows are done. Snapshots from before are plain: the caller removes them. Returns how
 * many texts did not open under an earlier key; they stay as they are.
 */
export async function sealAll(store: Store, sealer: Sealer, onRows: (done: number) => void = () => {}): Promise<number> {
  const before = readState(store, STATE, State) ?? { key: null, doing: null, first: true }
  const first = before.key === null || before.first
  writeState(store, STATE, { key: sealer.activeId, doing: 'seal', first })
  if (first) dropPlainIndex(store)
  let damaged = 0
  await rewriteAll(store, onRows, (place, text) => {
    if (sealer.isCurrent(text)) return text
    const plain = isEnvelope(text) ? openOrNull(sealer, place, text) : text
    if (plain !== null) return sealer.seal(place, plain)
    // somebody may have typed what looks like a sealed text
    if (first) return sealer.seal(place, text)
    damaged++
    return text
  })
  scrub(store)
  writeState(store, STATE, { key: sealer.activeId, doing: null, first: false })
  return damaged
}

function openOrNull(sealer: Sealer, place: Place, text: string): string | null {
  try {
    return sealer.open(place, text)
  } catch {
    return null
  }
}

/** The way back, for a clinic whose disks are encrypted: everything plain, with the plain word index. */
export async function unsealAll(store: Store, sealer: Sealer, onRows: (done: number) => void = () => {}): Promise<void> {
  writeState(store, STATE, { key: sealer.activeId, doing: 'unseal', first: true })
  await rewriteAll(store, onRows, (place, text) => (isEnvelope(text) ? sealer.open(place, text) : text))
  store.transaction(() => {
    store.run(`DELETE FROM turns_blind`)
    restorePlainIndex(store)
    writeState(store, STATE, { key: null, doing: null, first: true })
  })
}

/** Overwrites what was deleted: free pages go, and the write-ahead log is emptied. An SSD may keep old blocks of its own: only wiping the key helps there. */
export function scrub(store: Store): void {
  store.run('VACUUM')
  store.all('PRAGMA wal_checkpoint(TRUNCATE)')
}

const isEnvelope = (text: string) => /^rl1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{38,}$/.test(text)

async function rewriteAll(store: Store, onRows: (done: number) => void, change: (place: Place, text: string) => string): Promise<void> {
  let done = 0
  for (const { table, id, columns } of sealedColumns) {
    const there = new Set(store.all('SELECT name FROM pragma_table_info(?)', table).map(({ name }) => String(name)))
    const present = columns.filter((column) => there.has(column))
    if (!there.has(id) || present.length === 0) continue
    for (let from = 0; ;) {
      const rows = store.all(
        `SELECT rowid AS n, ${id} AS id, ${present.join(', ')} FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${BATCH}`,
        from,
      )
      if (rows.length === 0) break
      store.transaction(() => {
        for (const row of rows) {
          const values = present.map((column) =>
            row[column] === null ? null : change({ table, column, row: String(row['id']) }, String(row[column])),
          )
          if (values.some((value, at) => value !== row[present[at]!]))
            store.run(`UPDATE ${table} SET ${present.map((column) => `${column} = ?`).join(', ')} WHERE rowid = ?`, ...values, row['n'])
        }
      })
      from = Number(rows.at(-1)!['n'])
      onRows((done += rows.length))
      // the window stays alive while years of turns are sealed
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const TRIGGERS = ['turns_inserted', 'turns_deleted', 'turns_updated'] as const

/** The plain words go first: else every row that is sealed would be written into the index as well. */
function dropPlainIndex(store: Store): void {
  store.transaction(() => {
    const sql = new Map(
      store.all(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`).map(({ name, sql }) => [String(name), String(sql)] as const),
    )
    const kept = Object.fromEntries(TRIGGERS.flatMap((name) => (sql.has(name) ? [[name, sql.get(name)!]] : [])))
    if (Object.keys(kept).length === 0) return
    writeState(store, 'plain index', kept)
    for (const name of Object.keys(kept)) store.run(`DROP TRIGGER ${name}`)
    store.run(`INSERT INTO turns_fts (turns_fts) VALUES ('delete-all')`)
  })
}

function restorePlainIndex(store: Store): void {
  const kept = readState(store, 'plain index', z.record(z.string(), z.string().startsWith('CREATE TRIGGER'))) ?? {}
  store.run(`INSERT INTO turns_fts (turns_fts) VALUES ('rebuild')`)
  for (const sql of Object.values(kept)) store.run(sql)
  store.run(`DELETE FROM trust_state WHERE key = 'plain index'`)
}
