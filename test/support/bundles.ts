// Owns the small bundles of the tests: files, keys, and signed manifests of any content, also of such as the workshop would never write.
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TAR_END, tarHeader, tarPadding } from '../../app/library/bundle/container.ts'
import type { BundleManifest } from '../../app/library/bundle/manifest.ts'
import { publicKeyText, signManifest } from '../../app/library/bundle/signature.ts'

export const CHUNK = 4096
export interface Signer {
  key: KeyObject
  trusted: string
}
export function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519')
  return { key: privateKey, trusted: publicKeyText(privateKey) }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A manifest for these files; `change` makes of it whatever a test wants to have signed. */
export function manifestOf(files: Readonly<Record<string, Buffer>>, change: Record<string, unknown> = {}): Record<string, unknown> {
  const entries = Object.entries(files).map(([path, content]) => ({
    ...{ path, kind: 'other', bytes: content.length, sha256: sha256(content) },
    chunks: Array.from({ length: Math.ceil(content.length / CHUNK) }, (_, n) => sha256(content.subarray(n * CHUNK, (n + 1) * CHUNK))),
  }))
  const base: BundleManifest = {
    ...{ format: 1, id: 'test', version: 1, label: 'one', made: '2026-01-01T00:00:00.000Z', expires: null, leastProgram: '0.1.0', chunkBytes: CHUNK },
    files: entries as BundleManifest['files'],
  }
  return { ...base, ...change }
}

/** Writes a folder bundle of `manifest`, signed, with the files as they are given. */
export function writeBundle(folder: string, signer: Signer, manifest: unknown, files: Readonly<Record<string, Buffer>>): string {
  mkdirSync(folder, { recursive: true })
  const signed = Buffer.from(JSON.stringify(manifest))
  writeFileSync(join(folder, 'bundle.json'), signed)
  writeFileSync(join(folder, 'bundle.sig'), signManifest(signed, signer.key))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** The same as one file. */
export function writeOneFileBundle(path: string, signer: Signer, manifest: unknown, files: Readonly<Record<string, Buffer>>): string {
  const signed = Buffer.from(JSON.stringify(manifest))
  const parts = Object.entries({ 'bundle.json': signed, 'bundle.sig': signManifest(signed, signer.key), ...files }).flatMap(([name, content]) => [
    tarHeader(name, content.length),
    content,
    Buffer.alloc(tarPadding(content.length)),
  ])
  writeFileSync(path, Buffer.concat([...parts, Buffer.alloc(TAR_END)]))
  return path
}
