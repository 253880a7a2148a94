// Owns the tests of the model library: the shipped catalogue, the starter's hash, and whatever lies in the user's folder.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCatalog } from '../../app/library/catalog.ts'
import { Library } from '../../app/library/library.ts'

const resources = fileURLToPath(new URL('../../models', import.meta.url))
let models: string
let library: Library
beforeEach(() => {
  models = mkdtempSync(join(tmpdir(), 'rushlight-models-'))
  library = new Library({ resources, models })
})
afterEach(() => rmSync(models, { recursive: true, force: true }))

describe('the catalogue', () => {
  it('tells the truth about the file that ships', async () => {
    const starter = readCatalog(join(resources, 'catalog.json')).find((entry) => entry.demonstration)!
    const data = readFileSync(join(resources, 'starter', starter.file))
    expect(data.length).toBe(starter.bytes)
    expect(createHash('sha256').update(data).digest('hex')).toBe(starter.sha256)
    expect(await library.hash(library.resolve(starter.id))).toBe(starter.sha256)
  })

  it('damaged is refused', () => {
    for (const text of ['', '{', '{"version":1,"models":[]}', '{"version":1,"models":[{"id":"../x"}]}']) {
      writeFileSync(join(models, 'catalog.json'), text)
      expect(() => readCatalog(join(models, 'catalog.json'))).toThrow(expect.objectContaining({ code: 'CATALOG_INVALID' }))
    }
  })
})

describe('the library', () => {
  it('starts with the demonstration, and prefers a real model as soon as there is one', () => {
    expect(library.defaultId()).toBe('rushlight-starter')
    writeFileSync(join(models, 'no model.gguf'), 'x')
    expect(library.defaultId()).toBe('rushlight-starter')
    writeFileSync(join(models, 'own model.gguf'), 'GGUF and more')
    expect(library.defaultId()).toBe('own model.gguf')
  })

  it('lists what is a file and ends in .gguf, and marks the active one', async () => {
    writeFileSync(join(models, 'a b 张.GGUF'), 'x')
    writeFileSync(join(models, 'notes.txt'), 'x')
    mkdirSync(join(models, 'folder.gguf'))
    symlinkSync(join(models, 'nowhere'), join(models, 'dangling.gguf'))
    const list = await library.list('a b 张.GGUF')
    const installed = list.filter((model) => model.state === 'installed')
    expect(installed.map(({ fileName, active }) => [fileName, active])).toEqual([
      ['a b 张.GGUF', true],
      ['rushlight-starter-q8.gguf', false],
    ])
    expect(list.filter((model) => model.state === 'listed').length).toBeGreaterThanOrEqual(3)
  })

  it('takes a catalogue file from the user’s folder once it is there', () => {
    expect(() => library.resolve('qwen2.5-7b-instruct')).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }))
    writeFileSync(join(models, 'qwen2.5-7b-instruct-q4_k_m.gguf'), 'x')
    expect(library.resolve('qwen2.5-7b-instruct')).toMatchObject({ promptProfile: 'full', demonstration: false })
  })

  it('refuses a name that is nowhere and hands a path on to the engine', () => {
    expect(() => library.resolve('nowhere.gguf')).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }))
    expect(library.resolve(join(models, 'gone.gguf')).path).toBe(join(models, 'gone.gguf'))
  })

  it('hashes a file again when it has been replaced', async () => {
    writeFileSync(join(models, 'm.gguf'), 'one')
    const first = await library.hash(library.resolve('m.gguf'))
    expect(library.resolve('m.gguf').sha256).toBe(first)
    writeFileSync(join(models, 'm.gguf'), 'three')
    expect(library.resolve('m.gguf').sha256).toBe('')
    expect(await library.hash(library.resolve('m.gguf'))).not.toBe(first)
  })
})
