// Owns conversations and turns: every method has saved durably when it returns.
import { randomUUID } from 'node:crypto'
import type { Clinical } from '../contract/clinical.ts'
import type { Classification, Conversation, ConversationHit, ErrorInfo, Provenance, Turn, Understood } from '../contract/entities.ts'
import { AppError, codes } from '../contract/errors.ts'
import type { Row, Store } from './db.ts'
import { exportMarkdown } from './export.ts'
import { toConversation, toHit, toTurn } from './rows.ts'
import { ftsQuery, titleMatcher } from './search.ts'

type Saved = { conversation: Conversation; turn: Turn }
const TITLE_LENGTH = 80
/** Category and state shown for a conversation are those of its newest turn. */
const SUMMARY = `
  c.id, c.title, c.created_at, c.updated_at, last.category, last.status AS last_status,
  (SELECT count(*) FROM turns t WHERE t.conversation = c.id AND t.superseded_by IS NULL) AS turns
  FROM conversations c
  JOIN turns last ON last.rowid = (SELECT max(t.rowid) FROM turns t WHERE t.conversation = c.id)`

export class Conversations {
  readonly #store: Store
  readonly #now: () => string

  constructor(store: Store, now: () => string = () => new Date().toISOString()) {
    this.#store = store
    this.#now = now
  }

  /** Stores a question before it is answered. Without a conversation it starts one; `supersedes` and what followed it leave the page. */
  createTurn(input: {
    conversation: string | null
    question: string
    classification: Classification
    understood: Understood[]
    clinical?: Clinical | null
    supersedes?: string
  }): Saved {
    const [id, now] = [randomUUID(), this.#now()]
    return this.#store.transaction(() => {
      const conversation = input.conversation ?? randomUUID()
      if (input.conversation === null) {
        this.#store.run('INSERT INTO conversations VALUES (?, ?, ?, ?)', conversation, titleOf(input.question), now, now)
      } else {
        this.#conversation(conversation)
        this.#store.run('UPDATE conversations SET updated_at = ? WHERE id = ?', now, conversation)
      }
      if (input.supersedes !== undefined) this.#supersede(conversation, input.supersedes, id)
      const { classification } = input
      this.#store.run(
        `INSERT INTO turns (id, conversation, question, category, classification, understood, clinical, status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'answering', ?)`,
        ...[id, conversation, input.question, classification.category, JSON.stringify(classification), JSON.stringify(input.understood)],
        ...[input.clinical ? JSON.stringify(input.clinical) : null, now],
      )
      return this.#saved(id)
    })
  }

  /** Keeps what has been written so far, in case the program does not come to its end. */
  saveProgress(turn: string, answer: string, reasoning: string): void {
    this.#store.run(`UPDATE turns SET answer = ?, reasoning = ? WHERE id = ? AND status = 'answering'`, answer, reasoning, turn)
  }

  finishTurn(
    turn: string,
    end: {
      status: 'complete' | 'partial' | 'failed'
      answer: string
      reasoning: string
      provenance: Provenance | null
      error: ErrorInfo | null
      /** Left out: what was stored with the question stays. */
      clinical?: Clinical | null
    },
  ): Saved {
    return this.#store.transaction(() => {
      this.#store.run(
        'UPDATE turns SET status = ?, answer = ?, reasoning = ?, provenance = ?, clinical = coalesce(?, clinical), error_code = ?, error_message = ?, finished_at = ? WHERE id = ?',
        ...[end.status, end.answer, end.reasoning, end.provenance && JSON.stringify(end.provenance)],
        end.clinical ? JSON.stringify(end.clinical) : null,
        ...[end.error?.code ?? null, end.error?.message ?? null, this.#now(), turn],
      )
      return this.#saved(turn)
    })
  }

  /** Turns that an earlier run left without an end keep what was written, marked partial. Returns how many there were. */
  recoverUnfinished(): number {
    const unfinished = this.#store.all(`SELECT id FROM turns WHERE status = 'answering'`)
    if (unfinished.length === 0) return 0
    this.#store.run(
      `UPDATE turns SET status = 'partial', error_code = 'ENGINE_LOST', error_message = ?, finished_at = ? WHERE status = 'answering'`,
      ...[codes.ENGINE_LOST, this.#now()],
    )
    return unfinished.length
  }

  /** Finished exchanges that a follow-up may refer to, oldest first; what `supersedes` replaces is left out. */
  history(conversation: string, supersedes?: string): { question: string; answer: string }[] {
    const before = supersedes === undefined ? Number.MAX_SAFE_INTEGER : Number(this.#turnOf(conversation, supersedes)['rowid'])
    const rows = this.#store.all(
      `SELECT * FROM turns WHERE conversation = ? AND superseded_by IS NULL AND answer <> '' AND status IN ('complete', 'partial') AND rowid < ? ORDER BY rowid`,
      ...[conversation, before],
    )
    // an answer that the facts contradict is no ground for the next one
    const turns = rows.map((row) => toTurn(row, this.#store.log)).filter(({ clinical }) => clinical?.checks?.withheld !== true)
    return turns.map(({ question, answer }) => ({ question, answer }))
  }

  /** Newest first; with `search`, best match first, each with the place where it matched. */
  list({ search = '', limit }: { search?: string | undefined; limit: number }): ConversationHit[] {
    if (search.trim() === '') return this.#store.all(`SELECT ${SUMMARY} ORDER BY c.updated_at DESC, c.id LIMIT ?`, limit).map(toHit)
    const query = ftsQuery(search)
    if (query === null) return []
    // of each conversation the best turn; a snippet is made only for what is shown
    const best = new Map<string, unknown>()
    this.#store.takeWhile(
      ({ id, snippet }) => {
        if (!best.has(String(id))) best.set(String(id), snippet)
        return best.size < limit
      },
      `SELECT t.conversation AS id, snippet(turns_fts, -1, char(0xE000), char(0xE001), '…', 12) AS snippet
       FROM turns_fts JOIN turns t ON t.rowid = turns_fts.rowid WHERE turns_fts MATCH ? ORDER BY rank`,
      query,
    )
    const hits = [...this.#titled(search, best, limit).map((id) => [id, null] as const), ...best].slice(0, limit)
    return hits.map(([id, snippet]) => toHit({ ...this.#store.get(`SELECT ${SUMMARY} WHERE c.id = ?`, id)!, snippet }))
  }

  /** Conversations that only their title brings up: someone has renamed them, so they come first. */
  #titled(search: string, found: ReadonlyMap<string, unknown>, limit: number): string[] {
    // with a full list every further match of a text would look like one of a title only
    if (found.size >= limit) return []
    const matches = titleMatcher(search)
    const titles = this.#store.all('SELECT id, title FROM conversations ORDER BY updated_at DESC')
    return titles.filter(({ id, title }) => !found.has(String(id)) && matches(String(title))).map(({ id }) => String(id))
  }

  open(id: string): { conversation: Conversation; turns: Turn[] } {
    const conversation = this.#conversation(id)
    const turns = this.#store.all('SELECT * FROM turns WHERE conversation = ? ORDER BY rowid', id).map((row) => toTurn(row, this.#store.log))
    return { conversation, turns }
  }

  /** One turn. Throws TURN_NOT_FOUND. */
  turn(id: string): Turn {
    return toTurn(this.#turn(id), this.#store.log)
  }

  rename(id: string, title: string): Conversation {
    this.#conversation(id)
    this.#store.run('UPDATE conversations SET title = ? WHERE id = ?', title, id)
    return this.#conversation(id)
  }

  /** Deletes for good: the rows are overwritten, in the index and in the write-ahead log too. */
  delete(id: string): void {
    this.#conversation(id)
    this.#store.run('DELETE FROM conversations WHERE id = ?', id)
    try {
      this.#store.all('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // a full disk: the conversation is gone for good all the same, its last traces go with the next checkpoint
      this.#store.log.warn('write-ahead log not emptied after a deletion')
    }
  }

  exportMarkdown(id: string): { fileName: string; markdown: string } {
    const { conversation, turns } = this.open(id)
    return exportMarkdown(conversation, turns)
  }

  #supersede(conversation: string, turn: string, by: string): void {
    const { rowid } = this.#turnOf(conversation, turn)
    this.#store.run('UPDATE turns SET superseded_by = ? WHERE conversation = ? AND rowid >= ? AND superseded_by IS NULL', by, conversation, rowid)
  }

  /** A turn of another conversation is as good as none: it would put turns of this one aside that nobody named. */
  #turnOf(conversation: string, id: string): Row {
    const row = this.#turn(id)
    if (row['conversation'] !== conversation) throw new AppError('TURN_NOT_FOUND')
    return row
  }

  #turn(id: string): Row {
    const row = this.#store.get('SELECT * FROM turns WHERE id = ?', id)
    if (!row) throw new AppError('TURN_NOT_FOUND')
    return row
  }

  #conversation(id: string): Conversation {
    const row = this.#store.get(
      `SELECT c.*, last.category, last.status AS last_status, (SELECT count(*) FROM turns t WHERE t.conversation = c.id AND t.superseded_by IS NULL) AS turns
      FROM conversations c LEFT JOIN turns last ON last.rowid = (SELECT max(t.rowid) FROM turns t WHERE t.conversation = c.id) WHERE c.id = ?`,
      id,
    )
    if (!row) throw new AppError('CONVERSATION_NOT_FOUND')
    return toConversation(row)
  }

  #saved(id: string): Saved {
    const turn = toTurn(this.#turn(id), this.#store.log)
    return { turn, conversation: this.#conversation(turn.conversation) }
  }
}

/** The question's first line, cut at a word. */
function titleOf(question: string): string {
  const line = question.trim().split('\n')[0]!.replace(/\s+/g, ' ')
  if (line.length <= TITLE_LENGTH) return line
  // by whole characters: half of one is not text
  const cut = line.slice(0, TITLE_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')
  const space = cut.lastIndexOf(' ')
  return `${cut.slice(0, space > TITLE_LENGTH / 2 ? space : undefined)}…`
}
