// Owns what a person reads of an examination: Table 1, subjects, letters, calibration, order bias, and the wrong answers.
import { interval } from '../eval/score.ts'
import { calibrationRows } from '../eval/words.ts'
import { percent, table } from '../report.ts'
import { againstChance, calibrationOf, figuresOf, lettersOf, massOf, orderBias, rowsOf, tableOne } from './figures.ts'
import type { Result } from './run.ts'

/** Below this share the model did not take the letters for an answer, and which of them came first means little. */
const LITTLE_MASS = 0.1
const SHOWN = 240

/** `wrong`: every wrong answer too. */
export function describe(model: string, results: readonly Result[], wrong: boolean): string {
  const calibrated = calibrationOf(results)
  const bias = orderBias(results)
  const missed = results.filter(({ right }) => !right)
  return [
    `Table 1\n\n${table([tableOne(model, results)])}`,
    `By set and subject\n\n${table(rowsOf(results))}`,
    `Letters\n\n${table(lettersOf(results))}`,
    ...(calibrated === null
      ? []
      : [
          `Calibration of the letters’ probabilities: ECE ${calibrated.ece.toFixed(3)} over ${calibrated.count} answers\n\n${table(calibrationRows(calibrated))}`,
        ]),
    ...(bias === null
      ? []
      : [
          `Order of the options, ${bias.questions} questions asked in both: right ${interval({ hits: bias.right, total: bias.questions })} % as given, ` +
            `${interval({ hits: bias.rightAgain, total: bias.questions })} % in the other; the same option chosen in ${interval({ hits: bias.same, total: bias.questions })} %.`,
        ]),
    ...(wrong && missed.length > 0 ? [`Every wrong answer (${missed.length}):\n\n${missed.map(told).join('\n')}`] : []),
    ...(!wrong && missed.length > 0 ? [`${missed.length} answers are wrong; --wrong prints them.`] : []),
  ].join('\n\n')
}

function told({ question, sheet }: Result): string {
  const words = (letter: string) => `${letter}. ${question.options.find((one) => one.letter === letter)?.text ?? ''}`
  const chosen = sheet.tooLong ? 'too long for the model' : sheet.letter === null ? 'no answer that counts' : words(sheet.letter)
  const flat = (text: string) => {
    const line = text.replace(/\s+/g, ' ')
    return line.length > SHOWN ? `${line.slice(0, SHOWN - 1).toWellFormed()}…` : line
  }
  const said = sheet.written === null ? '' : `\n      written: ${flat(sheet.written)}`
  return `  [${question.set}, ${question.id}] ${flat(question.question)}\n      ${chosen}; right: ${words(question.answer)}${said}`
}

/** What must be known before a figure is believed; `asked` of `all` questions in the file. */
export function notesOf(results: readonly Result[], all: number): string[] {
  const figures = figuresOf(results)
  const mass = massOf(results)
  const stuck = orderBias(results) === null ? 0 : results.filter(({ again }) => again === null).length
  const { questions, right, random, unparsed, tooLong } = figures
  const share = `${interval({ hits: right, total: questions })} % right, guessing gives ${percent(random)} %`
  return [
    `${questions}${questions < all ? ` of ${all}` : ''} questions: ${againstChance(figures)} (${share}). Intervals: Wilson, 95 %.`,
    ...(figures.coverage === null
      ? ['Core concepts were not measured: no answer was written for which they are known. --coverage or --reason has them written.']
      : []),
    ...(unparsed > 0 ? [`${unparsed} answers hold no choice in the form asked for and count as wrong.`] : []),
    ...(tooLong > 0 ? [`${tooLong} questions do not fit the model’s context, were not asked and count as wrong.`] : []),
    ...(mass !== null && mass < LITTLE_MASS
      ? [
          `The model gives the letters ${percent(mass)} % of its probability (median): it does not take the question for one to be answered by a letter.`,
        ]
      : []),
    ...(stuck > 0 ? [`${stuck} questions stay in one order, as an option speaks of the others.`] : []),
    'Table 1 holds what was measured here; no figure is printed that this command did not measure.',
  ]
}
