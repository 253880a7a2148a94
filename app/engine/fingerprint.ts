// Owns how a model or adapter file is told from another one without reading all of it: size, time of change, and pieces from all over it.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

const PIECE = 64 * 1024
const PIECES = 32
/** The header of most models, keys and tensor table included. */
const HEAD = 1024 * 1024

/**
 * 64 hex digits. Two files of the same length, time and header differ in it unless every one of 32 pieces is the same too: a model that was
 * fine-tuned differs in all of them. Reads 3 MB at most. Throws what the file system says.
 */
export async function fingerprint(path: string): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { size, mtimeMs } = await handle.stat()
    const hash = createHash('sha256').update(`${size} ${mtimeMs}\n`)
    const piece = Buffer.alloc(Math.max(PIECE, HEAD))
    const add = async (at: number, length: number) => {
      const { bytesRead } = await handle.read(piece, 0, length, at)
      hash.update(piece.subarray(0, bytesRead))
    }
    await add(0, HEAD)
    for (let n = 1; n <= PIECES; n++) await add(Math.max(0, Math.floor((size * n) / PIECES) - PIECE), PIECE)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}
