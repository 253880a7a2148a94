// Owns the tests of the content check: a staged program is as declared, and whatever is planted in it or taken from it is found.
import { copyFileSync, existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binaryKind } from '../../../app/packaging/binary.ts'
import { checkContents, MOST_BYTES, type Problem } from '../../../app/packaging/contents.ts'
import { targetOf } from '../../../app/packaging/target.ts'
import { stageHere, target, type Staged } from './staged.ts'

const MINUTES = 10 * 60_000
let staged: Staged
beforeAll(() => {
  staged = stageHere()
}, MINUTES)
afterAll(() => staged.remove(), MINUTES)

const engine = 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64'
const check = (): readonly Problem[] => checkContents(staged.folder, target, staged.plan).problems
/** Puts a file there for one check. Only new files: the others are links to the working copy. */
function planted(file: string, content: Buffer | string, bytes?: number): readonly Problem[] {
  const path = join(staged.folder, file)
  expect(existsSync(path)).toBe(false)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  if (bytes !== undefined) truncateSync(path, bytes)
  try {
    return check()
  } finally {
    rmSync(path)
  }
}
/** Takes a file away for one check. */
function without(file: string): readonly Problem[] {
  const path = join(staged.folder, file)
  copyFileSync(path, join(staged.home, 'kept'))
  rmSync(path)
  try {
    return check()
  } finally {
    copyFileSync(join(staged.home, 'kept'), path)
  }
}

function elf(machine: number): Buffer {
  const head = Buffer.alloc(64)
  head.writeUInt32BE(0x7f454c46, 0)
  head.writeUInt16LE(machine, 18)
  return head
}
function pe(machine: number): Buffer {
  const head = Buffer.alloc(512)
  head.write('MZ')
  head.writeUInt32LE(128, 0x3c)
  head.write('PE\0\0', 128, 'latin1')
  head.writeUInt16LE(machine, 132)
  return head
}
const machO = Buffer.from('cffaedfe0c000001000000000600000010000000', 'hex')

describe('the content of a staged program', () => {
  it('is as declared, every rule is used, and it stays far below what an installer holds', () => {
    const report = checkContents(staged.folder, target, staged.plan)
    expect(report.problems).toEqual([])
    expect(report.bytes).toBeGreaterThan(100e6)
    expect(report.bytes).toBeLessThan(MOST_BYTES / 2)
    for (const rule of Object.values(report.byRule)) expect(rule.files).toBeGreaterThan(0)
  })

  it.each([
    ['a Windows library among the engines', `${engine}/ggml-extra.dll`, pe(0x8664), ['foreign', 'not allowed']],
    ['a Windows library that is called .so', `${engine}/libextra.so`, pe(0x8664), ['foreign']],
    ['an ARM library', `${engine}/libarm.so`, elf(183), ['foreign']],
    ['a macOS binding', 'node_modules/better-sqlite3/prebuilds/darwin-arm64.node', machO, ['foreign']],
    ['another SQLite binding for this very system', 'node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node', elf(62), []],
    ['the bundle with the sources of llama.cpp', 'node_modules/node-llama-cpp/llama/gitRelease.bundle', '# v2 git bundle', ['not allowed']],
    ['C++ source', 'node_modules/node-llama-cpp/llama/addon/addon.cpp', 'int main() {}', ['not allowed']],
    ['a source map', 'out/app/main.js.map', '{}', ['not allowed']],
    ['a package that nothing imports', 'node_modules/left-pad/index.js', '', ['not allowed']],
    ['a package for development, inside another', 'node_modules/node-llama-cpp/node_modules/typescript/package.json', '{}', ['not allowed']],
    ['machine code among the terms', 'models/terms/tool.tsv', elf(62), ['not allowed']],
    ['a calibration text, which is for training', 'models/corpus/calibration.jsonl', '{}', ['not allowed']],
    ['a log that somebody left', 'out/app/rushlight.log', 'x', ['not allowed']],
  ])('finds %s', (_, file, content, kinds) => {
    const problems = planted(file, content)
    for (const one of problems) expect(one.file).toBe(file)
    expect(problems.map(({ kind }) => kind)).toEqual(kinds)
  })

  it('finds a file that is larger than its kind may be', () => {
    const file = 'models/prompts/essay.md'
    expect(planted(file, '#', 2 * 1024 * 1024)).toEqual([{ kind: 'too large', file, says: expect.stringContaining('prompts') as string }])
  })

  it('finds a program that no installer could hold', () => {
    // sparse: it takes no room
    const problems = planted('models/starter/huge.gguf', 'GGUF', 2e9)
    expect(problems.map(({ file }) => file)).toEqual(['models/starter/huge.gguf', '.'])
  })

  it.each([
    ['the engine’s binding', `${engine}/llama-addon.node`],
    ['the base library of the engine', `${engine}/libggml-base.so`],
    ['the Vulkan engine', 'node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so'],
    ['SQLite', 'node_modules/better-sqlite3/prebuilds/linux-x64.node'],
    ['what the engine’s loader reads', 'node_modules/node-llama-cpp/llama/llama.cpp.info.json'],
    ['Node itself', 'runtime/node'],
    ['the page', 'out/renderer/index.html'],
  ])('misses %s', (_, file) => {
    expect(without(file)).toContainEqual(expect.objectContaining({ kind: 'missing', file }))
  })

  it('misses a rule’s last file', () => {
    expect(without('models/catalog.json')).toContainEqual(expect.objectContaining({ kind: 'no file for rule', file: 'catalogue' }))
  })

  it('misses CUDA where the target has it', () => {
    const all = targetOf('linux-x64')!
    const missing = checkContents(staged.folder, all, staged.plan).problems.filter(({ kind }) => kind === 'missing')
    expect(missing.map(({ file }) => file)).toContain('node_modules/@node-llama-cpp/linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so')
  })

  it('tells machine code by its first bytes', () => {
    expect(binaryKind(process.execPath)).toEqual({ format: process.platform === 'win32' ? 'pe' : 'elf', machine: 'x64' })
    expect(binaryKind(join(staged.folder, 'package.json'))).toBeNull()
  })
})
