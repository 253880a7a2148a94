// Owns version 20 of the database: the full-text index over questions and answers, kept by triggers.
import type { Migration } from '../migrations.ts'

export const search: Migration = {
  version: 20,
  sql: `
    CREATE VIRTUAL TABLE turns_fts USING fts5 (
      question, answer, content = 'turns', content_rowid = 'rowid', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
    );
    -- without this, deleted words stay readable in the index until its segments are merged
    INSERT INTO turns_fts (turns_fts, rank) VALUES ('secure-delete', 1);
    INSERT INTO turns_fts (turns_fts) VALUES ('rebuild');

    CREATE TRIGGER turns_inserted AFTER INSERT ON turns BEGIN
      INSERT INTO turns_fts (rowid, question, answer) VALUES (new.rowid, new.question, new.answer);
    END;
    CREATE TRIGGER turns_deleted AFTER DELETE ON turns BEGIN
      INSERT INTO turns_fts (turns_fts, rowid, question, answer) VALUES ('delete', old.rowid, old.question, old.answer);
    END;
    CREATE TRIGGER turns_updated AFTER UPDATE OF question, answer ON turns BEGIN
      INSERT INTO turns_fts (turns_fts, rowid, question, answer) VALUES ('delete', old.rowid, old.question, old.answer);
      INSERT INTO turns_fts (rowid, question, answer) VALUES (new.rowid, new.question, new.answer);
    END;
  `,
}
