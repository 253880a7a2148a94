// Owns the record of what became of each answer: mode, category, speed and how it was received, never a word of question or answer.
import * as z from 'zod'
import { Category, Provenance } from '../contract/entities.ts'
import type { Row, Store } from './db.ts'

/**
 * accepted: finished, and left as it is. regenerated: asked for again. stopped: ended by the user. failed: no whole answer came, by no will of
 * the user.
 */
export const outcomeKinds = ['accepted', 'regenerated', 'stopped', 'failed'] as const
const Count = z.number().int().min(0)
/** One finished turn. */
export const Outcome = z.object({
  /** The turn's id; null once its conversation is deleted. */
  turn: z.string().nullable(),
  /** Of the model family that answered: figures of another one predict nothing of this. */
  family: z.string().min(1).max(200),
  mode: Provenance.shape.mode,
  category: Category,
  promptTokens: Count,
  tokens: Count,
  /** Milliseconds from the question to the first token; null when none was written. */
  firstTokenMs: z.number().min(0).nullable(),
  tokensPerSecond: z.number().min(0).nullable(),
  outcome: z.enum(outcomeKinds),
  at: z.iso.datetime(),
})
export type Outcome = z.infer<typeof Outcome>

/** More than weights are learned from, and a few hundred kilobytes. */
export const OUTCOMES_KEPT = 5000

export class Outcomes {
  readonly #store: Store
  readonly #keep: number

  /** `keep`: how many rows stay; the oldest go first. */
  constructor(store: Store, keep: number = OUTCOMES_KEPT) {
    this.#store = store
    this.#keep = keep
  }

  /** Stores one; a second one of the same turn takes its place. A turn that is no longer stored leaves only its figures. Throws STORE_* codes. */
  record(outcome: Outcome): void {
    const { turn, family, mode, category, promptTokens, tokens, firstTokenMs, tokensPerSecond, at } = outcome
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM outcomes WHERE turn = ?', turn)
      this.#store.run(
        `INSERT INTO outcomes (turn, family, mode, category, prompt_tokens, tokens, first_token_ms, tokens_per_second, outcome, at)
         VALUES ((SELECT id FROM turns WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[turn, family, mode, category, promptTokens, tokens, firstTokenMs, tokensPerSecond, outcome.outcome, at],
      )
      this.#store.run('DELETE FROM outcomes WHERE rowid IN (SELECT rowid FROM outcomes ORDER BY rowid DESC LIMIT -1 OFFSET ?)', this.#keep)
    })
  }

  /** The answer of `turn` was asked for again. Nothing happens where it had failed, or is not known. */
  regenerated(turn: string): void {
    this.#store.run(`UPDATE outcomes SET outcome = 'regenerated' WHERE turn = ? AND outcome <> 'failed'`, turn)
  }

  /** The latest `limit` of a family, oldest first. Damaged rows are left out, and the log says so. */
  recent(family: string, limit: number): Outcome[] {
    const rows = this.#store.all('SELECT * FROM outcomes WHERE family = ? ORDER BY rowid DESC LIMIT ?', family, limit)
    return rows.reverse().flatMap((row) => this.#read(row))
  }

  /** How many of the latest `limit` questions, of all families, fell into each category: the clinic's mix. */
  mix(limit: number): Partial<Record<Category, number>> {
    const rows = this.#store.all(
      'SELECT category, count(*) AS n FROM (SELECT category FROM outcomes ORDER BY rowid DESC LIMIT ?) GROUP BY category',
      limit,
    )
    const known = rows.filter(({ category }) => Category.safeParse(category).success)
    return Object.fromEntries(known.map(({ category, n }) => [category, Number(n)]))
  }

  /** Deletes all of them, for a user who does not want them kept. */
  forget(): void {
    this.#store.run('DELETE FROM outcomes')
  }

  #read(row: Row): Outcome[] {
    const parsed = Outcome.safeParse({
      ...{ turn: row['turn'], family: row['family'], mode: row['mode'], category: row['category'], outcome: row['outcome'], at: row['at'] },
      ...{ promptTokens: row['prompt_tokens'], tokens: row['tokens'] },
      ...{ firstTokenMs: row['first_token_ms'], tokensPerSecond: row['tokens_per_second'] },
    })
    if (parsed.success) return [parsed.data]
    this.#store.log.warn('damaged outcome', { rowid: Number(row['rowid']) })
    return []
  }
}
