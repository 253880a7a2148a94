// Owns the test of electron-builder.yml: electron-builder accepts it, it hardens the program, and its data files are those of the staged one.
import { createRequire } from 'node:module'
import { join, matchesGlob } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { dataFiles, filesUnder } from '../../../app/packaging/stage.ts'
import { root } from './staged.ts'

interface Configuration {
  readonly asar: boolean
  readonly asarUnpack: readonly string[]
  readonly publish: unknown
  readonly electronLanguages: readonly string[]
  readonly electronFuses: Readonly<Record<string, boolean>>
  readonly extraResources: readonly { readonly from: string; readonly to: string; readonly filter: readonly string[] }[]
  readonly win: { readonly target: readonly string[]; readonly files: readonly string[] }
  readonly nsis: { readonly perMachine: boolean; readonly deleteAppDataOnUninstall: boolean }
  readonly msi: { readonly perMachine: boolean; readonly upgradeCode: string }
  readonly linux: { readonly target: readonly string[]; readonly files: readonly string[] }
}
let configuration: Configuration

beforeAll(async () => {
  // the library behind the command has the reader and the schema; it is found from the command, wherever npm has put it
  const builder = createRequire(join(root, 'node_modules', 'electron-builder', 'package.json'))
  const library = builder('app-builder-lib/out/util/config/config.js') as {
    getConfig(folder: string, file: string, own: null): Promise<Configuration>
    validateConfiguration(configuration: Configuration, log: { isEnabled: boolean; add(): void }): Promise<void>
  }
  configuration = await library.getConfig(root, join(root, 'electron-builder.yml'), null)
  await library.validateConfiguration(configuration, { isEnabled: false, add() {} })
}, 120_000)

it('installs per machine, keeps users’ data, and never looks for updates', () => {
  expect(configuration.win.target).toEqual(['nsis', 'msi', 'portable'])
  expect(configuration.linux.target).toEqual(['deb'])
  expect(configuration.nsis).toMatchObject({ perMachine: true, deleteAppDataOnUninstall: false })
  expect(configuration.msi.perMachine).toBe(true)
  expect(configuration.msi.upgradeCode).toMatch(/^\{[0-9A-F-]{36}\}$/)
  expect(configuration.publish).toBeNull()
  expect(configuration.electronLanguages).toEqual(['en-GB'])
})

it('seals the archive and closes every door that a fuse can close', () => {
  expect(configuration.asar).toBe(true)
  const { enableEmbeddedAsarIntegrityValidation, onlyLoadAppFromAsar, enableCookieEncryption, ...others } = configuration.electronFuses
  expect([enableEmbeddedAsarIntegrityValidation, onlyLoadAppFromAsar, enableCookieEncryption]).toEqual([true, true, true])
  expect(Object.values(others).some(Boolean)).toBe(false)
  for (const library of [
    'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/llama-addon.node',
    'node_modules/better-sqlite3/prebuilds/linux-x64.node',
  ])
    expect(configuration.asarUnpack.some((glob) => matchesGlob(library, glob))).toBe(true)
})

it('carries the very data files of a staged program', () => {
  const { from, filter } = configuration.extraResources[0]!
  expect(from).toBe('models')
  const [shut, open] = [filter.filter((one) => one.startsWith('!')).map((one) => one.slice(1)), filter.filter((one) => !one.startsWith('!'))]
  const files = filesUnder(join(root, 'models'), (name) => name !== 'workshop')
  const packed = files.filter((file) => open.some((glob) => matchesGlob(file, glob)) && !shut.some((glob) => matchesGlob(file, glob)))
  expect(packed).toEqual(files.filter((file) => dataFiles.some((one) => one.test(file))))
  expect(packed.length).toBeGreaterThan(50)
})
