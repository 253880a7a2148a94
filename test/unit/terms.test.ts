// Owns the tests of term standardisation on small tables: forms, the choice between meanings, undoing, what the page is told.
import { describe, expect, it } from 'vitest'
import { buildTermTables } from '../../app/clinical/term-tables.ts'
import { standardise, understood } from '../../app/clinical/terms.ts'

const small = buildTermTables(
  {
    fixed: [
      {
        kind: 'abbreviation',
        rows: [
          ['MI', 'myocardial infarction'],
          ['PSA', 'prostate-specific antigen'],
          ['UTI', 'urinary tract infection'],
          ['DVT', 'deep vein thrombosis'],
          ['CAP', 'community-acquired pneumonia', 'caps'],
          ['PsA', 'psoriatic arthritis', 'exact'],
          ['om', 'in the morning', 'dose'],
          ['im', 'intramuscular', 'prescription'],
          ['yo|y/o', 'year old'],
          ['K+', 'potassium'],
          ['b.d.', 'twice daily'],
        ],
      },
      {
        kind: 'synonym',
        rows: [
          ['heart attack', 'myocardial infarction'],
          ['high blood pressure', 'hypertension'],
        ],
      },
      { kind: 'spelling', rows: [['anemia', 'anaemia']] },
      { kind: 'medicine', rows: [['epinephrine', 'adrenaline']] },
      { kind: 'unit', rows: [['mcg|ug|u', 'micrograms', 'number']] },
    ],
    ambiguous: [
      ['MS', 'multiple sclerosis', 'relapse|optic neuritis|<with'],
      ['MS', 'mitral stenosis', 'murmur|>valve'],
      ['PE', 'pulmonary embolism', 'clot|*', 'any'],
      ['PE', 'physical examination', 'abdomen soft', 'any'],
      ['fit', 'seizure', '<a|<first', 'small'],
    ],
    keep: [['MS Teams'], ['Tia']],
  },
  [{ name: 'salbutamol', brands: ['Ventolin', 'Nix'] }],
)
const of = (text: string) => standardise(text, small).text

describe('standardisation on small tables', () => {
  it.each([
    ['MI in 2015', 'myocardial infarction in 2015'],
    ['?mi, no MI', '?myocardial infarction, no myocardial infarction'],
    ['UTIs, UTI’s and utis', 'urinary tract infections, urinary tract infections and urinary tract infections'],
    ['DVTs', 'deep vein thromboses'],
    ['CAP, but a cap', 'community-acquired pneumonia, but a cap'],
    ['PsA or PSA', 'psoriatic arthritis or prostate-specific antigen'],
    ['Heart attack? heart-attack, heart, attack', 'Myocardial infarction? myocardial infarction, heart, attack'],
    ['ANEMIA, Anemia and anaemia', 'anaemia, Anaemia and anaemia'],
    ['ventolin 100mcg', 'salbutamol 100 micrograms'],
    ['Ｍ\u200bＩ', 'myocardial infarction'],
    ['a nix for Nix', 'a nix for salbutamol'],
    ['45yo, 45 y/o', '45 year old, 45 year old'],
    ['5 µg, 10 ug, 5u and u', '5 micrograms, 10 micrograms, 5 micrograms and u'],
    ['40 mg om, om', '40 mg in the morning, om'],
    ['on ventolin, im sure. 5, u', 'on salbutamol, im sure. 5, u'],
    ['5 mg im; im sure, IM?, ventolin im', '5 mg intramuscular; im sure, intramuscular?, salbutamol intramuscular'],
    ['vitamin K + D, K+ 5.8', 'vitamin K + D, potassium 5.8'],
    ['5 mg b.d. for a week. 5 mg b.d.', '5 mg twice daily for a week. 5 mg twice daily.'],
    ['high blood, pressure', 'high blood, pressure'],
    ['', ''],
  ])('%j → %j', (text, wanted) => expect(of(text)).toBe(wanted))

  it.each([
    ['MS relapse', 'multiple sclerosis relapse'],
    ['patient with MS', 'patient with multiple sclerosis'],
    ['loud murmur, MS', 'loud murmur, mitral stenosis'],
    ['MS with relapse and murmur', 'MS with relapse and murmur'],
    ['MS Teams', 'MS Teams'],
    ['ms murmur, Ms Bell', 'ms murmur, Ms Bell'],
    ['pe', 'pulmonary embolism'],
    ['PE: abdomen soft', 'physical examination: abdomen soft'],
    ['a fit; fit to fly; FIT', 'a seizure; fit to fly; FIT'],
    ['Tia has a cough', 'Tia has a cough'],
  ])('decides %j by the words around it', (text, wanted) => expect(of(text)).toBe(wanted))

  it('says which short forms stay undecided, and what they could be', () => {
    expect(standardise('Is MS likely?', small)).toEqual({
      text: 'Is MS likely?',
      changes: [],
      unclear: [{ start: 3, end: 5, typed: 'MS', couldBe: ['multiple sclerosis', 'mitral stenosis'] }],
    })
  })
  it('hears only words near by', () => {
    expect(of('MS' + ' word'.repeat(60) + ' murmur')).toMatch(/^MS word/)
  })
  it('keeps the place of each change in the text as typed, and undoes one of them', () => {
    const text = 'ventolin after MI'
    const { changes } = standardise(text, small)
    expect(changes).toEqual([
      { start: 0, end: 8, typed: 'ventolin', means: 'salbutamol', kind: 'brand', undo: ['ventolin'] },
      { start: 15, end: 17, typed: 'MI', means: 'myocardial infarction', kind: 'abbreviation', undo: ['mi'] },
    ])
    expect(standardise(text, small, new Set(changes[1]!.undo)).text).toBe('salbutamol after MI')
  })
  it('follows a change that completes another term, as one change that can be undone', () => {
    const tables = buildTermTables(
      {
        fixed: [
          {
            kind: 'synonym',
            rows: [
              ['BP', 'blood pressure'],
              ['high blood pressure', 'hypertension'],
            ],
          },
        ],
        ambiguous: [['ZZ', 'z', 'q']],
        keep: [],
      },
      [],
    )
    const { text, changes } = standardise('my high BP today, BP', tables)
    expect(text).toBe('my hypertension today, blood pressure')
    expect(changes[0]).toMatchObject({ start: 3, end: 10, typed: 'high BP', means: 'hypertension', undo: ['bp', 'high blood pressure'] })
    expect(standardise('my high BP today', tables, new Set(changes[0]!.undo)).text).toBe('my high BP today')
  })
  it('shows each typed form once and no spelling or unit', () => {
    const { changes } = standardise('MI, MI, anemia, 5 mcg, PE clot. PE: abdomen soft', small)
    expect(understood(changes)).toEqual([
      { typed: 'MI', means: 'myocardial infarction' },
      { typed: 'PE', means: expect.stringMatching(/^[\w ]+$/) },
    ])
    const two = [
      { start: 0, end: 2, typed: 'PE', means: 'a', kind: 'abbreviation', undo: [] },
      { start: 4, end: 6, typed: 'PE', means: 'b', kind: 'abbreviation', undo: [] },
    ] as const
    expect(understood(two)).toEqual([{ typed: 'PE', means: 'a / b' }])
  })
  it('takes capitals for nothing in a text that is all capitals', () => {
    expect(of('WHAT IS THE CAP OF THE BOTTLE AND IS IT FOR MY MI')).toBe('WHAT IS THE CAP OF THE BOTTLE AND IS IT FOR MY myocardial infarction')
  })
  it('refuses a table it would misread', () => {
    const build = (row: string[], ambiguous: string[][] = []) =>
      buildTermTables({ fixed: [{ kind: 'synonym', rows: [row] }], ambiguous, keep: [] }, [])
    expect(() => build(['MI'])).toThrow(/cannot be read/)
    expect(() => build(['MI', 'x', 'sometimes'])).toThrow(/cannot be read/)
    expect(() => build(['-', 'x'])).toThrow(/without words/)
    expect(() => build(['MI', 'x'], [['MS', 'y', 'cue', 'often']])).toThrow(/cannot be read/)
  })
})
