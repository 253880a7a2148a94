// Owns the search over sealed turns: tokens instead of words in the index, and the opened text as the judge of every hit.
import type { Store } from './db.ts'
import type { Sealer } from './sealing.ts'

const SNIPPET_WORDS = 12
/** Words shown before the first match. */
const BEFORE = 3
/** A text longer than this is found by its first words only, as nobody searches for the end of a book. */
const MOST_WORDS = 20_000
const BATCH = 200
export interface BlindHit {
  conversation: string
  /** Matches between U+E000 and U+E001. */
  snippet: string
}

export class BlindIndex {
  readonly #store: Store
  readonly #sealer: Sealer

  constructor(store: Store, sealer: Sealer) {
    this.#store = store
    this.#sealer = sealer
  }

  /** Puts the words of a new turn, plain, into the index. Call it in the transaction that stores the turn. */
  add(rowid: number, question: string, answer: string): void {
    const tokens = this.#sealer.blind.tokens(wordsOf(`${question} ${answer}`))
    this.#store.run('INSERT INTO turns_blind (rowid, tokens) VALUES (?, ?)', rowid, tokens.join(' '))
  }

  /** The same in place of what the turn had. */
  put(rowid: number, question: string, answer: string): void {
    this.#store.run('DELETE FROM turns_blind WHERE rowid = ?', rowid)
    this.add(rowid, question, answer)
  }

  /** Best turn of each conversation, best first. Every word must occur, the last one may be unfinished; a single letter must be a whole word. */
  find(typed: string, limit: number): BlindHit[] {
    const words = wordsOf(typed)
    const last = words.at(-1)
    if (last === undefined) return []
    const { blind } = this.#sealer
    const prefix = blind.prefix(last)
    const tokens = [...words.slice(0, -1).map((word) => blind.word(word)), prefix?.token ?? blind.word(last)]
    const best = new Map<string, BlindHit>()
    this.#store.takeWhile(
      (row) => {
        const conversation = String(row['conversation'])
        if (best.has(conversation)) return true
        const question = this.#open(row, 'question')
        const inQuestion = snippetOf(question, words)
        const exact = prefix?.exact !== false
        // often the question says enough, and the answer need not be opened
        const answer = exact && inQuestion !== null ? '' : this.#open(row, 'answer')
        const snippet = inQuestion ?? snippetOf(answer, words)
        if (snippet !== null && (exact || beginsIn(`${question} ${answer}`, last))) best.set(conversation, { conversation, snippet })
        return best.size < limit
      },
      `SELECT t.id, t.conversation, t.question, t.answer FROM turns_blind JOIN turns t ON t.rowid = turns_blind.rowid
       WHERE turns_blind MATCH ? ORDER BY rank`,
      tokens.map((token) => `"${token}"`).join(' '),
    )
    return [...best.values()]
  }

  /** Makes the index anew from the sealed turns: after a first sealing, a rotation, or damage. What does not open is left out. */
  async rebuild(onRows: (done: number) => void = () => {}): Promise<void> {
    this.#store.run(`DELETE FROM turns_blind`)
    for (let from = 0, done = 0; ;) {
      const rows = this.#store.all(`SELECT rowid AS n, id, question, answer FROM turns WHERE rowid > ? ORDER BY rowid LIMIT ${BATCH}`, from)
      if (rows.length === 0) return
      this.#store.transaction(() => {
        for (const row of rows) this.add(Number(row['n']), this.#open(row, 'question'), this.#open(row, 'answer'))
      })
      from = Number(rows.at(-1)!['n'])
      onRows((done += rows.length))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #open(row: Readonly<Record<string, unknown>>, column: 'question' | 'answer'): string {
    const id = String(row['id'])
    try {
      return this.#sealer.open({ table: 'turns', column, row: id }, String(row[column]))
    } catch {
      // one damaged text must not keep the others from being found
      this.#store.log.warn('sealed text does not open', { table: 'turns', id, column })
      return ''
    }
  }
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu

/** As the plain index splits: letters and digits, lower case, without marks. */
function wordsOf(text: string): string[] {
  return (plain(text).match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MOST_WORDS)
}

function plain(text: string): string {
  const lower = text.toLowerCase()
  // most texts have nothing to take off, and the way over NFD costs more than the search
  return /^[ -~\s]*$/.test(lower)
    ? lower
    : lower
        .toWellFormed()
        .normalize('NFD')
        .replace(/\p{M}+/gu, '')
        .toLowerCase()
}

const beginsIn = (text: string, start: string) => wordsOf(text).some((word) => word.startsWith(start))

/** Some words around the first match; null where there is none. */
function snippetOf(text: string, words: readonly string[]): string | null {
  const last = words.at(-1)!
  const isMatch = (word: string) => words.includes(word) || (last.length > 1 && word.startsWith(last))
  const shown: { at: number; text: string; hit: boolean }[] = []
  let [skipped, hit, more] = [0, false, false]
  for (const found of text.matchAll(WORD)) {
    if (shown.length === SNIPPET_WORDS && hit) {
      more = true
      break
    }
    const part = { at: found.index, text: found[0], hit: isMatch(plain(found[0])) }
    hit ||= part.hit
    shown.push(part)
    // until the first match only what may stand before it is kept
    if (shown.length > (hit ? SNIPPET_WORDS : BEFORE)) {
      shown.shift()
      skipped++
    }
  }
  if (!hit) return null
  let [snippet, at] = skipped > 0 ? ['…', shown[0]!.at] : ['', 0]
  for (const part of shown) {
    snippet += text.slice(at, part.at) + (part.hit ? `\uE000${part.text}\uE001` : part.text)
    at = part.at + part.text.length
  }
  return snippet + (more ? '…' : text.slice(at))
}
