// Owns the question whether Electron's program is here, and its one download in a working copy. Node built-ins only; never require('electron'), which downloads.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pinnedNode } from './setup.mjs'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
// 90 s: Windows' own virus scanner can hold a file of 120 MB for a minute
const SILENCE_MS = 90_000
const RETRY_MS = 24 * 60 * 60 * 1000
const RUNS = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' }

/** @returns {string | null} Electron's program, if this very version is completely there. ELECTRON_OVERRIDE_DIST_PATH names another folder. */
export function electronBinary({ env = process.env, platform = process.platform, folder = modules } = {}) {
  const run = RUNS[platform] ?? 'electron'
  if (env.ELECTRON_OVERRIDE_DIST_PATH) {
    const path = join(env.ELECTRON_OVERRIDE_DIST_PATH, run)
    return existsSync(path) ? path : null
  }
  const home = join(folder, 'electron')
  const path = join(home, 'dist', run)
  // path.txt is written last: without it an earlier unpacking was cut off
  const complete =
    existsSync(path) && read(join(home, 'path.txt')) === run && read(join(home, 'dist', 'version')).replace(/^v/, '') === versionIn(home)
  return complete ? path : null
}

/**
 * Downloads and unpacks Electron once. A failure is remembered for a day, so that an offline computer starts without waiting; `force` tries anyway.
 * @param {{ log: (text: string) => void, force?: boolean, env?: NodeJS.ProcessEnv, folder?: string, node?: string, silenceMs?: number, now?: () => number }} options
 * @returns {Promise<{ ok: true, path: string } | { ok: false, reason: string }>} `reason` is the middle of a sentence: no capital, no full stop.
 */
export async function fetchElectron({ log, force = false, env = process.env, folder = modules, node, silenceMs = SILENCE_MS, now = Date.now }) {
  const present = electronBinary({ env, folder })
  if (present) return { ok: true, path: present }
  if (env.ELECTRON_OVERRIDE_DIST_PATH) return { ok: false, reason: 'ELECTRON_OVERRIDE_DIST_PATH names a folder without Electron' }
  if (env.ELECTRON_SKIP_BINARY_DOWNLOAD && !force) return { ok: false, reason: 'ELECTRON_SKIP_BINARY_DOWNLOAD forbids its download' }

  const home = join(folder, 'electron')
  if (!existsSync(join(home, 'package.json'))) return { ok: false, reason: 'the package “electron” is not installed' }
  const version = versionIn(home)
  const memory = join(folder, '.electron-fetch.json')
  const earlier = force ? null : recall(memory, version, now())
  if (earlier) return { ok: false, reason: `${earlier}; it is tried again a day after the last time, or at once with --host electron` }

  log(`Fetching Electron ${version} for the app window, once (about 120 MB)…`)
  const started = now()
  const failed = await download({ home, env, node: node ?? pinnedNode(), silenceMs })
  const path = electronBinary({ env, folder })
  if (failed === null && path) {
    rmSync(memory, { force: true })
    log(`Electron fetched in ${Math.round((now() - started) / 1000)} s.`)
    return { ok: true, path }
  }
  const reason = failed ?? 'its files were not complete after unpacking'
  writeFileSync(
    memory,
    JSON.stringify({ version, platform: `${process.platform}-${process.arch}`, time: new Date(now()).toISOString(), reason }) + '\n',
  )
  return { ok: false, reason }
}

/** The reason of a failure less than a day old of the same version on the same platform, or null. */
function recall(memory, version, now) {
  try {
    const last = JSON.parse(read(memory))
    const age = now - Date.parse(last.time)
    const same = last.version === version && last.platform === `${process.platform}-${process.arch}`
    return same && age >= 0 && age < RETRY_MS && typeof last.reason === 'string' ? last.reason : null
  } catch {
    return null
  }
}

/** Runs this file again as the downloader, under a Node that @electron/get accepts, and ends it when nothing more arrives. */
function download({ home, env, node, silenceMs }) {
  // the checksums that came with the package, inside the lock file's integrity, and never a list fetched with the file itself
  const { electron_use_remote_checksums: _a, npm_config_electron_use_remote_checksums: _b, ...rest } = env
  const child = spawn(node, [fileURLToPath(import.meta.url), '--download', home], {
    env: { ...rest, NODE_USE_ENV_PROXY: '1', ELECTRON_GET_NO_PROGRESS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve) => {
    let errors = ''
    let silent = false
    let timer
    const hear = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        silent = true
        child.kill('SIGKILL')
      }, silenceMs)
    }
    hear()
    child.stdout.on('data', hear)
    child.stderr.on('data', (text) => (errors = (errors + text).slice(-20_000)))
    const end = (reason) => {
      clearTimeout(timer)
      resolve(reason)
    }
    child.on('error', () => end('its downloader could not be started'))
    child.on('close', (code) => end(code === 0 ? null : silent ? `nothing arrived for ${Math.round(silenceMs / 1000)} seconds` : explain(errors)))
  })
}

/** @param {string} errors What the downloader wrote, causes included. */
export function explain(errors) {
  const status = /Response code (\d+)/.exec(errors)?.[1]
  if (status) return `the download server answered ${status}`
  if (/did not match expected checksum|No checksum found/i.test(errors)) return 'the file that arrived does not have the expected checksum'
  if (/ENOSPC/.test(errors)) return 'the disk is full'
  if (/EACCES|EPERM|EROFS/.test(errors)) return 'its files could not be written'
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(errors)) return 'the download server’s certificate is not trusted here'
  // last: every failure of fetch begins with “fetch failed” and names its cause after it
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR|fetch failed/.test(errors))
    return 'its download server cannot be reached'
  return 'its download failed'
}

/** The downloader: into @electron/get's cache with progress and checksum, then the package's own installer, which finds it there and unpacks it. */
async function runDownload(home) {
  const require = createRequire(join(home, 'install.js'))
  const { downloadArtifact } = require('@electron/get')
  let last = 0
  await downloadArtifact({
    version: versionIn(home),
    artifactName: 'electron',
    platform: process.platform,
    arch: process.arch,
    cacheRoot: process.env.electron_config_cache,
    checksums: require('./checksums.json'),
    downloadOptions: {
      quiet: true,
      getProgressCallback: ({ transferred }) => {
        if (transferred - last < 65_536) return
        last = transferred
        process.stdout.write('.')
      },
    },
  })
  process.stdout.write('.')
  const { status } = spawnSync(process.execPath, [join(home, 'install.js')], { stdio: ['ignore', 'ignore', 'inherit'] })
  return status ?? 1
}

function versionIn(home) {
  return String(JSON.parse(read(join(home, 'package.json'))).version)
}

function read(path) {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--download') {
  runDownload(process.argv[3]).then(
    (status) => process.exit(status),
    (error) => {
      for (let at = error; at; at = at.cause) process.stderr.write(`${at.stack ?? at} ${at.code ?? ''}\n`)
      process.exit(1)
    },
  )
}
