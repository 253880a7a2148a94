// Owns the tests of export: the same bytes as llama.cpp's own quantiser, the order, the manifest, and nothing left behind however it ends.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import { compareWithManifest, hashFile, manifestPath, readManifest } from '../../../app/library/manifest.ts'
import { TensorFile, rowsOf } from '../../../models/workshop/convert.ts'
import { exportModel, type ExportRequest } from '../../../models/workshop/export.ts'
import { refuseOutput, writeWhole } from '../../../models/workshop/output.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { readRecipe, recipeNames } from '../../../models/workshop/recipe.ts'
import { starter } from '../models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-export-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
})
const at = (name: string) => join(folder, name)
const root = join(import.meta.dirname, '../../..')
const quiet = () => ({ signal: new AbortController().signal, progress: new Progress(null) })
const exported = (to: string, recipe = 'rushlight-7b', more: Partial<ExportRequest> = {}, context = quiet()) => {
  const { recipe: read, sha256 } = readRecipe(recipe)
  const request = {
    from: starter,
    to,
    recipe: read,
    recipeSha256: sha256,
    version: '0',
    importance: null,
    requantise: false,
    force: false,
    threads: 1,
  }
  return exportModel({ ...request, ...more }, context)
}
const bytesIn = async (header: GgufHeader, name: string) => {
  const file = await TensorFile.open(header)
  const tensor = header.tensors.find((one) => one.name === name)!
  return file.rows(tensor, 0, rowsOf(tensor)).finally(() => file.close())
}

describe('an export', () => {
  it.each(recipeNames())('by %s holds the bytes that llama.cpp’s own quantiser writes', async (recipe) => {
    await exported(at('ours.gguf'), recipe)
    const ours = await readGgufHeader(at('ours.gguf'), { values: 'all' })
    const types = ours.tensors.filter(({ dims }) => dims.length > 1).map(({ name, type }) => [name, type])
    const oracle = join(root, 'test/support/llama-quantize.ts')
    execFileSync(process.execPath, [oracle, starter, at('theirs.gguf'), '1', JSON.stringify(types)], { stdio: 'pipe' })
    const theirs = await readGgufHeader(at('theirs.gguf'), { values: 'all' })
    expect(new Set(ours.tensors.map(({ name }) => name))).toEqual(new Set(theirs.tensors.map(({ name }) => name)))
    for (const { name, type } of theirs.tensors) {
      expect([name, ours.tensors.find((one) => one.name === name)!.type]).toEqual([name, type])
      expect((await bytesIn(ours, name)).equals(await bytesIn(theirs, name)), name).toBe(true)
    }
  })

  it('has feed-forward layers last, every other key and value of the source, and the same vectors', async () => {
    await exported(at('out.gguf'))
    const [before, after] = [await readGgufHeader(starter, { values: 'all' }), await readGgufHeader(at('out.gguf'), { values: 'all' })]
    const names = after.tensors.map(({ name }) => name)
    expect(names.findIndex((name) => /ffn_(gate|up|down)/.test(name))).toBe(names.length - 12)
    for (const [key, value] of before.metadata) if (key !== 'general.file_type') expect(after.metadata.get(key)).toEqual(value)
    for (const { name } of before.tensors.filter(({ dims }) => dims.length === 1))
      expect((await bytesIn(after, name)).equals(await bytesIn(before, name)), name).toBe(true)
  })

  it('is described by its manifest, and a changed byte is found where it is', async () => {
    const { manifest } = await exported(at('out.gguf'))
    expect(await readManifest(at('out.gguf'))).toEqual(manifest)
    expect(manifest.groups.reduce((sum, { tensors }) => sum + tensors, 0)).toBe(50)
    compareWithManifest(manifest, await hashFile(at('out.gguf')))
    const bytes = readFileSync(at('out.gguf'))
    bytes[1_000_000]! ^= 1
    writeFileSync(at('out.gguf'), bytes)
    const small = {
      ...manifest,
      chunkBytes: 65_536,
      chunks: (await hashFile(at('out.gguf'), { chunkBytes: 65_536 })).chunks.with(15, '0'.repeat(64)),
    }
    const changed = await hashFile(at('out.gguf'), { chunkBytes: 65_536 })
    expect(() => compareWithManifest(manifest, changed)).toThrow(expect.objectContaining({ code: 'MANIFEST_MISMATCH' }) as Error)
    expect(() => compareWithManifest(small, changed)).toThrow('first in the piece that begins at 1 MiB')
  })

  it('twice gives the same file', async () => {
    await exported(at('a.gguf'))
    await exported(at('b.gguf'), 'rushlight-7b', { threads: 3 })
    expect(readFileSync(at('a.gguf')).equals(readFileSync(at('b.gguf')))).toBe(true)
  })

  it('keeps the name of the original weights through every form', async () => {
    const { manifest: first } = await exported(at('f16.gguf'), 'f16')
    const { manifest: second } = await exported(at('mixed.gguf'), 'rushlight-7b', { from: at('f16.gguf') })
    expect(second.weightsId).toBe(first.weightsId)
    expect(first.weightsId).toBe(first.source.sha256)
  })

  it('of a source below 8 bits has to be asked for', async () => {
    await exported(at('mixed.gguf'))
    await expect(exported(at('again.gguf'), 'q8', { from: at('mixed.gguf') })).rejects.toMatchObject({ code: 'SOURCE_UNSUPPORTED' })
    await exported(at('again.gguf'), 'q8', { from: at('mixed.gguf'), requantise: true })
  })

  it('at a type that needs importance is refused without it', async () => {
    writeFileSync(at('r.json'), JSON.stringify({ name: 'tiny', about: '', rules: [], default: 'IQ3_S', order: 'source' }))
    // IQ3_S can do without, so nothing is refused here; a recipe may not name the types that cannot
    await exported(at('out.gguf'), at('r.json'))
    writeFileSync(at('r.json'), JSON.stringify({ name: 'tiny', about: '', rules: [], default: 'IQ2_XXS', order: 'source' }))
    expect(() => readRecipe(at('r.json'))).toThrow(expect.objectContaining({ code: 'RECIPE_INVALID' }) as Error)
  })
})

describe('a recipe', () => {
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no name', JSON.stringify({ about: '', rules: [], default: 'keep', order: 'source' })],
    ['a type that is none', JSON.stringify({ name: 'x', about: '', rules: [{ match: 'a', type: 'Q9' }], default: 'keep', order: 'source' })],
    ['no expression', JSON.stringify({ name: 'x', about: '', rules: [{ match: '(', type: 'Q8_0' }], default: 'keep', order: 'source' })],
    ['a key it does not have', JSON.stringify({ name: 'x', about: '', rules: [], default: 'keep', order: 'source', more: 1 })],
  ])('with %s is refused', (_, text) => {
    writeFileSync(at('r.json'), text)
    expect(() => readRecipe(at('r.json'))).toThrow(expect.objectContaining({ code: 'RECIPE_INVALID', data: { file: 'r.json' } }) as Error)
  })
  it('that is not there names those that are', () => {
    expect(() => readRecipe('nothing')).toThrow('rushlight-7b')
  })
})

describe('the output', () => {
  it('may not be the input under any name', async () => {
    const copy = at('in.gguf')
    writeFileSync(copy, readFileSync(starter))
    symlinkSync(copy, at('soft.gguf'))
    linkSync(copy, at('hard.gguf'))
    for (const to of [copy, at('soft.gguf'), at('hard.gguf'), join(folder, '.', 'x', '..', 'in.gguf')])
      await expect(exported(to, 'f16', { from: copy, force: true })).rejects.toMatchObject({ code: 'OUTPUT_IS_INPUT' })
    expect(readFileSync(copy).equals(readFileSync(starter))).toBe(true)
  })
  it('that exists is kept unless it may be replaced', async () => {
    writeFileSync(at('out.gguf'), 'old')
    await expect(exported(at('out.gguf'))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readFileSync(at('out.gguf'), 'utf8')).toBe('old')
    await exported(at('out.gguf'), 'f16', { force: true })
    expect(readFileSync(at('out.gguf')).length).toBeGreaterThan(6_000_000)
  })
  it('in a folder that is absent, a file, or closed is refused', async () => {
    writeFileSync(at('file'), '')
    mkdirSync(at('sub'))
    await expect(exported(join(at('gone'), 'x.gguf'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
    await expect(exported(join(at('file'), 'x.gguf'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
    await expect(exported(at('sub'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
    await expect(exported(at('n'.repeat(300)))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
  })
  it.skipIf(process.platform === 'win32')('in a folder without write permission is refused', async () => {
    mkdirSync(at('closed'))
    chmodSync(at('closed'), 0o555)
    const superuser = process.geteuid!() === 0
    // root may write everywhere: become nobody for a moment
    if (superuser) {
      chmodSync(folder, 0o755)
      process.seteuid!(65534)
    }
    try {
      await expect(refuseOutput(join(at('closed'), 'x.gguf'), { bytes: 1, inputs: [] })).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
    } finally {
      if (superuser) process.seteuid!(0)
    }
  })
  it('that the disk has no room for is refused before a byte is written', async () => {
    await expect(refuseOutput(at('huge.gguf'), { bytes: 1e17, inputs: [] })).rejects.toMatchObject({ code: 'DISK_FULL' })
  })
  it('is not there when its writer fails', async () => {
    const fails = writeWhole(at('x.gguf'), { bytes: 1, inputs: [] }, async (handle) => {
      await handle.write('half')
      throw new Error('the writer failed')
    })
    await expect(fails).rejects.toThrow('the writer failed')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('the command', () => {
  const command = (limit: string, ...args: string[]) =>
    spawn('bash', ['-c', `trap '' XFSZ; ${limit} exec "$@"`, 'bash', process.execPath, join(root, 'models/workshop/model.ts'), ...args], {
      stdio: 'pipe',
    })
  const ended = async (child: ReturnType<typeof command>) => {
    let said = ''
    child.stderr.on('data', (text) => (said += String(text)))
    child.stdout.on('data', (text) => (said += String(text)))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, said }
  }

  it('on a disk that becomes full half-way says so and leaves nothing', async () => {
    // a file may not grow beyond 2 MiB: the kernel then refuses as a full disk does
    const { code, said } = await ended(command('ulimit -f 2048;', 'export', starter, at('out.gguf'), '--recipe', 'f16'))
    expect([code, said]).toEqual([1, expect.stringContaining('(DISK_FULL)')])
    expect(readdirSync(folder)).toEqual([])
  })
  it.each(['SIGINT', 'SIGTERM'] as const)('stopped by %s leaves nothing', async (signal) => {
    // large enough that it is still at work when it is stopped
    const { recipe, sha256 } = readRecipe('f16')
    await exportModel(
      { from: starter, to: at('in.gguf'), recipe, recipeSha256: sha256, version: '0', importance: null, requantise: false, force: false },
      quiet(),
    )
    rmSync(manifestPath(at('in.gguf')))
    const child = command('', 'export', at('in.gguf'), at('out.gguf'), '--recipe', 'rushlight-7b', '--threads', '1')
    const done = ended(child)
    while (!readdirSync(folder).some((name) => name.endsWith('.part')) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 2))
    child.kill(signal)
    const { code, said } = await done
    expect([code, said]).toEqual([130, expect.stringContaining('(CANCELLED)')])
    expect(readdirSync(folder)).toEqual(['in.gguf'])
  })
  it('tells wrong use from failure, and answers --json with one object', async () => {
    expect((await ended(command('', 'export', starter))).code).toBe(2)
    expect((await ended(command('', 'nonsense'))).code).toBe(2)
    expect((await ended(command('', '--help'))).code).toBe(0)
    expect((await ended(command('', 'export', '--help'))).said).toContain('--recipe')
    expect((await ended(command('', 'export', starter, at('o.gguf'), '--threads', 'many'))).code).toBe(2)
    const { code, said } = await ended(command('', 'inspect', at('gone.gguf'), '--json'))
    expect([code, JSON.parse(said)]).toEqual([1, { name: 'inspect', error: expect.objectContaining({ code: 'MODEL_MISSING' }) as unknown }])
    expect(JSON.parse((await ended(command('', 'inspect', starter, '--json'))).said)).toMatchObject({ name: 'inspect', facts: { layers: 4 } })
  })
})
