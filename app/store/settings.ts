// Owns the user's settings: typed, with a default each; a damaged or unknown value falls back alone.
import { Settings as Schema, type Settings as Value } from '../contract/entities.ts'
import type { Store } from './db.ts'
import { parseColumn } from './rows.ts'

export const defaultSettings: Value = {
  theme: 'auto',
  textSize: 'm',
  letterKeys: true,
  showReasoning: false,
  welcomed: false,
  model: null,
  emergencyNumber: '112',
}

export class Settings {
  readonly #store: Store
  readonly #defaults: Value

  /** `defaults`: in place of those above, where they depend on the computer. */
  constructor(store: Store, defaults: Partial<Value> = {}) {
    this.#store = store
    this.#defaults = { ...defaultSettings, ...defaults }
  }

  get(): Value {
    const stored = new Map(this.#store.all('SELECT key, value FROM settings').map(({ key, value }) => [String(key), String(value)]))
    const settings: Record<string, unknown> = { ...this.#defaults }
    for (const [key, schema] of Object.entries(Schema.shape)) {
      const text = stored.get(key)
      if (text === undefined) continue
      const parsed = schema.safeParse(parseColumn(text))
      if (parsed.success) settings[key] = parsed.data
      else this.#store.log.warn('damaged setting', { key })
    }
    return settings as Value
  }

  /** Stores the given ones, all or none, and returns all. */
  set(partial: { [K in keyof Value]?: Value[K] | undefined }): Value {
    this.#store.transaction(() => {
      for (const [key, value] of Object.entries(partial)) {
        if (value === undefined) continue
        this.#store.run('INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, JSON.stringify(value))
      }
    })
    return this.get()
  }
}
