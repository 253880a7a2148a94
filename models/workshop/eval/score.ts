// Owns the figures of an evaluation: what is counted in each split and category, and which targets follow. Pure.
import { categories, type Category } from '../../../app/contract/entities.ts'
import { atLeast, atMost, percent, wilson, type Row, type Target } from '../report.ts'
import { calibration, type Calibration } from './calibration.ts'
import { judge, type Judgement, type Names } from './judge.ts'
import type { Question } from './questions.ts'

/** A question with its answer, judged where it can be. */
export interface Answered extends Question {
  readonly answer: string
  /** exp(mean log-probability of the answer's tokens), 0…1. */
  readonly confidence: number
  /** Of the question: as stated, else by equation 1. */
  readonly of: Category
  /** Of the adapter that was used; null: none. */
  readonly adapter: string | null
  readonly judged: Judgement | null
  /** Null without a teacher, or for a question that is not judged. */
  readonly teacherRight: boolean | null
}
export const judged = (asked: Question['asked'], answer: string, names: Names): Judgement | null => asked && judge(asked, answer, names)

export interface Share {
  readonly hits: number
  readonly total: number
}
export interface Figures {
  readonly known: number
  readonly unknown: number
  /** Known questions answered with every key and no contradiction. */
  readonly right: Share
  /** Amounts and medicines stated in answers to known questions that are the fact's. */
  readonly entities: Share
  /** Unknown questions declined. */
  readonly declined: Share
  /** Known questions declined. */
  readonly falselyDeclined: Share
  /** Right of student among right of teacher, over all judged questions. */
  readonly retained: Share
}
const share = (list: readonly boolean[]): Share => ({ hits: list.filter(Boolean).length, total: list.length })

export function figuresOf(answers: readonly Answered[]): Figures {
  const all = answers.filter((one): one is Answered & { judged: Judgement } => one.judged !== null)
  const known = all.filter(({ asked }) => asked?.unknown === false)
  const unknown = all.filter(({ asked }) => asked?.unknown === true)
  const sum = (of: (one: Judgement) => number) => known.reduce((total, one) => total + of(one.judged), 0)
  return {
    ...{ known: known.length, unknown: unknown.length },
    right: share(known.map((one) => one.judged.right)),
    entities: { hits: sum(({ entitiesRight }) => entitiesRight), total: sum(({ entities }) => entities) },
    declined: share(unknown.map((one) => one.judged.declined)),
    falselyDeclined: share(known.map((one) => one.judged.declined)),
    retained: share(all.filter(({ teacherRight }) => teacherRight === true).map((one) => one.judged.right)),
  }
}

/** "93.1 (91.8–94.2)", percent with the 95 % Wilson interval; null of nothing. */
export function interval({ hits, total }: Share): string | null {
  if (total === 0) return null
  const { low, high } = wilson(hits, total)
  return `${percent(hits / total).toFixed(1)} (${percent(low).toFixed(1)}–${percent(high).toFixed(1)})`
}
/** In percent and not rounded: 94.96 does not reach 95. */
export const shareOf = ({ hits, total }: Share): number => (total === 0 ? NaN : (100 * hits) / total)

export function row(split: string, category: string, figures: Figures): Row {
  return {
    ...{ split, category, questions: figures.known + figures.unknown },
    ...{ 'key facts %': interval(figures.right), 'entities %': interval(figures.entities) },
    ...{
      'declined %': interval(figures.declined),
      'falsely declined %': interval(figures.falselyDeclined),
      'retained %': interval(figures.retained),
    },
  }
}

/** A row per split and, below it, per category that has questions in it. */
export function rowsOf(answers: readonly Answered[]): Row[] {
  return [...Map.groupBy(answers, ({ split }) => split)].flatMap(([split, inSplit]) => {
    const parts = categories.flatMap((category) => {
      const part = inSplit.filter(({ of }) => of === category)
      return part.length === 0 ? [] : [row(split, category, figuresOf(part))]
    })
    return [row(split, 'all', figuresOf(inSplit)), ...parts]
  })
}

/** Figures that are asked for, in percent; each only where there is something to measure. */
const WANTED = { phrasing: 95, kind: 80, entities: 98, declined: 95, falselyDeclined: 3, retained: 93.6 } as const

/** `held`: the splits are those of the corpus, for which targets were set; a person's own file has none but what holds for any. */
export function targetsOf(answers: readonly Answered[], held: boolean): Target[] {
  const all = figuresOf(answers)
  const of = (split: string) => figuresOf(answers.filter((one) => one.split === split))
  const least = (id: string, figure: Share, wanted: number) => (figure.total === 0 ? [] : [atLeast(id, shareOf(figure), wanted, '%')])
  return [
    ...(held ? least('key facts, held-out phrasings', of('test-phrasing').right, WANTED.phrasing) : []),
    ...(held ? least('key facts, new kinds of phrasing', of('test-kind').right, WANTED.kind) : []),
    ...least('entity accuracy of what is answered', all.entities, WANTED.entities),
    ...least('declined of what is unknown', all.declined, WANTED.declined),
    ...(all.falselyDeclined.total === 0 ? [] : [atMost('declined of what is known', shareOf(all.falselyDeclined), WANTED.falselyDeclined, '%')]),
    ...least('retention of what the teacher has right', all.retained, WANTED.retained),
  ]
}

export const calibrationOf = (answers: readonly Answered[]): Calibration =>
  calibration(answers.flatMap(({ confidence, judged: found }) => (found ? [{ confidence, right: found.right }] : [])))
