// Owns version 60 of the database: the audit log, the blind index over sealed turns, and small states that outlast a restart.
import type { Migration } from '../migrations.ts'

export const audit: Migration = {
  version: 60,
  sql: `
    CREATE TABLE audit (
      seq INTEGER PRIMARY KEY,
      entry TEXT NOT NULL,
      hash TEXT NOT NULL
    ) STRICT;

    -- head and anchor of the audit log, lock, sealing; values are JSON
    CREATE TABLE trust_state (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT;

    -- no text is kept, only tokens; a turn may leave the index without its text being known
    CREATE VIRTUAL TABLE turns_blind USING fts5 (tokens, content = '', contentless_delete = 1, tokenize = 'ascii');
    INSERT INTO turns_blind (turns_blind, rank) VALUES ('secure-delete', 1);
    CREATE TRIGGER turns_blind_deleted AFTER DELETE ON turns BEGIN
      DELETE FROM turns_blind WHERE rowid = old.rowid;
    END;
  `,
}
