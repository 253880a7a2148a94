// Owns the tests of what the answer cache serves: every variant of a question, what is only a link, and what is never kept.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { usualCacheSettings as usual } from '../../../app/ask/answer-cache/settings.ts'
import { answered, asked, DAY, Rig, scope } from './answer-cache-rig.ts'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.close())

describe('a hit', () => {
  it('says the answer, when it was asked, how it was typed then, and where it came from', async () => {
    await rig.keep('What is the dose of Amoxicillin?', 'Ask a human.')
    rig.now += DAY
    const hit = { kind: 'hit', answer: 'Ask a human.', askedAt: '2027-01-15T09:00:00.000Z', originalQuestion: 'What is the dose of Amoxicillin?' }
    expect(await rig.lookup('what is the dose of amoxicillin')).toEqual({ ...hit, level: 'memory', turn: 't1', conversation: 'c1' })
    rig.reopen()
    expect(await rig.lookup('what is the dose of amoxicillin')).toEqual({ ...hit, level: 'disk', turn: 't1', conversation: 'c1' })
    expect(await rig.lookup('what is the dose of amoxicillin')).toMatchObject({ level: 'memory' })
    expect(rig.cache.facts()).toMatchObject({ diskHits: 1, memoryHits: 1, misses: 0 })
  })

  it.each([
    ['WHAT IS THE DOSE OF AMOXICILLIN 500 MG'],
    ['  what is   the dose of amoxicillin 500mg ?'],
    ['What is the dose of amoxicillin, 500 mg…'],
    ['What is the dose of amoxicillin 500 mg!!'],
    ['“What is the dose of amoxicillin 500-mg?”'],
    ['Please, what is the dose of amoxicillin 500 mg?'],
    ['dose of amoxicillin 500 mg'],
    ['What is the dosage of Amoxil 500 milligrams?'],
  ])('is served for %s', async (variant) => {
    for (const filler of ['dose of ramipril', 'side effects of amoxicillin', 'amoxicillin 250 mg dose', 'asthma symptoms']) await rig.keep(filler)
    await rig.keep('What is the dose of amoxicillin 500 mg?', 'The one.')
    rig.reopen()
    expect(await rig.lookup(variant)).toMatchObject({ kind: 'hit', answer: 'The one.' })
  })

  it.each([
    ['How do I stop olanzapine?', 'How do I discontinue olanzapine?'],
    ['treatment of gout', 'gout treatment'],
    ['Treatment of MI in renal failure', 'treatment of a heart attack in kidney failure'],
    ['Is paracetamol safe in pregnancy?', 'is acetaminophen safe in pregnancy'],
    ['Anaemia in the elderly: which tests?', 'anemia in the elderly, which tests'],
  ])('is served where the gate knows the words for one another: %s / %s', async (earlier, later) => {
    for (const filler of ['olanzapine weight gain', 'gout diet', 'treatment of asthma', 'paracetamol dose']) await rig.keep(filler)
    await rig.keep(earlier, 'The one.')
    expect(await rig.lookup(later)).toMatchObject({ kind: 'hit', answer: 'The one.', originalQuestion: earlier })
  })

  it('is the newest answer to a question that was asked afresh', async () => {
    await rig.keep('dose of amoxicillin', 'Old.')
    await rig.keep('Dose of amoxicillin?', 'New.', { turn: 't2' })
    expect(await rig.lookup('dose of amoxicillin')).toMatchObject({ answer: 'New.', turn: 't2' })
    rig.reopen()
    expect(await rig.lookup('dose of amoxicillin')).toMatchObject({ answer: 'New.', turn: 't2' })
  })

  it('is the same ten thousand times at once', async () => {
    await rig.keep('dose of amoxicillin', 'Once.')
    rig.reopen()
    const all = await Promise.all(Array.from({ length: 10_000 }, () => rig.lookup('dose of amoxicillin?')))
    expect(all.every((one) => one.kind === 'hit' && one.answer === 'Once.')).toBe(true)
    expect(rig.cache.facts()).toMatchObject({ diskHits: 1, memoryHits: 9_999 })
  })
})

describe('what is in doubt', () => {
  it.each([
    ['switch from warfarin to apixaban', 'switch from apixaban to warfarin'],
    ['what causes hypertension', 'what does hypertension cause'],
    ['does diabetes cause kidney failure', 'does kidney failure cause diabetes'],
    ['amoxicillin dose then metronidazole', 'metronidazole dose then amoxicillin'],
    ['no, penicillin for a sore throat?', 'no penicillin for a sore throat?'],
  ])('by its order or a comma alone is not served: %s / %s', async (earlier, later) => {
    await rig.keep(earlier)
    expect(await rig.kindOf(later)).not.toBe('hit')
    rig.reopen()
    expect(await rig.kindOf(later)).not.toBe('hit')
  })

  it('by a number is a link that names it', async () => {
    await rig.keep('Start apixaban 5 mg twice daily?', 'Yes.', { turn: 't7', conversation: 'c7' })
    expect(await rig.lookup('Start apixaban 50 mg twice daily?')).toEqual({
      kind: 'near',
      links: [
        {
          question: 'Start apixaban 5 mg twice daily?',
          turn: 't7',
          conversation: 'c7',
          askedAt: '2027-01-15T09:00:00.000Z',
          differs: [{ slot: 'amount', earlier: '5 mg', asked: '50 mg' }],
        },
      ],
    })
  })

  it('by its order is a link as well, at most three of them, the most similar first', async () => {
    for (const drug of ['apixaban', 'rivaroxaban', 'edoxaban', 'dabigatran', 'heparin'])
      await rig.keep(`switch from warfarin 5 to ${drug} in atrial fibrillation`)
    const found = await rig.lookup('switch from warfarin 6 to apixaban in atrial fibrillation')
    expect(found).toMatchObject({ kind: 'near', links: [{ question: 'switch from warfarin 5 to apixaban in atrial fibrillation' }, {}, {}] })
  })

  it('by nothing but its subject is a miss', async () => {
    for (const question of ['dose of amoxicillin', 'side effects of ramipril', 'causes of chest pain']) await rig.keep(question)
    expect(await rig.lookup('vaccines before travel to Kenya')).toEqual({ kind: 'miss', refused: null })
  })

  it.each(['model', 'adapter', 'quantisation', 'prompt', 'category', 'language'] as const)('by another %s is a miss', async (field) => {
    await rig.keep('dose of amoxicillin')
    const other = asked('dose of amoxicillin', { scope: { ...scope, [field]: 'other' } })
    expect(await rig.cache.lookup(other)).toEqual({ kind: 'miss', refused: null })
    rig.reopen()
    expect(await rig.cache.lookup(other)).toEqual({ kind: 'miss', refused: null })
  })
})

describe('never kept and never looked up', () => {
  it.each([
    ['an emergency', { emergency: true }, 'emergency'],
    ['the category of emergencies', { scope: { ...scope, category: 'emergency' } }, 'emergency'],
    ['a follow-up', { followUp: true }, 'follow-up'],
    ['text that tells who somebody is', { identifiable: true }, 'identifiable'],
    ['a long case', { question: 'x '.repeat(1001) }, 'too long'],
    ['nothing that can be read', { standard: '?!' }, 'empty'],
  ] as const)('%s', async (_, more, refused) => {
    await rig.keep('dose of amoxicillin')
    const one = asked('dose of amoxicillin', more)
    expect(await rig.cache.lookup(one)).toEqual({ kind: 'miss', refused })
    expect(await rig.cache.keep(one, answered('x'))).toBe(refused)
    expect(rig.cache.facts()).toMatchObject({ answers: 1 })
  })

  it.each([{ status: 'partial' }, { status: 'failed' }, { answer: '' }] as const)('an answer with %o', async (more) => {
    expect(await rig.cache.keep(asked('dose of amoxicillin'), answered('Half', more))).toBe('not complete')
    expect(await rig.kindOf('dose of amoxicillin')).toBe('miss')
  })

  it.each([{ enabled: false }, { diskBytes: 0 }, { ageDays: 0 }])('anything while the settings say %o; what is there waits', async (change) => {
    await rig.keep('dose of amoxicillin')
    rig.cache.configure({ ...usual, ...change })
    expect(await rig.lookup('dose of amoxicillin')).toEqual({ kind: 'miss', refused: 'off' })
    expect(await rig.keep('dose of ramipril')).toBe('off')
    expect(rig.cache.facts()).toMatchObject({ inMemory: 0, memoryBytes: 0 })
    rig.cache.configure(usual)
    expect(await rig.kindOf('dose of amoxicillin')).toBe('hit')
  })
})
