// Owns the Electron entry: one instance, start the services, open the window, close in order. Nothing here may await at the top level:
// Electron becomes ready only after this module has been evaluated.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { app, dialog, ipcMain, protocol, session, type BrowserWindow } from 'electron'
import { AppError, codes } from '../contract/errors.ts'
import { createLog, failure } from '../base/log.ts'
import { resolvePaths, type Paths } from '../base/paths.ts'
import { version } from '../base/version.ts'
import { pageScheme, servePage } from './app-scheme.ts'
import { serveIpc } from './electron-ipc.ts'
import { spawnElectronEngine } from './engine-spawn-electron.ts'
import { serverPolicyOf } from './remote/server-policy.ts'
import { createServices } from './services.ts'
import { smoke } from './smoke.ts'
import { chromiumSwitches, confine, denyByDefault, installMenu, openWindow, reviveAfterCrash } from './window.ts'

// Closing saves what answers have written; a process that hangs here would keep the user from starting again.
const CLOSE_LIMIT_MS = 10_000

interface Options {
  data?: string
  model?: string
  hardware?: string
  allowServer?: string
  verbose: boolean
  smoke: boolean
}

function main(): void {
  const options = readOptions(process.argv)
  // the smoke test runs beside a program in use and leaves nothing behind
  const scratch = options.smoke && options.data === undefined ? mkdtempSync(join(tmpdir(), 'rushlight-smoke-')) : null
  const data = scratch ?? options.data
  const paths = resolvePaths({
    ...(data === undefined ? {} : { data }),
    ...(app.isPackaged ? { resources: join(process.resourcesPath, 'models') } : {}),
  })
  if (scratch) process.on('exit', () => remove(scratch))

  app.enableSandbox()
  for (const [name, value] of chromiumSwitches) app.commandLine.appendSwitch(name, value)
  protocol.registerSchemesAsPrivileged([pageScheme])
  app.on('web-contents-created', (_event, contents) => confine(contents))
  placeChromiumData(paths)

  // the lock lies in the folder just named: one instance for each data folder, as in the other host
  if (!app.requestSingleInstanceLock()) return app.exit(0)
  app.on('window-all-closed', () => app.quit())

  run(options, paths).catch((error: unknown) => {
    const { code, message } = AppError.wire(error)
    if (options.smoke) process.stdout.write(JSON.stringify({ name: 'smoke', ok: false, code, message }) + '\n')
    else dialog.showErrorBox('Rushlight cannot start', message)
    app.exit(1)
  })
}

async function run(options: Options, paths: Paths): Promise<void> {
  await app.whenReady()
  const devTools = !app.isPackaged
  denyByDefault(session.defaultSession, { devTools })
  installMenu({ devTools, mac: process.platform === 'darwin' })

  const services = await createServices({
    paths,
    host: 'electron',
    version,
    serverPolicy: serverPolicyOf(options.allowServer),
    spawnEngine: (changes) => spawnElectronEngine(paths.engineEntry, changes),
    spawnProbe: (changes) => spawnElectronEngine(paths.probeEntry, changes),
    verbose: options.verbose,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.hardware === undefined ? {} : { hardware: options.hardware }),
  })
  let closing: Promise<void> | undefined
  const close = () => (closing ??= bounded(services.close()))
  let exitCode = 0
  app.on('before-quit', (event) => {
    event.preventDefault()
    void close().then(() => app.exit(exitCode))
  })
  const log = createLog(paths.logs, { console: options.verbose })('window')
  // Electron's own answer is a box with a stack trace, which may quote a question
  process.on('uncaughtException', (error) => {
    log.error('uncaught', failure(error))
    if (!options.smoke) dialog.showErrorBox('Rushlight must close', codes.INTERNAL)
    exitCode = 1
    app.quit()
  })

  const spoken = Promise.withResolvers<void>()
  servePage(protocol, paths.page)
  serveIpc(ipcMain, services.router, {
    onPage: () => spoken.resolve(),
    onRefused: () => log.warn('a message from a foreign page was refused'),
  })
  const window = openWindow({ preload: join(paths.page, '..', 'preload', 'preload.cjs'), devTools, hidden: options.smoke })
  // Windows ends without before-quit when the user logs off
  window.on('session-end', () => void close())
  app.on('second-instance', () => focus(window))
  reviveAfterCrash(window, (reason) => log.error('page process gone', { reason }))
  if (!options.smoke) return

  const checks = await smoke(services, window.webContents, spoken.promise)
  const ok = checks.every((check) => check.ok)
  process.stdout.write(
    JSON.stringify({ name: 'smoke', ok, version, electron: process.versions['electron'], platform: process.platform, checks }) + '\n',
  )
  await close()
  app.exit(ok ? 0 : 1)
}

/** Chromium's own files go with the data, not into the roaming profile that Windows copies over the network. */
function placeChromiumData(paths: Paths): void {
  const folder = join(paths.data, 'electron')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    app.setPath('userData', folder)
  } catch {
    // not writable: createServices says so, in a sentence
  }
}

/** Settles when `work` does, or after the limit; a failure to close cannot be helped any more. */
async function bounded(work: Promise<void>): Promise<void> {
  const limit = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS).unref())
  await Promise.race([work.catch(() => {}), limit])
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Windows keeps Chromium's files locked until the very end; it clears its temporary folder itself
  }
}

function focus(window: BrowserWindow): void {
  if (window.isDestroyed()) return
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

/** Not strict: the same line may hold Chromium's own switches. */
function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: argv.slice(1),
    strict: false,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      model: { type: 'string' },
      hardware: { type: 'string' },
      'allow-server': { type: 'string' },
      verbose: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  })
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const data = text(values['data'])
  const model = text(values['model'])
  const hardware = text(values['hardware'])
  const allowServer = text(values['allow-server'])
  return {
    ...(data === undefined ? {} : { data }),
    ...(model === undefined ? {} : { model }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(allowServer === undefined ? {} : { allowServer }),
    verbose: values['verbose'] === true,
    smoke: values['smoke'] === true,
  }
}

main()
