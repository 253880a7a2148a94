// Owns the tests of the vault: what is sealed opens only in its place and under its key, and a lost key is said and never replaced.
import fc from 'fast-check'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealedBy } from '../../../app/trust/vault/envelope.ts'
import { Keyring } from '../../../app/trust/vault/keyring.ts'
import { Vault } from '../../../app/trust/vault/vault.ts'
import { keyFileWrapper, passphraseWrapper, safeStorageWrapper, type SafeStorage } from '../../../app/trust/vault/wrappers.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-vault-'))
  path = join(folder, 'vault.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const reason = (expected: string) => expect.objectContaining({ data: expect.objectContaining({ reason: expected }) as unknown })
const quick = { log2N: 10, r: 8, p: 1 }
const guard = () => keyFileWrapper(join(folder, 'key'))
const place = { table: 'turns', column: 'question', row: 'a' }
const open = async () => new Vault(await Keyring.open(path, guard(), { sealed: false }))

describe('a sealed text', () => {
  it('comes back as it was, shows nothing of itself, and never looks the same twice', async () => {
    const vault = await open()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        const sealed = vault.seal(place, text)
        expect(vault.open(place, sealed)).toBe(text.toWellFormed())
        expect(sealed).not.toBe(vault.seal(place, text))
        expect(sealedBy(sealed)).toBe(vault.activeId)
      }),
      { numRuns: 100 },
    )
    expect(vault.seal(place, 'potassium 7.1 mmol/l')).not.toContain('potassium')
    expect(vault.seal(place, '')).toBe('')
  })

  it('does not open in another row, column or table, nor when one bit of it is another', async () => {
    const vault = await open()
    const sealed = vault.seal(place, 'Dose of amoxicillin?')
    for (const other of [{ row: 'b' }, { column: 'answer' }, { table: 'answers' }, { table: 'turn', column: 'squestion' }])
      expect(() => vault.open({ ...place, ...other }, sealed), JSON.stringify(other)).toThrow(reason('value_damaged'))
    const [version, id, body] = sealed.split('.') as [string, string, string]
    const bytes = Buffer.from(body, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      expect(() => vault.open(place, `${version}.${id}.${changed.toString('base64url')}`)).toThrow(reason('value_damaged'))
    }
    for (const wrong of ['plain text', `${version}.${id}.`, sealed.slice(0, -4), `rl9.${id}.${body}`])
      expect(() => vault.open(place, wrong), wrong).toThrow(reason('value_damaged'))
    expect(() => vault.open(place, `${version}.00000000.${body}`)).toThrow(reason('key_lost'))
  })
})

describe('a key', () => {
  it('outlasts a restart, a rotation and another guard; a retired one opens nothing', async () => {
    const first = await open()
    const sealed = first.seal(place, 'before')
    const ring = await Keyring.open(path, guard(), { sealed: true })
    await ring.rotate()
    const vault = new Vault(ring)
    expect(vault.isCurrent(sealed)).toBe(false)
    expect(vault.open(place, sealed)).toBe('before')
    const anew = vault.seal(place, 'after')
    await ring.rewrap(passphraseWrapper('correct horse battery', quick))
    const again = new Vault(await Keyring.open(path, passphraseWrapper('correct horse battery'), { sealed: true }))
    expect([again.open(place, sealed), again.open(place, anew)]).toEqual(['before', 'after'])
    ring.retire()
    const late = new Vault(await Keyring.open(path, passphraseWrapper('correct horse battery'), { sealed: true }))
    expect(late.open(place, anew)).toBe('after')
    expect(() => late.open(place, sealed)).toThrow(reason('key_lost'))
  })

  it('that is lost is said: missing file, other user, wrong passphrase, damage. Nothing is made anew', async () => {
    await open()
    const kept = readFileSync(path)
    rmSync(path)
    await expect(Keyring.open(path, guard(), { sealed: true })).rejects.toThrow(reason('key_lost'))
    expect(existsSync(path)).toBe(false)
    for (const text of ['', '{', '{"format":1}', kept.toString().replace('"active"', '"aktive"'), kept.toString().slice(0, -5)]) {
      writeFileSync(path, text)
      await expect(Keyring.open(path, guard(), { sealed: true })).rejects.toThrow(reason('key_damaged'))
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
    writeFileSync(path, kept)
    rmSync(join(folder, 'key'))
    await expect(Keyring.open(path, guard(), { sealed: true })).rejects.toThrow(reason('key_lost'))
    expect(existsSync(join(folder, 'key'))).toBe(false)
    await expect(Keyring.open(path, passphraseWrapper('correct horse battery', quick), { sealed: true })).rejects.toThrow(reason('key_lost'))
    expect(readFileSync(path)).toEqual(kept)
  })

  it('comes back from its recovery file, and only with its passphrase', async () => {
    const ring = await Keyring.open(path, guard(), { sealed: false })
    const sealed = new Vault(ring).seal(place, 'still here')
    const recovery = join(folder, 'recovery.json')
    await ring.saveRecovery(recovery, passphraseWrapper('correct horse battery', quick))
    writeFileSync(path, 'damaged')
    const from = (words: string) => ({ path: recovery, wrapper: passphraseWrapper(words, quick) })
    await expect(Keyring.restore(path, from('wrong horse battery'), guard())).rejects.toThrow(reason('passphrase_wrong'))
    expect(readFileSync(path, 'utf8')).toBe('damaged')
    const back = new Vault(await Keyring.restore(path, from('correct horse battery'), guard()))
    expect(back.open(place, sealed)).toBe('still here')
    expect(new Vault(await Keyring.open(path, guard(), { sealed: true })).open(place, sealed)).toBe('still here')
  })

  it('lies in files of its owner alone, and one that others may read is refused', async () => {
    await open()
    if (process.platform === 'win32') return
    for (const file of [path, join(folder, 'key')]) expect(statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(join(folder, 'key'), 0o640)
    await expect(Keyring.open(path, guard(), { sealed: true })).rejects.toThrow(reason('key_file_open'))
  })

  it('is gone after a lock, and for ever after a wipe', async () => {
    const ring = await Keyring.open(path, guard(), { sealed: false })
    const vault = new Vault(ring)
    const sealed = vault.seal(place, 'secret')
    vault.close()
    expect(() => vault.open(place, sealed)).toThrow(reason('key_lost'))
    expect(() => vault.seal(place, 'x')).toThrow(reason('locked'))
    const again = await Keyring.open(path, guard(), { sealed: true })
    again.wipe()
    await expect(Keyring.open(path, guard(), { sealed: true })).rejects.toThrow(reason('key_lost'))
  })

  it('is guarded by the system where the system can, and not by one that only pretends', async () => {
    const storage: SafeStorage = {
      isEncryptionAvailable: () => true,
      encryptString: (text) => Buffer.from(text).reverse(),
      decryptString: (sealed) => Buffer.from(sealed).reverse().toString(),
    }
    const vault = new Vault(await Keyring.open(path, safeStorageWrapper(storage), { sealed: false }))
    const again = new Vault(await Keyring.open(path, safeStorageWrapper(storage), { sealed: true }))
    expect(again.open(place, vault.seal(place, 'x'))).toBe('x')
    const other = {
      ...storage,
      decryptString: () => {
        throw new Error('of another user')
      },
    }
    await expect(Keyring.open(path, safeStorageWrapper(other), { sealed: true })).rejects.toThrow(reason('key_lost'))
    expect(() => safeStorageWrapper({ ...storage, getSelectedStorageBackend: () => 'basic_text' })).toThrow(reason('keeper_missing'))
    expect(() => safeStorageWrapper({ ...storage, isEncryptionAvailable: () => false })).toThrow(reason('keeper_missing'))
    expect(() => passphraseWrapper('too short')).toThrow(reason('passphrase_short'))
  })
})

describe('a sealed file', () => {
  it('comes back at every length around a piece, and not when it is cut, changed, swapped or of another name', async () => {
    const vault = await open()
    const file = (name: string) => join(folder, name)
    for (const length of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1]) {
      const content = Buffer.alloc(length, 7)
      writeFileSync(file('plain'), content)
      await vault.sealFile('prefix-medication', file('plain'), file('sealed'))
      await vault.openFile('prefix-medication', file('sealed'), file('back'))
      expect(readFileSync(file('back')).equals(content), String(length)).toBe(true)
    }
    const sealed = readFileSync(file('sealed'))
    rmSync(file('back'))
    const refused = async (bytes: Buffer, name = 'prefix-medication') => {
      writeFileSync(file('bad'), bytes)
      await expect(vault.openFile(name, file('bad'), file('back'))).rejects.toThrow(reason('value_damaged'))
      expect(existsSync(file('back'))).toBe(false)
    }
    await refused(sealed, 'prefix-emergency')
    for (const at of [0, 20, 40, sealed.length - 1]) {
      const changed = Buffer.from(sealed)
      changed[at]! ^= 1
      if (at !== 0) await refused(changed)
    }
    // cut exactly after the first piece: every byte that is left is genuine
    for (const end of [0, 10, 28, 28 + 1024 * 1024 + 16, sealed.length - 1]) await refused(sealed.subarray(0, end))
  })
})
