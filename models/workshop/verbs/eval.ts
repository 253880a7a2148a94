// Owns `eval`: how many held-out questions a model answers right, declines rightly, keeps of its teacher's knowledge, and how sure it is.
import { basename } from 'node:path'
import { namesOf } from '../eval/judge.ts'
import { corpusQuestions, fileQuestions, folderQuestions, LINE, ownRecords, sampled } from '../eval/questions.ts'
import { adaptersIn, evaluate } from '../eval/run.ts'
import { calibrationOf, figuresOf, rowsOf, targetsOf, type Answered } from '../eval/score.ts'
import { describe, examplesOf, verdict } from '../eval/words.ts'
import { corpusOf } from '../train/data.ts'
import { readPlan } from '../train/plan.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

export const evalVerb: Verb = {
  name: 'eval',
  about: 'key facts, entities, refusals, retention and calibration on held-out questions',
  usage: 'MODEL.gguf [--adapters-by-category DIR] [--plan P | --corpus DIR | --file F] [--teacher GGUF] [--most N] [--wrong]',
  positionals: [1, 1],
  options: {
    adapter: { type: 'string', multiple: true },
    'adapters-by-category': { type: 'string' },
    corpus: { type: 'string' },
    file: { type: 'string' },
    plan: { type: 'string' },
    teacher: { type: 'string' },
    most: { type: 'string' },
    answers: { type: 'string' },
    wrong: { type: 'boolean', default: false },
    threads: { type: 'string' },
  },
  help: `
  --adapter F                 a LoRA adapter that is always on; may be given several times
  --adapters-by-category DIR  medication.gguf, …: on for questions that the program puts into the category
  --plan NAME|FILE            what that plan of training holds out (default starter)
  --corpus DIR                the test splits of a folder made by corpus or train instead
  --file F                    questions of your own instead, a line each:
                              ${LINE}
                              with none of a, keys and unknown the answer is shown and not judged
  --teacher GGUF              ask it too: retention is right of the model among right of the teacher
  --most N                    at most N questions of each split, drawn over the whole of it
  --answers F                 keep the answers there; a run that was stopped goes on from it
  --wrong                     print every wrong answer
  --threads N                 threads of llama.cpp (default 1)

Splits: test-phrasing (a wording never trained for that fact), test-kind (kinds of wording never trained at all), test-unknown
(what must be declined). An answer is right when every key fact stands in it and no amount, medicine or "avoid" in it contradicts the
fact. Entities: amounts with units and medicines that an answer to a known question states. Intervals: Wilson, 95 %. Confidence:
the geometric mean of the probabilities of the answer's tokens. Answers are greedy.`,
  async run(input, context) {
    const model = input.positionals[0]!
    const records = ownRecords()
    const all = questionsOf(input)
    const most = optionNumber(input, 'most', 1, 10_000_000)
    const questions = most === undefined ? all : sampled(all, most)
    const folder = optionText(input, 'adapters-by-category')
    const answers = await evaluate(
      {
        model,
        adapters: [input.values['adapter'] ?? []].flat().filter((path) => typeof path === 'string'),
        byCategory: folder === undefined ? new Map() : adaptersIn(folder),
        teacher: optionText(input, 'teacher') ?? null,
        questions,
        names: namesOf(records.filter(({ kind }) => kind === 'medicine')),
        answers: optionText(input, 'answers') ?? null,
        threads: optionNumber(input, 'threads', 1, 256) ?? 1,
      },
      context,
    )
    const rows = rowsOf(answers)
    const calibrated = calibrationOf(answers)
    const examples = examplesOf(answers)
    const wrong = input.values['wrong'] === true
    const figures = figuresOf(answers)
    const unlearned = optionText(input, 'teacher') !== undefined && figures.retained.total === 0
    return {
      ...{ name: 'eval', rows, targets: targetsOf(answers, optionText(input, 'file') === undefined) },
      text: describe({ answers, examples, rows, calibrated, wrong }),
      notes: [
        `${basename(model)}: ${answers.length}${answers.length < all.length ? ` of ${all.length}` : ''} questions. The records behind them are not reviewed by a clinician.`,
        ...(unlearned ? ['The teacher has none of them right, so there is nothing to retain.'] : []),
      ],
      detail: {
        ...{ model: basename(model), figures: figuresOf(answers), calibration: calibrated },
        examples: examples.map(told),
        ...(wrong ? { wrong: answers.filter(({ judged }) => judged?.right === false).map(told) } : {}),
      },
    }
  },
}

const told = (one: Answered) => ({
  ...{ q: one.q, answer: one.answer, expected: one.asked?.a ?? null, split: one.split, category: one.of, adapter: one.adapter },
  ...{ right: one.judged?.right ?? null, verdict: verdict(one), confidence: one.confidence },
})

function questionsOf(input: VerbInput) {
  const [corpus, file] = [optionText(input, 'corpus'), optionText(input, 'file')]
  const asked = ['plan', 'corpus', 'file'].filter((name) => optionText(input, name) !== undefined)
  if (asked.length > 1) throw new WrongUse('eval takes one of --plan, --corpus and --file.')
  if (file !== undefined) return fileQuestions(file)
  if (corpus !== undefined) return folderQuestions(corpus)
  return corpusQuestions(corpusOf(readPlan(optionText(input, 'plan') ?? 'starter')))
}
