// Owns the form of a sealed value: AES-256-GCM (NIST SP 800-38D) with a key id, a random nonce, and the value's own place as associated data.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { refusal } from '../refusal.ts'

/** Where a value stands. Sealed with it, so that a value moved to another row or column no longer opens. */
export interface Place {
  readonly table: string
  readonly column: string
  readonly row: string
}
/** 32 bytes and the name they are known by, which tells nothing about them. */
export interface VaultKey {
  readonly id: string
  readonly bytes: Buffer
}

const VERSION = 'rl1'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = /^rl1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{38,})$/

/** A key for one purpose from the vault's (HKDF-SHA-256, RFC 5869): no two purposes share one. */
export function subkey(master: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `rushlight ${purpose}`, 32))
}

/** Eight hex digits; derived, so that the id gives nothing of the key away. */
export const keyIdOf = (master: Buffer): string => subkey(master, 'key id').toString('hex', 0, 4)

/**
 * `rl1.KEYID.base64url(nonce ‖ ciphertext ‖ tag)`. An empty text stays empty: queries ask for it. Length is not hidden. Random nonces of 96
 * bits are safe for 2³² values a key; a clinic writes some 10⁵ a year.
 */
export function sealText(key: VaultKey, place: Place, text: string): string {
  if (text === '') return ''
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
  cipher.setAAD(associated(key.id, place))
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${VERSION}.${key.id}.${sealed.toString('base64url')}`
}

/** `keyOf` gives the key of an id, or undefined. Throws key_lost for a key that is not there and value_damaged for everything else that is wrong. */
export function openText(keyOf: (id: string) => VaultKey | undefined, place: Place, sealed: string): string {
  if (sealed === '') return ''
  const [, id, body] = FORM.exec(sealed) ?? []
  // text that was never sealed is not taken either: somebody else has put it there
  if (id === undefined || body === undefined) throw damaged(place)
  const key = keyOf(id)
  if (!key) throw refusal('key_lost', { key: id })
  const bytes = Buffer.from(body, 'base64url')
  try {
    const cipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    cipher.setAAD(associated(id, place))
    cipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]).toString('utf8')
  } catch (error) {
    throw damaged(place, error)
  }
}

/** The id of the key that sealed it; null for text that is not sealed. */
export const sealedBy = (text: string): string | null => FORM.exec(text)?.[1] ?? null

/** Every part with its length before it: no two places give the same bytes. */
function associated(id: string, { table, column, row }: Place): Buffer {
  return Buffer.from([VERSION, id, table, column, row].map((part) => `${Buffer.byteLength(part)}:${part}`).join(''))
}

function damaged({ table, column, row }: Place, cause?: unknown) {
  return refusal('value_damaged', { table, column, row }, cause)
}
