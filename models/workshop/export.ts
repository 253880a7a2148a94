// Owns exporting a model by a recipe: plan, conversion, proof by reopening, manifest.
import { rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../../app/contract/errors.ts'
import { judgeModel } from '../../app/engine/gguf.ts'
import { factOf, readGgufHeader, type GgufHeader, type GgufValue } from '../../app/engine/gguf-header.ts'
import { KEYS } from '../../app/engine/gguf-keys.ts'
import { fileTypeOf, tensorTypes } from '../../app/engine/ggml-types.ts'
import { CHUNK_BYTES, hashFile, manifestPath, type Manifest } from '../../app/library/manifest.ts'
import { checkTensors, convert, TensorFile, type Conversion } from './convert.ts'
import { LLAMA_CPP } from './ffi/library.ts'
import { needsImportance } from './ffi/rows.ts'
import { bytesOf, fileBytes, str, u32, writeGguf } from './gguf/write.ts'
import { importanceFor } from './importance.ts'
import { refuseOutput, writeWhole } from './output.ts'
import { inOrder, typeFor, type Recipe } from './recipe.ts'
import { sizesOf, totalOf } from './sizes.ts'
import type { VerbContext } from './verb.ts'

export interface ExportRequest {
  from: string
  to: string
  recipe: Recipe
  recipeSha256: string
  /** Of the program, for the manifest. */
  version: string
  /** `corpus`, the path of an importance matrix, or null. */
  importance: string | null
  /** Allow a source below 8 bits. */
  requantise: boolean
  force: boolean
  threads?: number | undefined
}
export interface Fallback {
  wanted: string
  got: string
  tensors: number
}
/** Bits a weight below which rounding again adds an error worth a question. */
const PRECISE = 8
/**
 * Writes `to` and its manifest. Throws MODEL_* codes for the source, RECIPE_INVALID when the recipe needs an importance matrix and none is
 * given, SOURCE_UNSUPPORTED, WEIGHTS_NOT_FINITE, and the OUTPUT_* codes and DISK_FULL of writeWhole; the source is only read.
 */
export async function exportModel(request: ExportRequest, { signal, progress }: VerbContext): Promise<{ manifest: Manifest; fallbacks: Fallback[] }> {
  const { from, to, recipe, force } = request
  const header = await readGgufHeader(from, { values: 'all' })
  checkTensors(header)
  judgeModel(header)
  refuseSplit(header)
  if (!request.requantise) refuseCoarse(header)
  const { tensors, fallbacks } = planOf(header, recipe)
  const sizes = sizesOf(tensors)
  const total = totalOf(sizes)
  // what must be refused is refused now, not after minutes of measuring
  await refuseOutput(to, { bytes: total.bytes, inputs: [from], force })
  const importance = request.importance === null ? null : await importanceFor(request.importance, header, { signal, progress })
  const blind = tensors.find(({ type, source, name }) => type !== source.type && needsImportance(type) && !importance?.columns(name))
  if (blind) {
    const type = tensorTypes.get(blind.type)!.name
    throw new AppError('RECIPE_INVALID', `${blind.name} at ${type} needs an importance matrix. Add --importance corpus, or choose a wider type.`)
  }

  progress.stage('reading the source', header.size)
  const source = await hashFile(from, { chunkBytes: Infinity, signal, onBytes: (done) => progress.at(done) })
  const weightsId = String(factOf(header, KEYS.weightsId) ?? source.sha256)
  const metadata = metadataOf(header, request, tensors, weightsId)
  const bytes = fileBytes({ metadata, tensors })

  const described = `${manifestPath(to)}.${process.pid}.part`
  try {
    const manifest = await writeWhole(to, { bytes, inputs: [from], force, signal }, async (handle, temporary) => {
      const file = await TensorFile.open(header)
      try {
        progress.stage('rounding', total.bytes)
        const columns = (name: string) => importance?.columns(name) ?? null
        await writeGguf(handle, {
          metadata,
          tensors,
          signal,
          data: (tensor) => convert(file, tensor, { signal, importance: columns, ...(request.threads ? { threads: request.threads } : {}) }),
          onBytes: (done, { name }) => progress.at(done, name),
        })
      } finally {
        await file.close()
      }
      const made: Manifest = {
        ...{ format: 1, file: basename(to), ...(await reopen(temporary, tensors, { signal, progress })), chunkBytes: CHUNK_BYTES },
        name: String(factOf(header, 'general.name') ?? basename(to)),
        architecture: String(factOf(header, 'general.architecture')),
        groups: sizes,
        parameters: total.parameters,
        bitsPerWeight: (total.bytes * 8) / total.parameters,
        recipe: { name: recipe.name, sha256: request.recipeSha256 },
        source: { file: basename(from), bytes: source.bytes, sha256: source.sha256 },
        importance: importance ? { source: importance.source, tokens: importance.tokens } : null,
        weightsId,
        tools: { rushlight: request.version, 'llama.cpp': LLAMA_CPP },
        made: new Date().toISOString(),
      }
      // written before the model has its name: what can fail fails while the old file is still there
      await writeFile(described, JSON.stringify(made, null, 2) + '\n')
      return made
    })
    await rename(described, manifestPath(to))
    return { manifest, fallbacks }
  } finally {
    await rm(described, { force: true })
  }
}

/** What each tensor becomes, in the order of the new file. */
export function planOf(header: GgufHeader, recipe: Recipe): { tensors: Conversion[]; fallbacks: Fallback[] } {
  const tied = !header.tensors.some(({ name }) => name === 'output.weight')
  const fallbacks = new Map<string, Fallback>()
  const tensors = header.tensors.map((source) => {
    const { type, instead } = typeFor(recipe, source, tied)
    if (instead !== undefined) {
      const got = tensorTypes.get(type)!.name
      const known = fallbacks.get(`${instead} ${got}`) ?? { wanted: instead, got, tensors: 0 }
      fallbacks.set(`${instead} ${got}`, { ...known, tensors: known.tensors + 1 })
    }
    return { name: source.name, dims: source.dims, type, source }
  })
  return { tensors: inOrder(recipe, tensors), fallbacks: [...fallbacks.values()] }
}

function metadataOf(header: GgufHeader, { recipe, recipeSha256 }: ExportRequest, tensors: readonly Conversion[], weightsId: string) {
  const bytes = new Map<string, number>()
  for (const tensor of tensors) {
    const { name } = tensorTypes.get(tensor.type)!
    bytes.set(name, (bytes.get(name) ?? 0) + bytesOf(tensor))
  }
  const [most] = [...bytes].sort((a, b) => b[1] - a[1])[0]!
  const metadata = new Map<string, GgufValue>(header.metadata)
  metadata.set('general.quantization_version', u32(2))
  metadata.set('general.file_type', u32(fileTypeOf(most)))
  metadata.set(KEYS.weightsId, str(weightsId))
  metadata.set(KEYS.recipe, str(recipe.name))
  metadata.set(KEYS.recipeSha256, str(recipeSha256))
  return metadata
}

/** The written file, read again as a stranger would: same tensors, same shapes, sound data; then its hashes. */
async function reopen(path: string, tensors: readonly Conversion[], { signal, progress }: VerbContext) {
  const written = await readGgufHeader(path, { values: 'facts' })
  checkTensors(written)
  const same =
    written.tensors.length === tensors.length &&
    tensors.every(({ name, type, dims }, n) => {
      const other = written.tensors[n]!
      return other.name === name && other.type === type && other.dims.join() === dims.join()
    })
  if (!same) throw new AppError('INTERNAL', 'The file that was written does not hold what it should. Nothing was kept; report this.')
  progress.stage('reading back', written.size)
  return hashFile(path, { signal, onBytes: (done) => progress.at(done) })
}

function refuseSplit(header: GgufHeader): void {
  if (Number(factOf(header, 'split.count') ?? 0) > 1)
    throw new AppError('SOURCE_UNSUPPORTED', `${basename(header.path)} is one of several parts. Join them with llama.cpp's gguf-split first.`)
}

function refuseCoarse(header: GgufHeader): void {
  const coarse = header.tensors.find(({ type }) => {
    const { block, bytes } = tensorTypes.get(type)!
    return (bytes * 8) / block < PRECISE
  })
  if (!coarse) return
  const type = tensorTypes.get(coarse.type)!.name
  throw new AppError(
    'SOURCE_UNSUPPORTED',
    `${basename(header.path)} is already rounded to ${type}. Use its original, or add --requantise to round it again.`,
  )
}
