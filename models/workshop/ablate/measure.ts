// Owns the measurement of one model of the ablation: every held-out question asked, and what is kept of the answers.
import * as z from 'zod'
import { namesOf } from '../eval/judge.ts'
import { ownRecords, sampled, splits, type Question } from '../eval/questions.ts'
import { evaluate } from '../eval/run.ts'
import type { Corpus } from '../corpus/split.ts'
import type { Pair } from '../corpus/pair.ts'
import { Progress } from '../progress.ts'
import type { Lab } from './lab.ts'
import type { Measure } from './rows.ts'

/** A letter a question, in their order: r right, d declined (a known one, so wrong), w wrong. */
const Answers = z.object({ letters: z.string(), entities: z.number(), entitiesRight: z.number() })
export type Answers = z.infer<typeof Answers>
export const answersOf = (facts: Readonly<Record<string, unknown>>): Answers => Answers.parse(facts['answers'])

export interface Asked extends Question {
  readonly knowledge: Pair['knowledge']
}
/** The questions that every model of one plan is asked: at most `most` of each split. */
export function questionsOf({ tests }: Corpus, most: number): Asked[] {
  const all = splits.flatMap((split) =>
    tests[split].map(({ q, a, keys, kind, category, knowledge }): Asked => {
      return { q, asked: { q, a, keys, unknown: kind.startsWith('unknown.') }, split, category, knowledge }
    }),
  )
  return sampled(all, most) as Asked[]
}

export async function measure(model: string, questions: readonly Asked[], { given }: Pick<Lab, 'given'>, signal: AbortSignal): Promise<Answers> {
  const names = namesOf(ownRecords().filter(({ kind }) => kind === 'medicine'))
  const request = { model, adapters: [], byCategory: new Map(), teacher: null, questions, names, answers: null }
  const answers = await evaluate({ ...request, threads: given.plan.trainer.threads }, { signal, progress: new Progress(null) })
  const known = answers.flatMap(({ asked, judged }) => (judged && asked?.unknown === false ? [judged] : []))
  return {
    letters: answers.map(({ judged }) => (judged!.right ? 'r' : judged!.declined ? 'd' : 'w')).join(''),
    entities: known.reduce((sum, { entities }) => sum + entities, 0),
    entitiesRight: known.reduce((sum, { entitiesRight }) => sum + entitiesRight, 0),
  }
}

/** The figures of a run, in percent. `teacher`: retention is right of the run among right of the teacher. */
export function figuresOf(questions: readonly Asked[], answers: Answers, teacher: Answers): Record<Measure, number | null> {
  const share = (wanted: (question: Asked, at: number) => boolean) => {
    const asked = questions.flatMap((question, at) => (wanted(question, at) ? [answers.letters[at]!] : []))
    return asked.length === 0 ? null : (100 * asked.filter((letter) => letter === 'r').length) / asked.length
  }
  const known = ({ asked }: Asked) => asked?.unknown === false
  return {
    keys: share(known),
    entities: answers.entities === 0 ? null : (100 * answers.entitiesRight) / answers.entities,
    basic: share((one) => known(one) && one.knowledge === 'basic'),
    specialised: share((one) => known(one) && one.knowledge === 'specialised'),
    declined: share((one) => !known(one)),
    retained: share((_, at) => teacher.letters[at] === 'r'),
  }
}
