// Owns vault.json: the wrapped keys, which of them seals, their rotation, the recovery file and the wipe.
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import * as z from 'zod'
import { writeWholeFile } from '../../base/whole-file.ts'
import { refusal } from '../refusal.ts'
import { keyIdOf, type VaultKey } from './envelope.ts'
import { Wrapped, type KeyWrapper } from './wrappers.ts'

const Id = z.string().regex(/^[0-9a-f]{8}$/)
const VaultFile = z.strictObject({
  format: z.literal(1),
  active: Id,
  keys: z
    .array(z.strictObject({ id: Id, made: z.iso.datetime(), wrapped: Wrapped }))
    .min(1)
    .max(100),
})
type VaultFile = z.infer<typeof VaultFile>

export class Keyring {
  readonly #path: string
  #wrapper: KeyWrapper
  #file: VaultFile
  readonly #keys: Map<string, VaultKey>

  private constructor(path: string, wrapper: KeyWrapper, file: VaultFile, keys: Map<string, VaultKey>) {
    this.#path = path
    this.#wrapper = wrapper
    this.#file = file
    this.#keys = keys
  }

  /**
   * Opens the keys, or makes the first one when there is no file and nothing is sealed yet. With `sealed` a missing file is key_lost: a new
   * key would only hide that the old values are unreadable. Throws key_lost, key_damaged, or the wrapper's reason; nothing is ever reset.
   */
  static async open(path: string, wrapper: KeyWrapper, state: { sealed: boolean }): Promise<Keyring> {
    if (!existsSync(path)) {
      if (state.sealed) throw refusal('key_lost', { missing: true })
      const { key, entry } = await fresh(wrapper)
      const file: VaultFile = { format: 1, active: key.id, keys: [entry] }
      writeVault(path, file)
      return new Keyring(path, wrapper, file, new Map([[key.id, key]]))
    }
    const file = readVault(path)
    const keys = new Map<string, VaultKey>()
    for (const { id, wrapped } of file.keys) {
      const bytes = await wrapper.unwrap(wrapped)
      if (bytes.length !== 32 || keyIdOf(bytes) !== id) throw refusal('key_damaged', { key: id })
      keys.set(id, { id, bytes })
    }
    return new Keyring(path, wrapper, file, keys)
  }

  /** The key that seals. Throws locked after `close`. */
  get active(): VaultKey {
    const key = this.#keys.get(this.#file.active)
    if (!key) throw refusal('locked')
    return key
  }

  /** Also earlier keys, for what they have sealed. */
  keyOf(id: string): VaultKey | undefined {
    return this.#keys.get(id)
  }

  get ids(): readonly string[] {
    return this.#file.keys.map(({ id }) => id)
  }

  /** Makes a new sealing key. The earlier ones stay until everything is sealed anew and `retire` is called. */
  async rotate(): Promise<void> {
    const { key, entry } = await fresh(this.#wrapper)
    this.#write({ format: 1, active: key.id, keys: [...this.#file.keys, entry] })
    this.#keys.set(key.id, key)
  }

  /** Drops every key but the sealing one. Only when nothing is sealed by them any more: what still is cannot be read again. */
  retire(): void {
    this.#write({ ...this.#file, keys: this.#file.keys.filter(({ id }) => id === this.#file.active) })
    for (const [id, key] of this.#keys) if (id !== this.#file.active) this.#drop(id, key)
  }

  /** Puts the same keys under another guard: another passphrase, or the operating system instead of one. */
  async rewrap(wrapper: KeyWrapper): Promise<void> {
    this.#write(await this.#under(wrapper))
    this.#wrapper = wrapper
  }

  /** Writes the keys under `wrapper` to another file; `restore` brings them back when the operating system has lost its own. */
  async saveRecovery(path: string, wrapper: KeyWrapper): Promise<void> {
    writeVault(path, await this.#under(wrapper))
  }

  /** The keys of a recovery file become the vault's, under `guard`. Throws what opening does; the damaged or missing vault is kept aside. */
  static async restore(path: string, recovery: { path: string; wrapper: KeyWrapper }, guard: KeyWrapper): Promise<Keyring> {
    const saved = await Keyring.open(recovery.path, recovery.wrapper, { sealed: true })
    const file = await saved.#under(guard)
    if (existsSync(path)) renameSync(path, `${path}.replaced-${Date.now()}`)
    writeVault(path, file)
    return new Keyring(path, guard, file, saved.#keys)
  }

  /** Forgets the keys in memory: a locked program cannot be asked for them. */
  close(): void {
    for (const [id, key] of this.#keys) this.#drop(id, key)
  }

  /** Destroys the keys, and with them everything they have sealed, on this disk and in every backup. The file is overwritten first. */
  wipe(): void {
    this.close()
    const bytes = statSync(this.#path).size
    const handle = openSync(this.#path, 'r+')
    try {
      writeSync(handle, randomBytes(bytes), 0, bytes, 0)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    rmSync(this.#path)
  }

  async #under(wrapper: KeyWrapper): Promise<VaultFile> {
    const keys = []
    for (const { id, made } of this.#file.keys) keys.push({ id, made, wrapped: await wrapper.wrap(this.#keys.get(id)!.bytes) })
    return { ...this.#file, keys }
  }

  #drop(id: string, key: VaultKey): void {
    key.bytes.fill(0)
    this.#keys.delete(id)
  }

  #write(file: VaultFile): void {
    writeVault(this.#path, file)
    this.#file = file
  }
}

async function fresh(wrapper: KeyWrapper) {
  const bytes = randomBytes(32)
  const id = keyIdOf(bytes)
  const wrapped = await wrapper.wrap(bytes)
  return { key: { id, bytes }, entry: { id, made: new Date().toISOString(), wrapped } }
}

function readVault(path: string): VaultFile {
  try {
    return VaultFile.refine(({ active, keys }) => keys.some(({ id }) => id === active)).parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw refusal('key_damaged', {}, error)
  }
}

/** Whole or not at all: half a key file would be the loss of everything. */
function writeVault(path: string, file: VaultFile): void {
  writeWholeFile(path, JSON.stringify(file, null, 1))
}
