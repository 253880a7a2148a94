// Owns set-up on a bare machine: packages from the lock file, the build, a browser for the tests. Runs on Node 20 with built-ins only; milliseconds when nothing is to do.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
const packagesStamp = join(modules, '.rushlight-packages')
// not in out/: what lies there is shipped
const buildStamp = join(modules, '.rushlight-build')
const SOURCES = ['app', 'renderer', 'package.json', 'tsconfig.json']
const say = (text) => process.stderr.write(text + '\n')

/** The Node that runs everything but this set-up: pinned, because SQLite's binding crashes on Node 20. */
export function pinnedNode() {
  const local = join(
    modules,
    `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (existsSync(local)) return local
  const [major] = process.versions.node.split('.').map(Number)
  if (major >= 24) return process.execPath
  fail(
    `This computer’s Node is ${process.versions.node}, and there is no pinned Node 24 for ${process.platform} ${process.arch}. Install Node 24 and start again.`,
  )
}

function fail(text) {
  say(text)
  process.exit(1)
}

function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex')
  if (existsSync(packagesStamp) && readFileSync(packagesStamp, 'utf8') === lock) return
  say('Setting up Rushlight: installing packages (about half a minute)…')
  const started = Date.now()
  const npm = process.env.npm_execpath
  if (!npm) fail('Start Rushlight through npm: npm start, npm test or npm run ask.')
  // on Windows a running Node cannot be deleted, and an outdated install runs from the one that `ci` would delete
  const verb = process.platform === 'win32' && existsSync(modules) ? 'install' : 'ci'
  const result = spawnSync(
    process.env.npm_node_execpath ?? process.execPath,
    [npm, verb, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, stdio: ['ignore', 2, 2] },
  )
  if (result.status !== 0)
    fail('The packages could not be installed: see npm’s message above. Check that the package registry can be reached, then start again.')
  writeFileSync(packagesStamp, lock)
  say(`Packages installed in ${Math.round((Date.now() - started) / 1000)} s.`)
}

function newestSource() {
  let newest = 0
  const visit = (path) => {
    const stat = statSync(path)
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name))
    // a deleted file changes its folder's time, so folders count too
    newest = Math.max(newest, stat.mtimeMs)
  }
  for (const source of SOURCES) visit(join(root, source))
  return String(newest)
}

function build() {
  const newest = newestSource()
  if (existsSync(buildStamp) && readFileSync(buildStamp, 'utf8') === newest && existsSync(join(root, 'out', 'renderer', 'index.html'))) return
  const started = Date.now()
  say('Building Rushlight…')
  const vite = join(modules, 'vite', 'bin', 'vite.js')
  for (const args of [
    ['--config', 'app/vite.config.ts', '--mode', 'app'],
    ['--config', 'app/vite.config.ts', '--mode', 'preload'],
    ['--config', 'renderer/vite.config.ts'],
  ]) {
    const result = spawnSync(pinnedNode(), [vite, 'build', '--logLevel', 'warn', ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    if (result.status !== 0) fail('The build failed: see the message above.')
  }
  mkdirSync(modules, { recursive: true })
  writeFileSync(buildStamp, newest)
  say(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}

async function browser() {
  const { findBrowser, installBrowser } = await import('./browser.mjs')
  if (!findBrowser()) installBrowser(say)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages()
  if (!process.argv.includes('--no-build')) build()
  if (process.argv.includes('--browser')) await browser()
}
