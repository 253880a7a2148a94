// Owns the process that imports a bundle to be killed while it does: STICK FOLDER TRUSTED. It says what it has reached, a line each.
import { importBundle } from '../../app/library/bundle/import.ts'

const [stick, folder, trusted] = process.argv.slice(2) as [string, string, string]
const say = (text: string) => process.stdout.write(`${text}\n`)
await importBundle(stick, {
  ...{ folder, trusted: [trusted], program: '0.1.0', onBytes: (done) => say(`at ${done}`) },
  selfTest: async () => void say('testing'),
})
say('done')
