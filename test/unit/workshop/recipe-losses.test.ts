// Owns the tests of the recipe's losses.py: formula 6 and its batches, computed again here from the same logits.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

const near = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const torch = spawnSync('python3', ['-c', 'import torch']).status === 0

describe.skipIf(!torch)('losses.py (needs python3 with torch)', () => {
  interface Made {
    readonly labels: number[][]
    readonly entity_weights: number[][]
    readonly attention_mask: number[][]
    readonly student: number[][][]
    readonly teacher: number[][][]
    readonly terms: { ce: number; kl: number; entity: number; temperature: number }
    readonly loss: number
    readonly parts: { ce: number; kl: number; entity: number }
    readonly gradient: number[][][]
    readonly refused: string | null
  }
  const chat = (q: string, a: string) => [
    { role: 'user', content: q },
    { role: 'assistant', content: a },
  ]
  let made: Made
  beforeAll(() => {
    const given = [
      {
        messages: chat('dose of it?', 'It: 500 mg twice.'),
        entities: [
          [4, 10, 3],
          [8, 10, 2],
        ],
        fact: 'it',
      },
      { messages: chat('a much longer question than the other, is it?', 'No.'), entities: [], fact: 'no' },
    ]
    const script = near('test/support/recipe-losses.py')
    const ran = spawnSync('python3', [script, near('models/workshop/scale/trl'), JSON.stringify(given)], { encoding: 'utf8' })
    expect(ran.stderr).toBe('')
    made = JSON.parse(ran.stdout) as Made
  })
  const softmax = (row: number[], temperature = 1) => {
    const most = Math.max(...row)
    const powers = row.map((value) => Math.exp((value - most) / temperature))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((value) => value / sum)
  }

  it('is formula 6 over the tokens of the answer', () => {
    let [ce, kl, entity, rows] = [0, 0, 0, 0]
    const { temperature: T } = made.terms
    made.labels.forEach((labels, n) =>
      labels.forEach((label, at) => {
        if (label < 0) return
        const [student, teacher] = [made.student[n]![at - 1]!, made.teacher[n]![at - 1]!]
        rows++
        ce -= Math.log(softmax(student)[label]!)
        const [p, q] = [softmax(teacher, T), softmax(student, T)]
        kl += T ** 2 * p.reduce((sum, value, k) => sum + value * Math.log(value / q[k]!), 0)
        entity += made.entity_weights[n]![at]! * Math.abs(softmax(student)[label]! - softmax(teacher)[label]!)
      }),
    )
    expect(rows).toBeGreaterThan(8)
    expect(made.parts.ce).toBeCloseTo(ce / rows, 4)
    expect(made.parts.kl).toBeCloseTo(kl / rows, 4)
    expect(made.parts.entity).toBeCloseTo(entity / rows, 4)
    expect(entity).toBeGreaterThan(0)
    expect(made.loss).toBeCloseTo((made.terms.ce * ce + made.terms.kl * kl + made.terms.entity * entity) / rows, 4)
    // nothing is learned from a question or from padding
    made.gradient.forEach((positions, n) =>
      positions.forEach((row, at) => expect(row.some((value) => value !== 0)).toBe((made.labels[n]![at + 1] ?? -1) >= 0)),
    )
  })
  it('learns every token of a short answer beside a long question, and weighs those of its entities', () => {
    // answer, end of turn and line end, in pairs of letters
    expect(made.labels.map((labels) => labels.filter((label) => label >= 0).length)).toEqual(
      [Math.floor(('It: 500 mg twice.'.length + 4) / 2), Math.ceil(('No.'.length + 4) / 2)].map((count) => expect.closeTo(count, -0.5) as number),
    )
    const weights = made.entity_weights[0]!.filter((weight) => weight > 0)
    expect(weights).toEqual([3, 3, 3, ...weights.slice(3)])
    expect(weights.length).toBeLessThanOrEqual(4)
    expect(made.entity_weights[1]!.every((weight) => weight === 0)).toBe(true)
    expect(made.attention_mask[0]![0]).toBe(0)
    expect(made.refused).toContain('more than max_length 3')
  })
})
