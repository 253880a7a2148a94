// Owns where the packages with machine code come from: the working copy, else a folder that one npm call fills by version and hash.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lock, LockPackage } from './lock.ts'
import type { Target } from './target.ts'
import pinned from './natives.json' with { type: 'json' }

interface Pin {
  readonly version: string
  readonly integrity: string
}
const pins: Readonly<Record<string, Pin>> = pinned.packages

/** Version and hash of a package with machine code: from the lock file, or from natives.json where package.json replaces it. */
export function pinOf(lock: Lock, name: string): Pin {
  const entry = lock[`node_modules/${name}`]
  if (entry?.version !== undefined && entry.integrity !== undefined) return { version: entry.version, integrity: entry.integrity }
  const pin = pins[name]
  if (!pin) throw new Error(`${name} has neither an entry in the lock file nor one in app/packaging/natives.json. Add its version and hash there.`)
  return pin
}

/** Engine packages and the Node runtime of a target, as entries like those of the lock file. */
export function nativesOf(lock: Lock, target: Target): LockPackage[] {
  const names = [...target.engines.map(({ name }) => name), ...(target.runtime ? [target.runtime.package] : [])]
  return names.map((name) => {
    const path = `node_modules/${name}`
    const { version, integrity } = pinOf(lock, name)
    return { path, name, version, integrity, licence: lock[path]?.license ?? 'MIT', needs: [] }
  })
}

export function nativesFolder(root: string, target: Target): string {
  return join(root, 'out', 'package', 'natives', target.name)
}

/** The folder that holds a package in this very version, or null. An empty stand-in never has the version asked for. */
export function findPackage(root: string, target: Target, wanted: LockPackage): string | null {
  const folders = [root, nativesFolder(root, target)].map((base) => join(base, wanted.path))
  return folders.find((folder) => versionAt(folder) === wanted.version) ?? null
}

function versionAt(folder: string): string | null {
  const file = join(folder, 'package.json')
  return existsSync(file) ? ((JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version ?? null) : null
}

/**
 * Fetches packages for another system into `out/package/natives` through npm, which refuses whatever differs from the hashes given.
 * Returns null when all are there, else the middle of a sentence that says what was in the way. Needs the package registry; nothing else here does.
 */
export function fetchPackages(root: string, target: Target, needed: readonly LockPackage[], say: (text: string) => void): string | null {
  const folder = nativesFolder(root, target)
  // all of them and not only the newest gap: the folder is written anew, and npm keeps what it has fetched before
  const wanted = needed.filter((one) => versionAt(join(root, one.path)) !== one.version)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const manifest = { name: 'rushlight-natives', version: '0.0.0', private: true }
  const optionalDependencies = Object.fromEntries(wanted.map(({ name, version }) => [name, version]))
  const entries = wanted.map(({ name, version, integrity }) => [`node_modules/${name}`, { version, integrity, optional: true }])
  const lock = { ...manifest, lockfileVersion: 3, packages: { '': { ...manifest, optionalDependencies }, ...Object.fromEntries(entries) } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, optionalDependencies }, null, 2))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock, null, 2))
  say(`Fetching ${wanted.length} packages for ${target.name} (up to 700 MB, once)…`)
  const flags = [`--os=${target.os}`, `--cpu=${target.cpu}`, ...(target.libc ? [`--libc=${target.libc}`] : [])]
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env['npm_execpath']
  const command = npm === undefined ? 'npm' : (process.env['npm_node_execpath'] ?? process.execPath)
  const result = spawnSync(command, [...(npm === undefined ? [] : [npm]), 'ci', ...flags, ...quiet], { cwd: folder, stdio: ['ignore', 2, 2] })
  if (result.error) return `npm could not be started (${result.error.message})`
  if (result.status !== 0) return `npm ended with code ${result.status}; its message stands above`
  const absent = wanted.filter((one) => findPackage(root, target, one) === null)
  return absent.length === 0 ? null : `the registry did not give ${absent.map(({ name }) => name).join(', ')}`
}
