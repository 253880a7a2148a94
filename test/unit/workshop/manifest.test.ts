// Owns the tests of the manifest beside a model: what is read, what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compareWithManifest, hashFile, manifestPath, readManifest, type Manifest } from '../../../app/library/manifest.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-manifest-'))
afterAll(() => rmSync(folder, { recursive: true }))
const model = join(folder, 'm.gguf')
const hash = 'a'.repeat(64)
const good: Manifest = {
  ...{ format: 1, file: 'm.gguf', bytes: 3000, sha256: hash, chunkBytes: 1024, chunks: [hash, hash, hash], name: 'M', architecture: 'qwen2' },
  ...{ parameters: 10, bitsPerWeight: 8, groups: [], recipe: { name: 'q8', sha256: hash }, source: { file: 's.gguf', bytes: 1, sha256: hash } },
  ...{ importance: null, weightsId: hash, tools: { rushlight: '0' }, made: '2026-01-01T00:00:00.000Z' },
}

describe('a manifest', () => {
  it('that is not there is null', async () => expect(await readManifest(join(folder, 'none.gguf'))).toBeNull())
  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{"format":1'],
    ['another format', { ...good, format: 2 }],
    ['a path instead of a name', { ...good, file: '../../etc/passwd' }],
    ['a hash that is none', { ...good, sha256: 'z' }],
    ['a negative size', { ...good, bytes: -1 }],
    ['pieces of no bytes', { ...good, chunkBytes: 0 }],
    ['a key more', { ...good, run: 'rm -rf' }],
    ['a date that is none', { ...good, made: 'yesterday' }],
  ])('of %s is refused', async (_, content) => {
    writeFileSync(manifestPath(model), typeof content === 'string' ? content : JSON.stringify(content))
    await expect(readManifest(model)).rejects.toMatchObject({ code: 'MANIFEST_INVALID', data: { file: 'm.gguf.manifest.json' } })
  })
  it('proves the pieces of a file, the last one shorter', async () => {
    writeFileSync(model, Buffer.alloc(3000, 7))
    const hashes = await hashFile(model, { chunkBytes: 1024 })
    expect([hashes.bytes, hashes.chunks.length, hashes.chunks[0] === hashes.chunks[1], hashes.chunks[1] === hashes.chunks[2]]).toEqual([
      3000,
      3,
      true,
      false,
    ])
    const manifest = { ...good, ...hashes }
    compareWithManifest(manifest, hashes)
    const says = (change: Partial<Manifest>) => expect(() => compareWithManifest({ ...manifest, ...change }, hashes))
    says({ bytes: 3001 }).toThrow('has 3000 bytes and its manifest says 3001')
    says({ chunks: hashes.chunks.with(2, hash) }).toThrow('first in the piece')
    says({ chunks: [...hashes.chunks, hash] }).toThrow('does not have the hash')
    says({ sha256: hash }).toThrow('does not have the hash')
  })
  it('hears a stop while it hashes', async () => {
    const stopper = new AbortController()
    stopper.abort(new Error('stop'))
    await expect(hashFile(model, { signal: stopper.signal })).rejects.toThrow('stop')
  })
})
