// Owns the window and every rule about what may happen in it: nothing is allowed that the page does not need.
import { BrowserWindow, Menu, type MenuItemConstructorOptions, type Session, type WebContents, type WebPreferences } from 'electron'
import { isOwnBlob, isOwnUrl, pageUrl } from './app-scheme.ts'

/** Chromium's own conversations with the outside, switched off, and a resolver that knows no name and no number: nothing can leave. */
export const chromiumSwitches: readonly (readonly [name: string, value?: string])[] = [
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  ['disable-background-networking'],
  ['disable-component-update'],
  ['disable-domain-reliability'],
  ['disable-client-side-phishing-detection'],
  ['disable-sync'],
  ['disable-default-apps'],
  ['no-first-run'],
  ['no-pings'],
  [
    'disable-features',
    'AutofillServerCommunication,CertificateTransparencyComponentUpdater,MediaRouter,OptimizationHints,NetworkTimeServiceQuerying',
  ],
]

/** `devTools` only while developing: on a clinic's computer they would be a way round every rule below. */
function webPreferences(preload: string, devTools: boolean): WebPreferences {
  return {
    preload,
    devTools,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    // dictionaries would be downloaded
    spellcheck: false,
  }
}

/** Opens the window. Unless `hidden`, it is shown once the page has painted, so that nobody sees an empty one. */
export function openWindow(options: { preload: string; devTools: boolean; hidden?: boolean }): BrowserWindow {
  const window = new BrowserWindow({
    title: 'Rushlight',
    width: 1366,
    height: 800,
    minWidth: 480,
    minHeight: 480,
    show: false,
    autoHideMenuBar: true,
    webPreferences: webPreferences(options.preload, options.devTools),
  })
  if (!options.hidden) window.once('ready-to-show', () => window.show())
  // it rejects when the page is missing or the window is closed meanwhile; the first shows as an empty window, and fails the smoke test
  window.loadURL(pageUrl).catch(() => {})
  return window
}

const REVIVE_INTERVAL_MS = 30_000

/** Loads the page again after its process has crashed; what it showed is stored. A second crash within half a minute closes the window. */
export function reviveAfterCrash(window: BrowserWindow, onGone: (reason: string) => void): void {
  let last = -Infinity
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return
    onGone(reason)
    const now = performance.now()
    if (now - last < REVIVE_INTERVAL_MS) window.close()
    else window.webContents.reload()
    last = now
  })
}

/** For every page that ever exists, ours included: it stays where it is and opens nothing. */
export function confine(contents: WebContents): void {
  const refuse = (event: { preventDefault(): void }) => event.preventDefault()
  contents.on('will-navigate', refuse)
  contents.on('will-frame-navigate', refuse)
  contents.on('will-redirect', refuse)
  contents.on('will-attach-webview', refuse)
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  // WebRTC passes by CSP and webRequest; without a proxy this leaves it no way out
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp')
  contents.on('context-menu', (_event, { editFlags }) => {
    const { canCut, canCopy, canPaste, canSelectAll } = editFlags
    const items: MenuItemConstructorOptions[] = [
      { role: 'cut', enabled: canCut },
      { role: 'copy', enabled: canCopy },
      { role: 'paste', enabled: canPaste },
      { type: 'separator' },
      { role: 'selectAll', enabled: canSelectAll },
    ]
    Menu.buildFromTemplate(items).popup()
  })
}

/** Electron grants by default; here everything is refused but writing text to the clipboard and saving a file that the page itself made. */
export function denyByDefault(session: Session, options: { devTools: boolean }): void {
  const copies = (permission: string, address: string | undefined, isMainFrame: boolean) =>
    permission === 'clipboard-sanitized-write' && isMainFrame && address !== undefined && isOwnUrl(address)
  session.setPermissionRequestHandler((_contents, permission, done, { requestingUrl, isMainFrame }) =>
    done(copies(permission, requestingUrl, isMainFrame)),
  )
  session.setPermissionCheckHandler((_contents, permission, _origin, { requestingUrl, isMainFrame }) =>
    copies(permission, requestingUrl, isMainFrame),
  )
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler(null)
  session.setSpellCheckerEnabled(false)
  session.webRequest.onBeforeRequest(({ url }, done) => done({ cancel: !isLocal(url, options.devTools) }))
  session.on('will-download', (event, item) => {
    if (!isOwnBlob(item.getURL())) event.preventDefault()
  })
}

function isLocal(url: string, devTools: boolean): boolean {
  return isOwnUrl(url) || isOwnBlob(url) || url.startsWith('data:') || (devTools && url.startsWith('devtools:'))
}

/** Text editing; the page has its own text size, on the keys that a zoom would take. */
export function installMenu(options: { devTools: boolean; mac: boolean }): void {
  const edit: MenuItemConstructorOptions[] = [
    { role: 'undo' },
    { role: 'redo' },
    { type: 'separator' },
    { role: 'cut' },
    { role: 'copy' },
    { role: 'paste' },
    { role: 'selectAll' },
  ]
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...(options.mac ? [{ role: 'appMenu' } as const] : []),
      { label: 'Edit', submenu: edit },
      ...(options.devTools ? [{ label: 'View', submenu: [{ role: 'toggleDevTools' } as const] }] : []),
    ]),
  )
}
