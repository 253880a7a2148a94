// Owns the memory of a training run on the disk: which stage is complete, made from what; and every event of its training, for its curves.
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import * as z from 'zod'
import { AppError } from '../../../app/contract/errors.ts'
import { hashFile } from '../../../app/library/manifest.ts'
import { parseEvent, type TrainerEvent } from './events.ts'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const MadeFile = z.strictObject({ file: z.string(), bytes: z.number().int().min(0), sha256: Sha256 })
export const StageRecord = z.strictObject({
  stage: z.string(),
  /** Of everything that decided the outcome. */
  key: Sha256,
  files: z.array(MadeFile),
  /** Of work, over every part of a run that was resumed. */
  seconds: z.number().min(0),
  facts: z.record(z.string(), z.unknown()),
})
export type StageRecord = z.infer<typeof StageRecord>
export type MadeFile = z.infer<typeof MadeFile>

/** A stage's place in the folder of the run. */
export class Journal {
  readonly #stem: string

  constructor(folder: string, stage: string) {
    this.#stem = join(folder, stage)
  }
  get checkpoint(): string {
    return `${this.#stem}.checkpoint`
  }

  /** The record of the finished stage, if it was made with `key` and its files are still what they were; else null. */
  async finished(key: string, folder: string, signal?: AbortSignal): Promise<StageRecord | null> {
    const record = this.last
    if (record?.key !== key) return null
    for (const { file, bytes, sha256 } of record.files) {
      const path = join(folder, file)
      if (!existsSync(path) || statSync(path).size !== bytes) return null
      if ((await hashFile(path, { chunkBytes: Infinity, ...(signal ? { signal } : {}) })).sha256 !== sha256) return null
    }
    return record
  }

  /** The record of the finished stage, whatever it was made from. */
  get last(): StageRecord | null {
    return StageRecord.safeParse(readJson(`${this.#stem}.json`)).data ?? null
  }

  /** Before a stage works: what an attempt with other inputs has left is removed. True when one with the same inputs can be gone on with. */
  begin(key: string): boolean {
    const keyFile = `${this.#stem}.key`
    if (existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return existsSync(this.checkpoint) || existsSync(`${this.checkpoint}.previous`)
    for (const path of [this.checkpoint, `${this.checkpoint}.previous`, this.#log, `${this.#stem}.json`]) rmSync(path, { force: true })
    writeWholeSync(keyFile, key)
    return false
  }

  finish(record: StageRecord): void {
    writeWholeSync(`${this.#stem}.json`, JSON.stringify(record, null, 1) + '\n')
    // half a gigabyte for a teacher; the finished files stand for it
    for (const path of [this.checkpoint, `${this.checkpoint}.previous`]) rmSync(path, { force: true })
  }

  /** Keeps an event; the start of a resumed run drops what came after its checkpoint, which is about to come again. */
  add(event: TrainerEvent): void {
    if (event.type === 'start') {
      const before = this.events()
      // the ranks are said before the start, and not again by a run that finds them in its checkpoint
      const ranks = before.filter(({ type }) => type === 'ranks').slice(-1)
      const kept = before.filter((old) => old.type !== 'done' && (stepOf(old) ?? Infinity) <= event.resumedFrom)
      writeWholeSync(this.#log, [...ranks, ...kept, event].map((one) => JSON.stringify(one) + '\n').join(''))
    } else appendFileSync(this.#log, JSON.stringify(event) + '\n')
  }

  /** All events so far, in order; a line that a kill has cut is passed over. */
  events(): TrainerEvent[] {
    if (!existsSync(this.#log)) return []
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .flatMap((line) => parseEvent(line) ?? [])
  }

  get #log(): string {
    return `${this.#stem}.events.jsonl`
  }
}

const stepOf = (event: TrainerEvent): number | undefined => ('step' in event && typeof event.step === 'number' ? event.step : undefined)

/** Names what a stage is made from; of paths the names alone, so that a folder may be moved. */
export function keyOf(...values: readonly unknown[]): string {
  const plain = JSON.stringify(values, (_, value: unknown) => (typeof value === 'string' && isAbsolute(value) ? basename(value) : value))
  return createHash('sha256').update(plain).digest('hex')
}

export async function madeFile(folder: string, file: string, signal?: AbortSignal): Promise<MadeFile> {
  const { bytes, sha256 } = await hashFile(join(folder, file), { chunkBytes: Infinity, ...(signal ? { signal } : {}) })
  return { file, bytes, sha256 }
}

/** A small file, whole or not at all. Throws DISK_FULL or OUTPUT_NOT_WRITABLE. */
export function writeWholeSync(path: string, text: string): void {
  const temporary = `${path}.part`
  try {
    writeFileSync(temporary, text, { flush: true })
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    const file = basename(path)
    const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((cause as NodeJS.ErrnoException).code ?? '')
    if (full)
      throw new AppError('DISK_FULL', `The disk became full while ${file} was written. Free some space and go on with --resume.`, { file }, cause)
    throw new AppError('OUTPUT_NOT_WRITABLE', `${file} cannot be written. Correct the folder's permissions and go on with --resume.`, { file }, cause)
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
