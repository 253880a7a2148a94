// Owns the tests of the command and of Windows' packages: what cannot be made is said in words, what can be made is made with the tools that are here.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { electronFolder, electronIn, makensis, wixl } from '../../../app/packaging/installers.ts'
import { isLeftOut } from '../../../app/packaging/leave-out.ts'
import { targetOf } from '../../../app/packaging/target.ts'
import { root } from './staged.ts'

const windows = targetOf('win-x64')!
const has = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rushlight-installers-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Stands for Electron's folder: an installer packs whatever lies there. */
function program(): string {
  const folder = join(home, 'win-unpacked')
  mkdirSync(join(folder, 'resources'), { recursive: true })
  writeFileSync(join(folder, 'Rushlight.exe'), 'MZ')
  writeFileSync(join(folder, 'resources', 'app.asar'), 'x')
  return folder
}

describe('npm run package', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [join(root, 'app/packaging/package.ts'), ...args], { encoding: 'utf8' })
  it('explains itself', () => {
    const { status, stdout } = run('--help')
    expect([status, stdout.includes('--target')]).toEqual([0, true])
  })
  it.each([
    ['--bogus', /bogus/],
    ['--target=mac-arm64', /no target “mac-arm64”.*linux-x64 or win-x64/],
    ['--without=cpu', /“cpu” is none of cuda, vulkan/],
    ['--compression=rar', /no compression “rar”/],
  ])('refuses %s with 2', (arg, words) => {
    const { status, stderr } = run(arg)
    expect(status).toBe(2)
    expect(stderr).toMatch(words)
  })
})

describe('Electron’s folder', () => {
  it('is known by its program or its archive for the very target', () => {
    expect(electronIn(join(home, 'nothing'), windows)).toBe(false)
    writeFileSync(join(home, 'electron-v45.4.1-linux-x64.zip'), '')
    expect(electronIn(home, windows)).toBe(false)
    writeFileSync(join(home, 'electron-v45.4.1-win32-x64.zip'), '')
    expect(electronIn(home, windows)).toBe(true)
  })
  it('is asked for in words where it is absent', () => {
    const job = { root, target: windows, staged: home, out: home, version: '1.0.0', electron: null }
    expect(() => electronFolder(job)).toThrow(/win-x64 is not on this computer.*--electron DIR/)
  })
})

describe('what is left out of a package', () => {
  it.each([
    ['node-llama-cpp', 'llama/gitRelease.bundle', true],
    ['node-llama-cpp', 'llama/llama.cpp.info.json', false],
    ['better-sqlite3', 'prebuilds/linux-x64.node', true],
    ['better-sqlite3', 'prebuilds/win32-x64.node', false],
    ['@node-llama-cpp/win-x64', 'bins/win-x64/llama-addon.lib', true],
    ['anything', 'LICENSE.md', false],
    ['anything', 'README.md', true],
    ['anything', 'lib/index.d.ts', true],
    ['anything', 'test/run.js', true],
  ])('%s %s: %s', (name, file, out) => expect(isLeftOut(name, file, windows)).toBe(out))
})

describe('the tools of this computer', () => {
  it.skipIf(has('makensis'))('say what to install where makensis is absent', () => {
    expect(() => makensis({ out: home, version: '1.2.3' }, program())).toThrow('makensis is not on this computer. Install the package nsis.')
  })
  it.skipIf(has('wixl'))('say what to install where wixl is absent', () => {
    expect(() => wixl({ out: home, version: '1.2.3' }, program())).toThrow('wixl-heat is not on this computer. Install the package wixl.')
  })
  it.skipIf(!has('makensis'))('build setup.exe (needs makensis)', () => {
    expect(
      readFileSync(makensis({ out: home, version: '1.2.3' }, program()))
        .subarray(0, 2)
        .toString(),
    ).toBe('MZ')
  })
  it.skipIf(!has('wixl'))('build an MSI file (needs wixl)', () => {
    expect(readFileSync(wixl({ out: home, version: '1.2.3' }, program())).readUInt32BE(0)).toBe(0xd0cf11e0)
  })
})
