// Owns the search for a Chromium: the system's, Edge, Chrome, or one that Playwright has fetched. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** @returns {{ path: string, name: string } | null} RUSHLIGHT_BROWSER names one; the value `none` finds none. */
export function findBrowser(env = process.env, platform = process.platform) {
  const asked = env.RUSHLIGHT_BROWSER
  if (asked === 'none') return null
  if (asked && existsSync(asked)) return { path: asked, name: asked }
  for (const path of candidates(env, platform)) if (existsSync(path)) return { path, name: path }
  return null
}

/** @returns {Generator<string>} */
function* candidates(env, platform) {
  if (platform === 'win32') {
    const roots = [env['ProgramFiles(x86)'], env.ProgramFiles, env.LOCALAPPDATA].filter(Boolean)
    for (const root of roots) {
      yield join(root, 'Microsoft', 'Edge', 'Application', 'msedge.exe')
      yield join(root, 'Google', 'Chrome', 'Application', 'chrome.exe')
      yield join(root, 'Chromium', 'Application', 'chrome.exe')
    }
  } else if (platform === 'darwin') {
    yield '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
    yield '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge'
    yield '/Applications/Chromium.app/Contents/MacOS/Chromium'
  } else {
    const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'microsoft-edge-stable']
    for (const folder of (env.PATH ?? '').split(delimiter)) for (const name of names) if (folder) yield join(folder, name)
  }
  yield* playwrightBrowsers(env, platform)
}

/** @returns {Generator<string>} */
function* playwrightBrowsers(env, platform) {
  const home = homedir()
  const caches = { win32: join(env.LOCALAPPDATA ?? home, 'ms-playwright'), darwin: join(home, 'Library', 'Caches', 'ms-playwright') }
  const root = env.PLAYWRIGHT_BROWSERS_PATH ?? caches[platform] ?? join(home, '.cache', 'ms-playwright')
  if (!existsSync(root)) return
  const inside = {
    win32: [
      ['chrome-win', 'chrome.exe'],
      ['chrome-win64', 'chrome.exe'],
    ],
    darwin: [['chrome-mac', 'Chromium.app', 'Contents', 'MacOS', 'Chromium']],
  }[platform] ?? [
    ['chrome-linux', 'chrome'],
    ['chrome-linux64', 'chrome'],
  ]
  const builds = readdirSync(root)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort()
    .reverse()
  for (const build of builds) for (const parts of inside) yield join(root, build, ...parts)
}

/** Installs Debian's Chromium where this is possible without asking: root on Debian or Ubuntu. Says what it does and how it ended. */
export function installBrowser(say) {
  const os = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !/^ID(_LIKE)?=.*debian/m.test(os)) return false
  say('Installing Chromium for the page tests (about a minute)…')
  const run = (...args) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 600_000,
      encoding: 'utf8',
    })
  let result = run('install', '-y', '-qq', '--no-install-recommends', 'chromium')
  if (result.status !== 0) {
    run('update', '-qq')
    result = run('install', '-y', '-qq', '--no-install-recommends', 'chromium')
  }
  if (result.status === 0) return true
  say(`Chromium could not be installed: ${(result.stderr ?? '').trim().split('\n').at(-1) || result.error?.message || 'unknown reason'}`)
  return false
}
