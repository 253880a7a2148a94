// Owns version 50 of the database: what became of each answer, in numbers and without a word of it.
import type { Migration } from '../migrations.ts'

export const outcomes: Migration = {
  version: 50,
  sql: `
    CREATE TABLE outcomes (
      rowid INTEGER PRIMARY KEY,
      -- a conversation that is deleted takes this link with it; the figures say nothing of it
      turn TEXT UNIQUE REFERENCES turns (id) ON DELETE SET NULL,
      family TEXT NOT NULL,
      mode TEXT NOT NULL CHECK (mode IN ('base', 'adapter', 'merged')),
      category TEXT NOT NULL,
      prompt_tokens INTEGER NOT NULL CHECK (prompt_tokens >= 0),
      tokens INTEGER NOT NULL CHECK (tokens >= 0),
      first_token_ms REAL CHECK (first_token_ms >= 0),
      tokens_per_second REAL CHECK (tokens_per_second >= 0),
      outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'regenerated', 'stopped', 'failed')),
      at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outcomes_by_family ON outcomes (family, rowid);
  `,
}
