// Owns which models there are: those of the catalogue, the starter beside the program, and every GGUF file in the user's model folder.
import { createHash } from 'node:crypto'
import { basename, dirname, isAbsolute, join, resolve as absolute } from 'node:path'
import type { ModelSummary } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { readCatalog, type CatalogEntry } from './catalog.ts'
import { hashNow, hashOf, looksLikeModel, modelFile, modelFiles, stampOf, statOf, wholeName, type ModelFile } from './files.ts'

export interface ResolvedModel extends Pick<
  CatalogEntry,
  'id' | 'name' | 'version' | 'quantisation' | 'demonstration' | 'promptProfile' | 'contextSize' | 'maxAnswerTokens'
> {
  path: string
  /** Empty until `hash` has computed it once. */
  sha256: string
}

/** What a header tells of a file that no catalogue knows. */
export interface FileFacts {
  quantisation: string
  parameters: number
}
export interface LibraryParts {
  /** Holds catalog.json and starter/. */
  resources: string
  /** The user's folder. */
  models: string
  /** Reads a file's header; throws an AppError that says what is wrong with it. Without it, unknown files are known by name only. */
  inspect?: (path: string) => Promise<FileFacts>
}

/** What a file outside the catalogue gets: a context that fits an 8 GB machine beside a 7B model. */
const UNKNOWN = { version: '', promptProfile: 'full', contextSize: 4096, maxAnswerTokens: 700, demonstration: false } as const
/** The contract's longest model id; a file system takes longer names. */
const ID_LENGTH = 200
const NOTHING_KNOWN = 'A file of your own: Rushlight knows nothing about it.'

export class Library {
  readonly #catalog: readonly CatalogEntry[]
  readonly #starter: string
  readonly #models: string
  readonly #inspect: LibraryParts['inspect']
  /** By stamp: a file that was replaced is read again. */
  readonly #hashes = new Map<string, Promise<string>>()
  readonly #known = new Map<string, string>()
  readonly #facts = new Map<string, FileFacts | string>()

  /** Throws CATALOG_INVALID. */
  constructor(parts: LibraryParts) {
    this.#catalog = readCatalog(join(parts.resources, 'catalog.json'))
    this.#starter = absolute(parts.resources, 'starter')
    this.#models = absolute(parts.models)
    this.#inspect = parts.inspect
  }

  /** The model for a user who has chosen none: the first real one that is installed, else the starter. */
  defaultId(): string {
    const real = this.#catalog.find((entry) => !entry.demonstration && this.#find(entry))
    const own = () => this.#own().find((file) => file.missing === 0 && looksLikeModel(file.path) && !this.#demonstrationIn(file))
    const file = real ? undefined : own()
    return real?.id ?? (file ? idOf(file.name) : (this.#catalog.find((entry) => entry.demonstration) ?? this.#catalog[0]!).id)
  }

  /** Installed ones first, the demonstration last among them. `active` is the id of the loaded model. */
  async list(active: string | null): Promise<ModelSummary[]> {
    const known = this.#catalog.map((entry) => this.#summaryOfEntry(entry, active))
    const own: ModelSummary[] = []
    for (const file of this.#own()) own.push(await this.#summaryOfFile(file, idOf(file.name), active))
    // a file named on the command line is in no list but is what answers
    if (active !== null && isAbsolute(active)) own.unshift(await this.#summaryOfFile(modelFile(active), active, active))
    const rank = (model: ModelSummary) => (model.state === 'listed' ? 2 : model.demonstration ? 1 : 0)
    return [...own, ...known].sort((a, b) => rank(a) - rank(b))
  }

  /** By catalogue id, by the id of a file in the model folder, or by path; a path to a known file is that model. Throws MODEL_MISSING. */
  resolve(id: string): ResolvedModel {
    const path = this.#pathOf(id)
    const entry = this.#catalog.find((known) => known.id === id) ?? this.#catalog.find((known) => path !== null && this.#find(known)?.path === path)
    const file = entry ? this.#find(entry) : path === null ? null : modelFile(path)
    if (!file) {
      const name = entry?.file ?? basename(id)
      throw new AppError('MODEL_MISSING', `${name} is not in the model folder. Put it there or choose another model.`, { file: name })
    }
    if (file.missing > 0)
      throw new AppError('MODEL_MISSING', `${count(file.missing, 'part')} of ${wholeName(file.name)} not in its folder. Copy all parts there.`, {
        file: file.name,
      })
    const at = { path: file.path, sha256: this.#known.get(stampOf(file)) ?? '' }
    const known = entry ?? this.#demonstrationIn(file)
    const own = dirname(file.path) === this.#models ? idOf(file.name) : file.path
    if (!known) {
      const facts = this.#facts.get(stampOf(file))
      const quantisation = typeof facts === 'object' ? facts.quantisation : ''
      return { ...UNKNOWN, id: own, name: nameOf(file), quantisation, ...at }
    }
    const { name, version, quantisation, demonstration, promptProfile, contextSize, maxAnswerTokens } = known
    return { id: entry?.id ?? own, name, version, quantisation, demonstration, promptProfile, contextSize, maxAnswerTokens, ...at }
  }

  /** SHA-256 of the file, in hex, over all its parts; gigabytes take many seconds, once per file and run. */
  hash(model: Pick<ResolvedModel, 'path'>): Promise<string> {
    const file = modelFile(model.path)
    const stamp = stampOf(file)
    const running = this.#hashes.get(stamp)
    if (running) return running
    const work = hashOf(file).then((hex) => {
      // replaced while it was read: then this is the hash of neither
      if (stampOf(file) === stamp) this.#known.set(stamp, hex)
      return hex
    })
    this.#hashes.set(stamp, work)
    // a failure is not remembered, the disk may be back
    void work.catch(() => this.#hashes.delete(stamp))
    return work
  }

  /** Files of the user's folder that are not the file of a catalogue entry. */
  #own(): ModelFile[] {
    const taken = new Set(this.#catalog.map((entry) => this.#find(entry)?.path))
    return modelFiles(this.#models).filter((file) => !taken.has(file.path))
  }

  /** The program's own file before one of the same name in the user's folder, whose content nobody vouches for; there, capitals do not matter. */
  #find(entry: CatalogEntry): ModelFile | null {
    const shipped = join(this.#starter, entry.file)
    if (statOf(shipped)?.isFile()) return modelFile(shipped)
    const wanted = entry.file.toLowerCase()
    return modelFiles(this.#models).find((file) => wholeName(file.name).toLowerCase() === wanted && file.missing === 0) ?? null
  }

  /** A path that names a folder or a missing file is handed on: the engine says what is wrong with it. */
  #pathOf(id: string): string | null {
    if (/[/\\]/.test(id)) return absolute(id)
    const own = modelFiles(this.#models).find((file) => idOf(file.name) === id)
    if (own) return own.path
    return statOf(absolute(id))?.isFile() ? absolute(id) : null
  }

  /** A copy under another name is still the demonstration: its size gives it away, its hash proves it. */
  #demonstrationIn(file: ModelFile): CatalogEntry | undefined {
    return this.#catalog.find((entry) => {
      if (!entry.demonstration || entry.sha256 === null || entry.bytes !== file.bytes) return false
      const stamp = stampOf(file)
      try {
        if (!this.#known.has(stamp)) this.#known.set(stamp, hashNow(file.path))
      } catch {
        return false
      }
      return this.#known.get(stamp) === entry.sha256
    })
  }

  #summaryOfEntry(entry: CatalogEntry, active: string | null): ModelSummary {
    const file = this.#find(entry)
    const { id, name, version, description, licence, quantisation, parameters, demonstration } = entry
    return {
      ...{ id, name, version, licence, quantisation, parameters, demonstration },
      description: file ? description : `${description} ${entry.source}`,
      bytes: file ? file.bytes : entry.bytes,
      state: file ? 'installed' : 'listed',
      active: id === active,
      fileName: file?.name ?? entry.file,
    }
  }

  async #summaryOfFile(file: ModelFile, id: string, active: string | null): Promise<ModelSummary> {
    const at = { id, bytes: file.bytes, state: 'installed', active: id === active, fileName: file.name } as const
    const copy = this.#demonstrationIn(file)
    if (copy) {
      const { name, version, description, licence, quantisation, parameters, demonstration } = copy
      return { ...at, name, version, description, licence, quantisation, parameters, demonstration }
    }
    const facts = await this.#factsOf(file)
    const known = typeof facts === 'object' ? facts : null
    const wrong =
      file.missing > 0 ? `${count(file.missing, 'part')} not in its folder. Copy all parts there.` : typeof facts === 'string' ? facts : null
    return {
      ...at,
      name: nameOf(file),
      version: '',
      description: wrong ?? NOTHING_KNOWN,
      licence: 'not stated',
      quantisation: known?.quantisation ?? '',
      parameters: known ? inWords(known.parameters) : '',
      demonstration: false,
    }
  }

  /** The header's facts, or what is wrong with the file in words. */
  async #factsOf(file: ModelFile): Promise<FileFacts | string | null> {
    if (!this.#inspect) return null
    const stamp = stampOf(file)
    if (!this.#facts.has(stamp)) {
      const found = await this.#inspect(file.path).catch((error: unknown) => AppError.wire(error).message)
      // a split model's first part counts only its own tensors
      this.#facts.set(stamp, typeof found === 'object' && file.parts.length > 1 ? { ...found, parameters: 0 } : found)
    }
    return this.#facts.get(stamp)!
  }
}

const nameOf = (file: ModelFile) => wholeName(file.name).replace(/\.gguf$/i, '')

/** The file's name, where the contract takes it as an id; else a short stand-in for it. */
function idOf(name: string): string {
  return name.length <= ID_LENGTH ? name : `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.gguf`
}

function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun} is` : `${n} ${noun}s are`
}

/** 7 615 616 512 → "7.6 billion", as the catalogue writes it. */
function inWords(parameters: number): string {
  if (parameters >= 1e9) return `${(parameters / 1e9).toFixed(1)} billion`
  if (parameters >= 1e6) return `${(parameters / 1e6).toFixed(1)} million`
  return parameters > 0 ? String(parameters) : ''
}
