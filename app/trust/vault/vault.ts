// Owns the vault as the program uses it: seal and open texts and files, and the blind words of the search, all under one keyring.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { BlindWords } from './blind.ts'
import { openText, sealedBy, sealText, subkey, type Place, type VaultKey } from './envelope.ts'
import { openFile, sealFile } from './sealed-file.ts'
import type { Keyring } from './keyring.ts'

/**
 * Protects what lies on the disk: database, write-ahead log, snapshots, prefix states, backups. Does not protect against a program that runs
 * as the same user while Rushlight is open, against an administrator who changes the program, nor what the operating system itself writes
 * (page file, hibernation, printed or copied text). Times, categories, model names and the lengths of texts are not hidden.
 */
export class Vault {
  readonly #keyring: Keyring
  /** Keys for one purpose, by key id and purpose. */
  readonly #derived = new Map<string, VaultKey>()
  #blind: { id: string; words: BlindWords } | null = null

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  seal(place: Place, text: string): string {
    return sealText(this.#keyOf(this.#keyring.active.id, 'text')!, place, text)
  }

  /** Throws key_lost, value_damaged. */
  open(place: Place, sealed: string): string {
    return openText((id) => this.#keyOf(id, 'text'), place, sealed)
  }

  /** True for what the sealing key has sealed, and for nothing: it needs no sealing anew. */
  isCurrent(text: string): boolean {
    return text === '' || sealedBy(text) === this.#keyring.active.id
  }

  /** Of the sealing key: after a rotation the index is made anew. */
  get blind(): BlindWords {
    const { id } = this.#keyring.active
    if (this.#blind?.id !== id) this.#blind = { id, words: new BlindWords(this.#keyOf(id, 'blind index')!.bytes) }
    return this.#blind.words
  }

  /** Names the key the index belongs to. */
  get activeId(): string {
    return this.#keyring.active.id
  }

  /** `name` is sealed with the content, so that one file cannot be put in the place of another. Throws what the disk throws. */
  sealFile(name: string, source: string, target: string): Promise<void> {
    return sealFile(this.#keyOf(this.#keyring.active.id, 'file')!, name, source, target)
  }

  /** Throws key_lost, value_damaged; then there is no `target`. */
  openFile(name: string, source: string, target: string): Promise<void> {
    return openFile((id) => this.#keyOf(id, 'file'), name, source, target)
  }

  /** Signs the audit log's head: `KEYID.` and HMAC-SHA-256 in hex. */
  sign(text: string): string {
    return this.#signature(this.#keyring.active.id, text)!
  }

  /** Also for what an earlier key has signed, until that is retired: sign anew before. */
  verifies(text: string, signature: string): boolean {
    const wanted = this.#signature(signature.split('.')[0]!, text)
    return wanted !== null && sameText(wanted, signature)
  }

  /** Forgets every key in memory; afterwards everything throws locked or key_lost until a vault is opened again. */
  close(): void {
    for (const key of this.#derived.values()) key.bytes.fill(0)
    this.#derived.clear()
    this.#blind = null
    this.#keyring.close()
  }

  #signature(id: string, text: string): string | null {
    const key = this.#keyOf(id, 'audit')
    return key ? `${id}.${createHmac('sha256', key.bytes).update(text).digest('hex')}` : null
  }

  #keyOf(id: string, purpose: string): VaultKey | undefined {
    const name = `${id} ${purpose}`
    const known = this.#derived.get(name)
    if (known) return known
    const master = this.#keyring.keyOf(id)
    if (!master) return undefined
    const key = { id, bytes: subkey(master.bytes, purpose) }
    this.#derived.set(name, key)
    return key
  }
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
