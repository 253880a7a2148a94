// Owns the tests of an ablation that really trains: the whole table from models of a few thousand parameters, found again, gone on with, extended.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Progress } from '../../../models/workshop/progress.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { ablateVerb } from '../../../models/workshop/verbs/ablate.ts'
import { builtTrainer } from '../../native/trainer-run.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight-ablate-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const { missing } = builtTrainer(false)
const small = { plan: 'smoke', most: '3' }
const json = (folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>
/** When each step was done. */
const times = (folder: string) => new Map(recordsOf(folder).map((file) => [file, statSync(join(folder, 'steps', file)).mtimeMs]))
const recordsOf = (folder: string) => readdirSync(join(folder, 'steps')).filter((file) => file.endsWith('.json'))
const models = (folder: string) =>
  new Map(readdirSync(join(folder, 'models')).map((file) => [file, readFileSync(join(folder, 'models', file)).toString('base64')]))

// a dozen trainers one after the other: seconds, but not on a computer that does much else
describe.skipIf(missing !== null)(`ablate (${missing ?? 'trains'})`, { timeout: 120_000 }, () => {
  const folder = join(root, 'whole')

  it('makes the six rows and the grid, and keeps both', async () => {
    const report = await runVerb(ablateVerb, [folder], { ...small, seeds: '1' })
    expect(report.rows.map(({ row }) => row)).toEqual([
      ...['complete', 'without MedKL', 'without progressive order', 'without basic first', 'without specialised transfer', 'without retention loss'],
    ])
    expect(report.rows.every(({ 'key facts %': keys }) => /^\d+\.\d$/.test(String(keys)))).toBe(true)
    expect(report.targets).toEqual([])
    expect(report.notes!.filter((note) => note.startsWith('Without'))).toHaveLength(5)
    expect(report.notes!.join(' ')).toContain('9 held-out questions')
    const kept = json(folder, 'ablation.json')
    expect(kept).toMatchObject({ state: 'complete', plan: 'smoke', seeds: 1 })
    expect((kept['runs'] as unknown[]).length).toBe(6)
    const lambda = json(folder, 'lambda.json') as { points: { accuracy: number; loss: number; mse: number }[]; chosen: object }
    expect(lambda.points.map(({ mse }) => mse > 0)).toEqual([false, true])
    expect(lambda.points).toContainEqual(lambda.chosen)
    expect(lambda.points.every(({ accuracy, loss }) => accuracy >= 0 && accuracy <= 1 && loss > 0)).toBe(true)
    // a row that leaves something out is another model
    const made = models(folder)
    const six = ['complete', 'medkl', 'progressive', 'basic-first', 'transfer', 'retention'].map((row) => made.get(`${row}-seed1.gguf`)!)
    expect(new Set(six).size).toBe(6)
    expect(report.text).toContain('λ by grid on validation')
  })

  it('finds what is done, adds only what is new, and makes again what was spoilt', async () => {
    const before = times(folder)
    const [again, made] = [await runVerb(ablateVerb, [folder], { ...small, seeds: '1' }), models(folder)]
    expect(times(folder)).toEqual(before)
    expect(again.rows).toHaveLength(6)
    const report = await runVerb(ablateVerb, [folder], { ...small, seeds: '2', rows: 'medkl' })
    expect(report.rows.map(({ row, seeds, effect }) => [row, seeds, effect])).toEqual([
      ['complete', 2, null],
      ['without MedKL', 2, expect.any(String)],
    ])
    const after = times(folder)
    for (const [file, time] of before) expect(after.get(file), file).toBe(time)
    expect([...after.keys()].filter((file) => !before.has(file)).sort()).toEqual([
      ...['complete-seed2.json', 'medkl-seed2.json', 'stage1-bp-plain-seed2.json', 'stage1-bp-seed2.json'],
    ])
    writeFileSync(join(folder, 'models', 'medkl-seed1.gguf'), 'spoilt')
    await runVerb(ablateVerb, [folder], { ...small, seeds: '1', rows: 'medkl' })
    expect(models(folder).get('medkl-seed1.gguf')).toBe(made.get('medkl-seed1.gguf'))
  })

  it('that was stopped goes on to the same models', async () => {
    const other = join(root, 'stopped')
    const stopper = new AbortController()
    // the bar is told of every step of training: stop in the middle of one
    const progress = new Progress({
      isTTY: true,
      write: (text: string) => (/complete-seed1 \d+\/\d+/.test(text) ? stopper.abort(new Error('enough')) : undefined),
    })
    const defaults = { plan: 'smoke', most: '3', seeds: '1', rows: 'complete' }
    await expect(ablateVerb.run({ positionals: [other], values: defaults }, { signal: stopper.signal, progress })).rejects.toThrow('enough')
    expect(recordsOf(other)).not.toContain('complete-seed1.json')
    await runVerb(ablateVerb, [other], { ...small, seeds: '1', rows: 'complete' })
    expect(models(other).get('complete-seed1.gguf')).toBe(models(folder).get('complete-seed1.gguf'))
  })

  it('refuses wrong options and a folder with something else in it', async () => {
    await expect(runVerb(ablateVerb, [folder], { rows: 'complete,magic' })).rejects.toThrow(WrongUse)
    await expect(runVerb(ablateVerb, [folder], { seeds: '0' })).rejects.toThrow(WrongUse)
    await expectRefusal(runVerb(ablateVerb, [folder], { plan: join(root, 'none.json') }), 'RECIPE_INVALID', 'none.json')
    await expectRefusal(runVerb(ablateVerb, [root], small), 'OUTPUT_EXISTS')
  })
})
