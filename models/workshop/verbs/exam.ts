// Owns `exam`: how many multiple-choice questions a model or server answers right, by subject, beside what guessing gives.
import { loadTermTables, readMedicineNames } from '../../../app/clinical/term-tables.ts'
import { calibrationOf, figuresOf, lettersOf, massOf, orderBias, rowsOf, tableOne } from '../exam/figures.ts'
import { modelExaminee } from '../exam/model-examinee.ts'
import type { Mode } from '../exam/prompt.ts'
import { drawn, LINE, MIRAGE, readExam, type ExamQuestion } from '../exam/questions.ts'
import { examine, type Result } from '../exam/run.ts'
import { serverExaminee } from '../exam/server-examinee.ts'
import { describe, notesOf } from '../exam/words.ts'
import { inModels } from '../score/set.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

export const examVerb: Verb = {
  name: 'exam',
  about: 'multiple-choice questions as MIRAGE and MedQA have them: accuracy by subject, coverage, calibration, order bias',
  usage: '--file F --model MODEL.gguf|http://SERVER [--score letter|text | --reason] [--shuffle SEED] [--most N]',
  positionals: [0, 0],
  options: {
    file: { type: 'string' },
    model: { type: 'string' },
    score: { type: 'string' },
    reason: { type: 'boolean', default: false },
    shuffle: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    most: { type: 'string' },
    subject: { type: 'string' },
    answers: { type: 'string' },
    wrong: { type: 'boolean', default: false },
    threads: { type: 'string' },
  },
  help: `
  --file F        one object: ${MIRAGE}
                  or a line each: ${LINE}
  --model M       a GGUF file, or the address of an OpenAI-compatible server on this network
  --score letter  the option whose letter is the likeliest to follow (default)
  --score text    the option whose own words are, a token; the options are not shown
  --reason        the model writes, greedily, and ends with “Answer: B”; anything else counts as wrong
                  and is counted. A server is always examined so
  --shuffle SEED  ask each question a second time with its options in another order
  --coverage      with --score, have each question answered freely too, for the core concepts
  --most N        at most N questions of each set, drawn over the whole of it
  --subject S     only the questions of this subject or set
  --answers F     keep the answers there; a run that was stopped goes on from it
  --wrong         print every wrong answer
  --threads N     threads of llama.cpp (default 1)

Random: the mean of 1/options. Majority: always the letter that is most often right. Core concepts: the share of the key terms of
the right option (or of the question's own keys) that stand in what was written, both in standard terms. ECE: ten bins of the
probability of the chosen letter among the letters. Time: the median of the answers, without --coverage and the second order.`,
  async run(input, context) {
    const [path, model] = [optionText(input, 'file'), optionText(input, 'model')]
    if (path === undefined || model === undefined) throw new WrongUse('exam needs --file and --model.')
    const server = /^https?:\/\//i.test(model)
    const mode = modeOf(input, server)
    const shuffle = optionNumber(input, 'shuffle', 0, 2 ** 31 - 1) ?? null
    const most = optionNumber(input, 'most', 1, 10_000_000)
    const threads = optionNumber(input, 'threads', 1, 256) ?? 1
    const all = ofSubject(readExam(path), optionText(input, 'subject'))
    const questions = most === undefined ? all : drawn(all, most)
    const terms = loadTermTables(inModels('terms'), readMedicineNames(inModels('corpus')))
    const examinee = server ? await serverExaminee(model, context.signal) : await modelExaminee(model, mode, threads, context.signal)
    let results: Result[]
    try {
      const request = { questions, answers: optionText(input, 'answers') ?? null, shuffle, cover: input.values['coverage'] === true, terms }
      results = await examine(examinee, request, context)
    } finally {
      await examinee.close()
    }
    const wrong = input.values['wrong'] === true
    return {
      ...{ name: 'exam', rows: rowsOf(results), targets: [] },
      text: describe(examinee.name, results, wrong),
      notes: notesOf(results, all.length),
      detail: {
        ...{ model: examinee.name, mode, tableOne: tableOne(examinee.name, results), figures: figuresOf(results) },
        ...{ letters: lettersOf(results), letterMass: massOf(results), calibration: calibrationOf(results), order: orderBias(results) },
        ...(wrong ? { wrong: results.filter(({ right }) => !right).map(told) } : {}),
      },
    }
  },
}

const told = ({ question, sheet }: Result) => ({
  ...{ set: question.set, id: question.id, question: question.question, chosen: sheet.letter, answer: question.answer, written: sheet.written },
})

function modeOf(input: VerbInput, server: boolean): Mode {
  const score = optionText(input, 'score')
  const reason = input.values['reason'] === true
  if (score !== undefined && score !== 'letter' && score !== 'text') throw new WrongUse(`--score takes letter or text, not “${score}”.`)
  if (score !== undefined && reason) throw new WrongUse('exam takes one of --score and --reason.')
  if (score !== undefined && server) throw new WrongUse('A server gives no probabilities to weigh: leave --score out, it is examined by --reason.')
  return reason || server ? 'reason' : (score ?? 'letter')
}

function ofSubject(questions: ExamQuestion[], subject: string | undefined): ExamQuestion[] {
  if (subject === undefined) return questions
  const found = questions.filter((one) => one.subject === subject || one.set === subject)
  if (found.length > 0) return found
  const known = [...new Set(questions.flatMap((one) => [one.set, one.subject]))].sort()
  throw new WrongUse(`No question is of the subject “${subject}”. There are: ${known.slice(0, 40).join(', ')}${known.length > 40 ? ', …' : ''}.`)
}
