// Owns the stand-in for Electron in unit tests: real event emitters, every setting recorded, and readiness that comes only when a test says so,
// as in Electron: after the entry module has been evaluated.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type * as Electron from 'electron'

type Handler = (...args: never[]) => unknown
/** An event that counts what was prevented. */
export class FakeEvent {
  defaultPrevented = false
  preventDefault = () => void (this.defaultPrevented = true)
}

export class FakeContents extends EventEmitter {
  static next = 1
  readonly id = FakeContents.next++
  readonly sent: unknown[][] = []
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' })
  webRtc = 'default'
  reloads = 0
  scripts: string[] = []
  destroyed = false
  readonly hearers = new Set<() => void>()
  isDestroyed = () => this.destroyed
  send(...message: unknown[]): void {
    if (this.destroyed) throw new Error('Object has been destroyed')
    // Electron sends a structured clone
    this.sent.push(structuredClone(message))
    for (const hear of this.hearers) hear()
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }) {
    this.openHandler = handler
  }
  setWebRTCIPHandlingPolicy(policy: string) {
    this.webRtc = policy
  }
  reload() {
    this.reloads++
  }
  executeJavaScript(code: string) {
    this.scripts.push(code)
    return Promise.resolve(true)
  }
  destroy() {
    this.destroyed = true
    this.emit('destroyed')
  }
}

export const log = {
  windows: [] as FakeWindow[],
  switches: new Map<string, string | undefined>(),
  schemes: [] as Electron.CustomScheme[],
  handlers: new Map<string, (request: Request) => Promise<Response>>(),
  errors: [] as [string, string][],
  exits: [] as number[],
  order: [] as string[],
  forks: [] as { entry: string; options: Electron.ForkOptions; child: FakeChild }[],
  menus: [] as Electron.MenuItemConstructorOptions[][],
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly options: Electron.BrowserWindowConstructorOptions
  readonly calls: string[] = []
  url = ''
  minimized = false
  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super()
    this.options = options
    log.windows.push(this)
    app.emit('web-contents-created', new FakeEvent(), this.webContents)
  }
  loadURL(url: string) {
    this.url = url
    log.order.push('load')
    return Promise.resolve()
  }
  isDestroyed = () => this.webContents.destroyed
  isMinimized = () => this.minimized
  show = () => void this.calls.push('show')
  focus = () => void this.calls.push('focus')
  restore = () => void this.calls.push('restore')
  close = () => void this.calls.push('close')
}

/** A utility process whose far end is `received`; what it would send is `say`. */
export class FakeChild extends EventEmitter {
  pid: number | undefined = 4711
  readonly received: unknown[] = []
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  postMessage(message: unknown) {
    this.received.push(structuredClone(message))
  }
  kill() {
    queueMicrotask(() => this.exit(143))
    return true
  }
  exit(code: number) {
    this.pid = undefined
    this.emit('exit', code)
  }
}

class FakeSession extends EventEmitter {
  readonly set: Record<string, Handler | null | boolean> = {}
  setPermissionRequestHandler = (handler: Handler | null) => void (this.set['permissionRequest'] = handler)
  setPermissionCheckHandler = (handler: Handler | null) => void (this.set['permissionCheck'] = handler)
  setDevicePermissionHandler = (handler: Handler | null) => void (this.set['device'] = handler)
  setDisplayMediaRequestHandler = (handler: Handler | null) => void (this.set['displayMedia'] = handler)
  setSpellCheckerEnabled = (on: boolean) => void (this.set['spellcheck'] = on)
  webRequest = { onBeforeRequest: (handler: Handler | null) => void (this.set['beforeRequest'] = handler) }
}

let ready = Promise.withResolvers<void>()
let lockIsFree = true
let isReady = false

class FakeApp extends EventEmitter {
  isPackaged = false
  readonly paths = new Map<string, string>()
  commandLine = { appendSwitch: (name: string, value?: string) => void (this.beforeReady('switch'), log.switches.set(name, value)) }
  whenReady = () => ready.promise
  enableSandbox = () => void (this.beforeReady('enableSandbox'), log.order.push('enableSandbox'))
  setPath = (name: string, path: string) => void (log.order.push(`setPath ${name}`), this.paths.set(name, path))
  requestSingleInstanceLock = () => (log.order.push('lock'), lockIsFree)
  quit = () => {
    const event = new FakeEvent()
    this.emit('before-quit', event)
    if (!event.defaultPrevented) this.exit(0)
  }
  exit = (code = 0) => void log.exits.push(code)
  private beforeReady(what: string) {
    if (isReady) throw new Error(`${what} must come before ready`)
  }
}

export const app = new FakeApp()
export const ipcMain = new EventEmitter()
export const protocol = {
  registerSchemesAsPrivileged: (schemes: Electron.CustomScheme[]) => {
    if (isReady) throw new Error('registerSchemesAsPrivileged must come before ready')
    log.schemes.push(...schemes)
  },
  handle: (scheme: string, handler: (request: Request) => Promise<Response>) => {
    if (!isReady) throw new Error('protocol.handle must come after ready')
    log.handlers.set(scheme, handler)
  },
}
export const session = { defaultSession: new FakeSession() }
export const dialog = { showErrorBox: (title: string, text: string) => void log.errors.push([title, text]) }
export const Menu = {
  setApplicationMenu: () => {},
  buildFromTemplate: (items: Electron.MenuItemConstructorOptions[]) => (log.menus.push(items), { popup: () => {} }),
}
export const BrowserWindow = FakeWindow
export const utilityProcess = {
  fork: (entry: string, _args: string[], options: Electron.ForkOptions) => {
    if (!isReady) throw new Error('utilityProcess.fork must come after ready')
    const child = new FakeChild()
    log.forks.push({ entry, options, child })
    return child
  },
}
export const crashReporter = {
  start: () => {
    throw new Error('the crash reporter must stay off')
  },
}

// a name that Electron does not have does not compile
const names: Partial<Record<keyof typeof Electron, unknown>> = {
  app,
  ipcMain,
  protocol,
  session,
  dialog,
  Menu,
  BrowserWindow,
  utilityProcess,
  crashReporter,
}
void names

/** Makes Electron ready; only after the entry module has been imported. */
export function fireReady(): void {
  isReady = true
  ready.resolve()
}

/** A fresh, unready Electron. `free: false` means that another instance holds the lock. */
export function reset(options: { free?: boolean; packaged?: boolean } = {}): void {
  ready = Promise.withResolvers<void>()
  isReady = false
  lockIsFree = options.free ?? true
  app.isPackaged = options.packaged ?? false
  app.removeAllListeners()
  app.paths.clear()
  ipcMain.removeAllListeners()
  session.defaultSession = new FakeSession()
  log.switches.clear()
  log.handlers.clear()
  for (const list of [log.windows, log.schemes, log.errors, log.exits, log.order, log.forks, log.menus]) list.length = 0
}
