// Owns the Node entry: the same services as Electron, the same page over loopback. `--help` says the rest.
import { parseArgs } from 'node:util'
import { AppError } from '../contract/errors.ts'
import { resolvePaths } from '../base/paths.ts'
import { version } from '../base/version.ts'
import { openWindow } from './browser-window.ts'
import { spawnNodeEngine } from './engine-spawn-node.ts'
import { askToOpen, claim, findRunning } from './instance.ts'
import { serveLoopback } from './loopback.ts'
import { serverPolicyOf } from './remote/server-policy.ts'
import { createServices } from './services.ts'

const help = `Rushlight over loopback: the page opens in an app window, or its address is printed.

  --data DIR     data folder (default: this user's; also RUSHLIGHT_DATA)
  --model M      model for this run: a name from the model list or a GGUF file
  --hardware F   plan with this hardware profile (JSON) instead of this computer's facts
  --allow-server WAY  let a server on the clinic’s own network be set up: https, or http as well
  --no-window    print the address, open nothing
  --verbose      the log also goes to standard error
  --help         this text

Ends with its window, or with Ctrl C.`

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      model: { type: 'string' },
      hardware: { type: 'string' },
      'allow-server': { type: 'string' },
      'no-window': { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return void process.stdout.write(help + '\n')
  const serverPolicy = serverPolicyOf(values['allow-server'])
  const paths = resolvePaths(values.data === undefined ? {} : { data: values.data })

  const other = await findRunning(paths.data)
  if (other) {
    const url = await askToOpen(other)
    process.stdout.write('Rushlight is running already; opening its window.\n')
    return void (url && show(url, paths.data, values['no-window'] === true))
  }

  const services = await createServices({
    paths,
    host: 'loopback',
    version,
    serverPolicy,
    spawnEngine: (changes) => spawnNodeEngine(paths.engineEntry, changes),
    spawnProbe: (changes) => spawnNodeEngine(paths.probeEntry, changes),
    verbose: values.verbose === true,
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(values.hardware === undefined ? {} : { hardware: values.hardware }),
  })
  const loopback = await serveLoopback(services.router, paths.page)
  const release = claim(paths.data, { pid: process.pid, origin: loopback.origin, controlKey: loopback.controlKey })

  let closing: Promise<void> | null = null
  const close = () =>
    (closing ??= (async () => {
      release()
      await loopback.close()
      await services.close()
      process.exit(0)
    })())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void close())

  const window = show(loopback.openingUrl(), paths.data, values['no-window'] === true)
  window?.on('exit', () => void close())
}

function show(url: string, data: string, printOnly: boolean) {
  const window = printOnly ? null : openWindow(url, data)
  if (!window) process.stdout.write(`Open this address in a browser on this computer (it works once, within two minutes):\n${url}\n`)
  return window
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    (error instanceof AppError ? `${error.message} (${error.code})` : String(error instanceof Error ? error.message : error)) + '\n',
  )
  process.exit(1)
})
