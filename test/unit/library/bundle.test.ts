// Owns the tests of a bundle's way from the workshop to the clinic: made, imported, resumed, tested, replaced and taken back.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { advisoriesIn, disabledBy } from '../../../app/library/bundle/advisories.ts'
import { tarHeader } from '../../../app/library/bundle/container.ts'
import { importBundle, inspectBundle, rollBack, type ImportOptions } from '../../../app/library/bundle/import.ts'
import { readInstalled } from '../../../app/library/bundle/installed.ts'
import { bundleVerb } from '../../../models/workshop/verbs/bundle.ts'
import { CHUNK, manifestOf, newSigner, writeBundle, writeOneFileBundle, type Signer } from '../../support/bundles.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'

const STARTER = fileURLToPath(new URL('../../../models/starter/rushlight-starter-q8.gguf', import.meta.url))
let folder: string
let signer: Signer
const at = (...parts: string[]) => join(folder, ...parts)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-bundle-'))
  signer = newSigner()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const reason = (expected: string) => expect.objectContaining({ data: expect.objectContaining({ reason: expected }) as unknown })
const options = (more: Partial<ImportOptions> = {}): ImportOptions => ({
  ...{ folder: at('bundles'), trusted: [signer.trusted], program: '0.1.0', selfTest: async () => {} },
  ...more,
})
const files = (seed = 1) => ({
  'model.gguf': Buffer.alloc(CHUNK * 3 + 100, seed),
  'terms/extra.tsv': Buffer.from('a\tb\n'),
  'empty.txt': Buffer.alloc(0),
})
const make = (version: number, change: Record<string, unknown> = {}, content = files(version)) =>
  writeBundle(at(`stick-${version}-${randomBytes(3).toString('hex')}`), signer, manifestOf(content, { version, ...change }), content)
const active = async () => (await readInstalled(at('bundles'))).bundles['test']?.active.version ?? null

describe('the workshop', () => {
  it('makes a folder and a file that a clinic takes, and any tar reads the file', async () => {
    const key = at('private.pem')
    writeFileSync(key, signer.key.export({ type: 'pkcs8', format: 'pem' }))
    mkdirSync(at('source', 'terms'), { recursive: true })
    writeFileSync(at('source', 'terms', 'a.tsv'), 'x\ty\n')
    writeFileSync(at('card.md'), '# Card\n')
    for (const out of [at('out'), at('out.rlbundle')]) {
      const report = await runVerb(bundleVerb, [out, at('source'), at('card.md')], {
        key,
        id: 'test',
        version: '3',
        days: '10',
        'least-program': '0.1.0',
      })
      expect(report.rows).toMatchObject([
        { file: 'source/terms/a.tsv', kind: 'terms' },
        { file: 'card.md', kind: 'card' },
      ])
      expect(report.detail).toMatchObject({ signer: signer.trusted })
      const done = await importBundle(out, options({ folder: `${out}-imported` }))
      expect(readFileSync(join(done.folder, 'source', 'terms', 'a.tsv'), 'utf8')).toBe('x\ty\n')
    }
    const listed = spawnSync('tar', ['tf', at('out.rlbundle')], { encoding: 'utf8' })
    if (!listed.error) expect(listed.stdout.trim().split('\n')).toEqual(['bundle.json', 'bundle.sig', 'source/terms/a.tsv', 'card.md'])
    await expectRefusal(runVerb(bundleVerb, [at('out'), at('card.md')], { key, id: 'test', version: '3' }), 'OUTPUT_EXISTS')
    await expectRefusal(runVerb(bundleVerb, [at('new'), at('nowhere')], { key, id: 'test', version: '3' }), 'SOURCE_INVALID', 'nowhere')
    await expectRefusal(
      runVerb(bundleVerb, [at('new'), at('card.md')], { key: at('card.md'), id: 'test', version: '3' }),
      'SOURCE_INVALID',
      'openssl genpkey',
    )
    writeFileSync(at('con.txt'), 'x')
    await expectRefusal(runVerb(bundleVerb, [at('new'), at('con.txt')], { key, id: 'test', version: '3' }), 'MANIFEST_INVALID')
    await expectRefusal(runVerb(bundleVerb, [at('new'), at('card.md'), at('card.md')], { key, id: 'test', version: '3' }), 'MANIFEST_INVALID')
    expect(existsSync(at('new'))).toBe(false)
  })

  it('knows a model and an advisory for what they are, and refuses what only bears their names', async () => {
    const key = at('private.pem')
    writeFileSync(key, signer.key.export({ type: 'pkcs8', format: 'pem' }))
    const says = { format: 1, id: 'A-1', issued: '2026-05-01T00:00:00.000Z', says: 'x', disables: [{ what: 'model', sha256: 'a'.repeat(64) }] }
    writeFileSync(at('a.advisory.json'), JSON.stringify(says))
    const how = { key, id: 'test', version: '1' }
    const report = await runVerb(bundleVerb, [at('out.rlbundle'), STARTER, at('a.advisory.json')], how)
    expect(report.rows).toMatchObject([{ kind: 'model' }, { kind: 'advisory' }])
    writeFileSync(at('a.advisory.json'), '{}')
    await expectRefusal(runVerb(bundleVerb, [at('b.rlbundle'), at('a.advisory.json')], how), 'MANIFEST_INVALID')
    writeFileSync(at('no.gguf'), 'no model')
    await expectRefusal(runVerb(bundleVerb, [at('b.rlbundle'), at('no.gguf')], how), 'MODEL_NOT_GGUF')
    expect(existsSync(at('b.rlbundle'))).toBe(false)
  })

  it('writes sizes that other tars read, beyond eight gigabytes too', () => {
    expect(tarHeader('a', 5 * 2 ** 30).toString('latin1', 124, 135)).toBe('50000000000')
    const large = tarHeader('a', 9 * 2 ** 30)
    expect([large[124], large.readBigUInt64BE(128)]).toEqual([0x80, BigInt(9 * 2 ** 30)])
  })
})

describe('an import', () => {
  it('brings every byte, says how far it is, and is in use only after the self-test', async () => {
    const heard: number[] = []
    let tested = ''
    const done = await importBundle(
      make(1),
      options({
        onBytes: (bytes, total) => void heard.push(bytes / total),
        selfTest: async (where) => {
          tested = where
          expect(await active()).toBeNull()
        },
      }),
    )
    expect(tested).toContain('.staging')
    for (const [path, content] of Object.entries(files(1))) expect(readFileSync(join(done.folder, path)).equals(content), path).toBe(true)
    expect(heard.at(-1)).toBe(1)
    expect([...heard].sort((a, b) => a - b)).toEqual(heard)
    expect(await active()).toBe(1)
    expect(readdirSync(at('bundles', '.staging'))).toEqual([])
  })

  it('that was stopped goes on where it was, and proves again what lay there', async () => {
    const stick = make(1)
    const stopper = new AbortController()
    const stopped = importBundle(
      stick,
      options({ signal: stopper.signal, onBytes: (bytes) => bytes >= CHUNK * 2 && stopper.abort(new Error('stick pulled')) }),
    )
    await expect(stopped).rejects.toThrow('stick pulled')
    const [name] = readdirSync(at('bundles', '.staging'))
    const staged = at('bundles', '.staging', name!, 'model.gguf')
    expect(readFileSync(staged).length).toBeGreaterThanOrEqual(CHUNK * 2)
    // what lies there may have been spoilt meanwhile: the second piece, and rubbish behind
    const spoilt = readFileSync(staged)
    spoilt[CHUNK + 5]! ^= 1
    writeFileSync(staged, spoilt)
    appendFileSync(staged, Buffer.alloc(CHUNK * 9))
    const done = await importBundle(stick, options())
    expect(done.resumedBytes).toBe(CHUNK)
    expect(readFileSync(join(done.folder, 'model.gguf')).equals(files(1)['model.gguf'])).toBe(true)
  })

  it('of a newer version keeps the old one at hand, and only that; a way back is not a way further back', async () => {
    for (const version of [1, 2, 3]) await importBundle(make(version), options())
    expect(readdirSync(at('bundles')).filter((name) => name.startsWith('test-'))).toHaveLength(2)
    expect((await rollBack(at('bundles'), 'test')).version).toBe(2)
    expect(await active()).toBe(2)
    await expect(rollBack(at('bundles'), 'test')).rejects.toThrow(reason('no_previous'))
    await expect(importBundle(make(2), options())).rejects.toThrow(reason('downgrade'))
    await importBundle(make(4), options())
    expect(await active()).toBe(4)
  })

  it('whose self-test fails leaves the old version in use', async () => {
    await importBundle(make(1), options())
    const failing = options({ selfTest: () => Promise.reject(new Error('it did not answer')) })
    await expect(importBundle(make(2), failing)).rejects.toThrow(reason('self_test'))
    expect(await active()).toBe(1)
    expect(readdirSync(at('bundles', '.staging'))).toEqual([])
    await importBundle(make(2), options())
    expect(await active()).toBe(2)
  })

  it('of the same bundle again mends what has suffered; the same version with other content is refused', async () => {
    const stick = make(1)
    const done = await importBundle(stick, options())
    truncateSync(join(done.folder, 'model.gguf'), 10)
    await importBundle(stick, options())
    expect(readFileSync(join(done.folder, 'model.gguf')).equals(files(1)['model.gguf'])).toBe(true)
    await expect(importBundle(make(1, {}, files(9)), options())).rejects.toThrow(reason('downgrade'))
  })

  it('is refused for its signer, its age, its program and its place in time, before a byte is copied', async () => {
    const refused = async (path: string, why: string, more: Partial<ImportOptions> = {}) => {
      await expect(inspectBundle(path, options(more))).rejects.toThrow(reason(why))
      await expect(importBundle(path, options(more))).rejects.toThrow(reason(why))
      expect(existsSync(at('bundles'))).toBe(false)
    }
    await refused(make(1), 'no_signers', { trusted: [] })
    await refused(make(1), 'signer', { trusted: [newSigner().trusted] })
    await refused(make(1, { expires: '2026-01-02T00:00:00.000Z' }), 'expired', { now: () => new Date('2026-01-02T00:00:00Z') })
    await refused(make(1, { leastProgram: '0.2.0' }), 'from_future')
    await refused(at('nowhere'), 'not_a_bundle')
    await refused(folder, 'half_copied')
    await expect(inspectBundle(make(1, { leastProgram: '0.9.9' }), options({ program: '0.10.0' }))).resolves.toBeTruthy()
    await expect(
      inspectBundle(make(1, { expires: '2026-01-02T00:00:00.000Z' }), options({ now: () => new Date('2026-01-01T00:00:00Z') })),
    ).resolves.toBeTruthy()
  })

  it('with a damaged record of what is installed stops, and does not forget the highest version', async () => {
    await importBundle(make(5), options())
    writeFileSync(at('bundles', 'installed.json'), '{}')
    await expect(importBundle(make(1), options())).rejects.toThrow(reason('state'))
  })

  it('takes one file as it takes a folder', async () => {
    const path = writeOneFileBundle(at('one.rlbundle'), signer, manifestOf(files()), files())
    const done = await importBundle(path, options())
    for (const [name, content] of Object.entries(files())) expect(readFileSync(join(done.folder, name)).equals(content), name).toBe(true)
  })
})

describe('an advisory', () => {
  const [bad, good] = ['a'.repeat(64), 'b'.repeat(64)] as const
  const advisory = (disables: unknown[]) =>
    Buffer.from(JSON.stringify({ format: 1, id: 'A-1', issued: '2026-05-01T00:00:00.000Z', says: 'Wrong doses. Use version 2.', disables }))
  const issue = async (version: number, disables: unknown[]) => {
    const content = { 'a.advisory.json': advisory(disables) }
    const manifest = manifestOf(content, { id: 'advisories', version }) as { files: { kind: string }[] }
    manifest.files[0]!.kind = 'advisory'
    await importBundle(writeBundle(at(`advisory-${version}`), signer, manifest, content), options())
    return advisoriesIn(at('bundles'))
  }

  it('disables a model with its answers, an adapter, or answers by origin and time; a later one lifts it', async () => {
    expect(await advisoriesIn(at('bundles'))).toEqual([])
    const first = await issue(1, [
      { what: 'model', sha256: bad },
      { what: 'answers', prompt: 'p1', before: '2026-04-01T00:00:00.000Z' },
    ])
    const answer = { what: 'answers', model: good, adapter: '', prompt: 'p1', at: '2026-03-01T00:00:00.000Z' } as const
    expect(disabledBy(first, { what: 'model', sha256: bad })?.says).toBe('Wrong doses. Use version 2.')
    expect(disabledBy(first, { what: 'model', sha256: good })).toBeNull()
    expect(disabledBy(first, { what: 'adapter', sha256: bad })).toBeNull()
    expect(disabledBy(first, answer)).not.toBeNull()
    expect(disabledBy(first, { ...answer, at: '2026-04-01T00:00:00.000Z' })).toBeNull()
    expect(disabledBy(first, { ...answer, prompt: 'p2' })).toBeNull()
    expect(disabledBy(first, { ...answer, prompt: 'p2', model: bad })).not.toBeNull()
    const second = await issue(2, [{ what: 'adapter', sha256: bad }])
    expect(disabledBy(second, { what: 'model', sha256: bad })).toBeNull()
    expect(disabledBy(second, { what: 'adapter', sha256: bad })).not.toBeNull()
  })

  it('that cannot be read is not passed over', async () => {
    await expect(issue(1, [{ what: 'everything' }])).rejects.toThrow(reason('manifest'))
  })
})
