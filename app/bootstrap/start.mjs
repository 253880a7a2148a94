// Owns `npm start`: the Electron window where its binary is there, else the same page over loopback. Node built-ins only.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { electronBinary, fetchElectron } from './electron.mjs'
import { pinnedNode } from './setup.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const help = `Start Rushlight.

  npm start [-- options]

  --host electron|browser   force one; by default Electron, and the browser where Electron cannot be had
  --data DIR, --model M, --no-window, --verbose   see: npm start -- --host browser --help
  --help                    this text
`
const args = process.argv.slice(2)
const at = args.findIndex((arg) => arg === '--host' || arg.startsWith('--host='))
const host = at < 0 ? null : args[at].includes('=') ? args[at].split('=')[1] : args[at + 1]
if (at >= 0) args.splice(at, args[at].includes('=') ? 1 : 2)
if (args.includes('--help') && host !== 'browser') {
  process.stdout.write(help)
  process.exit(0)
}
if (host !== null && host !== 'electron' && host !== 'browser') {
  process.stderr.write(`There is no host “${host}”. Use --host electron or --host browser.\n`)
  process.exit(2)
}

const say = (text) => process.stderr.write(text + '\n')
let electron = null
if (host !== 'browser') {
  electron = electronBinary()
  if (!electron) {
    const fetched = await fetchElectron({ log: say, force: host === 'electron' })
    if (fetched.ok) electron = fetched.path
    else if (host === 'electron') {
      say(`Electron cannot be had: ${fetched.reason}`)
      process.exit(1)
    } else say(`The Electron window cannot be had here (${fetched.reason}); opening the same page in a browser.`)
  }
}
const [command, ...rest] = electron ? [electron, root, ...args] : [pinnedNode(), join(root, 'out', 'app', 'headless.js'), ...args]
const child = spawn(command, rest, { cwd: root, stdio: 'inherit' })
// Ctrl C reaches the child too, which then closes in order; this process only waits for it
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal === 'SIGINT' || child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 0)))
