// Owns sealed files: pieces of 1 MiB in AES-256-GCM, each bound to its file, its number and whether it is the last (the STREAM construction).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { refusal } from '../refusal.ts'
import { subkey, type VaultKey } from './envelope.ts'

const MAGIC = Buffer.from('RLSF0001')
const SALT_BYTES = 16
const HEADER_BYTES = MAGIC.length + 4 + SALT_BYTES
const PIECE_BYTES = 1024 * 1024
const TAG_BYTES = 16

/**
 * Header: magic, key id (4 bytes), salt (16 bytes); then the pieces, each ciphertext ‖ tag. The salt gives every file a key of its own, so
 * that the piece's number can be its nonce (Hoang, Reyhanitabar, Rogaway and Vizár 2015). Writes `target` whole or not at all.
 */
export async function sealFile(key: VaultKey, name: string, source: string, target: string): Promise<void> {
  const salt = randomBytes(SALT_BYTES)
  const secret = subkey(Buffer.concat([key.bytes, salt]), `file ${name}`)
  await rewrite(source, target, async (from, to) => {
    await to.write(Buffer.concat([MAGIC, Buffer.from(key.id, 'hex'), salt]))
    const { size } = await from.stat()
    const pieces = Math.max(1, Math.ceil(size / PIECE_BYTES))
    for (let n = 0; n < pieces; n++) {
      const plain = await readAt(from, n * PIECE_BYTES, Math.min(PIECE_BYTES, size - n * PIECE_BYTES))
      const cipher = createCipheriv('aes-256-gcm', secret, nonceOf(n, n === pieces - 1))
      await to.write(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
    }
  })
}

/** Throws key_lost for a key that is not there, value_damaged for a file that is changed, cut, of another name or not sealed at all. */
export async function openFile(keyOf: (id: string) => VaultKey | undefined, name: string, source: string, target: string): Promise<void> {
  await rewrite(source, target, async (from, to) => {
    const { size } = await from.stat()
    const header = await readAt(from, 0, Math.min(HEADER_BYTES, size))
    if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) throw refusal('value_damaged', { file: name })
    const id = header.toString('hex', MAGIC.length, MAGIC.length + 4)
    const key = keyOf(id)
    if (!key) throw refusal('key_lost', { key: id })
    const secret = subkey(Buffer.concat([key.bytes, header.subarray(-SALT_BYTES)]), `file ${name}`)
    const step = PIECE_BYTES + TAG_BYTES
    const pieces = Math.ceil((size - HEADER_BYTES) / step)
    if (pieces < 1) throw refusal('value_damaged', { file: name })
    for (let n = 0; n < pieces; n++) {
      const at = HEADER_BYTES + n * step
      const sealed = await readAt(from, at, Math.min(step, size - at))
      await to.write(pieceOpened(secret, nonceOf(n, n === pieces - 1), sealed, name))
    }
  })
}

function pieceOpened(secret: Buffer, nonce: Buffer, sealed: Buffer, name: string): Buffer {
  try {
    const cipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES })
    cipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()])
  } catch (error) {
    throw refusal('value_damaged', { file: name }, error)
  }
}

/** Seven zero bytes, the piece's number, and 1 for the last: a file cut at a piece does not open. */
function nonceOf(n: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(n, 7)
  nonce.writeUInt8(last ? 1 : 0, 11)
  return nonce
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

async function rewrite(source: string, target: string, work: (from: FileHandle, to: FileHandle) => Promise<void>): Promise<void> {
  const partial = `${target}.partial`
  const from = await open(source, 'r')
  try {
    const to = await open(partial, 'w', 0o600)
    try {
      await work(from, to)
      await to.sync()
    } finally {
      await to.close()
    }
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    await from.close()
  }
}
