// Owns what guards the vault's key: the operating system's user, a passphrase, or a file that only its owner can read.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { chmodSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { refusal } from '../refusal.ts'

/** A key as it lies on the disk, with what its wrapper needs to open it again. */
export const Wrapped = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('safe-storage'), value: z.base64() }),
  z.strictObject({
    kind: z.literal('passphrase'),
    salt: z.base64(),
    // bounded: a file from elsewhere must not claim this computer's memory
    log2N: z.number().int().min(10).max(20),
    r: z.number().int().min(1).max(16),
    p: z.number().int().min(1).max(4),
    value: z.base64(),
  }),
  z.strictObject({ kind: z.literal('key-file'), value: z.base64() }),
])
export type Wrapped = z.infer<typeof Wrapped>

export interface KeyWrapper {
  readonly kind: Wrapped['kind']
  /** What it protects against and what not, for the settings page. */
  readonly says: string
  wrap(key: Buffer): Promise<Wrapped>
  /** Throws key_lost, or the reason that the wrapper knows. */
  unwrap(wrapped: Wrapped): Promise<Buffer>
}

/** The part of Electron's safeStorage that is used: DPAPI on Windows, Keychain on macOS, the secret service on Linux. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean
  encryptString(text: string): Buffer
  decryptString(sealed: Buffer): string
  getSelectedStorageBackend?(): string
}

/** Throws keeper_missing where the system has no keeper, or only one whose password stands in its own source ("basic_text"). */
export function safeStorageWrapper(storage: SafeStorage): KeyWrapper {
  if (!storage.isEncryptionAvailable() || storage.getSelectedStorageBackend?.() === 'basic_text') throw refusal('keeper_missing')
  return {
    kind: 'safe-storage',
    says: 'The key is kept by the operating system for this user: other users, and whoever takes the disk out, cannot read the conversations. A program that runs as this user can.',
    wrap: async (key) => ({ kind: 'safe-storage', value: storage.encryptString(key.toString('base64')).toString('base64') }),
    unwrap: async (wrapped) => {
      if (wrapped.kind !== 'safe-storage') throw refusal('key_lost', { kind: wrapped.kind })
      try {
        return Buffer.from(storage.decryptString(Buffer.from(wrapped.value, 'base64')), 'base64')
      } catch (error) {
        throw refusal('key_lost', { kind: 'safe-storage' }, error)
      }
    },
  }
}

/** scrypt (RFC 7914), 128 MiB; Electron's BoringSSL has no argon2, and one file must open in both hosts. */
const COST = { log2N: 17, r: 8, p: 1 }
const LEAST_CHARACTERS = 12

/** Throws passphrase_short. `cost` is for tests. */
export function passphraseWrapper(passphrase: string, cost = COST): KeyWrapper {
  if (Array.from(passphrase.normalize('NFC')).length < LEAST_CHARACTERS) throw refusal('passphrase_short')
  return {
    kind: 'passphrase',
    says: 'The key is made from the passphrase: without it nobody can read the conversations, and nobody can restore it. It protects as well as the passphrase is hard to guess.',
    wrap: async (key) => {
      const salt = randomBytes(16)
      const value = gcm(await stretched(passphrase, salt, cost), key)
      return { kind: 'passphrase', salt: salt.toString('base64'), ...cost, value: value.toString('base64') }
    },
    unwrap: async (wrapped) => {
      if (wrapped.kind !== 'passphrase') throw refusal('key_lost', { kind: wrapped.kind })
      try {
        return ungcm(await stretched(passphrase, Buffer.from(wrapped.salt, 'base64'), wrapped), Buffer.from(wrapped.value, 'base64'))
      } catch (error) {
        throw refusal('passphrase_wrong', {}, error)
      }
    },
  }
}

/** A file of 32 random bytes, made with the first key. Throws key_file_open for one that others can read. */
export function keyFileWrapper(path: string): KeyWrapper {
  return {
    kind: 'key-file',
    says: 'The key lies in a file that only this user can read: other users cannot read the conversations. Whoever takes the disk out, or becomes administrator, can.',
    wrap: async (key) => ({ kind: 'key-file', value: gcm(readOrMake(path), key).toString('base64') }),
    unwrap: async (wrapped) => {
      if (wrapped.kind !== 'key-file') throw refusal('key_lost', { kind: wrapped.kind })
      const secret = readSecret(path)
      if (!secret) throw refusal('key_lost', { kind: 'key-file' })
      try {
        return ungcm(secret, Buffer.from(wrapped.value, 'base64'))
      } catch (error) {
        throw refusal('key_lost', { kind: 'key-file' }, error)
      }
    },
  }
}

function readOrMake(path: string): Buffer {
  const there = readSecret(path)
  if (there) return there
  const secret = randomBytes(32)
  writeFileSync(path, secret, { mode: 0o600, flag: 'wx', flush: true })
  // the mask of the process may have taken more away, never less
  chmodSync(path, 0o600)
  return secret
}

function readSecret(path: string): Buffer | null {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (!stats) return null
  // Windows keeps rights elsewhere: there the user's own folder guards the file
  if (!stats.isFile() || (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)) throw refusal('key_file_open')
  const secret = readFileSync(path)
  return secret.length === 32 ? secret : null
}

function stretched(passphrase: string, salt: Buffer, { log2N, r, p }: typeof COST): Promise<Buffer> {
  const N = 2 ** log2N
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFC'), salt, 32, { N, r, p, maxmem: 128 * N * r + 128 * r * p + 2 ** 20 }, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  )
}

function gcm(secret: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce)
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()])
}

function ungcm(secret: Buffer, value: Buffer): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', secret, value.subarray(0, 12), { authTagLength: 16 })
  cipher.setAuthTag(value.subarray(-16))
  return Buffer.concat([cipher.update(value.subarray(12, -16)), cipher.final()])
}
