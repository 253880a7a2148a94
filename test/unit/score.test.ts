// Owns the tests of the score command: intervals, tables, targets, exit codes, and the messages for a stranger's file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { atLeast, atMost, printReport, table, wilson } from '../../models/workshop/report.ts'
import { hostileTexts } from '../../models/workshop/score/hostile-texts.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-score-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, lines: string[]) => {
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n'))
  return path
}
const score = (...args: string[]) => spawnSync(process.execPath, ['models/workshop/score.ts', ...args], { encoding: 'utf8' })

describe('the report', () => {
  it('gives the Wilson interval', () => {
    // Newcombe 1998, table I: 81 of 263
    const { low, high } = wilson(81, 263)
    expect(low).toBeCloseTo(0.2553, 4)
    expect(high).toBeCloseTo(0.3662, 4)
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 })
    expect(wilson(10, 10).high).toBe(1)
  })
  it('aligns numbers to the right and cuts long cells', () => {
    expect(
      table([
        { name: 'a', n: 5 },
        { name: 'bb', n: 12.345 },
      ]),
    ).toBe('name     n\n────  ────\na        5\nbb    12.3')
    expect(table([{ q: 'x'.repeat(200) }]).split('\n')[2]).toHaveLength(70)
  })
  it('exits 1 exactly when a target is missed', () => {
    const out: string[] = []
    const print = (value: number) =>
      printReport({ name: 'n', rows: [{ a: 1 }], targets: [atLeast('t', value, 92, '%'), atMost('ms', 1, 1, 'ms')] }, { json: true }, (text) =>
        out.push(text),
      )
    expect([print(92), print(91.9)]).toEqual([0, 1])
    const parsed = JSON.parse(out[1]!) as { machine: object; targets: object[] }
    expect(parsed).toMatchObject({
      name: 'n',
      rows: [{ a: 1 }],
      targets: [{ id: 't', value: 91.9, unit: '%', target: '≥ 92 %', ok: false }, { ok: true }],
    })
    expect(Object.keys(parsed.machine)).toEqual(['cpu', 'cores', 'memoryGiB', 'platform', 'node'])
  })
})

describe('npm run score', () => {
  const good = file('good.jsonl', ['{"q":"dose of paracetamol","category":"medication"}', '', '{"q":"hello","category":"general"}'])
  it('scores a stranger’s file and prints one JSON object', () => {
    const { status, stdout } = score('classify', '--file', good, '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'score classify',
      rows: [{ ok: true }, { ok: true }],
      targets: [{ id: 'classify.accuracy', value: 100, ok: true }],
    })
  })
  it('prints every wrong line and exits 1', () => {
    const { status, stdout } = score('classify', '--file', file('wrong.jsonl', ['{"q":"hello there","category":"medication"}']))
    expect(status).toBe(1)
    expect(stdout).toContain('medication → general: hello there')
    expect(stdout).toContain('MISSED')
  })
  it('says which lines of a file are bad and exits 2', () => {
    const { status, stderr } = score(
      'classify',
      '--file',
      file('bad.jsonl', ['{"q":"x","category":"medication"}', 'nonsense', '{"q":"x","category":"surgery"}', '[]']),
    )
    expect(status).toBe(2)
    expect(stderr).toMatch(/bad\.jsonl:2: not JSON\n.*bad\.jsonl:3: category: .*\n.*bad\.jsonl:4: line: /)
  })
  it.each([
    [['classify', '--file', join(folder, 'absent.jsonl')], /cannot be read \(ENOENT\)/],
    [['classify', '--file', file('empty.jsonl', [''])], /holds no line/],
    [['hostile', '--file', file('huge.jsonl', ['{"repeat":["abc",9000000]}'])], /huge\.jsonl:1: /],
    [['constructor'], /There is no set “constructor”/],
    [[], /Name a set/],
    [['classify', '--nonsense'], /--nonsense/],
  ])('%j is wrong use', (args, message) => {
    const { status, stderr } = score(...args)
    expect(stderr).toMatch(message)
    expect(status).toBe(2)
  })
  it('explains itself', () => {
    const { status, stdout } = score('--help')
    expect(status).toBe(0)
    expect(stdout).toMatch(/classify[\s\S]*hostile[\s\S]*--json/)
  })
})

describe('the hostile texts', () => {
  it('have names of their own and are what they claim', () => {
    expect(new Set(hostileTexts.map(({ name }) => name)).size).toBe(hostileTexts.length)
    expect(hostileTexts.find(({ name }) => name.startsWith('200,000'))!.text).toHaveLength(200_000)
    expect(hostileTexts.some(({ text }) => !text.isWellFormed())).toBe(true)
  })
})
