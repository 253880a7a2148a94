// Owns the tests of equation 2: the prefix of a category is constant, the question comes last and untouched.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { compose, loadPrompts, promptHash } from '../../app/ask/prompt.ts'
import { categories } from '../../app/contract/entities.ts'
import { resolvePaths } from '../../app/base/paths.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-prompts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const write = (end = '\n') => {
  writeFileSync(join(folder, 'base.md'), `Base.${end}Second line.${end}`)
  for (const category of categories) if (category !== 'general') writeFileSync(join(folder, `${category}.md`), `About ${category}.${end}`)
}
const prompts = loadPrompts(resolvePaths().resources + '/prompts')

describe('the templates of the program', () => {
  it.each(categories)('%s: at most 250 words, ⊕ of the base, traced by its hash', (category) => {
    const { text, hash } = prompts[category]
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(250)
    expect(text.startsWith(prompts.general.text)).toBe(true)
    expect(hash).toBe(createHash('sha256').update(text).digest('hex').slice(0, 12))
  })
  it('differ from each other', () => expect(new Set(categories.map((category) => prompts[category].hash)).size).toBe(categories.length))
})

describe('the loader', () => {
  it('joins base and suffix and gives the same hash whatever the line ends', () => {
    write()
    const unix = loadPrompts(folder)
    expect(unix.general.text).toBe('Base.\nSecond line.')
    expect(unix.treatment.text).toBe('Base.\nSecond line.\n\nAbout treatment.')
    write('\r\n')
    expect(loadPrompts(folder)).toEqual(unix)
  })
  it.each(['base', 'diagnosis'])('names %s.md when it is empty or missing', (name) => {
    write()
    const wanted = expect.objectContaining({ code: 'RESOURCE_MISSING', message: expect.stringContaining(`prompts/${name}.md`) })
    writeFileSync(join(folder, `${name}.md`), ' \n')
    expect(() => loadPrompts(folder)).toThrow(wanted)
    rmSync(join(folder, `${name}.md`))
    expect(() => loadPrompts(folder)).toThrow(wanted)
  })
})

describe('the composition', () => {
  const history = [{ question: 'q1', answer: 'a1' }]
  it('puts the question last, exactly as given, behind a prefix that does not depend on it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...categories), fc.string({ unit: 'binary' }), fc.string(), (category, one, two) => {
        const at = (question: string) => compose({ prompts, category, profile: 'full', history, question })
        expect(at(one).at(-1)).toEqual({ role: 'user', text: one })
        expect(at(one).slice(0, -1)).toEqual(at(two).slice(0, -1))
      }),
    )
  })
  it('is system, earlier exchanges oldest first, question', () => {
    const messages = compose({
      prompts,
      category: 'general',
      profile: 'full',
      history: [...history, { question: 'q2', answer: 'a2' }],
      question: 'q3',
    })
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'user'])
    expect(messages.slice(1).map(({ text }) => text)).toEqual(['q1', 'a1', 'q2', 'a2', 'q3'])
  })
  it('sends the bare question to a model trained without a system prompt', () => {
    expect(compose({ prompts, category: 'treatment', profile: 'question-only', history, question: 'q' })).toEqual([{ role: 'user', text: 'q' }])
    expect(promptHash(prompts, 'treatment', 'question-only')).toBe('none')
    expect(promptHash(prompts, 'treatment', 'full')).toBe(prompts.treatment.hash)
  })
})
