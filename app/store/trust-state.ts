// Owns the small states of trust that outlast a restart: one JSON value a key, read through a schema.
import type * as z from 'zod'
import type { Store } from './db.ts'
import { parseColumn } from './rows.ts'

/** undefined when there is none, or none that the schema takes: the caller says what that means for it. */
export function readState<S extends z.ZodType>(store: Store, key: string, schema: S): z.output<S> | undefined {
  const row = store.get('SELECT value FROM trust_state WHERE key = ?', key)
  return row && schema.safeParse(parseColumn(row['value'])).data
}

export function writeState(store: Store, key: string, value: unknown): void {
  store.run('INSERT INTO trust_state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, JSON.stringify(value))
}

/** The value as it stands, for an owner that judges it: undefined only when nothing was ever stored, null for what is no JSON any more. */
export function rawState(store: Store, key: string): unknown {
  const row = store.get('SELECT value FROM trust_state WHERE key = ?', key)
  return row && (parseColumn(row['value']) ?? null)
}
