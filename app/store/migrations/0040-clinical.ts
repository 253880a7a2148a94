// Owns version 40 of the database: what rules and tables found about a turn, as it was shown.
import type { Migration } from '../migrations.ts'

export const clinical: Migration = {
  version: 40,
  sql: `
    -- NULL for a turn from before there were any
    ALTER TABLE turns ADD COLUMN clinical TEXT;
  `,
}
