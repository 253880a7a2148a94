// Owns the process that dies in the middle of a migration: its last statement kills it from within the transaction.
import Database from 'better-sqlite3'
import { migrate, migrations } from '../../app/store/migrations.ts'

const path = process.argv[2]!
const db = new Database(path)
db.pragma('journal_mode = WAL')
db.function('die', { directOnly: false }, () => process.kill(process.pid, 'SIGKILL'))
migrate(db, path, [...migrations, { version: 9000, sql: `CREATE TABLE extra (a TEXT) STRICT; UPDATE turns SET answer = 'lost'; SELECT die()` }])
