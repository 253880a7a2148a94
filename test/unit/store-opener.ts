// Owns the process that opens a database as another user and says how that went: as root no permission bit refuses anything.
import { openStore } from '../../app/store/db.ts'

const [path, user] = process.argv.slice(2)
// better-sqlite3 is loaded by now, from a folder that the other user may not be able to read
if (user !== undefined) process.setuid!(Number(user))
try {
  openStore(path!, { log: { error() {}, warn() {}, info() {} } }).close()
  console.log('opened')
} catch (error) {
  console.log((error as { code?: string }).code)
}
