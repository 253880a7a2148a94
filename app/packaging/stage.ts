// Owns the staged program: the built files, the packages that they import, and the small data files, for one target and nothing else.
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isLeftOut } from './leave-out.ts'
import { packagesFor, readLock, type Lock, type LockPackage } from './lock.ts'
import { findPackage, nativesOf } from './natives.ts'
import type { Target } from './target.ts'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
export interface Plan {
  readonly lock: Lock
  readonly manifest: Manifest
  /** Packages that the built program imports and therefore carries as files. */
  readonly packages: readonly LockPackage[]
  /** Engine packages and runtime. */
  readonly natives: readonly LockPackage[]
}
/** What the program reads from models/; models that a clinic adds lie elsewhere. Kept the same as extraResources in electron-builder.yml by a test. */
export const dataFiles = [
  ...[/^catalog\.json$/, /^prompts\/[^/]+\.md$/, /^terms\/[^/]+\.(?:tsv|jsonl)$/, /^corpus\/(?!calibration\.)[^/]+\.jsonl$/],
  ...[/^embedder\/[^/]+$/, /^starter\/[^/]+$/, /^policy\/(?:[^/]+|[a-z]{2}-[A-Z]{2}\/[^/]+\.adml)$/],
]

export function readManifest(root: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
}

/** @throws Error when the program is not built or the lock file lacks something. */
export function planStage(root: string, target: Target): Plan {
  const lock = readLock(join(root, 'package-lock.json'))
  const manifest = readManifest(root)
  return { lock, manifest, packages: packagesFor(lock, importedPackages(root, manifest), target), natives: nativesOf(lock, target) }
}

/** The dependencies that stand as imports in the built program: what is not among them was bundled into it. */
export function importedPackages(root: string, manifest: Manifest): string[] {
  const folder = join(root, 'out', 'app')
  if (!existsSync(join(folder, 'headless.js'))) throw new Error('The program is not built. Run npm run package, which builds it, or npm start once.')
  const found = new Set<string>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js')))
    for (const [, name = ''] of readFileSync(join(folder, file), 'utf8').matchAll(/(?:from|import|require\(|import\()\s*["']([^"'./][^"']*)["']/g))
      found.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
  return Object.keys(manifest.dependencies).filter((name) => found.has(name))
}

/**
 * Writes the program for `target` into `to`, which is emptied first. Files are hard links where the disk allows, so nothing in `to` may be
 * changed in place. Returns the packages that are not on this computer.
 */
export function stage(root: string, target: Target, plan: Plan, to: string): LockPackage[] {
  rmSync(to, { recursive: true, force: true })
  const absent: LockPackage[] = []
  for (const one of [...plan.packages, ...plan.natives]) {
    const folder = findPackage(root, target, one)
    if (folder === null) absent.push(one)
    else if (one.name === target.runtime?.package) stageRuntime(folder, target, to)
    else
      for (const file of filesUnder(folder, (name) => name !== 'node_modules'))
        if (!isLeftOut(one.name, file, target)) place(join(folder, file), join(to, one.path, file))
  }
  for (const file of filesUnder(join(root, 'out')).filter((name) => /^(?:app|preload|renderer)\/.*(?<!\.map)$/.test(name)))
    place(join(root, 'out', file), join(to, 'out', file))
  for (const file of filesUnder(join(root, 'models'), (name) => name !== 'workshop'))
    if (dataFiles.some((one) => one.test(file))) place(join(root, 'models', file), join(to, 'models', file))
  place(join(root, 'LICENSE'), join(to, 'LICENSE'))
  writeFileSync(join(to, 'package.json'), JSON.stringify(stagedManifest(plan), null, 2) + '\n')
  return absent
}

/** Only what the program itself reads, and the dependencies that are there as files: electron-builder refuses a list with gaps. */
function stagedManifest({ manifest, packages }: Plan): object {
  const { name, version, description, license } = manifest
  const direct = packages.filter((one) => one.path === `node_modules/${one.name}` && one.name in manifest.dependencies)
  const dependencies = Object.fromEntries(direct.map((one) => [one.name, one.version]))
  return { name, version, private: true, description, license, type: 'module', main: 'out/app/main.js', dependencies }
}

function stageRuntime(folder: string, target: Target, to: string): void {
  const file = target.runtime!.file
  const program = join(to, 'runtime', file.slice(file.lastIndexOf('/') + 1))
  place(join(folder, file), program)
  if ((statSync(program).mode & 0o111) === 0) chmodSync(program, 0o755)
  place(join(folder, 'LICENSE'), join(to, 'runtime', 'LICENSE'))
}

/** Paths of the files below a folder, with forward slashes, sorted. A link is followed to a file, never into a folder. */
export function filesUnder(folder: string, into: (name: string) => boolean = () => true, below = ''): string[] {
  if (!existsSync(join(folder, below))) return []
  return readdirSync(join(folder, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) return into(entry.name) ? filesUnder(folder, into, path) : []
      return [path]
    })
}

export function bytesUnder(folder: string): number {
  return filesUnder(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

/** A hard link costs no room and no time; another disk or a file system without links gets a copy. */
export function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
