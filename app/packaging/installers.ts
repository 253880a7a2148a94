// Owns the way from a staged program to Electron's folder and Windows' installers: electron-builder first, else makensis and wixl of this computer.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesUnder } from './stage.ts'
import type { Target } from './target.ts'

export interface Made {
  readonly what: string
  readonly file: string
  readonly bytes: number
}
export interface NotMade {
  readonly what: string
  /** Why not, and what to do: two sentences. */
  readonly why: string
}
export interface Job {
  readonly root: string
  readonly target: Target
  readonly staged: string
  readonly out: string
  readonly version: string
  /** Folder with Electron's program for the target, or with its archive; null where it was not given. */
  readonly electron: string | null
}

const sources = fileURLToPath(new URL('windows', import.meta.url))
const MINUTES = 20
const noElectron = (target: Target) =>
  `Electron’s program for ${target.name} is not on this computer. Unpack its archive (the SBOM names it and its hash) and give the folder with --electron DIR.`

/** Where Electron's program lies in a folder: unpacked, or as the archive that electron-builder unpacks itself. */
export function electronIn(folder: string, target: Target): boolean {
  const program = target.os === 'win32' ? 'electron.exe' : 'electron'
  const archive = new RegExp(`^electron-v[\\d.]+-${target.os}-${target.cpu}\\.zip$`)
  return existsSync(folder) && (existsSync(join(folder, program)) || readdirSync(folder).some((name) => archive.test(name)))
}

/** The program's folder with fuses set and archive sealed. Throws with electron-builder's own words. */
export function electronFolder({ root, target, staged, out, electron }: Job): string {
  if (electron === null || !electronIn(electron, target)) throw new Error(noElectron(target))
  const folder = join(out, target.os === 'win32' ? 'win-unpacked' : 'linux-unpacked')
  rmSync(folder, { recursive: true, force: true })
  builder(root, [
    target.os === 'win32' ? '--win' : '--linux',
    '--x64',
    '--dir',
    `-c.directories.app=${staged}`,
    `-c.directories.output=${out}`,
    `-c.electronDist=${electron}`,
  ])
  return folder
}

/** Windows' three packages from Electron's folder. What electron-builder cannot make is tried with the tools of this computer. */
export function windowsInstallers(job: Job, folder: string): { made: Made[]; notMade: NotMade[] } {
  const made: Made[] = []
  const notMade: NotMade[] = []
  const ways: Record<string, ((job: Job, folder: string) => string) | null> = { nsis: makensis, msi: wixl, portable: null }
  for (const [what, otherwise] of Object.entries(ways)) {
    try {
      made.push(madeOf(what, builtBy(job, folder, what)))
    } catch (error) {
      try {
        if (!otherwise) throw error
        made.push(madeOf(`${what} (own)`, otherwise(job, folder)))
      } catch (second) {
        notMade.push({ what, why: `${oneLine(error)}${second === error ? '' : ` ${oneLine(second)}`}` })
      }
    }
  }
  return { made, notMade }
}

const madeOf = (what: string, file: string): Made => ({ what, file, bytes: statSync(file).size })

function builtBy({ root, out }: Job, folder: string, what: string): string {
  const before = new Set(readdirSync(out))
  builder(root, ['--win', what, '--x64', `--prepackaged=${folder}`, `-c.directories.output=${out}`])
  const file = readdirSync(out).find((name) => !before.has(name) && /\.(?:exe|msi)$/.test(name))
  if (file === undefined) throw new Error(`electron-builder wrote no ${what} file.`)
  return join(out, file)
}

/** @throws Error when makensis is absent or ends with a fault */
export function makensis({ out, version }: Pick<Job, 'out' | 'version'>, folder: string): string {
  const file = join(out, `Rushlight-${version}-setup.exe`)
  run('makensis', ['-V2', `-DSRC=${folder}`, `-DOUT=${file}`, `-DVERSION=${version}`, join(sources, 'installer.nsi')], 'Install the package nsis.')
  return file
}

/** @throws Error when wixl is absent or ends with a fault */
export function wixl({ out, version }: Pick<Job, 'out' | 'version'>, folder: string): string {
  const file = join(out, `Rushlight-${version}.msi`)
  const list =
    filesUnder(folder)
      .map((name) => join(folder, name))
      .join('\n') + '\n'
  const advice = 'Install the package wixl.'
  mkdirSync(out, { recursive: true })
  const heat = ['-p', folder + '/', '--component-group', 'Files', '--var', 'var.Src', '--directory-ref', 'INSTALLDIR', '--win64']
  const fragment = join(out, 'files.wxs')
  writeFileSync(fragment, run('wixl-heat', heat, advice, list))
  try {
    // from within the folder: it opens no absolute path given in a variable
    const defined = ['Src=.', `Version=${version}`, 'Win64=yes'].flatMap((one) => ['-D', one])
    run('wixl', ['-a', 'x64', ...defined, '-o', file, join(sources, 'product.xml'), fragment], advice, '', folder)
  } finally {
    rmSync(fragment, { force: true })
  }
  return file
}

function builder(root: string, args: string[]): void {
  const script = join(root, 'node_modules', 'electron-builder', 'cli.js')
  const result = spawnSync(
    process.execPath,
    [script, ...args, '--projectDir', root, '--config', join(root, 'electron-builder.yml'), '--publish', 'never'],
    {
      cwd: root,
      encoding: 'utf8',
      timeout: MINUTES * 60_000,
    },
  )
  if (result.status === 0) return
  const fault = /⨯\s*(.+)/.exec(result.stdout + result.stderr)?.[1] ?? result.error?.message ?? `code ${result.status}`
  throw new Error(`electron-builder ended with: ${fault.slice(0, 300)}`)
}

function run(command: string, args: string[], advice: string, input = '', cwd = process.cwd()): string {
  const result = spawnSync(command, args, { encoding: 'utf8', input, cwd, timeout: MINUTES * 60_000, maxBuffer: 64 * 1024 * 1024 })
  if (result.error && 'code' in result.error && result.error.code === 'ENOENT') throw new Error(`${command} is not on this computer. ${advice}`)
  if (result.status !== 0) throw new Error(`${command} ended with: ${(result.stderr || result.stdout).trim().slice(-300)}`)
  return result.stdout
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim()
}
