// Owns which models there are: those of the catalogue, the starter beside the program, and every GGUF file in the user's model folder.
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, resolve as resolvePath } from 'node:path'
import type { ModelSummary } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { readCatalog, type CatalogEntry } from './catalog.ts'

export interface ResolvedModel extends Pick<
  CatalogEntry,
  'id' | 'name' | 'version' | 'quantisation' | 'demonstration' | 'promptProfile' | 'contextSize' | 'maxAnswerTokens'
> {
  path: string
  /** Empty until `hash` has computed it once. */
  sha256: string
}

/** What a file outside the catalogue gets: a context that fits an 8 GB machine beside a 7B model. */
const UNKNOWN = { version: '', promptProfile: 'full', contextSize: 4096, maxAnswerTokens: 700, demonstration: false } as const

export class Library {
  readonly #catalog: readonly CatalogEntry[]
  readonly #starter: string
  readonly #models: string
  /** path|size|mtime → hash: a file that was replaced is hashed again. */
  readonly #hashes = new Map<string, string>()

  /** `resources` holds catalog.json and starter/, `models` is the user's folder. Throws CATALOG_INVALID. */
  constructor(parts: { resources: string; models: string }) {
    this.#catalog = readCatalog(join(parts.resources, 'catalog.json'))
    this.#starter = join(parts.resources, 'starter')
    this.#models = parts.models
  }

  /** The model for a user who has chosen none: the first real one that is installed, else the starter. */
  defaultId(): string {
    const installed = this.list(null).filter((model) => model.state === 'installed')
    return (installed.find((model) => !model.demonstration) ?? installed[0] ?? this.#catalog[0]!).id
  }

  /** Installed ones first, the demonstration last among them. `active` is the id of the loaded model. */
  list(active: string | null): ModelSummary[] {
    const known = this.#catalog.map((entry): ModelSummary => {
      const path = this.#find(entry)
      const { id, name, version, description, licence, quantisation, parameters, demonstration, file } = entry
      const text = path ? description : `${description} ${entry.source}`
      return {
        id,
        name,
        version,
        description: text,
        licence,
        quantisation,
        parameters,
        demonstration,
        fileName: file,
        bytes: path ? sizeOf(path) : entry.bytes,
        state: path ? 'installed' : 'listed',
        active: id === active,
      }
    })
    const listed = new Set(this.#catalog.map((entry) => entry.file.toLowerCase()))
    const own = ggufFiles(this.#models)
      .filter((name) => !listed.has(name.toLowerCase()))
      .map((name) => this.#summaryOfFile(join(this.#models, name), active))
    // a file named on the command line is in no list but is what answers
    const extra = active !== null && isAbsolute(active) && !own.some((model) => model.id === active) ? [this.#summaryOfFile(active, active)] : []
    const rank = (model: ModelSummary) => (model.state === 'listed' ? 2 : model.demonstration ? 1 : 0)
    return [...extra, ...own, ...known].sort((a, b) => rank(a) - rank(b))
  }

  /** By catalogue id, by the name of a file in the model folder, or by path. Throws MODEL_MISSING. */
  resolve(id: string): ResolvedModel {
    const entry = this.#catalog.find((known) => known.id === id)
    const path = entry ? this.#find(entry) : this.#fileOf(id)
    if (!path)
      throw new AppError('MODEL_MISSING', `${entry?.file ?? basename(id)} is not in the model folder. Put it there or choose another model.`, {
        file: entry?.file ?? basename(id),
      })
    const sha256 = this.#hashes.get(keyOf(path)) ?? ''
    if (entry) {
      const { name, version, quantisation, demonstration, promptProfile, contextSize, maxAnswerTokens } = entry
      return { id: entry.id, name, version, quantisation, demonstration, promptProfile, contextSize, maxAnswerTokens, path, sha256 }
    }
    return { ...UNKNOWN, id, name: basename(path).replace(/\.gguf$/i, ''), quantisation: '', path, sha256 }
  }

  /** SHA-256 of the file, in hex; gigabytes take many seconds, once per file and run. */
  async hash(model: ResolvedModel): Promise<string> {
    const key = keyOf(model.path)
    const known = this.#hashes.get(key)
    if (known) return known
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(model.path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
    const hex = hash.digest('hex')
    this.#hashes.set(key, hex)
    return hex
  }

  #find(entry: CatalogEntry): string | null {
    for (const folder of [this.#models, this.#starter]) if (isFile(join(folder, entry.file))) return join(folder, entry.file)
    return null
  }

  /** A path that names a folder or a missing file is handed on: the engine says what is wrong with it. */
  #fileOf(id: string): string | null {
    if (/[/\\]/.test(id)) return resolvePath(id)
    const inFolder = join(this.#models, id)
    if (isFile(inFolder)) return inFolder
    return isFile(resolvePath(id)) ? resolvePath(id) : null
  }

  #summaryOfFile(path: string, active: string | null): ModelSummary {
    const [fileName, id] = [basename(path), path.startsWith(this.#models) ? basename(path) : path]
    return {
      id,
      name: fileName.replace(/\.gguf$/i, ''),
      version: '',
      description: 'A file of your own: Rushlight knows nothing about it.',
      licence: 'not stated',
      quantisation: '',
      parameters: '',
      bytes: sizeOf(path),
      demonstration: false,
      state: 'installed',
      active: id === active,
      fileName,
    }
  }
}

function ggufFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.gguf$/i.test(name) && isFile(join(folder, name)))
      .sort()
  } catch {
    // no folder, no models
    return []
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function keyOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return `${path}|${stat?.size}|${stat?.mtimeMs}`
}
