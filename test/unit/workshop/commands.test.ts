// Owns the walk of a model engineer through `npm run model`: a folder and an adapter from outside become one verified model, by the commands alone.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeFolder } from '../../support/hf-folder.ts'
import { makeAdapter } from '../../support/peft-folder.ts'
import { starter } from '../models.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight commands '))
afterAll(() => rmSync(root, { recursive: true }))
const at = (name: string) => join(root, name)
const script = join(import.meta.dirname, '../../../models/workshop/model.ts')

interface Ended {
  code: number | null
  out: string
  err: string
}
function command(args: string[], options: { whileRunning?: (kill: (signal: NodeJS.Signals) => void) => void } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended: Ended = { code: null, out: '', err: '' }
  child.stdout.on('data', (text) => (ended.out += String(text)))
  child.stderr.on('data', (text) => (ended.err += String(text)))
  options.whileRunning?.((signal) => void child.kill(signal))
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })))
}
const json = async (...args: string[]) => {
  const { code, out, err } = await command([...args, '--json'])
  expect(code, err).toBe(0)
  return JSON.parse(out) as Record<string, unknown>
}

let folder: string
beforeAll(() => {
  const made = makeFolder(at('hf'), { style: 'qwen2', dtype: 'F32' })
  folder = made.path
  makeAdapter(at('peft'), { base: JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>, rank: 4, alpha: 8 })
})

it('imports, merges, exports, inspects and verifies', async () => {
  await json('import-hf', folder, at('base.gguf'), '--name', 'Ours')
  await json('import-peft', at('peft'), at('lora.gguf'), '--base', at('base.gguf'))
  await json('merge', at('base.gguf'), at('lora.gguf'), at('merged.gguf'))
  const { manifest } = await json('export', at('merged.gguf'), at('model.gguf'))
  const { facts } = await json('inspect', at('model.gguf'))
  expect(facts).toMatchObject({
    name: 'Ours',
    architecture: 'qwen2',
    recipe: 'rushlight-7b',
    'weights id': (manifest as { weightsId: string }).weightsId,
  })
  expect((await json('inspect', at('lora.gguf')))['facts']).toMatchObject({ kind: 'adapter', alpha: '8' })
  const verified = await command(['verify', at('model.gguf')])
  expect([verified.code, verified.out]).toEqual([0, expect.stringMatching(/the file it describes.*finite number.*(tokens:|at once)/s)])
  expect((await command(['verify', at('lora.gguf')])).out).toContain('an adapter writes only with its base')
  expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
})

it('refuses to merge the adapter into another model, and a model that its manifest does not describe', async () => {
  const other = await command(['merge', starter, at('lora.gguf'), at('wrong.gguf')])
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('(ADAPTER_MISMATCH)')])
  const bytes = readFileSync(at('model.gguf'))
  bytes[bytes.length - 40]! ^= 1
  writeFileSync(at('model.gguf'), bytes)
  const changed = await command(['verify', at('model.gguf')])
  expect([changed.code, changed.err]).toEqual([1, expect.stringContaining('(MANIFEST_MISMATCH)')])
  expect(readdirSync(root)).not.toContain('wrong.gguf')
})

it('weighs the rounding by the medical texts, and finds the weights that matter', async () => {
  const { manifest } = await json('export', starter, at('weighed.gguf'), '--importance', 'corpus')
  expect((manifest as { importance: unknown }).importance).toMatchObject({ source: 'medical corpus' })
  await json('export', starter, at('plain.gguf'))
  expect(readFileSync(at('weighed.gguf')).equals(readFileSync(at('plain.gguf')))).toBe(false)
  await json('sensitivity', starter, '--most', '6', '--types', 'Q8_0,IQ4_NL', '--out', at('mine.json'))
  await json('export', starter, at('mine.gguf'), '--recipe', at('mine.json'))
}, 120_000)

it.skipIf(process.platform === 'win32')(
  'leaves nothing when a long verb is stopped',
  async () => {
    const before = readdirSync(root)
    // the second stop must not be needed
    const stopped = await command(['twin', at('twin.gguf'), '--shape', 'qwen2-0.5b', '--type', 'f16'], {
      whileRunning: (kill) => {
        const timer = setInterval(() => {
          if (!readdirSync(root).some((name) => name.endsWith('.part'))) return
          clearInterval(timer)
          kill('SIGINT')
        }, 5)
      },
    })
    expect([stopped.code, stopped.err]).toEqual([130, expect.stringContaining('(CANCELLED)')])
    expect(readdirSync(root)).toEqual(before)
  },
  60_000,
)

it.each([
  'inspect',
  'import-hf',
  'import-peft',
  'export',
  'sensitivity',
  'merge',
  'twin',
  'verify',
  'corpus',
  'train',
  'eval',
  'family',
  'exam',
  'ablate',
  'recipe',
  'embed',
  'bundle',
])('%s explains itself', async (verb) => {
  const { code, out } = await command([verb, '--help'])
  expect([code, out]).toEqual([0, expect.stringContaining(`npm run model -- ${verb} `)])
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(150)
  expect((await command([verb, '--nonsense'])).code).toBe(2)
})
