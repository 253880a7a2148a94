// Owns the proof of what may happen in Electron's window: each permission, request, download and navigation, allowed or refused.
import { beforeEach, expect, test, vi } from 'vitest'
import { confine, denyByDefault, installMenu } from '../../app/host/window.ts'
import { FakeContents, FakeEvent, log, reset, session } from './fake-electron.ts'

vi.mock('electron', () => import('./fake-electron.ts'))
beforeEach(() => reset())

function denied(options: { devTools: boolean }) {
  denyByDefault(session.defaultSession as never, options)
  return session.defaultSession.set
}

test('no page goes anywhere or opens anything', () => {
  const contents = new FakeContents()
  confine(contents as never)
  for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']) {
    const event = new FakeEvent()
    expect(contents.emit(name, event), name).toBe(true)
    expect(event.defaultPrevented, name).toBe(true)
  }
  expect(contents.openHandler({ url: 'https://example.org/' })).toEqual({ action: 'deny' })
  expect(contents.webRtc).toBe('disable_non_proxied_udp')
})

test('nothing is permitted but writing text to the clipboard, from our page', () => {
  const set = denied({ devTools: true })
  const request = set['permissionRequest'] as unknown as (
    contents: unknown,
    permission: string,
    done: (granted: boolean) => void,
    details: object,
  ) => void
  const check = set['permissionCheck'] as unknown as (contents: unknown, permission: string, origin: string, details: object) => boolean
  const own = { requestingUrl: 'app://rushlight/', isMainFrame: true }
  const ask = (permission: string, details: object) => {
    const answers: boolean[] = []
    request(null, permission, (granted) => answers.push(granted), details)
    expect(answers).toEqual([check(null, permission, 'app://rushlight/', details)])
    return answers[0]
  }
  const others = [
    'media',
    'geolocation',
    'notifications',
    'clipboard-read',
    'openExternal',
    'fileSystem',
    'local-network-access',
    'display-capture',
    'usb',
    'unknown',
  ]
  for (const permission of others) expect(ask(permission, own), permission).toBe(false)
  expect(ask('clipboard-sanitized-write', own)).toBe(true)
  expect(ask('clipboard-sanitized-write', { ...own, isMainFrame: false })).toBe(false)
  expect(ask('clipboard-sanitized-write', { ...own, requestingUrl: 'https://example.org/' })).toBe(false)
  expect(ask('clipboard-sanitized-write', { isMainFrame: true })).toBe(false)
  expect((set['device'] as unknown as () => boolean)()).toBe(false)
  expect(set['displayMedia']).toBeNull()
  expect(set['spellcheck']).toBe(false)
})

test.each([
  ['app://rushlight/index.html', true, true],
  ['blob:app://rushlight/7b1e', true, true],
  ['data:image/png;base64,', true, true],
  ['devtools://devtools/bundled/x.js', true, false],
  ['app://elsewhere/', false, false],
  ['https://example.org/', false, false],
  ['http://127.0.0.1:8080/', false, false],
  ['http://localhost/', false, false],
  ['ws://127.0.0.1/', false, false],
  ['file:///etc/passwd', false, false],
  ['ftp://example.org/', false, false],
  ['blob:https://example.org/1', false, false],
  ['chrome://gpu/', false, false],
  ['', false, false],
])('a request for %s goes through: developing %s, in a package %s', (url, developing, packaged) => {
  for (const [devTools, through] of [
    [true, developing],
    [false, packaged],
  ] as const) {
    const handler = denied({ devTools })['beforeRequest'] as unknown as (details: { url: string }, done: (answer: unknown) => void) => void
    const answers: unknown[] = []
    handler({ url }, (answer) => answers.push(answer))
    expect(answers).toEqual([{ cancel: !through }])
  }
})

test('only a file that the page made itself may be saved', () => {
  denied({ devTools: true })
  const saved = (url: string) => {
    const event = new FakeEvent()
    session.defaultSession.emit('will-download', event, { getURL: () => url })
    return !event.defaultPrevented
  }
  expect(saved('blob:app://rushlight/7b1e')).toBe(true)
  const others = ['https://example.org/x.exe', 'app://rushlight/index.html', 'data:text/html,x', 'blob:null/1', 'blob:https://example.org/1']
  for (const url of others) expect(saved(url), url).toBe(false)
})

test('the menus edit text and leave its size to the page; developer tools only while developing', () => {
  const roles = () => log.menus.flat(2).flatMap((item) => [item.role, ...(Array.isArray(item.submenu) ? item.submenu.map(({ role }) => role) : [])])
  installMenu({ devTools: false, mac: false })
  expect(roles()).toEqual(expect.arrayContaining(['copy', 'paste']))
  expect(roles()).not.toContain('toggleDevTools')
  expect(roles()).not.toContain('zoomIn')
  expect(roles()).not.toContain('reload')
  installMenu({ devTools: true, mac: true })
  expect(roles()).toEqual(expect.arrayContaining(['appMenu', 'toggleDevTools']))
})

test('a right click offers what can be done with the text under it', () => {
  const contents = new FakeContents()
  confine(contents as never)
  contents.emit('context-menu', {}, { editFlags: { canCut: false, canCopy: true, canPaste: false, canSelectAll: true } })
  expect(log.menus.at(-1)).toEqual([
    { role: 'cut', enabled: false },
    { role: 'copy', enabled: true },
    { role: 'paste', enabled: false },
    { type: 'separator' },
    { role: 'selectAll', enabled: true },
  ])
})
