// Owns how the loopback host shows its page: a Chromium app window where there is one and a display, else the printed address.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { findBrowser } from '../bootstrap/browser.mjs'

/** True when this session can show a window. */
export function hasDisplay(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'win32' || platform === 'darwin') return true
  return Boolean(env['DISPLAY'] ?? env['WAYLAND_DISPLAY'])
}

/** The command line of the app window; its own profile, so that no extension, sync or history of the user's browser is near. */
export function windowArguments(url: string, data: string, asRoot: boolean): string[] {
  return [
    `--app=${url}`,
    `--user-data-dir=${join(data, 'window')}`,
    '--window-size=1366,800',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-sync',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-domain-reliability',
    '--disable-breakpad',
    // Chromium refuses its sandbox to root; --test-type hides the bar that says so
    ...(asRoot ? ['--no-sandbox', '--test-type'] : []),
  ]
}

/** Opens the page, or returns null when there is no browser or no display. The process ends when the window is closed. */
export function openWindow(url: string, data: string): ChildProcess | null {
  const browser = hasDisplay() ? findBrowser() : null
  if (!browser) return null
  return spawn(browser.path, windowArguments(url, data, process.getuid?.() === 0), { stdio: 'ignore' })
}
