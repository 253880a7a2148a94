// Owns the tests of how an answer is judged: what is right, what contradicts, what is declined.
import { describe, expect, it } from 'vitest'
import { amounts } from '../../../models/workshop/eval/entities.ts'
import { judge, namesOf, type Asked } from '../../../models/workshop/eval/judge.ts'

describe('amounts', () => {
  it.each<[string, string[]]>([
    ['500 mg three times a day', ['500|mg', '3|times']],
    ['200 to 400 mg every 6-8 hours', ['200|mg', '400|mg', '6|hours', '8|hours']],
    ['0.5 mg, or 500 micrograms', ['0.5|mg', '500|micrograms']],
    ['0,5 mg', ['0.5|mg']],
    ['1,200 mg once', ['1200|mg', '1|times']],
    ['twice daily for two weeks', ['2|times', '2|weeks']],
    ['pressure above 180/120', ['180|', '120|']],
    ['one of these', []],
    ['5mg', ['5|mg']],
  ])('of “%s” are %j', (text, found) => expect(amounts(text)).toEqual(found))
})

describe('an answer', () => {
  const names = namesOf([
    { name: 'amoxicillin', otherNames: ['amox'], brands: ['Amoxil'] },
    { name: 'insulin glargine', otherNames: [] },
    { name: 'warfarin', otherNames: [] },
  ])
  const asked: Asked = {
    q: 'What is the adult dose of amoxicillin?',
    a: 'The usual adult dose of amoxicillin is 500 mg three times a day.',
    keys: [
      { text: 'amoxicillin', tag: 'drug' },
      { text: '500 mg', tag: 'dose' },
      { text: 'three times a day', tag: 'dose' },
    ],
    unknown: false,
  }
  it.each<[string, string, boolean, number]>([
    ['as it should be', asked.a, true, 0],
    ['in other words with the same facts', 'Amoxicillin: 500  mg three times a day.', true, 0],
    ['with another amount', 'The usual adult dose of amoxicillin is 250 mg three times a day.', false, 1],
    ['with an amount more', `${asked.a} The maximum is 6 g.`, false, 1],
    ['ten times too much', 'The usual adult dose of amoxicillin is 5000 mg three times a day.', false, 1],
    ['about another medicine', 'The usual adult dose of warfarin is 500 mg three times a day.', false, 1],
    ['without its frequency', 'The usual adult dose of amoxicillin is 500 mg.', false, 0],
    ['that declines', 'I have no checked data on amoxicillin.', false, 0],
    ['that is empty', '', false, 0],
  ])('%s', (_, answer, right, contradictions) => {
    const judged = judge(asked, answer, names)
    expect([judged.right, judged.contradictions.length]).toEqual([right, contradictions])
  })
  it('may repeat what the question says, but that is no right entity', () => {
    const judged = judge({ ...asked, q: 'Is 875 mg of amoxicillin usual?' }, `${asked.a} Not 875 mg.`, names)
    expect([judged.right, judged.entities, judged.entitiesRight]).toEqual([true, 4, 3])
  })
  it('to an unknown is right only when it declines, and a name of several words is one name', () => {
    const unknown: Asked = { q: 'Dose of zorbamycin?', a: 'I have no checked data on zorbamycin.', keys: [], unknown: true }
    expect(judge(unknown, 'I have no checked data on zorbamycin.', names)).toMatchObject({ right: true, declined: true, entities: 0 })
    expect(judge(unknown, 'The usual dose of insulin glargine is 10 units.', names)).toMatchObject({
      right: false,
      contradictions: ['10|units', 'insulin glargine'],
    })
  })
})
