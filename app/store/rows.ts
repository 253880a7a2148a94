// Owns the way from a row to an entity: a damaged column becomes its empty value and a line in the log, never a list that does not open.
import type * as z from 'zod'
import {
  Category,
  Classification,
  Provenance,
  TurnStatus,
  Understood,
  type Conversation,
  type ConversationHit,
  type Turn,
} from '../contract/entities.ts'
import { Clinical } from '../contract/clinical.ts'
import type { Log } from '../base/log.ts'
import type { Row } from './db.ts'

export function toTurn(row: Row, log: Log): Turn {
  const text = (key: string) => String(row[key] ?? '')
  const nullable = (key: string) => (row[key] === null || row[key] === undefined ? null : String(row[key]))
  const read = <S extends z.ZodType>(key: string, schema: S, empty: z.output<S>): z.output<S> => {
    const parsed = schema.safeParse(parseColumn(row[key]))
    if (parsed.success) return parsed.data
    log.warn('damaged column', { table: 'turns', id: text('id'), column: key })
    return empty
  }
  const category = Category.catch('general').parse(row['category'])
  return {
    id: text('id'),
    conversation: text('conversation'),
    question: text('question'),
    classification: read('classification', Classification, { category, decidedBy: 'rules', matched: [], scores: {} }),
    understood: read('understood', Understood.array(), []),
    clinical: row['clinical'] === null || row['clinical'] === undefined ? null : read('clinical', Clinical.nullable(), null),
    status: TurnStatus.catch('partial').parse(row['status']),
    answer: text('answer'),
    reasoning: text('reasoning'),
    provenance: row['provenance'] === null ? null : read('provenance', Provenance.nullable(), null),
    error: row['error_code'] === null ? null : { code: text('error_code'), message: text('error_message') },
    supersededBy: nullable('superseded_by'),
    createdAt: text('created_at'),
    finishedAt: nullable('finished_at'),
  }
}

export function toConversation(row: Row): Conversation {
  return {
    id: String(row['id']),
    title: String(row['title']),
    createdAt: String(row['created_at']),
    updatedAt: String(row['updated_at']),
    category: Category.catch('general').parse(row['category']),
    turns: Number(row['turns'] ?? 0),
    lastStatus: TurnStatus.catch('partial').parse(row['last_status']),
  }
}

export const toHit = (row: Row): ConversationHit => ({ ...toConversation(row), snippet: typeof row['snippet'] === 'string' ? row['snippet'] : null })

/** The value of a JSON column; undefined, which no schema of ours takes, when it is damaged. */
export function parseColumn(value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    return undefined
  }
}
