// Owns the proof of what a training run is planned and told by: plans and their faults, the order of stages, the bar, the curves.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { readRecords, recordFiles } from '../../../models/workshop/corpus/records-file.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { Board, noteOf } from '../../../models/workshop/train/board.ts'
import { chart } from '../../../models/workshop/train/chart.ts'
import { corpusOf } from '../../../models/workshop/train/data.ts'
import { keyOf } from '../../../models/workshop/train/journal.ts'
import { planNames, readPlan } from '../../../models/workshop/train/plan.ts'
import { runTasks, withNeeds } from '../../../models/workshop/train/schedule.ts'
import { stagesOf } from '../../../models/workshop/train/stages.ts'
import { expectRefusal } from '../../support/run-verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-plan-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
function planFile(content: unknown): string {
  const path = join(folder, `plan-${++files}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const read = async (content: unknown) => readPlan(planFile(content))

describe('a plan', () => {
  test('of the program is sound, and the starter’s teacher and student have the sizes that it states', () => {
    expect(planNames()).toEqual(['starter', 'smoke'])
    const { teacher, student, corpus } = readPlan('starter')
    const parameters = ({ width, layers, heads, kvHeads, ffn }: typeof teacher.shape) => {
      const kv = (width / heads) * kvHeads
      // embedding, attention with its biases, feed-forward, norms; input and output share a matrix or not
      return corpus.vocabulary * width + layers * (2 * width * width + 2 * width * kv + width + 2 * kv + 3 * width * ffn + 2 * width) + width
    }
    expect(parameters(teacher.shape)).toBeGreaterThan(10e6)
    expect(parameters(teacher.shape)).toBeLessThan(20e6)
    expect(parameters(student.shape)).toBeGreaterThan(4e6)
    expect(parameters(student.shape)).toBeLessThan(8e6)
  })

  test('in a file may say only what differs', async () => {
    const plan = await read({
      from: 'smoke',
      name: 'mine',
      seed: 7,
      student: { passes: 3, loss: { entity: 0 } },
      adapters: { categories: ['diagnosis'] },
    })
    const smoke = readPlan('smoke')
    expect(plan).toMatchObject({
      name: 'mine',
      seed: 7,
      teacher: smoke.teacher,
      adapters: { categories: ['diagnosis'], replay: smoke.adapters.replay },
    })
    expect(plan.student).toEqual({ ...smoke.student, passes: 3, loss: { ...smoke.student.loss, entity: 0 } })
  })

  test('teaches so many records of each kind, the first of each file in turn', async () => {
    const records = { medicine: 8, condition: 2, emergency: 1, prevention: 0 }
    const { facts, tests } = corpusOf(await read({ from: 'smoke', corpus: { records } }))
    const taught = new Set(facts.map(({ record }) => record))
    const files = recordFiles(fileURLToPath(new URL('../../../models/corpus', import.meta.url)))
    const [firsts, seconds] = [0, 1].map((at) => files.map((file) => readRecords([file])[at]!))
    const medicines = [...firsts!, ...seconds!].filter(({ kind }) => kind === 'medicine').slice(0, 8)
    const others = firsts!.filter(({ kind }) => kind === 'condition' || kind === 'emergency')
    const condition = seconds!.find(({ kind }) => kind === 'condition')!
    expect(taught).toEqual(new Set([...medicines, ...others, condition].map(({ id }) => id)))
    expect(new Set(tests['test-phrasing'].map(({ fact }) => fact.split('/')[0]))).toEqual(taught)
  })

  test('with a fault is refused by its field', async () => {
    await expectRefusal(read('{"from":'), 'RECIPE_INVALID', 'plan-', 'no JSON')
    await expectRefusal(read({ from: 'large' }), 'RECIPE_INVALID', 'starter, smoke')
    await expectRefusal(read({ from: 'smoke', corpus: { vocabulary: 300 } }), 'RECIPE_INVALID', 'corpus.vocabulary', '320')
    await expectRefusal(read({ from: 'smoke', corpus: { records: { medicine: 1 } } }), 'RECIPE_INVALID', 'corpus.records')
    await expectRefusal(read({ from: 'smoke', student: { learningRate: 1 } }), 'RECIPE_INVALID', 'student', 'learningRate')
    await expectRefusal(read({ from: 'smoke', base: { rate: { highest: -1 } } }), 'RECIPE_INVALID', 'base.rate.highest')
    await expectRefusal(read({ from: 'smoke', base: { rate: { highest: 1e-4, lowest: 1e-3 } } }), 'RECIPE_INVALID', 'base.rate.lowest')
    await expectRefusal(read({ from: 'smoke', teacher: { loss: { kl: 1 } } }), 'RECIPE_INVALID', 'teacher.loss')
    await expectRefusal(read({ from: 'smoke', student: { shape: { heads: 5 } } }), 'RECIPE_INVALID', 'student.shape.width')
    await expectRefusal(read({ from: 'smoke', teacher: { context: 300 } }), 'RECIPE_INVALID', 'teacher.context')
    await expectRefusal(read({ from: 'smoke', merged: { context: 300 } }), 'RECIPE_INVALID', 'merged.context')
    await expectRefusal(read({ from: 'smoke', exports: ['q3'] }), 'RECIPE_INVALID', 'q3', 'q8')
    await expectRefusal(read({ from: 'smoke', adapters: { categories: ['diagnosis', 'diagnosis'] } }), 'RECIPE_INVALID', 'diagnosis twice')
    await expectRefusal(read({ name: 'half' }), 'RECIPE_INVALID', 'about')
    await expectRefusal(
      Promise.resolve().then(() => readPlan('nowhere')),
      'RECIPE_INVALID',
      'nowhere',
      'starter, smoke',
    )
  })

  test('without a term that listens to a teacher’s probabilities needs no cache', async () => {
    const names = async (changes: object) => stagesOf(await read({ from: 'smoke', ...changes })).map(({ name }) => name)
    const alone = { loss: { kl: 0 } }
    expect(await names({})).toEqual(['data', 'teacher', 'student', 'cache', 'base', 'merged', 'adapter-medication', 'adapter-emergency', 'export'])
    expect(await names({ base: alone, adapters: alone, merged: alone })).not.toContain('cache')
    expect(await names({ base: { loss: { mse: 1 } }, adapters: alone, merged: alone })).not.toContain('cache')
    expect(await names({ exports: [] })).not.toContain('export')
  })
})

describe('the order of stages', () => {
  const tasks = [
    { name: 'a', after: [] },
    { name: 'b', after: ['a'] },
    { name: 'c', after: ['a'] },
    { name: 'd', after: ['b'] },
    { name: 'e', after: ['c', 'd'] },
  ]
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  test('takes what is needed and nothing else', () => {
    const names = (wanted: string[]) => withNeeds(tasks, wanted).map(({ name }) => name)
    expect(names(['d'])).toEqual(['a', 'b', 'd'])
    expect(names(['c', 'b'])).toEqual(['a', 'b', 'c'])
    expect(names([])).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('keeps to needs and to the number at once', async () => {
    const log: string[] = []
    let [now, most] = [0, 0]
    const done = await runTasks(tasks, 2, new AbortController().signal, async ({ name }) => {
      most = Math.max(most, ++now)
      log.push(`${name}`)
      await pause(name === 'c' ? 30 : 5)
      now--
      return 'done'
    })
    expect(log).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(most).toBe(2)
    expect([...done].sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('begins nothing after one was stopped', async () => {
    const begun: string[] = []
    const done = await runTasks(tasks, 1, new AbortController().signal, async ({ name }) => {
      begun.push(name)
      return name === 'b' ? 'stopped' : 'done'
    })
    expect(begun).toEqual(['a', 'b'])
    expect([...done]).toEqual(['a'])
  })

  test('ends the others when one fails, waits for them, and says why', async () => {
    const ended: string[] = []
    const run = runTasks(tasks, 2, new AbortController().signal, async ({ name }, signal) => {
      if (name === 'b') throw new AppError('DISK_FULL')
      if (name === 'c') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        await pause(10)
        ended.push(name)
        throw signal.reason
      }
      return 'done'
    })
    await expectRefusal(run, 'DISK_FULL')
    expect(ended).toEqual(['c'])
  })
})

test('the bar counts only what this run does itself', () => {
  let now = 0
  const lines: string[] = []
  const board = new Board(new Progress({ write: (text: string) => lines.push(text) }, () => now), [
    { name: 'long', minutes: 6 },
    { name: 'short', minutes: 2 },
  ])
  const last = (ms: number) => ((now = ms), lines.at(-1)!)
  board.begin('long')
  board.resumed('long', 0.5)
  now = 60_000
  board.at('long', 0.75, '75/100')
  // 1.5 of the 5 minutes that are left of the plan took one: 2 min 20 s more
  expect(last(120_000)).toMatch(/30 %\s+2 min 20 s left\s+long 75\/100/)
  board.end('short', { found: true })
  expect(last(180_000)).toMatch(/50 %\s+2 min 00 s left\s+long 75\/100/)
  expect(noteOf({ type: 'progress', step: 3, steps: 9, loss: 1.234567, learningRate: 8e-4, tokensPerSecond: 1234.5 })).toBe(
    '3/9, loss 1.23, lr 8.0e-4, 1,235 tokens/s',
  )
  expect(noteOf({ type: 'progress', step: 3, steps: 9, loss: null })).toBe('3/9')
})

describe('a chart', () => {
  const line = (name: string, values: readonly number[]) => ({ name, points: values.map((value, at) => [at, value] as const) })

  test('draws every line inside its frame, in order, and names what it shows', () => {
    const svg = chart([line('loss', [4, 2, 1, 0.5]), line('<other>', [3, 3, 3, 3])], { title: 'A & B', x: 'step', y: 'nats' })
    const paths = [...svg.matchAll(/<path class="line line-(\d)" d="M([\d. L]+)"\/>/g)].filter(([, , d]) => d!.split('L').length === 4)
    expect(paths.map(([, number]) => number)).toEqual(['0', '1'])
    const points = paths[0]![2]!.split('L').map((pair) => pair.split(' ').map(Number) as [number, number])
    for (const [x, y] of points) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(520)
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(260)
    }
    expect(points.map(([x]) => x)).toEqual(points.map(([x]) => x).toSorted((a, b) => a - b))
    expect(points.map(([, y]) => y)).toEqual(points.map(([, y]) => y).toSorted((a, b) => a - b))
    expect(svg).toContain('aria-label="A &#38; B: loss from 4 to 0.5')
    expect(svg).not.toContain('<other>')
  })

  test('has nothing to show of one point, of nothing, and of what is no number', () => {
    const options = { title: 't', x: 'x', y: 'y' }
    expect(chart([], options)).toBe('')
    expect(chart([line('one', [1])], options)).toBe('')
    expect(chart([line('none', [NaN, Infinity, 1])], options)).toBe('')
    expect(chart([line('zeros', [0, 0, 0])], { ...options, logarithmic: true })).toBe('')
    expect(chart([line('flat', [0, 0, 0])], options)).not.toMatch(/NaN|Infinity/)
    expect(chart([line('flat', [2, 2])], { ...options, logarithmic: true })).not.toMatch(/NaN|Infinity/)
  })
})

test('a stage is named by its inputs, not by where they lie', () => {
  expect(keyOf({ data: '/one/place/a.jsonl', epochs: 2 })).toBe(keyOf({ data: '/another/a.jsonl', epochs: 2 }))
  expect(keyOf({ data: '/one/place/a.jsonl', epochs: 2 })).not.toBe(keyOf({ data: '/one/place/b.jsonl', epochs: 2 }))
  expect(keyOf({ data: '/one/place/a.jsonl', epochs: 2 })).not.toBe(keyOf({ data: '/one/place/a.jsonl', epochs: 3 }))
})
