// Owns what a failure of the trainer is to a person: its codes (native/trainer/failure.h, native/build.mjs) as ours, file names without folders.
import { basename, isAbsolute } from 'node:path'
import { AppError, type Code } from '../../../app/contract/errors.ts'
import { lastWords } from '../ffi/last-words.ts'
import type { EventOf } from './events.ts'

/** A fault of the configuration is one of the plan that it was made from. */
const TRAINER: Readonly<Record<string, Code>> = {
  CONFIG_INVALID: 'RECIPE_INVALID',
  ...{ DATA_INVALID: 'SOURCE_INVALID', DATA_EMPTY: 'SOURCE_INVALID', TOKEN_OUT_OF_RANGE: 'SOURCE_INVALID', SAMPLE_TOO_LONG: 'SOURCE_INVALID' },
  ...{ FILE_UNREADABLE: 'SOURCE_INVALID', CACHE_MISMATCH: 'SOURCE_INVALID', TEACHER_MISMATCH: 'SOURCE_INVALID' },
  ...{ CHECKPOINT_MISMATCH: 'SOURCE_INVALID', CHECKPOINT_DAMAGED: 'SOURCE_INVALID' },
  ...{ MODEL_UNREADABLE: 'MODEL_UNREADABLE', MODEL_ARCHITECTURE: 'MODEL_ARCHITECTURE', ADAPTER_MISMATCH: 'ADAPTER_MISMATCH' },
  ...{ DIVERGED: 'WEIGHTS_NOT_FINITE', OUT_OF_MEMORY: 'MODEL_TOO_LARGE', DISK_FULL: 'DISK_FULL', OUTPUT_NOT_WRITABLE: 'OUTPUT_NOT_WRITABLE' },
  ...{ NO_DEVICE: 'LIBRARY_MISSING', LIBRARY_MISMATCH: 'LIBRARY_MISSING' },
  // a wrong gradient is a fault of the build, never of what a person gave
  ...{ GRADIENT_WRONG: 'TOOL_CRASHED', INTERNAL: 'TOOL_CRASHED' },
}

/** The error that the trainer told of; `config` is what it was given, whose paths its sentence may name. */
export function trainerFailure(event: EventOf<'error'>, config: object): AppError {
  const { code, message, file, line, step } = event
  const named = file === undefined ? {} : { file: basename(file) }
  const where = { ...named, ...(line === undefined ? {} : { line }), ...(step === undefined ? {} : { step }) }
  return new AppError(TRAINER[code] ?? 'TOOL_CRASHED', withoutFolders(message, [...pathsIn(config), ...(file === undefined ? [] : [file])]), {
    trainer: code,
    ...where,
  })
}

/** A trainer that ended without a word of its own: killed, or stopped by the system. */
export function trainerCrash(how: string, heard: string): AppError {
  const words = lastWords(heard).join(' | ')
  const said = words === '' ? '' : ` Its last words: ${words}`
  return new AppError('TOOL_CRASHED', `The trainer ended unexpectedly (${how}). What it had learned is kept; go on with --resume.${said}`, {
    how,
    words,
  })
}

/** What native/build.mjs gives as the reason when there is no trainer. */
export function buildFailure(code: string, message: string): AppError {
  if (code !== 'COMPILE_FAILED') return new AppError('LIBRARY_MISSING', message, { build: code })
  const words = lastWords(message).join(' | ')
  return new AppError('TOOL_CRASHED', `The trainer could not be compiled. Run node native/build.mjs to see why. Its last words: ${words}`, {
    build: code,
  })
}

function pathsIn(value: object): string[] {
  return Object.values(value).flatMap((inner: unknown) => {
    if (typeof inner === 'string') return isAbsolute(inner) ? [inner] : []
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? pathsIn(inner) : []
  })
}
/** The longest first: a path may begin with another one. */
const withoutFolders = (text: string, paths: readonly string[]): string =>
  [...new Set(paths)].sort((a, b) => b.length - a.length).reduce((shorter, path) => shorter.replaceAll(path, basename(path)), text)
