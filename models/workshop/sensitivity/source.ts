// Owns the model that sensitivity is measured on: the source itself when its matrices are precise, else a temporary copy whose matrices are.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensorTypes, typeIdOf } from '../../../app/engine/ggml-types.ts'
import type { GgufHeader } from '../../../app/engine/gguf-header.ts'
import { convert, TensorFile, type Conversion } from '../convert.ts'
import { bytesOf, fileBytes, writeGguf } from '../gguf/write.ts'
import { writeWhole } from '../output.ts'
import { typeFor, type Recipe } from '../recipe.ts'
import type { VerbContext } from '../verb.ts'

const F16 = typeIdOf('F16')!
const F32 = typeIdOf('F32')!
const BF16 = typeIdOf('BF16')!
/** Sixteen bits hold what any type of eight or fewer means to a part in two thousand; what was BF16 has a range that F16 has not. */
const PRECISE: Omit<Recipe, 'default'> = { name: 'precise', about: '', rules: [], order: 'source' }

/**
 * Calls `use` with the path of a file whose matrices are F16 or F32 and whose values are those of `header`, rounded at most to F16. A copy
 * lies in the system's folder for temporary files (TMPDIR) and is gone afterwards, whatever happens. `type` is that of the copy, null when
 * none was needed. Throws DISK_FULL, WEIGHTS_NOT_FINITE, MODEL_TRUNCATED, or what `use` throws.
 */
export async function withPreciseSource<T>(
  header: GgufHeader,
  { signal, progress }: VerbContext,
  use: (path: string, type: string | null) => Promise<T>,
): Promise<T> {
  const wide = header.tensors.some(({ type }) => type === BF16)
  const type = wide ? F32 : F16
  const { name } = tensorTypes.get(type)!
  const tensors = header.tensors.map((source): Conversion => {
    const wanted = typeFor({ ...PRECISE, default: wide ? 'F32' : 'F16' }, source, false).type
    return { name: source.name, dims: source.dims, type: source.type === F32 ? F32 : wanted, source }
  })
  if (tensors.every(({ type, source }) => type === source.type)) return use(header.path, null)

  const folder = await mkdtemp(join(tmpdir(), 'rushlight-sensitivity-'))
  try {
    const copy = join(folder, 'precise.gguf')
    const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
    progress.stage(`making a temporary copy at ${name}`, total)
    await writeWhole(copy, { bytes: fileBytes({ metadata: header.metadata, tensors }), inputs: [header.path], signal }, async (handle) => {
      const file = await TensorFile.open(header)
      try {
        const data = (tensor: Conversion) => convert(file, tensor, { signal, threads: 1 })
        await writeGguf(handle, { metadata: header.metadata, tensors, signal, data, onBytes: (done) => progress.at(done) })
      } finally {
        await file.close()
      }
    })
    return await use(copy, name)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
