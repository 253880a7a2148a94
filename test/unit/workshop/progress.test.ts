// Owns the tests of the progress bar: what it draws in a terminal, what it tells a log.
import { expect, it } from 'vitest'
import { duration, Progress } from '../../../models/workshop/progress.ts'

function drawn(isTTY: boolean) {
  let now = 0
  const said: string[] = []
  const progress = new Progress({ write: (text: string) => said.push(text), isTTY, columns: 60 }, () => now)
  return { progress, said, wait: (ms: number) => (now += ms) }
}

it('draws a bar with an estimate once it can be more than a guess, no wider than the terminal, and clears it', () => {
  const { progress, said, wait } = drawn(true)
  progress.stage('rounding', 100)
  wait(500)
  progress.at(10, 'blk.0.attn_q.weight')
  wait(1500)
  progress.at(50, 'a very long name that would break the line and scroll the terminal at every step')
  progress.end()
  expect(said[1]).toContain('10 %  blk.0.attn_q')
  expect(said[1]).not.toContain('left')
  expect(said[2]).toContain('████████████░░░░░░░░░░░░   50 %  2 s left')
  // eslint-disable-next-line no-control-regex
  expect(said[2]!.replace(/^\r\u001B\[2K/, '').length).toBeLessThan(60)
  expect(said.at(-1)).toBe('\r\u001B[2K')
})

it('draws at most ten times a second', () => {
  const { progress, said, wait } = drawn(true)
  progress.stage('rounding', 1000)
  for (let n = 0; n < 1000; n++) {
    wait(1)
    progress.at(n)
  }
  expect(said.length).toBeLessThan(12)
})

it('tells a log a line now and then, and nothing of what is over at once', () => {
  const { progress, said, wait } = drawn(false)
  progress.stage('rounding', 10)
  wait(100)
  progress.at(5)
  progress.end()
  expect(said).toEqual([])
  wait(6000)
  progress.at(8, 'x')
  expect(said).toEqual(['rounding:  80 %  2 s left  x\n'].map((line) => line.replace(':  ', ': ')))
})

it.each([
  [0, '0.0 s'],
  [420, '0.4 s'],
  [42_000, '42 s'],
  [185_000, '3 min 05 s'],
  [4_800_000, '1 h 20 min'],
])('says %i ms as %s', (ms, words) => expect(duration(ms)).toBe(words))
