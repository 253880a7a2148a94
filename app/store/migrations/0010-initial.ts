// Owns version 10 of the database: conversations, turns, settings.
import type { Migration } from '../migrations.ts'

export const initial: Migration = {
  version: 10,
  sql: `
    CREATE TABLE conversations (
      id TEXT PRIMARY KEY,
      title TEXT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX conversations_by_time ON conversations (updated_at DESC);

    CREATE TABLE turns (
      rowid INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
      question TEXT NOT NULL,
      category TEXT NOT NULL,
      classification TEXT NOT NULL,
      understood TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('answering', 'complete', 'partial', 'failed')),
      answer TEXT NOT NULL DEFAULT '',
      reasoning TEXT NOT NULL DEFAULT '',
      provenance TEXT,
      error_code TEXT,
      error_message TEXT,
      superseded_by TEXT,
      created_at TEXT NOT NULL,
      finished_at TEXT
    ) STRICT;
    CREATE INDEX turns_by_conversation ON turns (conversation, rowid);
    CREATE INDEX turns_unfinished ON turns (rowid) WHERE status = 'answering';

    CREATE TABLE settings (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT;
  `,
}
