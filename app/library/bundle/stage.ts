// Owns the copy of a bundle from the stick into a folder that nothing uses yet: piece by piece, each proved as it is written, resumable.
import { createHash } from 'node:crypto'
import { mkdir, open, statfs, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { bundleBytes, MANIFEST_FILE, SIGNATURE_FILE, type BundleFile } from './manifest.ts'
import { refuseBundle } from './refusal.ts'
import type { BundleSource } from './source.ts'

/** Left free beside the models: the system and the database need some. */
const RESERVE_BYTES = 256 * 1024 * 1024
const READ_BYTES = 4 * 1024 * 1024

export interface StageOptions {
  signal?: AbortSignal
  /** Bytes proved and in place, of all. */
  onBytes?: (done: number, total: number) => void
}

/**
 * Fills `folder` with the bundle's files. What an earlier attempt has left there is read and proved again, and the copy goes on at the first
 * piece that is not right, so that a journal could not lie. Returns how many bytes had not to be copied. Throws a refusal, or the signal's reason.
 */
export async function stage(source: BundleSource, folder: string, options: StageOptions = {}): Promise<number> {
  const total = bundleBytes(source.manifest)
  let [done, kept] = [0, 0]
  const step = (bytes: number) => options.onBytes?.((done += bytes), total)
  await writable(async () => {
    await mkdir(folder, { recursive: true, mode: 0o755 })
    await refuseFull(folder, source)
    for (const file of source.manifest.files) {
      const target = join(folder, ...file.path.split('/'))
      await mkdir(dirname(target), { recursive: true, mode: 0o755 })
      const handle = await open(target, 'a+')
        .then((made) => made.close())
        .then(() => open(target, 'r+'))
      try {
        const right = await provedPieces(handle, file, source.manifest.chunkBytes, options.signal)
        kept += right.bytes
        step(right.bytes)
        await handle.truncate(right.bytes)
        if (right.bytes < file.bytes) await copy(source, file, handle, right.pieces, { signal: options.signal, step })
        await handle.sync()
      } finally {
        await handle.close()
      }
    }
    // the manifest last: a folder that has one has everything that it names
    for (const [name, bytes] of [
      [SIGNATURE_FILE, source.signature],
      [MANIFEST_FILE, source.signed],
    ] as const) {
      const handle = await open(join(folder, name), 'w', 0o644)
      await handle.writeFile(bytes)
      await handle.sync()
      await handle.close()
    }
  })
  return kept
}

async function copy(
  source: BundleSource,
  file: BundleFile,
  handle: FileHandle,
  from: number,
  { signal, step }: { signal: AbortSignal | undefined; step: (bytes: number) => void },
): Promise<void> {
  const { chunkBytes } = source.manifest
  await source.withFile(file, async (at) => {
    for (let n = from; n < file.chunks.length; n++) {
      const begin = n * chunkBytes
      const end = Math.min(file.bytes, begin + chunkBytes)
      const hash = createHash('sha256')
      for (let position = begin; position < end; position += READ_BYTES) {
        signal?.throwIfAborted()
        const piece = Buffer.alloc(Math.min(READ_BYTES, end - position))
        await at(position, piece)
        hash.update(piece)
        await writeAll(handle, piece, position)
      }
      if (hash.digest('hex') !== file.chunks[n]) {
        // not even for the next attempt
        await handle.truncate(begin)
        throw refuseBundle('tampered', { path: file.path, piece: n })
      }
      step(end - begin)
    }
  })
}

/** How much of the file lies there already and is right, in whole pieces. */
async function provedPieces(
  handle: FileHandle,
  file: BundleFile,
  chunkBytes: number,
  signal: AbortSignal | undefined,
): Promise<{ pieces: number; bytes: number }> {
  const { size } = await handle.stat()
  let [pieces, bytes] = [0, 0]
  for (const wanted of file.chunks) {
    const end = Math.min(file.bytes, bytes + chunkBytes)
    if (size < end) break
    const hash = createHash('sha256')
    for (let position = bytes; position < end; position += READ_BYTES) {
      signal?.throwIfAborted()
      const piece = Buffer.alloc(Math.min(READ_BYTES, end - position))
      const { bytesRead } = await handle.read(piece, 0, piece.length, position)
      hash.update(piece.subarray(0, bytesRead))
    }
    if (hash.digest('hex') !== wanted) break
    pieces++
    bytes = end
  }
  return { pieces, bytes }
}

async function writeAll(handle: FileHandle, piece: Buffer, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) done += (await handle.write(piece, done, piece.length - done, position + done)).bytesWritten
}

async function refuseFull(folder: string, { manifest }: BundleSource): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  let there = 0
  for (const { path, bytes } of manifest.files) {
    const handle = await open(join(folder, ...path.split('/')), 'r').catch(() => null)
    if (!handle) continue
    there += Math.min(bytes, (await handle.stat()).size)
    await handle.close()
  }
  const [need, free] = [bundleBytes(manifest) - there, bavail * bsize]
  if (free < need + RESERVE_BYTES) throw refuseBundle('disk_full', { need, free })
}

async function writable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw refuseBundle('disk_full', {}, error)
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST')
      throw refuseBundle('not_writable', {}, error)
    throw error
  }
}
