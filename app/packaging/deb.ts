// Owns the Debian package of the program over loopback: its tree, control data and the call of dpkg-deb. Needs no network and no administrator.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytesUnder, filesUnder, place, type Manifest } from './stage.ts'

export interface DebOptions {
  /** The staged program. */
  readonly staged: string
  /** Emptied first; holds the package's tree. */
  readonly work: string
  readonly out: string
  readonly sbom: string
  readonly icon: string
  readonly manifest: Manifest
  /** dpkg before Debian 12 reads no zstd; gzip is for those, none for tests. */
  readonly compression: 'zstd' | 'gzip' | 'none'
}

const texts = fileURLToPath(new URL('deb', import.meta.url))
/** Oldest C library that the engine's and Node's binaries ask for; the window itself is any Chromium or, at the latest, any browser. */
const DEPENDS = 'libc6 (>= 2.34), libgcc-s1, libstdc++6'
const RECOMMENDS = 'chromium | google-chrome-stable | microsoft-edge-stable | www-browser'
const MINUTES = 10

/** True where dpkg-deb can be started. */
export function hasDpkgDeb(): boolean {
  return spawnSync('dpkg-deb', ['--version'], { stdio: 'ignore' }).status === 0
}

/** Writes the package's tree into `work`. The policy folder comes empty: dpkg then never asks about a file that an administrator has changed. */
export function writeDebTree({ staged, work, sbom, icon, manifest }: DebOptions): void {
  rmSync(work, { recursive: true, force: true })
  for (const file of filesUnder(staged)) place(join(staged, file), join(work, 'opt/rushlight', file))
  mkdirSync(join(work, 'etc/rushlight'), { recursive: true })
  const put = (from: string, to: string, mode = 0o644) => {
    mkdirSync(dirname(join(work, to)), { recursive: true })
    copyFileSync(from, join(work, to))
    chmodSync(join(work, to), mode)
  }
  put(join(texts, 'rushlight.sh'), 'usr/bin/rushlight', 0o755)
  put(join(texts, 'rushlight.desktop'), 'usr/share/applications/rushlight.desktop')
  put(icon, 'usr/share/icons/hicolor/scalable/apps/rushlight.svg')
  put(join(texts, 'copyright'), 'usr/share/doc/rushlight/copyright')
  put(sbom, 'usr/share/doc/rushlight/sbom.cdx.json')
  const files = filesUnder(work)
  const bytes = bytesUnder(work)
  put(join(texts, 'prerm.sh'), 'DEBIAN/prerm', 0o755)
  put(join(texts, 'postrm.sh'), 'DEBIAN/postrm', 0o755)
  writeFileSync(join(work, 'DEBIAN/control'), control(manifest, bytes))
  const sums = files.map(
    (file) =>
      `${createHash('md5')
        .update(readFileSync(join(work, file)))
        .digest('hex')}  ${file}\n`,
  )
  writeFileSync(join(work, 'DEBIAN/md5sums'), sums.join(''))
  openFolders(work)
}

/** @returns the package's path. @throws Error with dpkg-deb's own words. */
export function buildDeb(options: DebOptions): string {
  writeDebTree(options)
  const file = join(options.out, `rushlight_${options.manifest.version}_amd64.deb`)
  mkdirSync(options.out, { recursive: true })
  const level = options.compression === 'none' ? [] : ['-z3']
  const args = ['--root-owner-group', `-Z${options.compression}`, ...level, '--build', options.work, file]
  // one thread: the computer that builds may be a clinic's own
  const result = spawnSync('dpkg-deb', args, { encoding: 'utf8', timeout: MINUTES * 60_000, env: { ...process.env, DPKG_DEB_THREADS_MAX: '1' } })
  if (result.status !== 0) throw new Error(`dpkg-deb could not build the package: ${result.error?.message ?? result.stderr.trim()}`)
  return file
}

function control({ version, description }: Manifest, bytes: number): string {
  return `Package: rushlight
Version: ${version}
Section: science
Priority: optional
Architecture: amd64
Maintainer: The Rushlight authors <rushlight@localhost>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${DEPENDS}
Recommends: ${RECOMMENDS}
Suggests: libvulkan1, nvidia-driver
Description: ${description}
 The program answers questions from a model on this computer, without a network.
 It opens its page in a window of an installed browser over 127.0.0.1. The model
 that comes with it is a demonstration and not for patient care.
 .
 Machine policy: /etc/rushlight/policy.json. Models: see the Models page.
`
}

/** Folders as every user may enter them, whatever mask the builder has; files keep theirs, being links to others. */
function openFolders(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) openFolders(join(folder, entry.name))
}
