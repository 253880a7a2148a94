// Owns the tests of the reasoning split: whatever way the text is cut, the pieces are the same.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReasoningSplitter } from '../../app/ask/reasoning.ts'

function split(parts: string[]) {
  const splitter = createReasoningSplitter()
  const out = { reasoning: '', text: '' }
  for (const piece of [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()]) out[piece.kind] += piece.text
  return out
}

describe('the reasoning split', () => {
  it.each([
    ['<think>why</think>\n\nThe dose.', { reasoning: 'why', text: 'The dose.' }],
    ['  \n<think>\nwhy\n</think>Dose', { reasoning: '\nwhy\n', text: 'Dose' }],
    ['No tags at all', { reasoning: '', text: 'No tags at all' }],
    ['If x < 3 then <think> later', { reasoning: '', text: 'If x < 3 then <think> later' }],
    ['<think>never closed', { reasoning: 'never closed', text: '' }],
    ['<think>a</think><think>b</think>c', { reasoning: 'ab', text: 'c' }],
    ['<thin', { reasoning: '', text: '<thin' }],
    ['', { reasoning: '', text: '' }],
  ])('%j', (whole, wanted) => {
    expect(split([whole])).toEqual(wanted)
    expect(split([...whole])).toEqual(wanted)
  })

  it('does not depend on where the text is cut', () => {
    const whole = fc
      .tuple(fc.constantFrom('', ' \n', '<think>'), fc.string(), fc.constantFrom('', '</think>', '</thi'), fc.string())
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(whole, fc.array(fc.nat(60)), (text, cuts) => {
        const at = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort((a, b) => a - b)
        const parts = [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length))
        expect(split(parts)).toEqual(split([text]))
      }),
    )
  })
})
