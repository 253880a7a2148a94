// Owns the tests of what the ablation concludes: spreads, paired differences, sentences, the grid's choice, and that a row changes one thing alone.
import { describe, expect, it } from 'vitest'
import { bestOf, bestPlain, measuredPoints, type Point } from '../../../models/workshop/ablate/grid.ts'
import { figuresOf, questionsOf, type Asked } from '../../../models/workshop/ablate/measure.ts'
import { pointsOf, readAblationPlan } from '../../../models/workshop/ablate/plans.ts'
import { switchesOf, tableRows } from '../../../models/workshop/ablate/rows.ts'
import { pointName, stepsFor } from '../../../models/workshop/ablate/steps.ts'
import { difference, notesOf, spread, tableOf, type Outcome } from '../../../models/workshop/ablate/table.ts'
import { materialOf } from '../../../models/workshop/train/data.ts'
import type { StageRecord } from '../../../models/workshop/train/journal.ts'
import { checkPlan } from '../../../models/workshop/train/plan.ts'

const seeds = (...values: number[]) => new Map(values.map((value, at) => [at + 1, value]))
const run = (row: string, seed: number, keys: number, more: Partial<Outcome['figures']> = {}): Outcome => ({
  ...{ row, seed },
  figures: { keys, entities: null, basic: null, specialised: null, declined: null, retained: null, ...more },
})

describe('differences over seeds', () => {
  it('have the mean and the deviation of a sample', () => {
    expect(spread([80, 82, 87])).toEqual({ mean: 83, deviation: expect.closeTo(Math.sqrt(13), 10) as number, count: 3 })
    expect(spread([5])).toEqual({ mean: 5, deviation: null, count: 1 })
    expect(spread([])).toBeNull()
  })
  it.each<[string, number[], number[], string]>([
    ['clear and of one sign', [80, 82, 84], [70, 71.5, 74.5], 'helps'],
    ['clear, and the part harms', [70, 71.5, 74.5], [80, 82, 84], 'does not help'],
    ['smaller than they scatter', [80, 82, 84], [79, 84, 80], 'within noise'],
    ['large, but from two seeds that disagree', [80, 90], [70, 88], 'within noise'],
    ['all the same', [80, 82, 84], [80, 82, 84], 'within noise'],
  ])('that are %s', (_, complete, without, effect) => {
    const found = difference(seeds(...complete), seeds(...without))!
    expect(found.effect).toBe(effect)
    const mean = complete.reduce((sum, value, at) => sum + value - without[at]!, 0) / complete.length
    expect(found.mean).toBeCloseTo(mean, 10)
  })
  it('are paired by seed, with Student’s t for so few', () => {
    // differences 10, 11, 12: deviation 1, so 4.303/√3 on either side of 11
    const found = difference(seeds(90, 50, 70), seeds(80, 39, 58))!
    expect([found.mean, found.deviation, found.reach]).toEqual([11, 1, expect.closeTo(4.303 / Math.sqrt(3), 6)])
    expect(difference(seeds(90), seeds(80))).toMatchObject({ mean: 10, reach: null, effect: 'one seed' })
    expect(difference(new Map([[1, 5]]), new Map([[2, 5]]))).toBeNull()
  })
})

describe('the table', () => {
  const outcomes = [
    ...[80, 82, 84].map((keys, at) => run('complete', at + 1, keys, { entities: 99, retained: 95 })),
    ...[70, 71.5, 74.5].map((keys, at) => run('medkl', at + 1, keys, { entities: 99.5 + at / 10 })),
    ...[79, 84, 80].map((keys, at) => run('retention', at + 1, keys, { basic: 50 })),
  ]
  it('has mean ± deviation, what the part adds, and the paper’s figure only where it is known', () => {
    const rows = tableOf(outcomes)
    expect(rows.map(({ row, seeds: runs, 'key facts %': keys, effect }) => [row, runs, keys, effect])).toEqual([
      ['complete', 3, '82.0 ± 2.0', null],
      ['without MedKL', 3, '72.0 ± 2.3', 'helps'],
      ['without retention loss', 3, '81.0 ± 2.6', 'within noise'],
    ])
    expect(rows.map((row) => row['retained, seed paper %'])).toEqual([93.6, null, null])
    expect(rows[1]!['the part adds']).toBe('+10.0 ± 1.2')
    expect(rows[2]!['the part adds']).toMatch(/^\+1\.0 ± /)
  })
  it('says of each row whether the part helps, and on the figure it should move as well', () => {
    const [medkl, retention, ...more] = notesOf(outcomes)
    expect(more).toEqual([])
    expect(medkl).toContain('λ4 is 0 in both stages')
    expect(medkl).toMatch(/key facts \+10\.0 points with the part \(95 % \+8\.8 to \+11\.2, 3 seeds\): it helps;/)
    expect(medkl).toMatch(/entities −0\.6 points .*: it does not help, it is better without\.$/)
    expect(retention).toContain('within noise')
    expect(notesOf([run('complete', 1, 80), run('medkl', 1, 70)])[0]).toContain('from one seed: how much is noise is not known')
  })
})

describe('the plan', () => {
  it('is one that training accepts, with a grid of every combination', () => {
    for (const name of ['ablation', 'smoke']) {
      const given = readAblationPlan(name)
      expect(checkPlan(given.plan, name)).toEqual(given.plan)
      const { grid } = given
      expect(pointsOf(given)).toHaveLength(grid.kl.length * grid.entity.length * grid.retention.length)
    }
    expect(() => readAblationPlan('/no/such/plan.json')).toThrow(expect.objectContaining({ code: 'RECIPE_INVALID' }))
  })
  it('has six rows, each with one switch', () => {
    expect(tableRows).toHaveLength(6)
    for (const row of tableRows) expect(Object.values(switchesOf(row)).filter((on) => !on)).toHaveLength(row.off === null ? 0 : 1)
  })
  it('shares what a switch does not touch, and every run waits for what it is made from', () => {
    const given = readAblationPlan('ablation')
    const lambda = () => ({ kl: 0, entity: 0, retention: 0, mse: 0 })
    const steps = stepsFor(given, tableRows, [1, 2, 3], lambda, lambda)
    const names = steps.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => name.startsWith('stage1-'))).toHaveLength(3 * 4)
    expect(names.filter((name) => name.startsWith('grid-'))).toHaveLength(pointsOf(given).length + 1)
    expect(names.filter((name) => /^(complete|medkl|progressive|basic-first|transfer|retention)-seed\d$/.test(name))).toHaveLength(3 * 6)
    for (const { name, after } of steps) for (const need of after) expect(names.indexOf(need), `${name} after ${need}`).toBeGreaterThanOrEqual(0)
    const base = (name: string) => steps.find((step) => step.name === name)!.after[0]
    expect([base('transfer-seed2'), base('retention-seed2')]).toEqual([base('complete-seed2'), base('complete-seed2')])
    expect(new Set(['complete', 'medkl', 'progressive', 'basic-first'].map((row) => base(`${row}-seed2`))).size).toBe(4)
    // a computer of two cores: about half an hour
    const minutes = steps.reduce((sum, step) => sum + step.minutes, 0) / given.plan.trainer.jobs
    expect(minutes).toBeGreaterThan(15)
    expect(minutes).toBeLessThan(45)
  })
})

describe('the grid', () => {
  const record = (loss: number, accuracy: number): StageRecord => ({
    stage: 'x',
    key: 'x',
    files: [],
    seconds: 1,
    facts: { validation: { loss, accuracy } },
  })
  const given = readAblationPlan('ablation')
  it('chooses the most tokens foretold, of equal ones the lower loss', () => {
    const point = (loss: number, accuracy: number) => ({ loss, accuracy }) as Point
    expect(bestOf([point(1, 0.5), point(3, 0.7), point(2, 0.7), point(1, 0.6)])).toEqual(point(2, 0.7))
  })
  it('tries mse with the best of the others, and keeps it only where it is better', () => {
    const records = new Map(pointsOf(given).map((_, at) => [pointName(at), record(1, at === 3 ? 0.9 : 0.8)]))
    const best = bestPlain(given, { records })
    expect(best).toEqual(pointsOf(given)[3])
    records.set(pointName(pointsOf(given).length), record(1, 0.95))
    const points = measuredPoints(given, { records })
    expect(points.at(-1)).toMatchObject({ ...best, mse: given.grid.mse, accuracy: 0.95, ce: 1 - best.kl })
    expect(bestOf(points).mse).toBe(given.grid.mse)
    expect(bestPlain(given, { records })).toEqual(best)
  })
})

describe('the figures of a run', () => {
  it('are shares of the right questions', () => {
    const ask = (knowledge: Asked['knowledge'], unknown = false): Asked => ({
      ...{ q: 'q', split: 'test-kind', category: null, knowledge },
      asked: { q: 'q', a: 'a', keys: [], unknown },
    })
    const questions = [ask('basic'), ask('basic'), ask('specialised'), ask('basic', true)]
    const figures = figuresOf(questions, { letters: 'rwdr', entities: 8, entitiesRight: 6 }, { letters: 'rrwr', entities: 0, entitiesRight: 0 })
    expect(figures).toEqual({
      ...{ keys: expect.closeTo(100 / 3, 10) as number, entities: 75, basic: 50, specialised: 0, declined: 100 },
      retained: expect.closeTo(200 / 3, 10) as number,
    })
    const none = figuresOf(questions, { letters: 'wwww', entities: 0, entitiesRight: 0 }, { letters: 'wwww', entities: 0, entitiesRight: 0 })
    expect([none.entities, none.retained]).toEqual([null, null])
  })
  it('are of the same questions for every model, some of each split', () => {
    const { corpus } = materialOf(readAblationPlan('smoke').plan)
    const questions = questionsOf(corpus, 5)
    expect(questionsOf(corpus, 5)).toEqual(questions)
    expect([...Map.groupBy(questions, ({ split }) => split).values()].map(({ length }) => length)).toEqual([5, 5, 5])
  })
})
