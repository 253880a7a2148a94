// Owns the error codes: every failure a person can meet has a code, a sentence of what is wrong and what to do about it.
import type { WireError } from './define.ts'

/** Code → the sentence shown when the thrower gives none. The first half says what is wrong, the second what to do. */
export const codes = {
  UNKNOWN_ROUTE: 'This part of the program does not exist. Restart Rushlight; if it happens again, reinstall it.',
  BAD_INPUT: 'The request was not understood. Check what you entered and try again.',
  UNTRUSTED: 'The request did not come from Rushlight’s own window and was refused.',
  CANCELLED: 'Stopped. What was written is kept.',
  ANSWER_CUT: 'The answer reached the longest length allowed and stops here. Ask for the missing part.',
  INTERNAL: 'Something went wrong inside Rushlight. Try again; if it happens again, restart the program.',
  CONNECTION_LOST: 'The window lost its connection to Rushlight. Start Rushlight again; your saved questions are safe.',
  QUESTION_EMPTY: 'There is no question to answer. Type one and ask again.',
  QUESTION_TOO_LONG: 'The question is too long for this model. Shorten it and ask again.',
  CONVERSATION_NOT_FOUND: 'That conversation is no longer stored. Choose another one from the list.',
  TURN_NOT_FOUND: 'That answer is no longer stored. Choose another one from the list.',
  MODEL_MISSING: 'The model file is not where it should be. Put it back or choose another model.',
  MODEL_NOT_GGUF: 'The file is not a GGUF model. Choose a file that ends in .gguf.',
  MODEL_TRUNCATED: 'The model file is incomplete. Copy it again from its source.',
  MODEL_UNREADABLE: 'The model file cannot be read. Check its permissions or copy it again.',
  MODEL_VOCAB_ONLY: 'The file holds only a vocabulary, no model. Choose the full model file.',
  MODEL_NOT_A_MODEL: 'The file is a GGUF file but not a language model. Choose a language model.',
  MODEL_ARCHITECTURE: 'This engine does not know the architecture of the model. Choose another model or update Rushlight.',
  MODEL_TOO_LARGE: 'The model needs more memory than this computer has free. Close other programs or choose a smaller model.',
  GPU_MEMORY: 'The graphics card has less memory free than the plan needs. Close programs that use it, or let Rushlight plan again.',
  GPU_UNAVAILABLE: 'The graphics card cannot be used in this way here. Rushlight goes on with another one or with the processor.',
  MODEL_LOAD_FAILED: 'The engine could not load the model. Choose another model; the log has the engine’s own words.',
  MODEL_NOT_LOADED: 'No model is loaded yet. Wait until the engine says Ready, or choose a model.',
  WEIGHTS_NOT_FINITE: 'The weights hold values that are not numbers. Make or copy the file again from its source.',
  SOURCE_INVALID: 'The source folder is damaged or incomplete. Copy it again from where it came.',
  SOURCE_UNSUPPORTED: 'This kind of model cannot be imported. Use one of the Qwen2 or Llama families.',
  ADAPTER_MISMATCH: 'The adapter does not fit this base model. Use the base model that it was trained on.',
  RECIPE_INVALID: 'The recipe cannot be read. Correct it; `npm run model -- export --help` shows its form.',
  MANIFEST_INVALID: 'The manifest cannot be read. Export the model again.',
  MANIFEST_MISMATCH: 'The file is not the one that its manifest describes. Copy both again from their source.',
  OUTPUT_IS_INPUT: 'The output is one of the inputs. Choose another name for it.',
  OUTPUT_EXISTS: 'The output file is already there. Choose another name, or add --force to replace it.',
  OUTPUT_NOT_WRITABLE: 'The output cannot be written there. Choose another folder or correct its permissions.',
  DISK_FULL: 'There is not enough free disk space. Free some, or choose another disk for the output.',
  LIBRARY_MISSING: 'The llama.cpp library of this platform is missing or of another version. Run npm install.',
  TOOL_CRASHED: 'llama.cpp ended unexpectedly while it worked on this file. The file may be damaged.',
  ENGINE_LOST: 'The engine stopped unexpectedly. What was written so far is saved; ask again.',
  ENGINE_FAILED: 'The engine stopped twice in a row. Restart the engine, or choose another model.',
  ENGINE_TIMEOUT: 'The engine did not answer in time. Restart the engine.',
  STORE_READ_ONLY: 'The data folder cannot be written to. Give Rushlight write permission to it, then start again.',
  STORE_FULL: 'The disk is full, so nothing more can be saved. Free some space, then ask again.',
  STORE_CORRUPT: 'The database is damaged. Restore the snapshot that lies beside it, or move it away to start afresh.',
  STORE_FROM_FUTURE: 'The database was written by a newer Rushlight. Install that version, or use another data folder.',
  STORE_BUSY: 'Another program holds the database. Close the other Rushlight, then try again.',
  CATALOG_INVALID: 'The model catalogue cannot be read. Reinstall Rushlight.',
  RESOURCE_MISSING: 'A file of the program is missing. Reinstall Rushlight.',
} as const
export type Code = keyof typeof codes

/** The only error that is meant for a person. Anything else that is thrown leaves the host as INTERNAL, without its text. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: Code
  readonly data: unknown
  constructor(code: Code, message: string = codes[code], data?: unknown, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.data = data
  }

  /** The form that crosses a boundary. An unknown error keeps no text: it could hold a path or a question. */
  static wire(error: unknown): WireError {
    if (error instanceof AppError) return { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) }
    if (error instanceof Error && error.name === 'AbortError') return { code: 'CANCELLED', message: codes.CANCELLED }
    return { code: 'INTERNAL', message: codes.INTERNAL }
  }

  static unwire(wire: WireError): AppError {
    const code = Object.hasOwn(codes, wire.code) ? (wire.code as Code) : 'INTERNAL'
    return new AppError(code, wire.message, wire.data)
  }
}

/** For the default branch of a switch over a union: a new member does not compile until it is handled. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}
