// Owns the file in which an evaluation keeps its answers, a line each, so that a run that was stopped goes on where it was.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, truncate, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import * as z from 'zod'
import { AppError } from '../../../app/contract/errors.ts'

export interface Kept {
  readonly answer: string
  readonly confidence: number
}
const Line = z.strictObject({ by: z.string(), q: z.string(), answer: z.string(), confidence: z.number() })

/** Answers by who gave them and to what. Without a path nothing is kept beyond the run. */
export class AnswerFile {
  readonly #handle: FileHandle | null
  readonly #known: Map<string, Kept>

  private constructor(handle: FileHandle | null, known: Map<string, Kept>) {
    this.#handle = handle
    this.#known = known
  }

  /** Reads what is there; a last line that a crash has cut is removed. Throws SOURCE_INVALID with the line for a file that is something else. */
  static async open(path: string | null): Promise<AnswerFile> {
    if (path === null) return new AnswerFile(null, new Map())
    const file = basename(path)
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw notWritable(file, error)
    })
    const end = text.lastIndexOf('\n') + 1
    const known = new Map<string, Kept>()
    const lines = text.slice(0, end).split('\n').slice(0, -1)
    lines.forEach((line, at) => {
      const { data } = Line.safeParse(parse(line))
      if (!data)
        throw new AppError('SOURCE_INVALID', `${file}, line ${at + 1} is no kept answer. Name the file of an earlier run, or a new one.`, {
          ...{ file, line: at + 1 },
        })
      known.set(place(data.by, data.q), { answer: data.answer, confidence: data.confidence })
    })
    if (end < text.length) await truncate(path, Buffer.byteLength(text.slice(0, end)))
    const handle = await open(path, 'a').catch((error: unknown) => {
      throw notWritable(file, error)
    })
    return new AnswerFile(handle, known)
  }

  get(by: string, q: string): Kept | undefined {
    return this.#known.get(place(by, q))
  }
  async put(by: string, q: string, kept: Kept): Promise<void> {
    this.#known.set(place(by, q), kept)
    await this.#handle?.appendFile(JSON.stringify({ by, q, ...kept }) + '\n')
  }
  async close(): Promise<void> {
    await this.#handle?.sync()
    await this.#handle?.close()
  }
}

const place = (by: string, q: string) => `${by}\n${q}`

/** Who answers: the bytes of the model and of its adapters, in order. */
export async function identity(paths: readonly string[], signal: AbortSignal): Promise<string> {
  const all = createHash('sha256')
  for (const path of paths) {
    const one = createHash('sha256')
    for await (const chunk of createReadStream(path, { signal })) one.update(chunk as Buffer)
    all.update(one.digest())
  }
  return all.digest('hex').slice(0, 32)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const notWritable = (file: string, cause: unknown) =>
  new AppError('OUTPUT_NOT_WRITABLE', `${file} cannot be read and written there. Choose another file for the answers.`, { file }, cause)
