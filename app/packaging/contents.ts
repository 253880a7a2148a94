// Owns the declared list of what a staged program may hold and must hold, and the check of a folder against it.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { binaryKind, runsOn } from './binary.ts'
import { filesUnder, type Plan } from './stage.ts'
import type { Target } from './target.ts'

export interface Rule {
  /** Named in every message. */
  readonly id: string
  readonly matches: (file: string) => boolean
  /** Bytes that one file of this kind may have. */
  readonly most: number
  /** May such a file be machine code? */
  readonly code?: true
}
export interface Problem {
  readonly kind: 'not allowed' | 'missing' | 'foreign' | 'too large' | 'no file for rule'
  readonly file: string
  readonly says: string
}
export interface ContentReport {
  readonly files: number
  readonly bytes: number
  readonly byRule: Readonly<Record<string, { files: number; bytes: number }>>
  readonly problems: readonly Problem[]
}

/** NSIS cannot hold 2 GB, and electron-builder then writes a broken installer without a word. Models lie beside the installer. */
export const MOST_BYTES = 1.9e9
const KiB = 1024
const MiB = 1024 * KiB
const packageFile = /\.(?:[cm]?js|json|wasm|node|html|css|gbnf)$|(?:^|\/)(?:licen[cs]e|notice|copying|copyright)[^/]*$|(?:^|\/)bin\/[\w-]+$/i

/** Files without which the program does not start. */
const needed = [
  ...['package.json', 'LICENSE', 'out/app/main.js', 'out/app/headless.js', 'out/app/ask-cli.js', 'out/app/engine.js', 'out/app/probe.js'],
  ...['out/preload/preload.cjs', 'out/renderer/index.html', 'models/catalog.json', 'models/prompts/base.md'],
  ...['node_modules/node-llama-cpp/llama/binariesGithubRelease.json', 'node_modules/node-llama-cpp/llama/llama.cpp.info.json'],
]

/** Every file belongs to the first rule that it matches; a file without one may not be there, and a rule without a file is a fault as well. */
export function rulesFor(target: Target, plan: Plan): Rule[] {
  const form = (id: string, most: number, pattern: RegExp): Rule => ({ id, most, matches: (file) => pattern.test(file) })
  const engines = target.engines.map(({ name }) => `node_modules/${name}/`)
  // the longest first: a package inside another is not the other's file
  const folders = plan.packages.map(({ path }) => path + '/').sort((a, b) => b.length - a.length)
  const sqlite = `node_modules/better-sqlite3/prebuilds/${target.sqlite}`
  const library = target.os === 'win32' ? /\.(?:dll|node)$/ : /\.(?:so(?:\.[\d.]+)?|node)$/
  return [
    form('manifest', 64 * KiB, /^package\.json$/),
    form('licence', 64 * KiB, /^LICENSE$/),
    form('program', 16 * MiB, /^out\/app\/[\w.-]+\.(?:js|wasm)$/),
    form('bridge', MiB, /^out\/preload\/preload\.cjs$/),
    form('page', 8 * MiB, /^out\/renderer\/(?:index\.html|assets\/[\w.-]+\.(?:js|css|svg|woff2|png))$/),
    form('catalogue', MiB, /^models\/catalog\.json$/),
    form('prompts', MiB, /^models\/prompts\/[\w-]+\.md$/),
    form('terms', 8 * MiB, /^models\/terms\/[\w-]+\.(?:tsv|jsonl)$/),
    form('records', 16 * MiB, /^models\/corpus\/(?!calibration\.)[\w-]+\.jsonl$/),
    form('word vectors', 64 * MiB, /^models\/embedder\/[\w-]+\.(?:md|json|vec)$/i),
    form('starter model', 400 * MiB, /^models\/starter\/[\w.-]+\.(?:gguf|md|json)$/i),
    form('policy templates', MiB, /^models\/policy\/(?:policy\.json|rushlight\.admx|[a-z]{2}-[A-Z]{2}\/rushlight\.adml)$/),
    { id: 'sqlite', most: 16 * MiB, code: true, matches: (file) => file === sqlite },
    {
      ...{ id: 'engines', most: 700 * MiB, code: true },
      matches: (file) => engines.some((folder) => file.startsWith(folder + 'bins/')) && library.test(file),
    },
    {
      ...{ id: 'engine packages', most: MiB },
      matches: (file) => engines.some((folder) => file.startsWith(folder)) && packageFile.test(file) && !library.test(file),
    },
    {
      ...{ id: 'packages', most: 8 * MiB, code: true },
      matches: (file) => {
        const folder = folders.find((one) => file.startsWith(one))
        return folder !== undefined && !file.slice(folder.length).includes('node_modules/') && packageFile.test(file)
      },
    },
    ...(target.runtime
      ? [{ id: 'runtime', most: 200 * MiB, code: true, matches: (file: string) => /^runtime\/(?:node|LICENSE)$/.test(file) } as const]
      : []),
  ]
}

/** Looks at every file below `folder`. Reads 4 KiB of each. Throws only what the file system throws. */
export function checkContents(folder: string, target: Target, plan: Plan): ContentReport {
  const rules = rulesFor(target, plan)
  const byRule: Record<string, { files: number; bytes: number }> = Object.fromEntries(rules.map(({ id }) => [id, { files: 0, bytes: 0 }]))
  const problems: Problem[] = []
  const files = filesUnder(folder)
  let bytes = 0
  for (const file of files) {
    const path = join(folder, file)
    const size = statSync(path).size
    bytes += size
    const rule = rules.find((one) => one.matches(file))
    const kind = binaryKind(path)
    if (kind && !runsOn(kind, target))
      problems.push({ kind: 'foreign', file, says: `It is ${kind.format} for ${kind.machine}, and ${target.name} cannot run that.` })
    if (!rule) {
      problems.push({ kind: 'not allowed', file, says: 'No rule of app/packaging/contents.ts allows it.' })
      continue
    }
    byRule[rule.id]!.files++
    byRule[rule.id]!.bytes += size
    if (kind && rule.code !== true) problems.push({ kind: 'not allowed', file, says: `It is machine code where “${rule.id}” has none.` })
    if (size > rule.most) problems.push({ kind: 'too large', file, says: `${size} bytes; “${rule.id}” allows ${rule.most}.` })
  }
  const there = new Set(files)
  for (const file of neededFiles(target))
    if (!there.has(file)) problems.push({ kind: 'missing', file, says: `Without it ${target.name} does not run.` })
  for (const { path } of plan.packages)
    if (!there.has(`${path}/package.json`))
      problems.push({ kind: 'missing', file: path, says: 'The program imports this package, itself or through another.' })
  for (const { id } of rules)
    if (byRule[id]!.files === 0)
      problems.push({ kind: 'no file for rule', file: id, says: 'The rule has no file: the list is out of date or the stage is incomplete.' })
  if (bytes > MOST_BYTES) problems.push({ kind: 'too large', file: '.', says: `${bytes} bytes in all; an installer holds at most ${MOST_BYTES}.` })
  return { files: files.length, bytes, byRule, problems }
}

function neededFiles(target: Target): string[] {
  const engines = target.engines.flatMap(({ name, files }) => files.map((file) => `node_modules/${name}/${file}`))
  return [...needed, ...engines, `node_modules/better-sqlite3/prebuilds/${target.sqlite}`, ...(target.runtime ? ['runtime/node'] : [])]
}
