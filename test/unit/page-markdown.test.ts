// Owns the tests of the answer on the page: units of growing Markdown, the lead, the folds, the sentences read aloud.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shapeAnswer } from '../../renderer/lib/answer-shape.ts'
import { GrowingMarkdown, plainText, unitsIn } from '../../renderer/lib/markdown.ts'
import { firstSentenceEnd, takeSentences } from '../../renderer/lib/sentences.ts'

const samples = [
  'Take 500 mg twice a day. Ask about allergy first.\n\n- one\n- two\n  more of two\n\n- three\n\nThe end.',
  '1. first\n1. second\n1. third\n\n   still third\n\n| drug | dose |\n|---|---|\n| a | b |\n\nafter',
  'para\n- a\n- b\n## Why\n```\ncode\n\nstill code\n```\n> quote\n\n[1]: not a link',
  'intro:\n\n3. three\n   - inner\n   - inner two\n4. four\n\n**Bold** end',
  'x\n---\ny\n\n\n\n* star\n+ plus\n',
]
const shown = (units: ReturnType<typeof unitsIn>) => units.map(({ kind, number, text }) => ({ kind, number, text: text.trim() }))

describe('growing Markdown', () => {
  it('ends as the same units, however it arrives', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), (text, steps) => {
        const growing = new GrowingMarkdown()
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const size = steps[turn % steps.length]!
          growing.push(text.slice(at, at + size))
          at += size
        }
        expect(shown(growing.units)).toEqual(shown(unitsIn(text)))
      }),
    )
  })

  it('never changes a unit that another one follows', () => {
    for (const text of samples) {
      const growing = new GrowingMarkdown()
      let before: ReturnType<typeof shown> = []
      for (const char of text) {
        growing.push(char)
        const now = shown(growing.units)
        expect(now.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
        before = now
      }
    }
  })

  it('costs the same for each piece of a long answer', () => {
    const growing = new GrowingMarkdown()
    const time = (pieces: number) => {
      const started = performance.now()
      for (let i = 0; i < pieces; i++) growing.push(i % 40 === 39 ? '\n\n- next' : ' word')
      return performance.now() - started
    }
    time(2000)
    const early = time(4000)
    time(20_000)
    const late = time(4000)
    expect(late).toBeLessThan(early * 5 + 20)
  })

  it('says the words without the marks', () => {
    expect(plainText('## **Dose** of `a_b`\n- _one_ * 2')).toBe('Dose of a_b\none 2')
  })
})

describe('the shape of an answer', () => {
  const shape = (text: string, finished = true) => shapeAnswer(unitsIn(text), finished)

  it('takes the first sentence as the first line and keeps the rest of its paragraph', () => {
    const { lead, body } = shape('Give 500 mg t.d.s. for 5 days. Then review.\n\n- a')
    expect(lead).toBe('Give 500 mg t.d.s. for 5 days.')
    expect(body.map((unit) => unit.text)).toEqual(['Then review.', 'a'])
  })

  it('does not cut inside bold', () => {
    expect(shape('**Stop. Call for help.** Then wait.').lead).toBe('**Stop. Call for help.**')
  })

  it('has no first line for a list', () => {
    expect(shape('- a\n- b').lead).toBe('')
  })

  it('shows at most five lines and folds the rest under its headings', () => {
    const items = Array.from({ length: 7 }, (_, i) => `- point ${i} ${'word '.repeat(10)}`).join('\n')
    const { body, folds } = shape(`Lead.\n\n${items}\n\n## Red flags\n\nmany\n\n## For the patient\n\nfew`)
    expect(body).toHaveLength(5)
    expect(folds.map((fold) => [fold.title, fold.units.length])).toEqual([
      [null, 2],
      ['Red flags', 1],
      ['For the patient', 1],
    ])
  })

  it('opens a fold that turned out short', () => {
    const text = 'Lead.\n\n- 1\n- 2\n- 3\n- 4\n- 5\n- 6'
    expect(shape(text).body).toHaveLength(6)
    expect(shape(text, false).folds).toHaveLength(1)
  })

  it('never moves what has been placed while the answer grows', () => {
    const text = `Lead line here.\n\n${Array.from({ length: 9 }, (_, i) => `- point ${i} ${'word '.repeat(8)}`).join('\n')}\n\n## More\n\ntext`
    const growing = new GrowingMarkdown()
    let body: string[] = []
    let folds = 0
    for (const char of text) {
      growing.push(char)
      const now = shapeAnswer(growing.units, false)
      const texts = now.body.map((unit) => unit.text)
      expect(texts.slice(0, Math.max(0, body.length - 1))).toEqual(body.slice(0, -1))
      expect(now.folds.length).toBeGreaterThanOrEqual(folds)
      body = texts
      folds = now.folds.length
    }
  })
})

describe('sentences', () => {
  it('waits until the end is certain', () => {
    expect(firstSentenceEnd('Give approx. 5 mg')).toBeNull()
    expect(firstSentenceEnd('Give 0.5 mg.')).toBeNull()
    expect(firstSentenceEnd('See Dr. Smith. Then')).toBe('See Dr. Smith.'.length)
  })

  it('takes every finished one and leaves the rest', () => {
    expect(takeSentences('One is here. Two is here. Thr')).toEqual({ sentences: ['One is here.', 'Two is here.'], rest: ' Thr' })
    expect(takeSentences('- a\n- b\n- c')).toEqual({ sentences: ['- a', '- b'], rest: '- c' })
  })
})
