// Owns the tests of the pairs sets and of their score: none served wrongly, every variant served, files as the builder makes them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { gate } from '../../../../app/clinical/gate.ts'
import { slotNames } from '../../../../app/clinical/slots/slot.ts'
import { slotsOf } from '../../../../app/clinical/slots/slots.ts'
import { buildPairs, type Pair } from '../../../cases/pairs/build.ts'
import { read, same, tables } from './tables.ts'

const pairsOf = (set: string): Pair[] =>
  readFileSync(fileURLToPath(new URL(`../../../sets/pairs-${set}.jsonl`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Pair)
const [dev, test, stranger] = [pairsOf('dev'), pairsOf('test'), pairsOf('stranger')]
const all = [...dev, ...test, ...stranger]

describe('the pairs', () => {
  it('are what the builder makes', () => {
    expect(buildPairs('dev')).toEqual(dev)
    expect(buildPairs('test')).toEqual(test)
  })
  it('cover every slot at least 40 times, 1,500 in all, with 400 variants', () => {
    const minimal = [...dev, ...test].filter((pair) => pair.same === 0)
    for (const name of slotNames) expect([name, minimal.filter(({ slot }) => slot === name).length >= 40]).toEqual([name, true])
    expect(minimal.length).toBeGreaterThanOrEqual(1500)
    expect([...dev, ...test].filter((pair) => pair.same === 1).length).toBeGreaterThanOrEqual(400)
    expect(stranger.length).toBeGreaterThanOrEqual(150)
  })
  it('hold two different texts each', () => {
    expect(all.filter(({ a, b }) => a === b)).toEqual([])
  })
  it('that differ are never served, in neither direction', () => {
    expect(all.filter((pair) => pair.same === 0 && (same(pair.a, pair.b) || same(pair.b, pair.a)))).toEqual([])
  })
  it('that are variants are always served, in both directions', () => {
    expect(all.filter((pair) => pair.same === 1 && !(same(pair.a, pair.b) && same(pair.b, pair.a)))).toEqual([])
  })
  it('serve a question to itself by its slots alone', () => {
    const reread = all.filter(({ a }) => !gate({ ...slotsOf(a, tables), text: 'typed otherwise' }, read(a)).same)
    expect(reread).toEqual([])
  })
})

describe('npm run score -- pairs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-pairs-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const score = (lines: readonly string[], ...more: string[]) => {
    const file = join(folder, 'pairs.jsonl')
    writeFileSync(file, lines.join('\n'))
    return spawnSync(process.execPath, ['models/workshop/score.ts', 'pairs', '--file', file, ...more], { encoding: 'utf8' })
  }
  it('fails for an answer that would be served wrongly, and shows the line', () => {
    const { status, stdout } = score(['{"a":"gout","b":"Gout?","same":0}', '{"a":"gout","b":"mumps","same":0,"slot":"subject"}'])
    expect(status).toBe(1)
    expect(stdout).toContain('Served and must not be')
    expect(stdout).toContain('pairs.false-serves: 1 pairs')
  })
  it('counts a stranger’s variants without requiring them', () => {
    const { status, stdout } = score(['{"a":"gout","b":"Gout?","same":1}', '{"a":"gout cure","b":"how gout is cured","same":1}'], '--json')
    // the time target depends on the computer
    const report = JSON.parse(stdout) as { targets: { id: string; ok: boolean }[]; rows: { ok: boolean; served: boolean; differs: string }[] }
    expect(report.targets.filter(({ id }) => id !== 'pairs.time').every(({ ok }) => ok)).toBe(true)
    expect([0, 1]).toContain(status)
    expect(report.rows.map(({ ok }) => ok)).toEqual([true, false])
    expect(report.rows[1]!.differs).toMatch(/how/)
  })
  it('reaches a slow reader whole: a report is longer than a pipe holds', () => {
    const { stdout } = spawnSync('sh', ['-c', `"${process.execPath}" models/workshop/score.ts pairs --json | (sleep 1; cat)`], {
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    })
    expect((JSON.parse(stdout) as { rows: object[] }).rows).toHaveLength(all.length)
  })
  it('refuses a line that is no pair', () => {
    const { status, stderr } = score(['{"a":"gout","same":1}'])
    expect(status).toBe(2)
    expect(stderr).toContain('pairs.jsonl:1')
  })
})
