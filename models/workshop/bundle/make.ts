// Owns the making of a signed bundle from files of this computer: hashed, named, signed, written as a folder or as one file.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { factOf, readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { readAdvisory } from '../../../app/library/bundle/advisories.ts'
import { TAR_BLOCK, TAR_END, tarHeader, tarPadding } from '../../../app/library/bundle/container.ts'
import {
  bundleBytes,
  MANIFEST_FILE,
  readBundleManifest,
  SIGNATURE_FILE,
  type BundleFile,
  type BundleManifest,
} from '../../../app/library/bundle/manifest.ts'
import { publicKeyText, signManifest } from '../../../app/library/bundle/signature.ts'
import { CHUNK_BYTES, hashFile } from '../../../app/library/manifest.ts'
import { writeWhole } from '../output.ts'
import type { VerbContext } from '../verb.ts'

export interface BundlePlan {
  out: string
  key: KeyObject
  id: string
  version: number
  label: string
  expires: string | null
  leastProgram: string
  made: string
  force: boolean
  /** Files and folders; a folder's files keep their path below its name. */
  inputs: readonly string[]
  /** For tests with small files. */
  chunkBytes?: number
}
interface Input {
  path: string
  name: string
}

/** `.rlbundle`: one file; anything else: a folder. */
export const isOneFile = (out: string): boolean => extname(out).toLowerCase() === '.rlbundle'

/** Reads an Ed25519 private key from a PEM file. `passphrase` for one that is encrypted. Throws SOURCE_INVALID. */
export async function readPrivateKey(path: string, passphrase: string | undefined): Promise<KeyObject> {
  const file = basename(path)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: await readFile(path), format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (error) {
    throw new AppError(
      'SOURCE_INVALID',
      `${file} is no private key that can be opened. Make one: openssl genpkey -algorithm ed25519 -out ${file}`,
      { file },
      error,
    )
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new AppError('SOURCE_INVALID', `${file} is no Ed25519 key. Make one: openssl genpkey -algorithm ed25519 -out ${file}`, { file })
  return key
}

/** Writes the bundle whole or not at all. Throws MANIFEST_INVALID for names or sizes that no bundle may have, SOURCE_INVALID, OUTPUT_*, DISK_FULL. */
export async function makeBundle(plan: BundlePlan, { signal, progress }: VerbContext): Promise<BundleManifest> {
  const inputs = await found(plan.inputs)
  const sizes = await Promise.all(inputs.map(async ({ path }) => (await stat(path)).size))
  progress.stage(
    'hashing',
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  )
  const chunkBytes = plan.chunkBytes ?? CHUNK_BYTES
  const files: BundleFile[] = []
  let before = 0
  for (const [n, { path, name }] of inputs.entries()) {
    const hashes = await hashFile(path, { chunkBytes, signal, onBytes: (done) => progress.at(before + done, name) })
    before += sizes[n]!
    files.push({ path: name, kind: await kindOf(path, name), ...hashes })
  }
  const { id, version, label, made, expires, leastProgram } = plan
  const signed = Buffer.from(JSON.stringify({ format: 1, id, version, label, made, expires, leastProgram, chunkBytes, files }))
  // by the very reader that a clinic's computer has: what it would refuse is not written
  const manifest = readBundleManifest(signed)
  const signature = signManifest(signed, plan.key)
  progress.stage('writing', bundleBytes(manifest))
  if (isOneFile(plan.out)) await writeOneFile(plan, inputs, manifest, { signed, signature }, { signal, progress })
  else await writeFolder(plan, inputs, { signed, signature }, { signal, progress })
  return manifest
}

/** The signer's public key, as the policy wants it. */
export const signerOf = (key: KeyObject): string => publicKeyText(key)

async function found(paths: readonly string[]): Promise<Input[]> {
  const all: Input[] = []
  const walk = async (path: string, name: string) => {
    const stats = await lstat(path).catch(() => null)
    if (!stats) throw new AppError('SOURCE_INVALID', `${name} is not there. Check its name.`, { file: name })
    if (stats.isDirectory()) for (const entry of (await readdir(path)).sort()) await walk(join(path, entry), `${name}/${entry}`)
    else if (stats.isFile()) all.push({ path, name })
    else throw new AppError('SOURCE_INVALID', `${name} is no regular file. Put the real file in its place.`, { file: name })
  }
  for (const path of paths) await walk(resolve(path), basename(resolve(path)))
  return all
}

/** By what the file is, so that nobody has to say it: header words of a GGUF, name of the rest. */
async function kindOf(path: string, name: string): Promise<BundleFile['kind']> {
  const base = basename(name).toLowerCase()
  if (base.endsWith('.gguf')) {
    const header = await readGgufHeader(path, { values: 'facts' })
    if (factOf(header, 'general.type') === 'adapter') return 'adapter'
    return factOf(header, KEYS.mergedFrom) === undefined ? 'model' : 'merged'
  }
  if (base.endsWith('.manifest.json')) return 'manifest'
  if (base.endsWith('.advisory.json')) {
    readAdvisory(await readFile(path, 'utf8'))
    return 'advisory'
  }
  if (name.includes('prompts/')) return 'prompts'
  if (name.includes('terms/') || base.endsWith('.tsv')) return 'terms'
  return base.endsWith('.md') ? 'card' : 'other'
}

interface Proof {
  signed: Buffer
  signature: Buffer
}

async function writeOneFile(
  plan: BundlePlan,
  inputs: readonly Input[],
  manifest: BundleManifest,
  { signed, signature }: Proof,
  { signal, progress }: VerbContext,
) {
  const bytes = bundleBytes(manifest) + signed.length + signature.length + (manifest.files.length + 2) * 2 * TAR_BLOCK + TAR_END
  await writeWhole(plan.out, { bytes, inputs: inputs.map(({ path }) => path), force: plan.force, signal }, async (handle) => {
    for (const [name, content] of [
      [MANIFEST_FILE, signed],
      [SIGNATURE_FILE, signature],
    ] as const)
      await handle.write(Buffer.concat([tarHeader(name, content.length), content, Buffer.alloc(tarPadding(content.length))]))
    let done = 0
    for (const [n, { path, name }] of inputs.entries()) {
      await handle.write(tarHeader(name, manifest.files[n]!.bytes))
      let written = 0
      for await (const piece of createReadStream(path, { highWaterMark: 4 * 1024 * 1024, signal })) {
        const part = piece as Buffer
        await handle.write(part)
        written += part.length
        progress.at((done += part.length), name)
      }
      refuseChanged(written, manifest.files[n]!)
      await handle.write(Buffer.alloc(tarPadding(written)))
    }
    await handle.write(Buffer.alloc(TAR_END))
  })
}

async function writeFolder(plan: BundlePlan, inputs: readonly Input[], { signed, signature }: Proof, { signal, progress }: VerbContext) {
  const out = resolve(plan.out)
  const name = basename(out)
  if (await stat(out).catch(() => null))
    throw new AppError('OUTPUT_EXISTS', `${name} is already there. Choose another name, or remove it first.`, { file: name })
  const partial = join(dirname(out), `.${name}.${process.pid}.part`)
  try {
    await mkdir(partial, { recursive: true })
    let done = 0
    for (const { path, name } of inputs) {
      signal.throwIfAborted()
      const target = join(partial, ...name.split('/'))
      await mkdir(dirname(target), { recursive: true })
      await copyFile(path, target)
      await synced(target)
      progress.at((done += (await stat(target)).size), name)
    }
    for (const [name, content] of [
      [SIGNATURE_FILE, signature],
      [MANIFEST_FILE, signed],
    ] as const) {
      const handle = await open(join(partial, name), 'w')
      await handle.writeFile(content)
      await handle.sync()
      await handle.close()
    }
    await rename(partial, out)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new AppError('DISK_FULL', undefined, { file: name }, error)
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOENT')
      throw new AppError('OUTPUT_NOT_WRITABLE', undefined, { file: name }, error)
    throw error
  }
}

function refuseChanged(written: number, { path, bytes }: BundleFile): void {
  if (written !== bytes)
    throw new AppError('SOURCE_INVALID', `${path} was changed while it was read. Try again when nothing writes to it.`, { file: path })
}

async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.sync().finally(() => handle.close())
}
