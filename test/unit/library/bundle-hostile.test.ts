// Owns the tests of hostile and damaged bundles: whatever a stick holds, the answer is a coded refusal, and nothing is activated or written elsewhere.
import fc from 'fast-check'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { importBundle } from '../../../app/library/bundle/import.ts'
import { isBundlePath, readBundleManifest } from '../../../app/library/bundle/manifest.ts'
import { CHUNK, manifestOf, newSigner, writeBundle, writeOneFileBundle } from '../../support/bundles.ts'

const signer = newSigner()
let folder: string
let count = 0
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'rushlight-hostile-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const content = { 'model.gguf': Buffer.alloc(CHUNK * 2 + 7, 3), 'terms/a.tsv': Buffer.from('a\tb\n') }
const run = (path: string) =>
  importBundle(path, { folder: join(folder, 'bundles'), trusted: [signer.trusted], program: '0.1.0', selfTest: async () => {} })
/** Pieces that an earlier attempt has brought and that are right would stand in for those of this stick. */
const forget = () => rmSync(join(folder, 'bundles'), { recursive: true, force: true })
/** The reason of the refusal. That it is none, or no AppError, fails the test. */
async function refusalOf(path: string): Promise<string> {
  forget()
  const error: unknown = await run(path).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw error instanceof Error ? error : new Error('it was imported')
  expect(existsSync(join(folder, 'bundles', 'installed.json')), 'activated').toBe(false)
  return (error.data as { reason: string }).reason
}
const signed = (manifest: unknown, files: Record<string, Buffer> = content) => writeBundle(join(folder, `stick-${count++}`), signer, manifest, files)
const withFile = (change: Record<string, unknown>) => {
  const manifest = manifestOf(content) as { files: Record<string, unknown>[] }
  Object.assign(manifest.files[0]!, change)
  return signed(manifest)
}

describe('names', () => {
  it('that lead out, hide, collide or are devices are refused, also under a good signature', async () => {
    const bad = [
      '../x',
      '..',
      '/etc/passwd',
      'a/../../x',
      'a//b',
      'a/',
      '',
      '.',
      '.hidden',
      'a/.git',
      'C:\\x',
      'a\\b',
      'con',
      'NUL.txt',
      'a/com1.gguf',
      'x:stream',
      'x.',
      'x ',
      'a\0b',
      'é.txt',
      '\u202Efdp.x',
      `${'a'.repeat(101)}`,
      'a/b/c/d/e',
      'bundle.json',
      'BUNDLE.SIG',
      '~/x',
      '-rf',
      '$HOME',
      '%TEMP%',
    ]
    for (const path of bad) {
      expect(isBundlePath(path), path).toBe(false)
      expect(await refusalOf(withFile({ path })), path).toBe('name')
    }
    for (const path of ['TERMS/A.TSV', 'terms/a.tsv', 'terms', 'terms/a.tsv/b']) expect(await refusalOf(withFile({ path })), path).toBe('name')
    for (const path of ['model.gguf', 'a-b_c.1/x.tsv', 'console.txt', 'a/b/c/d']) expect(isBundlePath(path), path).toBe(true)
  })

  it('whatever they are, never leave the folder', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom('..', '.', 'a', 'con', '', 'b.c', '\\', '~'), { maxLength: 6 }).map((parts) => parts.join('/')),
        ),
        (path) => {
          if (!isBundlePath(path)) return
          const inside = join('/safe/folder', ...path.split('/'))
          expect(inside.startsWith('/safe/folder/')).toBe(true)
          expect(inside.slice('/safe/folder/'.length)).toBe(path)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('numbers', () => {
  it('that claim too much, too little or nonsense are refused', async () => {
    for (const bytes of [-1, 0.5, 2 ** 53, 600 * 2 ** 30, '5', null]) expect(await refusalOf(withFile({ bytes })), String(bytes)).toBe('manifest')
    expect(await refusalOf(withFile({ bytes: 500 * 2 ** 30 }))).toBe('manifest')
    expect(await refusalOf(withFile({ chunks: [] }))).toBe('manifest')
    expect(await refusalOf(withFile({ sha256: 'x' }))).toBe('manifest')
    for (const change of [
      { version: 0 },
      { version: 1e12 },
      { id: '../x' },
      { id: 'A' },
      { id: 'a..b' },
      { chunkBytes: 1 },
      { chunkBytes: 2 ** 40 },
      { files: [] },
      { format: 2 },
      { leastProgram: 'x' },
      { more: 1 },
    ])
      expect(await refusalOf(signed(manifestOf(content, change))), JSON.stringify(change)).toBe('manifest')
    const chunk = 'a'.repeat(64)
    const huge = Array.from({ length: 3 }, (_, n) => ({
      path: `f${n}`,
      kind: 'other',
      bytes: 200 * 2 ** 30,
      sha256: chunk,
      chunks: Array(3200).fill(chunk) as string[],
    }))
    expect(await refusalOf(signed(manifestOf({}, { chunkBytes: 64 * 2 ** 20, files: huge })))).toBe('too_large')
  })

  it('of any JSON are a refusal and nothing else', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => readBundleManifest(Buffer.from(text))).toThrow(AppError)
      }),
      { numRuns: 500 },
    )
    for (const text of ['{"__proto__":{"format":1}}', '[', '\xff', '{"files":' + '['.repeat(5000) + ']'.repeat(5000) + '}'])
      expect(() => readBundleManifest(Buffer.from(text, 'latin1'))).toThrow(AppError)
  })
})

describe('a stick', () => {
  it('with links in place of files is refused', async () => {
    if (process.platform === 'win32') return
    const secret = join(folder, 'secret')
    writeFileSync(secret, content['model.gguf'])
    const stick = signed(manifestOf(content))
    rmSync(join(stick, 'model.gguf'))
    symlinkSync(secret, join(stick, 'model.gguf'))
    expect(await refusalOf(stick)).toBe('link')
    const other = signed(manifestOf(content))
    rmSync(join(other, 'terms'), { recursive: true })
    symlinkSync(stick, join(other, 'terms'))
    expect(await refusalOf(other)).toBe('link')
    symlinkSync(stick, join(folder, 'link'))
    expect(await refusalOf(join(folder, 'link'))).toBe('link')
    const third = signed(manifestOf(content))
    rmSync(join(third, 'bundle.json'))
    symlinkSync(join(stick, 'bundle.json'), join(third, 'bundle.json'))
    expect(await refusalOf(third)).toBe('link')
  })

  it('with a pipe in place of a file does not hang', async () => {
    if (process.platform === 'win32') return
    const stick = signed(manifestOf(content))
    rmSync(join(stick, 'model.gguf'))
    const { spawnSync } = await import('node:child_process')
    if (spawnSync('mkfifo', [join(stick, 'model.gguf')]).status !== 0) return
    expect(['not_a_bundle', 'half_copied']).toContain(await refusalOf(stick))
  })

  it('half copied is said to be so: file gone, file short, file with a hole, no signature', async () => {
    const short = signed(manifestOf(content))
    truncateSync(join(short, 'model.gguf'), CHUNK + 3)
    expect(await refusalOf(short)).toBe('half_copied')
    const gone = signed(manifestOf(content))
    rmSync(join(gone, 'terms', 'a.tsv'))
    expect(await refusalOf(gone)).toBe('half_copied')
    const unsigned = signed(manifestOf(content))
    rmSync(join(unsigned, 'bundle.sig'))
    expect(await refusalOf(unsigned)).toBe('half_copied')
    const hole = signed(manifestOf(content), { ...content, 'model.gguf': Buffer.alloc(content['model.gguf'].length) })
    expect(await refusalOf(hole)).toBe('tampered')
    const one = writeOneFileBundle(join(folder, 'one.rlbundle'), signer, manifestOf(content), content)
    truncateSync(one, readFileSync(one).length - 3000)
    expect(await refusalOf(one)).toBe('half_copied')
  })

  it('with any byte of one file changed is refused, or the byte does not matter', async () => {
    const one = writeOneFileBundle(join(folder, 'one.rlbundle'), signer, manifestOf(content), content)
    const whole = readFileSync(one)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(whole)
        changed[at]! ^= change
        writeFileSync(one, changed)
        forget()
        const result = await run(one).then(
          () => 'imported',
          (error: unknown) => (error instanceof AppError ? (error.data as { reason: string }).reason : `threw ${String(error)}`),
        )
        seen.add(result)
        expect(result).not.toMatch(/^threw/)
        // only the zeros that fill a block, and the end of the tar, are read by nobody
        if (result === 'imported') expect(whole[at]).toBe(0)
      }),
      { numRuns: 300 },
    )
    expect(seen).toContain('tampered')
    expect(seen).toContain('signature')
  })

  it('with any file of a folder changed is refused', async () => {
    const stick = signed(manifestOf(content))
    for (const name of ['model.gguf', 'terms/a.tsv', 'bundle.json', 'bundle.sig']) {
      const path = join(stick, name)
      const whole = readFileSync(path)
      for (const at of [0, Math.floor(whole.length / 2), whole.length - 2]) {
        const changed = Buffer.from(whole)
        changed[at]! ^= 4
        writeFileSync(path, changed)
        expect(['tampered', 'signature', 'signer', 'not_a_bundle']).toContain(await refusalOf(stick))
      }
      writeFileSync(path, whole)
    }
    await run(stick)
    expect(readdirSync(join(folder, 'bundles')).some((name) => name.startsWith('test-1-'))).toBe(true)
  })
})
