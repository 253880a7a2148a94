// Owns `npm run package`: stage, check, bill of materials, packages; says what was made, how large it is, and what could not be made and why.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkContents, MOST_BYTES, type ContentReport } from './contents.ts'
import { buildDeb, hasDpkgDeb } from './deb.ts'
import { electronFolder, windowsInstallers, type Made, type NotMade } from './installers.ts'
import { fetchPackages } from './natives.ts'
import { createBom } from './sbom.ts'
import { bytesUnder, planStage, readManifest, stage, type Plan } from './stage.ts'
import { targetOf, targets, type Target } from './target.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const help = `Package Rushlight for installation.

  npm run package -- [options]

  --target T         ${targets.join(' or ')} (default: this computer’s, else linux-x64)
  --without LIST     leave engines out: cuda, vulkan, or both with a comma
  --electron DIR     folder with Electron for the target: unpacked, or its archive electron-vX-PLATFORM-x64.zip
  --offline          fetch nothing; what is not on this computer is named
  --compression C    of the .deb: zstd, gzip (for systems older than Debian 12) or none
  --require LIST     exit with 1 unless these were made: deb, electron, nsis, msi, portable
  --out DIR          where the packages go (default: out/package)
  --json             one object {name, machine, rows, targets, notMade, contents} on standard output
  --help             this text

Exit code 0: all that this computer can make was made, and its content is as declared; 1: not so; 2: wrong use.`
const COMPRESSIONS = ['zstd', 'gzip', 'none'] as const

interface Options {
  readonly target: Target
  readonly out: string
  readonly offline: boolean
  readonly electron: string | null
  readonly compression: (typeof COMPRESSIONS)[number]
  readonly required: readonly string[]
  readonly json: boolean
}
class WrongUse extends Error {}

function readOptions(args: string[]): Options | null {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args,
    options: {
      ...{ target: option, without: option, electron: option, compression: option, require: option, out: option },
      ...{ offline: flag, json: flag, help: flag },
    },
  })
  if (values.help === true) return null
  const name = values.target ?? (process.platform === 'win32' ? 'win-x64' : 'linux-x64')
  const whole = targetOf(name)
  if (!whole) throw new WrongUse(`There is no target “${name}”. Choose ${targets.join(' or ')}.`)
  const without = listOf(values.without, ['cuda', 'vulkan'])
  const compression = COMPRESSIONS.find((one) => one === (values.compression ?? 'zstd'))
  if (!compression) throw new WrongUse(`There is no compression “${values.compression}”. Choose ${COMPRESSIONS.join(', ')}.`)
  return {
    target: { ...whole, engines: whole.engines.filter(({ backend }) => !without.includes(backend)) },
    out: resolve(values.out ?? join(root, 'out', 'package')),
    offline: values.offline === true,
    electron: values.electron === undefined ? null : resolve(values.electron),
    compression,
    required: listOf(values.require, ['deb', 'electron', 'nsis', 'msi', 'portable']),
    json: values.json === true,
  }
}

function listOf(text: string | undefined, known: readonly string[]): string[] {
  const list = text === undefined ? [] : text.split(',').filter((one) => one !== '')
  const unknown = list.find((one) => !known.includes(one))
  if (unknown !== undefined) throw new WrongUse(`“${unknown}” is none of ${known.join(', ')}.`)
  return list
}

const say = (text: string) => process.stderr.write(text + '\n')

function main(args: string[]): number {
  const options = readOptions(args)
  if (!options) return (process.stdout.write(help + '\n'), 0)
  const { target, out } = options
  const notMade: NotMade[] = []
  const staged = join(root, 'out', 'package', 'stage', target.name)
  const plan = planStage(root, target)
  const complete = stageWhole(options, plan, staged, notMade)
  const contents = checkContents(staged, target, plan)
  mkdirSync(out, { recursive: true })
  const base = `rushlight-${plan.manifest.version}-${target.name}`
  const sbom = join(out, `${base}.cdx.json`)
  const epoch = process.env['SOURCE_DATE_EPOCH']
  const when = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000).toISOString()
  writeFileSync(sbom, JSON.stringify(createBom(root, target, plan, when), null, 2) + '\n')
  const made: Made[] = [{ what: 'sbom', file: sbom, bytes: statSync(sbom).size }]
  // a package whose content is not as declared is not built: somebody would install it
  if (contents.problems.length > 0)
    notMade.push({ what: 'packages', why: 'The staged program is not as declared; see the problems. Nothing was packed.' })
  else packWhole(options, staged, sbom, made, notMade)
  return report(options, made, notMade, contents, complete)
}

function stageWhole({ target, offline }: Options, plan: Plan, staged: string, notMade: NotMade[]): boolean {
  let absent = stage(root, target, plan, staged)
  if (absent.length > 0 && !offline) {
    const fault = fetchPackages(root, target, [...plan.packages, ...plan.natives], say)
    if (fault !== null) say(`Not fetched: ${fault}.`)
    absent = stage(root, target, plan, staged)
  }
  for (const { name, version } of absent)
    notMade.push({
      what: name,
      why: `${name} ${version} is not on this computer. Run without --offline where the registry can be reached, or leave it out with --without.`,
    })
  return absent.length === 0
}

function packWhole(options: Options, staged: string, sbom: string, made: Made[], notMade: NotMade[]): void {
  const { target, out, electron, compression } = options
  const manifest = readManifest(root)
  if (target.os === 'linux') {
    if (!hasDpkgDeb()) notMade.push({ what: 'deb', why: 'dpkg-deb is not on this computer. Package on Debian or Ubuntu.' })
    else {
      const work = join(root, 'out', 'package', 'deb-tree')
      const file = buildDeb({ staged, work, out, sbom, icon: join(root, 'renderer', 'icon.svg'), manifest, compression })
      rmSync(work, { recursive: true, force: true })
      made.push({ what: 'deb', file, bytes: statSync(file).size })
    }
  }
  try {
    const job = { root, target, staged, out, version: manifest.version, electron }
    const folder = electronFolder(job)
    made.push({ what: 'electron', file: folder, bytes: bytesUnder(folder) })
    if (target.os !== 'win32') return
    const windows = windowsInstallers(job, folder)
    made.push(...windows.made)
    notMade.push(...windows.notMade)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    for (const what of target.os === 'win32' ? ['electron', 'nsis', 'msi', 'portable'] : ['electron']) notMade.push({ what, why })
  }
}

function report({ target, required, json }: Options, made: Made[], notMade: NotMade[], contents: ContentReport, complete: boolean): number {
  const largest = Math.max(contents.bytes, ...made.map(({ bytes }) => bytes))
  const missing = required.filter((what) => !made.some((one) => one.what.split(' ')[0] === what))
  const goals = [
    { id: 'content problems', value: contents.problems.length, unit: '', target: 0, ok: contents.problems.length === 0 },
    { id: 'largest package or staged program', value: largest / 1e9, unit: 'GB', target: MOST_BYTES / 1e9, ok: largest <= MOST_BYTES },
    { id: 'required packages missing', value: missing.length, unit: '', target: 0, ok: missing.length === 0 },
  ]
  const rows = made.map((one) => ({ ...one, file: relative(root, one.file) }))
  const machine = { system: process.platform, processor: process.arch, node: process.versions.node }
  if (json)
    process.stdout.write(JSON.stringify({ name: 'package', machine, target: target.name, rows, targets: goals, notMade, contents }, null, 2) + '\n')
  else {
    process.stdout.write(`Staged for ${target.name}: ${contents.files} files, ${(contents.bytes / 1e6).toFixed(1)} MB\n`)
    for (const { what, file, bytes } of rows)
      process.stdout.write(`made      ${what.padEnd(10)} ${(bytes / 1e6).toFixed(1).padStart(8)} MB  ${file}\n`)
    for (const { what, why } of notMade) process.stdout.write(`not made  ${what.padEnd(10)} ${why}\n`)
    for (const { kind, file, says } of contents.problems) process.stdout.write(`problem   ${kind}: ${file}: ${says}\n`)
  }
  return complete && goals.every(({ ok }) => ok) ? 0 : 1
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  const wrong = error instanceof WrongUse || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  say((error instanceof Error ? error.message : String(error)) + (wrong ? `\n\n${help}` : ''))
  process.exitCode = wrong ? 2 : 1
}
