// Owns the form of a file that keeps the state of a prompt: llama.cpp's own bytes, then what they are of, then a seal that is wrong for any other bytes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import * as z from 'zod'

/** llama.cpp reads from the beginning as much as it needs, so that what is added has its place at the end. */
const MAGIC = 'RUSHKV\r\n'
const VERSION = 1
const SEAL_BYTES = 8 + 4 + 4 + 8 + 32
/** A prompt of the longest context there is, written out as numbers. */
const LONGEST_FACTS = 16_000_000

export const StateFacts = z.object({
  /** SHA-256 of everything that the state depends on but the prompt: model, engine, form of the context. */
  key: z.string(),
  /** The adapters in effect, each by content and scale; '' for none. */
  adapters: z.string(),
  tokens: z.array(z.number().int()).min(1),
  /** Milliseconds that it took to compute. */
  ms: z.number().min(0),
})
export type StateFacts = z.infer<typeof StateFacts>

/** Adds facts and seal to a file that llama.cpp has written. Resolves to the length of the whole file in bytes. */
export async function seal(path: string, facts: StateFacts): Promise<number> {
  const json = Buffer.from(JSON.stringify(facts), 'utf8')
  const hash = await hashOf(path)
  const handle = await open(path, 'r+')
  try {
    const { size } = await handle.stat()
    const end = Buffer.alloc(SEAL_BYTES)
    end.write(MAGIC, 0, 'latin1')
    end.writeUInt32LE(VERSION, 8)
    end.writeUInt32LE(json.length, 12)
    end.writeBigUInt64LE(BigInt(size), 16)
    hash.update(json).digest().copy(end, 24)
    await handle.write(Buffer.concat([json, end]), 0, json.length + SEAL_BYTES, size)
    // a rename that reaches the disk before the bytes would leave a whole name on half a file
    await handle.sync()
    return size + json.length + SEAL_BYTES
  } finally {
    await handle.close()
  }
}

/** What the file says that it is; null for a file of another form, version or length. Does not read the state itself. */
export async function readFacts(path: string): Promise<StateFacts | null> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    if (size < SEAL_BYTES) return null
    const end = Buffer.alloc(SEAL_BYTES)
    await handle.read(end, 0, SEAL_BYTES, size - SEAL_BYTES)
    const [length, content] = [end.readUInt32LE(12), Number(end.readBigUInt64LE(16))]
    if (end.toString('latin1', 0, 8) !== MAGIC || end.readUInt32LE(8) !== VERSION) return null
    if (length > LONGEST_FACTS || content + length + SEAL_BYTES !== size) return null
    const json = Buffer.alloc(length)
    await handle.read(json, 0, length, content)
    return StateFacts.safeParse(parsed(json.toString('utf8'))).data ?? null
  } finally {
    await handle.close()
  }
}

/** Whether every byte is as it was sealed: against damage, not against somebody who can write into the data folder and seal again. */
export async function isWhole(path: string): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const end = Buffer.alloc(SEAL_BYTES)
    await handle.read(end, 0, SEAL_BYTES, size - SEAL_BYTES)
    const hash = await hashOf(path, size - SEAL_BYTES)
    return hash.digest().equals(end.subarray(24))
  } finally {
    await handle.close()
  }
}

/** Of the first `bytes` of the file, or of all of it. */
async function hashOf(path: string, bytes?: number) {
  const hash = createHash('sha256')
  const stream = createReadStream(path, { highWaterMark: 1 << 20, ...(bytes === undefined ? {} : { end: bytes - 1 }) })
  for await (const piece of stream) hash.update(piece as Buffer)
  return hash
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
