// Owns the shipped llama.cpp libraries as the workshop calls them: where they lie, which version they must be, how they are loaded.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import koffi, { type LibraryHandle } from 'koffi'
import { AppError } from '../../../app/contract/errors.ts'

/** Struct layouts and type numbers used in this folder are those of this version and of no other. */
export const LLAMA_CPP = 'v0.4.0'

export interface Libraries {
  /** Quantisation and its inverse; no backend is needed for them. */
  readonly base: LibraryHandle
  readonly llama: LibraryHandle
  readonly ggml: LibraryHandle
  /** Where the CPU and GPU backends lie, for ggml_backend_load_all_from_path. */
  readonly folder: string
}
let loaded: Libraries | undefined

/** Loads the libraries once per process. Throws LIBRARY_MISSING when the platform's package is absent or of another version. */
export function libraries(): Libraries {
  if (loaded) return loaded
  const folder = libraryFolder()
  const file = (stem: string) => {
    const pattern = new RegExp(`^(lib)?${stem}(\\.${LLAMA_CPP.replaceAll('.', '\\.')})?\\.(so|dll|dylib)$`)
    const name = readdirSync(folder).find((entry) => pattern.test(entry))
    if (name === undefined) throw missing(`${stem} ${LLAMA_CPP} is not among the libraries of node-llama-cpp`)
    return join(folder, name)
  }
  // the other libraries look for its symbols in the process, not in a folder
  const base = koffi.load(file('ggml-base'), { global: true, lazy: true })
  loaded = { base, ggml: koffi.load(file('ggml'), { global: true, lazy: true }), llama: koffi.load(file('llama'), { lazy: true }), folder }
  return loaded
}

/** The folder of the CPU build for this platform. Throws LIBRARY_MISSING. */
export function libraryFolder(): string {
  const require = createRequire(import.meta.url)
  const platform = `${process.platform === 'win32' ? 'win' : process.platform === 'darwin' ? 'mac' : process.platform}-${process.arch}`
  // node-llama-cpp itself is looked up first: its platform packages need not lie beside ours
  const engine = dirname(dirname(require.resolve('node-llama-cpp')))
  const stated = JSON.parse(readFileSync(join(engine, 'llama', 'llama.cpp.info.json'), 'utf8')) as { tag?: string }
  if (stated.tag !== LLAMA_CPP) throw missing(`the installed llama.cpp is ${stated.tag ?? 'of an unknown version'}, not ${LLAMA_CPP}`)
  const folder = join(dirname(engine), '@node-llama-cpp', platform, 'bins', platform)
  if (!existsSync(folder)) throw missing(`node-llama-cpp has no build for ${platform} here`)
  return folder
}

const missing = (what: string) => new AppError('LIBRARY_MISSING', `The model tools cannot start: ${what}. Run npm install.`)
