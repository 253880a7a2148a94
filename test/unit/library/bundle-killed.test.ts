// Owns the test of an import that is killed: the version in use stays whole, and the next attempt ends with every byte right.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { importBundle } from '../../../app/library/bundle/import.ts'
import { readInstalled } from '../../../app/library/bundle/installed.ts'
import { CHUNK, manifestOf, newSigner, writeBundle } from '../../support/bundles.ts'
import { seeded } from '../../support/random.ts'

const script = fileURLToPath(new URL('../../support/bundle-importer.ts', import.meta.url))
const ROUNDS = 6

/** Runs the import in a process of its own and kills it at the nth line that it says; resolves to the last line heard. */
function killedAt(line: number, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let [text, lines] = ['', 0]
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString()
      lines = text.split('\n').length - 1
      if (lines >= line) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () => resolve(text.trimEnd().split('\n').at(-1) ?? ''))
  })
}

it('killed anywhere, an import leaves the old version in use and can be taken up', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-killed-'))
  try {
    const signer = newSigner()
    const chance = seeded(7)
    const content = (version: number) => ({ 'model.gguf': Buffer.alloc(CHUNK * 200 + 11, version), 'card.md': Buffer.from(`version ${version}`) })
    const stick = (version: number) =>
      writeBundle(join(folder, `stick-${version}`), signer, manifestOf(content(version), { version }), content(version))
    const bundles = join(folder, 'bundles')
    const parts = { folder: bundles, trusted: [signer.trusted], program: '0.1.0', selfTest: async () => {} }
    await importBundle(stick(1), parts)
    const second = stick(2)
    for (let round = 0; round < ROUNDS; round++) {
      const last = await killedAt(1 + chance.below(206), [second, bundles, signer.trusted])
      const { bundles: installed } = await readInstalled(bundles)
      const version = installed['test']!.active.version
      // what it said before it died holds: only a finished import is in use
      if (last === 'done') expect(version).toBe(2)
      else expect([1, 2]).toContain(version)
      const active = join(bundles, installed['test']!.active.folder)
      for (const [path, bytes] of Object.entries(content(version))) expect(readFileSync(join(active, path)).equals(bytes), path).toBe(true)
    }
    const done = await importBundle(second, parts)
    expect(done.resumedBytes).toBeGreaterThan(0)
    for (const [path, bytes] of Object.entries(content(2))) expect(readFileSync(join(done.folder, path)).equals(bytes), path).toBe(true)
    expect((await readInstalled(bundles)).bundles['test']).toMatchObject({ active: { version: 2 }, previous: { version: 1 }, highest: 2 })
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
