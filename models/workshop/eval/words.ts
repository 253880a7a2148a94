// Owns what a person reads of an evaluation: the table, calibration, examples of each category right or wrong, and the wrong answers.
import { categories } from '../../../app/contract/entities.ts'
import { chance, shuffled } from '../corpus/chance.ts'
import { percent, table, type Row } from '../report.ts'
import type { Calibration } from './calibration.ts'
import type { Answered } from './score.ts'

const EXAMPLES = 5

/** Five questions of each category, drawn without regard to the answers; the same ones for every model. */
export function examplesOf(answers: readonly Answered[]): Answered[] {
  return categories.flatMap((category) => {
    const part = answers.filter(({ of }) => of === category)
    return shuffled(part, chance(1, 'examples', category)).slice(0, EXAMPLES)
  })
}

export function verdict({ judged, asked, teacherRight }: Answered): string {
  if (!judged || !asked) return 'not judged'
  const teacher = teacherRight === null ? '' : `; teacher ${teacherRight ? 'right' : 'wrong'}`
  if (judged.right) return `right${teacher}`
  if (asked.unknown) return `WRONG, should decline${teacher}`
  if (judged.declined) return `WRONG, declined${teacher}`
  const faults = [
    ...(judged.keysFound < judged.keysAsked ? [`${judged.keysFound} of ${judged.keysAsked} key facts`] : []),
    ...(judged.contradictions.length > 0 ? [`not in the fact: ${judged.contradictions.map((one) => one.replace('|', ' ').trim()).join(', ')}`] : []),
  ]
  return `WRONG, ${faults.join('; ')}${teacher}`
}

const sure = ({ confidence }: Answered) => `${percent(confidence).toFixed(0)} % sure`
const described = (one: Answered): string => {
  const expected = one.judged && !one.judged.right && one.asked && one.asked.a !== '' ? `\n      expected: ${one.asked.a}` : ''
  return `  [${one.of}, ${one.split}] ${one.q.replace(/\s+/g, ' ')}\n      ${one.answer.replace(/\s+/g, ' ') || '(nothing)'}\n      ${verdict(one)}, ${sure(one)}${expected}`
}

export const calibrationRows = ({ bins }: Calibration): Row[] =>
  bins
    .filter(({ count }) => count > 0)
    .map(({ from, to, count, confidence, accuracy }) => ({
      ...{
        confidence: `${percent(from)}–${percent(to)} %`,
        answers: count,
        'mean confidence %': percent(confidence!),
        'right %': percent(accuracy!),
      },
    }))

/** `wrong`: every wrong answer too. */
export function describe(made: {
  answers: readonly Answered[]
  examples: readonly Answered[]
  rows: readonly Row[]
  calibrated: Calibration
  wrong: boolean
}): string {
  const { answers, examples, rows, calibrated } = made
  const wrong = answers.filter(({ judged }) => judged?.right === false)
  return [
    table(rows),
    ...(calibrated.count === 0
      ? []
      : [`Calibration: ECE ${calibrated.ece.toFixed(3)} over ${calibrated.count} answers\n\n${table(calibrationRows(calibrated))}`]),
    `Examples, drawn without regard to the answers:\n\n${examples.map(described).join('\n')}`,
    ...(made.wrong && wrong.length > 0 ? [`Every wrong answer (${wrong.length}):\n\n${wrong.map(described).join('\n')}`] : []),
    ...(!made.wrong && wrong.length > 0 ? [`${wrong.length} answers are wrong; --wrong prints them.`] : []),
  ].join('\n\n')
}
