// Owns the naming of a model that the trainer wrote: its keys put in, its weights named by their hash, its tensors as they are.
import { AppError } from '../../../app/contract/errors.ts'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { readGgufHeader, type GgufTensor, type GgufValue } from '../../../app/engine/gguf-header.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { checkTensors, convert, TensorFile, type Conversion } from '../convert.ts'
import { fileBytes, str, writeGguf } from '../gguf/write.ts'
import { patchWeightsId, PENDING, WeightsHash } from '../hf/weights-id.ts'
import { writeWhole } from '../output.ts'

export interface Rekeyed {
  /** Null for a file that got no new id. */
  readonly weightsId: string | null
}

/**
 * Copies the GGUF file `from` to `to` with `keys` set; with `newWeights`, KEYS.weightsId becomes the hash of the weights (see WeightsHash). Throws
 * MODEL_* for the source, WEIGHTS_NOT_FINITE, the OUTPUT_* codes and DISK_FULL.
 */
export async function rekey(
  from: string,
  to: string,
  { keys, newWeights, signal }: { keys: ReadonlyMap<string, GgufValue>; newWeights: boolean; signal?: AbortSignal },
): Promise<Rekeyed> {
  const header = await readGgufHeader(from, { values: 'all' })
  checkTensors(header)
  if (!header.metadata.has('general.architecture')) throw new AppError('MODEL_NOT_A_MODEL')
  // the id is put in at the end, so its place must be near the front
  const metadata = new Map([
    ['general.architecture', header.metadata.get('general.architecture')!],
    ...(newWeights ? [[KEYS.weightsId, str(PENDING)] as const] : []),
    ...[...header.metadata].filter(([key]) => !newWeights || key !== KEYS.weightsId),
    ...keys,
  ])
  const tensors = header.tensors.map((source): Conversion => ({ name: source.name, dims: matrixOf(source), type: source.type, source }))
  const options = { bytes: fileBytes({ metadata, tensors }), inputs: [from], force: true, ...(signal ? { signal } : {}) }
  return writeWhole(to, options, async (handle) => {
    const file = await TensorFile.open(header)
    const hash = new WeightsHash()
    async function* data(tensor: Conversion): AsyncGenerator<Uint8Array> {
      hash.begin(tensor.name, tensor.dims, tensorTypes.get(tensor.type)!.name)
      for await (const piece of convert(file, tensor, { threads: 1, ...(signal ? { signal } : {}) })) {
        hash.update(piece)
        yield piece
      }
    }
    try {
      await writeGguf(handle, { metadata, tensors, data, ...(signal ? { signal } : {}) })
    } finally {
      await file.close()
    }
    if (!newWeights) return { weightsId: null }
    const weightsId = hash.digest()
    await patchWeightsId(handle, weightsId)
    return { weightsId }
  })
}

/** ggml leaves out a last dimension of 1, so that an adapter of rank 1 comes as a vector; whoever reads it expects a matrix. */
const matrixOf = ({ name, dims }: GgufTensor): number[] => (name.endsWith('.lora_a') && dims.length === 1 ? [...dims, 1] : dims)
