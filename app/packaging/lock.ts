// Owns the reading of package-lock.json: which packages a program needs on a target, found as Node would find them.
import { readFileSync } from 'node:fs'
import type { Target } from './target.ts'

/** What is used of an entry of `packages` in a lock file of version 3. */
export interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly link?: boolean
  readonly os?: string | readonly string[]
  readonly cpu?: string | readonly string[]
  readonly libc?: string | readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
export type Lock = Readonly<Record<string, LockEntry>>
export interface LockPackage {
  /** Where it lies: node_modules/a/node_modules/b. */
  readonly path: string
  readonly name: string
  readonly version: string
  readonly integrity: string | null
  readonly licence: string | null
  /** Paths of the packages that it asks for itself. */
  readonly needs: readonly string[]
}

const FOLDER = 'node_modules/'
const allows = (list: string | readonly string[] | undefined, value: string | null) =>
  list === undefined || value === null || (typeof list === 'string' ? [list] : list).includes(value)

/** @throws Error when the file is no lock file of version 3. */
export function readLock(path: string): Lock {
  const file = JSON.parse(readFileSync(path, 'utf8')) as { lockfileVersion?: number; packages?: Lock }
  if (file.lockfileVersion !== 3 || !file.packages) throw new Error(`${path} is no lock file of version 3. Write it again with npm 11.`)
  return file.packages
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf(FOLDER) + FOLDER.length)
}

/**
 * Every package that `roots` (names) need on `target`, themselves included, in the order of their paths. A package for another system is left
 * out; one that stands in for a replaced one (a link) too: target.ts names the real ones.
 * @throws Error when a package is needed and the lock does not have it.
 */
export function packagesFor(lock: Lock, roots: readonly string[], target: Target): LockPackage[] {
  const found = new Map<string, LockPackage>()
  const visit = (name: string, from: string, optional: boolean): string | null => {
    const path = resolve(lock, name, from)
    if (path === null) {
      if (optional) return null
      throw new Error(`${from || 'The program'} needs ${name}, and the lock file does not have it. Run npm install and package again.`)
    }
    const entry = lock[path]!
    if (entry.link === true || entry.version === undefined) return null
    if (!allows(entry.os, target.os) || !allows(entry.cpu, target.cpu) || !allows(entry.libc, target.libc)) return null
    if (found.has(path)) return path
    const needs: string[] = []
    // set first: packages may need each other in a circle
    const { version, integrity = null, license: licence = null } = entry
    found.set(path, { path, name: nameOf(path), version, integrity, licence, needs })
    const optionals = entry.optionalDependencies ?? {}
    for (const need of Object.keys({ ...entry.dependencies, ...optionals }).sort()) {
      const at = visit(need, path, need in optionals)
      if (at !== null) needs.push(at)
    }
    return path
  }
  for (const root of roots) visit(root, '', false)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** From the folder that asks upwards, as Node looks for a package. */
function resolve(lock: Lock, name: string, from: string): string | null {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/' + FOLDER)))) {
    const path = (folder === '' ? '' : folder + '/') + FOLDER + name
    if (path in lock) return path
    if (folder === '') return null
  }
}
