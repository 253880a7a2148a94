// Owns which safetensors files make up a folder's weights: one file, or shards by an index that must agree with every one of them.
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import * as z from 'zod'
import { SafetensorsFile, type SourceTensor } from './safetensors.ts'
import { invalid, LIMIT, readJson, shown, unsupported } from './source.ts'

const WHOLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const SHARDS = 4096
/** A name inside the folder and nothing else: no folder, no drive, no way up. */
const SHARD = /^[^/\\:\p{Cc}]{1,200}\.safetensors$/u
const Index = z.looseObject({ weight_map: z.unknown().optional() })

/** The weights of a folder. Close it when done. */
export class Weights {
  readonly tensors: ReadonlyMap<string, SourceTensor>
  readonly files: readonly SafetensorsFile[]

  private constructor(files: readonly SafetensorsFile[]) {
    this.files = files
    this.tensors = new Map(files.flatMap((file) => [...file.tensors]))
  }

  /** Opens model.safetensors, else the shards of its index, as transformers does. Throws SOURCE_INVALID or SOURCE_UNSUPPORTED. */
  static async open(folder: string): Promise<Weights> {
    const names = await namesIn(folder)
    if (names.includes(WHOLE)) return new Weights([await SafetensorsFile.open(folder, WHOLE)])
    const index = await readJson(folder, INDEX, Index, LIMIT.index)
    if (index === null) {
      if (names.some((name) => /\.(bin|pt|pth)$/.test(name)))
        throw unsupported(basename(folder), 'holds its weights as a pickle, which can run code when it is read. Save the model as safetensors first.')
      throw invalid(basename(folder), `has neither ${WHOLE} nor ${INDEX}. Name the folder that the model was downloaded to, or copy it again.`)
    }
    const map = shardMap(index.weight_map)
    const files: SafetensorsFile[] = []
    try {
      for (const name of new Set(map.values())) files.push(await SafetensorsFile.open(folder, name))
      agree(map, files)
      return new Weights(files)
    } catch (error) {
      await Promise.all(files.map((file) => file.close()))
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()))
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    throw invalid(basename(folder), 'is not a folder that can be read. Name the folder that the model was downloaded to.')
  }
}

function shardMap(value: unknown): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(INDEX, 'does not say which tensor lies where. Copy the folder again.')
  const map = new Map<string, string>()
  for (const [tensor, file] of Object.entries(value)) {
    if (typeof file !== 'string' || !SHARD.test(file) || file.includes('..'))
      throw invalid(INDEX, `puts ${shown(tensor)} into ${shown(file)}, which is no file of this folder. Copy the folder again.`, { tensor })
    map.set(tensor, file)
  }
  if (map.size === 0) throw invalid(INDEX, 'names no tensor. Copy the folder again.')
  if (new Set(map.values()).size > SHARDS) throw invalid(INDEX, `names more than ${SHARDS} files. Copy the folder again.`)
  return map
}

/** Every tensor of the index is in its file, and no file has another. */
function agree(map: ReadonlyMap<string, string>, files: readonly SafetensorsFile[]): void {
  for (const file of files)
    for (const tensor of file.tensors.keys())
      if (map.get(tensor) !== file.name)
        throw invalid(file.name, `holds ${shown(tensor)}, which the index puts elsewhere. Copy the folder again.`, { tensor })
  const there = new Set(files.flatMap((file) => [...file.tensors.keys()]))
  for (const [tensor, file] of map)
    if (!there.has(tensor)) throw invalid(file, `does not hold ${shown(tensor)}, which the index puts there. Copy the folder again.`, { tensor })
}
