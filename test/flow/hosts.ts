// Owns how a page test gets a running Rushlight: one fixture, two hosts, the real services and the real engine behind both.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { _electron, chromium, test as base, type Page } from 'playwright/test'
import { findBrowser } from '../../app/bootstrap/browser.mjs'
import { electronBinary } from '../../app/bootstrap/electron.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export { expect } from 'playwright/test'

export interface App {
  page: Page
  data: string
  /** The host's process id. */
  pid: number
  /** Kills the engine process as a fault would, with SIGKILL. */
  killEngine(): void
  /** Ends the host at once and starts it again on the same data folder. */
  restart(how: 'SIGKILL' | 'SIGTERM'): Promise<Page>
}
interface Options {
  hostArgs: string[]
  size: { width: number; height: number }
  scheme: 'light' | 'dark'
}

export const test = base.extend<{ app: App } & Options>({
  hostArgs: [[], { option: true }],
  size: [{ width: 1366, height: 768 }, { option: true }],
  scheme: ['light', { option: true }],
  app: async ({ hostArgs, size, scheme }, use, info) => {
    const start = info.project.name === 'electron' ? startElectron : startLoopback
    const data = mkdtempSync(join(tmpdir(), 'rushlight-flow-'))
    let running = await start({ data, hostArgs, size, scheme })
    const app: App = {
      page: running.page,
      data,
      pid: running.pid,
      killEngine: () => process.kill(enginePid(running.pid), 'SIGKILL'),
      restart: async (how) => {
        await running.stop(how)
        running = await start({ data, hostArgs, size, scheme })
        app.page = running.page
        app.pid = running.pid
        return running.page
      },
    }
    await use(app)
    await running.stop('SIGTERM')
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  },
})

type Start = Options & { data: string }
type Started = { page: Page; pid: number; stop(how: NodeJS.Signals): Promise<void> }

async function startLoopback({ data, hostArgs, size, scheme }: Start): Promise<Started> {
  const browserAt = findBrowser()
  test.skip(!browserAt, 'no Chromium, Chrome or Edge was found')
  const host = spawn(process.execPath, [join(root, 'out', 'app', 'headless.js'), '--no-window', '--data', data, ...hostArgs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await openingUrl(host)
  const browser = await chromium.launch({
    executablePath: browserAt!.path,
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  })
  // axe opens a second page in the same context
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, acceptDownloads: true })
  const page = await context.newPage()
  await page.goto(url)
  const stop = async (how: NodeJS.Signals) => {
    await browser.close()
    await ended(host, how)
  }
  return { page, pid: host.pid!, stop }
}

async function startElectron({ data, hostArgs, scheme }: Start): Promise<Started> {
  const binary = electronBinary()
  test.skip(!binary, 'Electron’s binary is not on this machine')
  const electron = await _electron.launch({ executablePath: binary!, args: [root, '--data', data, ...hostArgs], colorScheme: scheme })
  const page = await electron.firstWindow()
  return { page, pid: electron.process().pid!, stop: async (how) => (how === 'SIGKILL' ? ended(electron.process(), how) : electron.close()) }
}

function openingUrl(host: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    host.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const url = /http:\/\/127\.0\.0\.1:\d+\/#open=\S+/.exec(text)?.[0]
      if (url) resolve(url)
    })
    host.on('exit', (code) => reject(new Error(`the host ended with ${code} before it gave its address`)))
  })
}

function ended(host: ChildProcess, how: NodeJS.Signals): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    host.once('exit', () => resolve())
    host.kill(how)
  })
}

/** The engine is the only child of the host that runs the engine's script. */
function enginePid(host: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      if (Number(parent) === host && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('engine')) return Number(name)
    } catch {
      // it ended while we looked
    }
  }
  throw new Error('no engine process is running')
}
