// Owns the tests of the user's model folder: copies of the demonstration, capitals, parts, links, long names, and headers that are read for real.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ModelSummary } from '../../app/contract/entities.ts'
import { inspectModel } from '../../app/engine/gguf.ts'
import { readCatalog } from '../../app/library/catalog.ts'
import { Library } from '../../app/library/library.ts'

const resources = fileURLToPath(new URL('../../models', import.meta.url))
const starter = join(resources, 'starter', 'rushlight-starter-q8.gguf')
let models: string
let library: Library
beforeEach(() => {
  models = mkdtempSync(join(tmpdir(), 'rushlight-files-'))
  library = new Library({ resources, models, inspect: inspectModel })
})
afterEach(() => rmSync(models, { recursive: true, force: true }))
const put = (name: string, text = 'GGUF') => writeFileSync(join(models, name), text)
const shown = async (name: string, active: string | null = null) => (await library.list(active)).filter((model) => model.fileName === name)
const missing = expect.objectContaining({ code: 'MODEL_MISSING' })

describe('the demonstration', () => {
  it('stays one when it is named by its path, or copied under another name', async () => {
    expect(library.resolve(starter)).toMatchObject({ id: 'rushlight-starter', demonstration: true, promptProfile: 'question-only' })
    copyFileSync(starter, join(models, 'doctor.gguf'))
    for (const id of ['doctor.gguf', join(models, 'doctor.gguf')])
      expect(library.resolve(id)).toMatchObject({ id: 'doctor.gguf', name: 'Rushlight starter', demonstration: true, contextSize: 1024 })
    expect(await shown('doctor.gguf')).toMatchObject([{ id: 'doctor.gguf', demonstration: true, licence: 'Apache-2.0' }])
    expect(library.defaultId()).toBe('rushlight-starter')
  })

  it('is not replaced by a file of the same name in the user’s folder', async () => {
    put('rushlight-starter-q8.gguf', 'GGUF but another')
    expect(library.resolve('rushlight-starter').path).toBe(starter)
    expect((await shown('rushlight-starter-q8.gguf')).map(({ id, demonstration }) => [id, demonstration])).toEqual([
      ['rushlight-starter-q8.gguf', false],
      ['rushlight-starter', true],
    ])
    expect(library.resolve('rushlight-starter-q8.gguf')).toMatchObject({ path: join(models, 'rushlight-starter-q8.gguf'), demonstration: false })
  })
})

describe('a file of the catalogue', () => {
  it('is known in any capitals', async () => {
    put('Qwen2.5-7B-Instruct-Q4_K_M.GGUF')
    expect(await shown('Qwen2.5-7B-Instruct-Q4_K_M.GGUF')).toMatchObject([{ id: 'qwen2.5-7b-instruct', state: 'installed', bytes: 4 }])
    expect(library.defaultId()).toBe('qwen2.5-7b-instruct')
    expect(library.resolve(join(models, 'Qwen2.5-7B-Instruct-Q4_K_M.GGUF')).id).toBe('qwen2.5-7b-instruct')
  })

  it('in parts counts when all are there, is shown once, and is hashed whole', async () => {
    const part = (n: number) => `qwen2.5-7b-instruct-q4_k_m-0000${n}-of-00002.gguf`
    put(part(1), 'GGUF one')
    expect(() => library.resolve('qwen2.5-7b-instruct')).toThrow(missing)
    expect(() => library.resolve(part(1))).toThrow(missing)
    expect((await shown(part(1)))[0]!.description).toMatch(/1 part is not in its folder/)
    expect(library.defaultId()).toBe('rushlight-starter')
    put(part(2), 'two')
    expect(await shown(part(1))).toMatchObject([{ id: 'qwen2.5-7b-instruct', state: 'installed', bytes: 11 }])
    expect(await shown(part(2))).toEqual([])
    const before = await library.hash(library.resolve('qwen2.5-7b-instruct'))
    put(part(2), 'three')
    expect(await library.hash(library.resolve('qwen2.5-7b-instruct'))).not.toBe(before)
  })
})

describe('a file of the user', () => {
  it('is marked active once, also when it was named by its path', async () => {
    put('own.gguf')
    const { id } = library.resolve(join(models, 'own.gguf'))
    expect(await shown('own.gguf', id)).toMatchObject([{ id: 'own.gguf', active: true }])
    const elsewhere = join(mkdtempSync(join(models, 'sub-')), 'other.gguf')
    writeFileSync(elsewhere, 'GGUF')
    expect(await shown('other.gguf', library.resolve(elsewhere).id)).toMatchObject([{ id: elsewhere, active: true }])
    mkdirSync(`${models}-more`)
    writeFileSync(join(`${models}-more`, 'own.gguf'), 'GGUF')
    expect(library.resolve(join(`${models}-more`, 'own.gguf')).id).toBe(join(`${models}-more`, 'own.gguf'))
    rmSync(`${models}-more`, { recursive: true })
  })

  it('with a bad link, a folder or a long name beside it is still found', async () => {
    put('own.gguf')
    symlinkSync(join(models, 'circle.gguf'), join(models, 'circle.gguf'))
    symlinkSync(join(models, 'nowhere'), join(models, 'dangling.gguf'))
    symlinkSync(join(models, 'own.gguf'), join(models, 'linked.gguf'))
    mkdirSync(join(models, 'folder.gguf'))
    const long = `${'m'.repeat(245)}.gguf`
    put(long)
    const list = await library.list(null)
    const own = list.filter((model) => model.state === 'installed' && !model.demonstration)
    expect(own.map(({ fileName }) => fileName)).toEqual(['linked.gguf', long, 'own.gguf'])
    for (const model of list) {
      expect(ModelSummary.safeParse(model).error).toBeUndefined()
      expect(model.id.length).toBeLessThanOrEqual(200)
    }
    expect(library.resolve(own[1]!.id).path).toBe(join(models, long))
  })

  it('that is gone, or has a name that no disk takes, is missing', () => {
    put('own.gguf')
    rmSync(join(models, 'own.gguf'))
    for (const id of ['own.gguf', '', 'x'.repeat(5000), 'a\0b']) expect(() => library.resolve(id), id.slice(0, 20)).toThrow(missing)
  })

  it('is described by its header, and a broken one says what is wrong', async () => {
    const { bytes, quantisation } = readCatalog(join(resources, 'catalog.json'))[0]!
    const facts = await inspectModel(starter)
    expect([facts.bytes, facts.quantisation]).toEqual([bytes, quantisation])
    // one byte more than the demonstration: another file, as far as anybody knows
    copyFileSync(starter, join(models, 'own.gguf'))
    writeFileSync(join(models, 'own.gguf'), '\0', { flag: 'a' })
    put('broken.gguf', 'not a model')
    expect(await shown('own.gguf')).toMatchObject([{ quantisation, parameters: '3.3 million', demonstration: false }])
    expect(await shown('broken.gguf')).toMatchObject([{ quantisation: '', description: expect.stringMatching(/is not a GGUF model/) }])
    expect(library.defaultId()).toBe('own.gguf')
  })

  it('is hashed once when it is asked for twice', async () => {
    put('own.gguf')
    const model = library.resolve('own.gguf')
    const [one, two] = [library.hash(model), library.hash(model)]
    expect(one).toBe(two)
    expect(library.resolve('own.gguf').sha256).toBe('')
    await one
    expect(library.resolve('own.gguf').sha256).toBe(await two)
    await expect(library.hash({ path: join(models, 'gone.gguf') })).rejects.toThrow(/ENOENT/)
  })
})

it('a catalogue with two entries of one name is refused', () => {
  const entry = readCatalog(join(resources, 'catalog.json'))[0]!
  for (const twice of [
    { ...entry, file: 'other.gguf' },
    { ...entry, id: 'other', file: entry.file.toUpperCase().replace('.GGUF', '.gguf') },
  ]) {
    writeFileSync(join(models, 'catalog.json'), JSON.stringify({ version: 1, models: [entry, twice] }))
    expect(() => readCatalog(join(models, 'catalog.json'))).toThrow(expect.objectContaining({ code: 'CATALOG_INVALID' }))
  }
})
