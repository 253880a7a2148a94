// Owns the bill of materials: CycloneDX 1.5 of every npm package, Electron, llama.cpp and every model that is shipped, with hashes.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packagesFor, type LockPackage } from './lock.ts'
import { filesUnder, type Plan } from './stage.ts'
import type { Target } from './target.ts'

export interface Component {
  readonly type: 'library' | 'framework' | 'machine-learning-model' | 'application'
  readonly 'bom-ref': string
  readonly name: string
  readonly group?: string
  readonly version: string
  readonly purl?: string
  readonly hashes?: readonly { readonly alg: 'SHA-512' | 'SHA-256'; readonly content: string }[]
  readonly licenses?: readonly object[]
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}
export interface Bom {
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: '1.5'
  readonly serialNumber: string
  readonly version: 1
  readonly metadata: { readonly timestamp: string; readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

/**
 * The bill of one target. Packages are those that a production install of the lock file would have, whether they are files of the program or
 * bundled into it, and those that the page is built from.
 * @param when ISO time, so that a build can be repeated
 */
export function createBom(root: string, target: Target, plan: Plan, when: string): Bom {
  const { lock, manifest } = plan
  const packaged = new Set([...plan.packages, ...plan.natives].map(refOf))
  const production = [...packagesFor(lock, Object.keys(manifest.dependencies), target), ...plan.natives]
  const shipped = new Set(production.map(refOf))
  const page = packagesFor(lock, pagePackages(root, plan), target).filter((one) => !shipped.has(refOf(one)))
  const npm = new Map<string, { one: LockPackage; part: string }>()
  for (const one of production) npm.set(refOf(one), { one, part: packaged.has(refOf(one)) ? 'files' : 'bundled where the program uses it' })
  for (const one of page) npm.set(refOf(one), { one, part: 'page, bundled' })
  const everyPackage = [...npm].sort(([a], [b]) => (a < b ? -1 : 1))
  const main: Component = {
    ...{ type: 'application', 'bom-ref': `pkg:npm/${manifest.name}@${manifest.version}`, name: manifest.name, version: manifest.version },
    licenses: licences(manifest.license),
  }
  const components = [
    ...everyPackage.map(([, { one, part }]) => component(root, one, part)),
    electron(root, target, plan),
    llama(root),
    ...models(root),
  ]
  const byPath = new Map([...production, ...page].map((one) => [one.path, one]))
  const dependencies = [
    { ref: main['bom-ref'], dependsOn: components.map((one) => one['bom-ref']).filter((ref) => !ref.startsWith('pkg:npm/') || isDirect(ref, plan)) },
    ...everyPackage.map(([ref, { one }]) => ({ ref, dependsOn: unique(one.needs.flatMap((path) => byPath.get(path) ?? []).map(refOf)) })),
  ]
  const body = { metadata: { timestamp: when, component: main }, components, dependencies }
  return { bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`, version: 1, ...body }
}

/** A package URL; the same version in two folders is one component. */
export function refOf({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

/** Development packages that the page imports: they are shipped, inside its bundle. */
function pagePackages(root: string, { lock, manifest }: Plan): string[] {
  const folder = join(root, 'renderer')
  const found = new Set<string>()
  for (const file of filesUnder(folder).filter((name) => /\.(?:ts|svelte)$/.test(name) && name !== 'vite.config.ts'))
    for (const [, name = ''] of readFileSync(join(folder, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^'./][^']*)'/g))
      found.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
  return Object.keys(manifest.devDependencies).filter((name) => found.has(name) && `node_modules/${name}` in lock)
}

function isDirect(ref: string, { lock, manifest }: Plan): boolean {
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).some(
    (name) => refOf({ name, version: lock[`node_modules/${name}`]?.version ?? '' }) === ref,
  )
}

function component(root: string, one: LockPackage, part: string): Component {
  const [group, name] = one.name.startsWith('@') ? one.name.split('/', 2) : [undefined, one.name]
  const stated = one.licence === null ? headline(join(root, one.path, 'LICENSE')) : licences(one.licence)
  return {
    ...{ type: 'library', 'bom-ref': refOf(one), ...(group === undefined ? {} : { group }), name: name!, version: one.version, purl: refOf(one) },
    ...(one.integrity?.startsWith('sha512-') === true
      ? { hashes: [{ alg: 'SHA-512' as const, content: Buffer.from(one.integrity.slice('sha512-'.length), 'base64').toString('hex') }] }
      : {}),
    ...(stated === null ? {} : { licenses: stated }),
    properties: [{ name: 'rushlight:shipped-as', value: part }],
  }
}

function licences(text: string): object[] {
  return / |\(/.test(text) ? [{ expression: text }] : [{ license: { id: text } }]
}

/** For a package that names no licence by its identifier: the heading of the text that lies in it. */
function headline(file: string): object[] | null {
  if (!existsSync(file)) return null
  const name = readFileSync(file, 'utf8').trim().split('\n', 1)[0]!.trim()
  return name === '' ? null : [{ license: { name } }]
}

/** Its archive's hash is the one that came inside the npm package, under the lock file's own. */
function electron(root: string, target: Target, { lock }: Plan): Component {
  const version = lock['node_modules/electron']?.version ?? ''
  const file = join(root, 'node_modules', 'electron', 'checksums.json')
  const archive = `electron-v${version}-${target.os}-${target.cpu}.zip`
  const hash = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)[archive] : undefined
  return {
    ...{ type: 'framework', 'bom-ref': `pkg:github/electron/electron@v${version}`, name: 'electron', version },
    ...{ purl: `pkg:github/electron/electron@v${version}`, licenses: licences('MIT') },
    ...(hash === undefined ? {} : { hashes: [{ alg: 'SHA-256' as const, content: hash }] }),
    properties: [{ name: 'rushlight:archive', value: archive }],
  }
}

/** Version or commit as node-llama-cpp states it of the binaries that it publishes. */
function llama(root: string): Component {
  const file = join(root, 'node_modules', 'node-llama-cpp', 'llama', 'llama.cpp.info.json')
  const { tag, llamaCppGithubRepo: repository, commit } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | undefined>
  if (tag === undefined || repository === undefined) throw new Error(`${file} states no version of llama.cpp. Install the packages again.`)
  const purl = `pkg:github/${repository}@${commit ?? tag}`
  const properties = [{ name: 'rushlight:commit', value: commit ?? 'not stated by the package; the tag names it' }]
  return { type: 'library', 'bom-ref': purl, name: 'llama.cpp', version: tag, purl, licenses: licences('MIT'), properties }
}

/** Files with weights below models/: the starter and the word vectors, by hash. */
function models(root: string): Component[] {
  const folder = join(root, 'models')
  return ['starter', 'embedder'].flatMap((part) =>
    filesUnder(join(folder, part))
      .filter((file) => /\.(?:gguf|vec)$/.test(file))
      .map((file): Component => {
        const content = createHash('sha256')
          .update(readFileSync(join(folder, part, file)))
          .digest('hex')
        const ref = `model:${part}/${file}`
        return {
          type: 'machine-learning-model',
          'bom-ref': ref,
          name: file,
          version: content.slice(0, 12),
          hashes: [{ alg: 'SHA-256', content }],
          licenses: licences('Apache-2.0'),
        }
      }),
  )
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)]
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
