// Owns reading a bundle where it lies, a folder or one file: what a hostile stick may hold ends here as a refusal.
import { constants } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sizeInHeader, TAR_BLOCK, tarHeader, tarLayout, tarPadding } from './container.ts'
import { MANIFEST_BYTES, MANIFEST_FILE, readBundleManifest, SIGNATURE_FILE, type BundleFile, type BundleManifest } from './manifest.ts'
import { refuseBundle } from './refusal.ts'
import { SIGNATURE_BYTES, verifyManifest } from './signature.ts'

/** A bundle whose manifest is proved; its files are not yet. */
export interface BundleSource {
  readonly manifest: BundleManifest
  /** The manifest's own bytes, as signed. */
  readonly signed: Buffer
  readonly signature: Buffer
  readonly signer: string
  /** Calls `read` with a reader of one file: `at(position, into)` fills `into` or throws half_copied. Throws link, half_copied, unreadable. */
  withFile<T>(file: BundleFile, read: (at: (position: number, into: Buffer) => Promise<void>) => Promise<T>): Promise<T>
}

/** Opens and proves the manifest before anything in it is believed. Throws a refusal. */
export async function openBundle(path: string, trusted: readonly string[]): Promise<BundleSource> {
  const stats = await lstat(path).catch(() => null)
  if (!stats) throw refuseBundle('not_a_bundle')
  if (stats.isSymbolicLink()) throw refuseBundle('link')
  return readable(() => (stats.isDirectory() ? openFolder(path, trusted) : openOneFile(path, trusted)))
}

async function openFolder(folder: string, trusted: readonly string[]): Promise<BundleSource> {
  const signed = await whole(join(folder, MANIFEST_FILE), MANIFEST_BYTES)
  const signature = await whole(join(folder, SIGNATURE_FILE), SIGNATURE_BYTES)
  const signer = verifyManifest(signed, signature, trusted)
  return {
    ...{ manifest: readBundleManifest(signed), signed, signature, signer },
    withFile: ({ path, bytes }, read) =>
      readable(async () => {
        // a folder on the way may be a link as well
        for (let above = dirname(path); above !== '.'; above = dirname(above)) await refuseLink(join(folder, above), path)
        return withHandle(join(folder, path), async (handle, size) => {
          if (size !== bytes) throw refuseBundle(size < bytes ? 'half_copied' : 'tampered', { path })
          return read((position, into) => fill(handle, position, into, path))
        })
      }),
  }
}

async function openOneFile(path: string, trusted: readonly string[]): Promise<BundleSource> {
  const { signed, signature } = await withHandle(path, async (handle, size) => {
    const part = async (at: number, name: string, most: number) => {
      if (size < at + TAR_BLOCK) throw refuseBundle('not_a_bundle')
      const header = Buffer.alloc(TAR_BLOCK)
      await fill(handle, at, header, name)
      const bytes = sizeInHeader(header, name)
      if (bytes === null || bytes > most) throw refuseBundle('not_a_bundle')
      const content = Buffer.alloc(bytes)
      await fill(handle, at + TAR_BLOCK, content, name)
      return content
    }
    const signed = await part(0, MANIFEST_FILE, MANIFEST_BYTES)
    const next = TAR_BLOCK + signed.length + tarPadding(signed.length)
    return { signed, signature: await part(next, SIGNATURE_FILE, SIGNATURE_BYTES) }
  })
  const signer = verifyManifest(signed, signature, trusted)
  const manifest = readBundleManifest(signed)
  const layout = new Map(tarLayout(manifest, signed.length, signature.length).map((one) => [one.name, one]))
  return {
    ...{ manifest, signed, signature, signer },
    withFile: (file, read) =>
      readable(() =>
        withHandle(path, async (handle) => {
          const { header, bytes } = layout.get(file.path)!
          const stated = Buffer.alloc(TAR_BLOCK)
          await fill(handle, header, stated, file.path)
          if (!stated.equals(tarHeader(file.path, bytes))) throw refuseBundle('tampered', { path: file.path })
          return read((position, into) => fill(handle, header + TAR_BLOCK + position, into, file.path))
        }),
      ),
  }
}

async function whole(path: string, most: number): Promise<Buffer> {
  return withHandle(path, async (handle, size) => {
    if (size > most) throw refuseBundle('too_large')
    return handle.readFile()
  })
}

/** Regular files only: opening a link, a pipe or a device of the stick could lead anywhere or never end. */
async function withHandle<T>(path: string, work: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  await refuseLink(path, path)
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw refuseBundle('not_a_bundle')
    return await work(handle, stats.size)
  } finally {
    await handle.close()
  }
}

async function refuseLink(path: string, named: string): Promise<void> {
  if ((await lstat(path)).isSymbolicLink()) throw refuseBundle('link', { path: named })
}

async function fill(handle: FileHandle, position: number, into: Buffer, path: string): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw refuseBundle('half_copied', { path })
    done += bytesRead
  }
}

/** What the disk says in words of the import; a refusal, a stop and a fault of the program stay what they are. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refuseBundle('half_copied', {}, error)
    if (code === 'ELOOP') throw refuseBundle('link', {}, error)
    if (code === 'EIO' || code === 'EACCES' || code === 'EPERM' || code === 'ENXIO' || code === 'ENODEV' || code === 'EISDIR')
      throw refuseBundle('unreadable', {}, error)
    throw error
  }
}
