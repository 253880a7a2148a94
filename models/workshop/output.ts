// Owns writing a large file as a whole or not at all: space checked first, a temporary name, the bytes on the disk before the name is given.
import { open, realpath, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '../../app/contract/errors.ts'

export interface OutputOptions {
  /** What the file will take, as well as it is known. */
  bytes: number
  /** Files that are read for it; none of them may be the output. */
  inputs: readonly string[]
  force?: boolean
  signal?: AbortSignal
}
/** Left free beside the file: the system and the program's own database need some. */
const RESERVE = 64 * 1024 * 1024

/**
 * Calls `write` with a handle to a new file and gives that file its name when `write` has returned and the bytes are on the disk. Whatever
 * fails or is aborted leaves the folder as it was. Throws OUTPUT_IS_INPUT, OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, DISK_FULL, or what `write` throws.
 */
export async function writeWhole<T>(path: string, options: OutputOptions, write: (handle: FileHandle, temporary: string) => Promise<T>): Promise<T> {
  const target = resolve(path)
  await refuseOutput(target, options)
  const temporary = temporaryOf(target)
  const handle = await open(temporary, 'wx+').catch((error: unknown) => {
    throw outputError(target, error)
  })
  try {
    const result = await write(handle, temporary)
    options.signal?.throwIfAborted()
    await handle.sync()
    await handle.close()
    await rename(temporary, target)
    await syncFolder(dirname(target))
    return result
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw outputError(target, error)
  }
}

const temporaryOf = (target: string) => join(dirname(target), `.${basename(target)}.${process.pid}.part`)

/** The judgements before a byte is written; for a verb that must work for minutes before it writes. */
export async function refuseOutput(path: string, { bytes, inputs, force }: OutputOptions): Promise<void> {
  const target = resolve(path)
  const file = basename(target)
  const folder = dirname(target)
  // permissions as they are stated are not the whole truth on any system: only a file that was made proves it
  const probe = temporaryOf(target)
  await open(probe, 'wx').then(
    (handle) => handle.close().finally(() => rm(probe, { force: true })),
    (error: unknown) => {
      throw outputError(target, error)
    },
  )
  const there = await stat(target).catch(() => null)
  if (there) {
    for (const input of inputs) {
      const same = await stat(input).then(
        (one) => one.ino === there.ino && one.dev === there.dev,
        () => false,
      )
      if (same || (await realpath(target)) === (await realpath(input).catch(() => '')))
        throw new AppError('OUTPUT_IS_INPUT', `${file} is also the input. Choose another name for the output.`, { file })
    }
    if (there.isDirectory()) throw new AppError('OUTPUT_NOT_WRITABLE', `${file} is a folder. Name a file inside it.`, { file })
    if (!force) throw new AppError('OUTPUT_EXISTS', `${file} is already there. Choose another name, or add --force to replace it.`, { file })
  }
  const disk = await statfs(folder)
  const free = disk.bavail * disk.bsize
  if (free < bytes + RESERVE) {
    const [need, have] = [inGigabytes(bytes), inGigabytes(free)]
    throw new AppError('DISK_FULL', `${file} needs ${need} GB and the disk has ${have} GB free. Free some space, or choose another disk.`, {
      bytes,
      free,
    })
  }
}

function outputError(target: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const file = basename(target)
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new AppError(
      'DISK_FULL',
      `The disk became full while ${file} was written; nothing was left behind. Free some space and try again.`,
      { file },
      error,
    )
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG')
    return new AppError('OUTPUT_NOT_WRITABLE', `${file} cannot be written there. Choose another folder or correct its permissions.`, { file }, error)
  return error
}

/** A rename is only safe from a power cut once the folder itself is on the disk; Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

const inGigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)
