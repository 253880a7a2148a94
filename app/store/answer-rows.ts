// Owns the form of a row of the answer cache: what is stored, what seals it, and what it takes.
import { createHash } from 'node:crypto'
import type { Row } from './db.ts'

/** Everything that an answer depends on besides the question; a change of any of them is another scope. */
export interface Scope {
  /** SHA-256 of the model's file. */
  readonly model: string
  /** SHA-256 of the adapter's file; null without one. */
  readonly adapter: string | null
  readonly quantisation: string
  /** Hash of the prompt, as it stands in the answer's provenance. */
  readonly prompt: string
  readonly category: string
  readonly language: string
}
export const scopeFields = ['model', 'adapter', 'quantisation', 'prompt', 'category', 'language'] as const satisfies (keyof Scope)[]

export interface StoredAnswer {
  /** As typed. */
  readonly question: string
  /** In standard terms. */
  readonly standard: string
  readonly answer: string
  /** Direction of the question, a byte per dimension. */
  readonly vector: Int8Array
  readonly turn: string
  readonly conversation: string
  /** Milliseconds since 1970. */
  readonly askedAt: number
}
/** A key under which a question can be found by one that resembles it; `weight` says how much sharing it means. */
export interface Bucket {
  readonly text: string
  readonly weight: number
}

/** What a row takes besides its texts: five indexes, its buckets, its vector and the slack of the pages. */
const ROW_BYTES = 1100

export const bytesOf = ({ question, standard, answer }: StoredAnswer): number =>
  ROW_BYTES + Buffer.byteLength(question) + Buffer.byteLength(standard) + Buffer.byteLength(answer)

export const scopeHash = ({ model, adapter, quantisation, prompt, category, language }: Scope): string =>
  shortHash([model, adapter ?? '', quantisation, prompt, category, language])

/** 128 bits as hex. */
export const shortHash = (fields: readonly string[]): string => digest(fields).toString('hex').slice(0, 32)

/** The bucket's number in one scope: answers of another model are not even candidates. */
export const bucketNumber = (scope: number, text: string): bigint => digest([String(scope), text]).readBigInt64LE()

/** What is proved before a row is served: that it is whole, and that it is where it was put. */
export const seal = (scope: string, form: string, entry: StoredAnswer): Buffer =>
  digest([
    ...[scope, form, entry.question, entry.standard, entry.answer, entry.turn, entry.conversation, String(entry.askedAt)],
    Buffer.from(entry.vector.buffer, entry.vector.byteOffset, entry.vector.length).toString('latin1'),
  ])

/** The answer of a row with the columns form, digest, hash (of its scope) and its own; null when the seal does not fit. */
export function opened(row: Row): StoredAnswer | null {
  const vector = row['vector']
  const stored = row['digest']
  if (!Buffer.isBuffer(vector) || !Buffer.isBuffer(stored)) return null
  const entry: StoredAnswer = {
    question: String(row['question']),
    standard: String(row['standard']),
    answer: String(row['answer']),
    vector: new Int8Array(vector),
    turn: String(row['turn']),
    conversation: String(row['conversation']),
    askedAt: Number(row['asked_at']),
  }
  return seal(String(row['hash']), String(row['form']), entry).equals(stored) ? entry : null
}

/** SHA-256 of the fields, each with its length, so that no two lists run together into one. */
const digest = (fields: readonly string[]): Buffer =>
  createHash('sha256')
    .update(fields.map((field) => `${field.length}:${field}`).join(''))
    .digest()
