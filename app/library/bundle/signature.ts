// Owns who may sign a bundle: Ed25519 (RFC 8032) over the manifest's bytes, under public keys that the policy names.
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import * as z from 'zod'
import { refuseBundle } from './refusal.ts'

/** Signed with the bytes, so that no signature made for another purpose fits a bundle. */
const PURPOSE = Buffer.from('rushlight bundle 1\0')
export const SIGNATURE_BYTES = 4096
const Signature = z.strictObject({
  format: z.literal(1),
  signer: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.base64().length(88),
})

/** The public key as the policy holds it: DER (SPKI) in base64. Throws for a key that is not Ed25519. */
export function publicKeyText(key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key')
  return createPublicKey(key.type === 'private' ? { key: key.export({ type: 'pkcs8', format: 'pem' }) } : key)
    .export({ type: 'spki', format: 'der' })
    .toString('base64')
}

/** SHA-256 of the key's DER form, in hex: names a signer without holding the key. */
export const signerId = (publicKey: string): string => createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex')

/** The content of bundle.sig for these bytes. */
export function signManifest(manifest: Buffer, privateKey: KeyObject): Buffer {
  const signature = sign(null, Buffer.concat([PURPOSE, manifest]), privateKey).toString('base64')
  return Buffer.from(JSON.stringify({ format: 1, signer: signerId(publicKeyText(privateKey)), signature }) + '\n')
}

/** The signer's id. `trusted` are public keys. Throws a refusal: no_signers, not_a_bundle, signer, signature. Looks at nothing inside `manifest`. */
export function verifyManifest(manifest: Buffer, signature: Buffer, trusted: readonly string[]): string {
  if (trusted.length === 0) throw refuseBundle('no_signers')
  const parsed = Signature.safeParse(parse(signature))
  if (!parsed.success) throw refuseBundle('not_a_bundle')
  const publicKey = trusted.find((key) => signerId(key) === parsed.data.signer)
  if (publicKey === undefined) throw refuseBundle('signer', { signer: parsed.data.signer.slice(0, 16) })
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' })
  const good = verify(null, Buffer.concat([PURPOSE, manifest]), key, Buffer.from(parsed.data.signature, 'base64'))
  if (!good) throw refuseBundle('signature')
  return parsed.data.signer
}

function parse(bytes: Buffer): unknown {
  try {
    return bytes.length <= SIGNATURE_BYTES ? JSON.parse(bytes.toString('utf8')) : undefined
  } catch {
    return undefined
  }
}
