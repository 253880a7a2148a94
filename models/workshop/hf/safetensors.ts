// Owns the safetensors format: its header, checked against itself and against the file, and the bytes of its tensors. The file is hostile.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { invalid, shown } from './source.ts'

/** Of the header, in bytes: the limit of the reference reader. */
export const HEADER_LIMIT = 100 * 1024 * 1024
const DIMENSIONS = 8
/** Bytes a value takes, by the format's own names. */
const DTYPE_BYTES: Readonly<Record<string, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
}

export interface SourceTensor {
  readonly name: string
  readonly dtype: string
  /** In the source's order: rows first, the length of a row last. */
  readonly shape: readonly number[]
  /** Of its data in the file, in bytes. */
  readonly at: number
  readonly bytes: number
  readonly file: SafetensorsFile
}

/** An open safetensors file; its tensors by name. */
export class SafetensorsFile {
  /** The file's name, without its folder. */
  readonly name: string
  readonly tensors: ReadonlyMap<string, SourceTensor>
  readonly #handle: FileHandle

  private constructor(name: string, handle: FileHandle, entries: readonly Entry[], dataAt: number) {
    this.name = name
    this.#handle = handle
    this.tensors = new Map(entries.map(({ begin, end, ...entry }) => [entry.name, { ...entry, at: dataAt + begin, bytes: end - begin, file: this }]))
  }

  /**
   * Reads and checks the header of `name` in `folder`: every tensor lies inside the file, takes what its shape and type need, and together
   * they cover the data without a gap or an overlap, as the format demands. Throws SOURCE_INVALID with the file and the tensor.
   */
  static async open(folder: string, name: string): Promise<SafetensorsFile> {
    let handle: FileHandle
    try {
      if (!(await stat(join(folder, name))).isFile()) throw invalid(shown(name), 'is no file. Copy the folder again from its source.')
      handle = await open(join(folder, name), 'r')
    } catch (error) {
      if (error instanceof AppError) throw error
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw invalid(basename(folder), `has no ${shown(name)}. Copy the folder again from its source.`)
      throw invalid(shown(name), 'cannot be read. Check its permissions, or copy the folder again.')
    }
    try {
      const { entries, dataAt } = await readHeader(handle, name)
      return new SafetensorsFile(name, handle, entries, dataAt)
    } catch (error) {
      await handle.close()
      if (error instanceof AppError) throw error
      throw invalid(shown(name), 'cannot be read. Check its permissions, or copy the folder again.')
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** `length` bytes of the tensor from `from`. Throws SOURCE_INVALID when the file has become shorter since it was opened. */
  async read({ name, at }: SourceTensor, from: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length)
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, at + from + done)
      if (bytesRead === 0) throw invalid(this.name, `ends in the middle of ${shown(name)}. Copy it again from its source.`, { tensor: name })
      done += bytesRead
    }
    return bytes
  }
}

interface Entry {
  name: string
  dtype: string
  shape: number[]
  begin: number
  end: number
}

async function readHeader(handle: FileHandle, file: string): Promise<{ entries: Entry[]; dataAt: number }> {
  const damaged = (what: string) => invalid(shown(file), `${what}. Copy it again from its source.`)
  const { size } = await handle.stat()
  const prefix = Buffer.alloc(8)
  if (size < 8 || (await handle.read(prefix, 0, 8, 0)).bytesRead < 8) throw damaged('is too short to be a safetensors file')
  const stated = prefix.readBigUInt64LE()
  if (stated > HEADER_LIMIT) throw damaged(`states a header of ${stated} bytes, more than any real file has`)
  const length = Number(stated)
  if (8 + length > size) throw damaged(`states a header of ${length} bytes and has only ${size} in all`)
  const bytes = Buffer.alloc(length)
  if ((await handle.read(bytes, 0, length, 8)).bytesRead < length) throw damaged('ends in its header')
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw damaged('has a header that is not JSON')
  }
  if (!isObject(header)) throw damaged('has a header that is not an object')
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.push(entryOf(name, value, file))
    else if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string')) throw damaged('has metadata that are not texts')
  }
  cover(entries, size - 8 - length, file)
  return { entries, dataAt: 8 + length }
}

function entryOf(name: string, value: unknown, file: string): Entry {
  const damaged = (what: string) => invalid(shown(file), `${shown(name)} ${what}. Copy the file again from its source.`, { tensor: name })
  if (!isObject(value)) throw damaged('has no description')
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) throw damaged(`is of a type that the format does not know (${shown(dtype)})`)
  if (!isCounts(shape) || shape.length > DIMENSIONS) throw damaged('has an impossible shape')
  if (!isCounts(offsets) || offsets.length !== 2) throw damaged('has impossible offsets')
  const [begin, end] = offsets as [number, number]
  const bytes = shape.reduce((product, extent) => product * extent, DTYPE_BYTES[dtype]!)
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes)
    throw damaged(`has ${end - begin} bytes where its shape (${shape.join(' × ')}, ${dtype}) takes ${bytes}`)
  return { name, dtype, shape, begin, end }
}

/** A name that stands twice in the header leaves a gap here: JSON keeps only the last. */
function cover(entries: readonly Entry[], size: number, file: string): void {
  let covered = 0
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const damaged = (what: string) => invalid(shown(file), `${shown(name)} ${what}. Copy the file again from its source.`, { tensor: name })
    if (begin < covered) throw damaged('lies on top of another tensor')
    if (begin > covered) throw damaged(`begins behind ${begin - covered} bytes that belong to no tensor`)
    if (end > size) throw damaged(`ends ${end - size} bytes behind the end of the file`)
    covered = end
  }
  if (covered !== size) throw invalid(shown(file), `has ${size - covered} bytes that belong to no tensor. Copy it again from its source.`)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0)
