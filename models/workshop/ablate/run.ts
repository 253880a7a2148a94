// Owns a whole ablation: its folder, its steps in order, what is found done, and the table that comes of it.
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { hashFile } from '../../../app/library/manifest.ts'
import { Board } from '../train/board.ts'
import { materialOf } from '../train/data.ts'
import { writeWholeSync } from '../train/journal.ts'
import { runTasks } from '../train/schedule.ts'
import { builtTrainer } from '../train/trainer.ts'
import type { VerbContext } from '../verb.ts'
import { bestOf, bestOfAll, bestPlain, measuredPoints, type Point } from './grid.ts'
import { MODELS, perform, STEPS, type Lab } from './lab.ts'
import { answersOf, figuresOf, questionsOf } from './measure.ts'
import type { AblationPlan } from './plans.ts'
import type { Measure, RowOfTable } from './rows.ts'
import { runName, stepsFor } from './steps.ts'
import type { Outcome } from './table.ts'

export interface AblationRequest {
  readonly folder: string
  readonly given: AblationPlan
  readonly rows: readonly RowOfTable[]
  readonly seeds: readonly number[]
  /** Questions of each split. */
  readonly most: number
  /** Trainers at once; changes the time alone. */
  readonly jobs: number
}
export interface AblationResult {
  readonly outcomes: readonly Outcome[]
  readonly teacher: Readonly<Record<Measure, number | null>>
  readonly points: readonly Point[]
  readonly chosen: Point
  readonly questions: number
  /** Of work, over all runs that led here. */
  readonly seconds: number
}
const MARK = 'ablation.json'

/**
 * Runs what is not done yet and gathers the figures. Everything is kept in `folder` by what it was made from: the same command goes on where it was
 * stopped, and with more seeds or rows only those are added. Throws OUTPUT_EXISTS for a folder with something else in it, OUTPUT_NOT_WRITABLE, and what
 * the trainer and the evaluator throw.
 */
export async function ablate(request: AblationRequest, { signal, progress }: VerbContext): Promise<AblationResult> {
  const { folder, given, rows, seeds, most, jobs } = request
  prepare(folder)
  progress.stage('preparing', 2)
  const executable = await builtTrainer(given.plan.trainer.build, signal)
  const build = (await hashFile(executable, { chunkBytes: Infinity, signal })).sha256
  progress.at(1, 'reading the records')
  const material = materialOf(given.plan)
  const records: Lab['records'] = new Map()
  const steps = stepsFor(
    given,
    rows,
    seeds,
    (lab) => bestOfAll(given, lab),
    (lab) => bestPlain(given, lab),
  )
  const lab: Lab = { folder, given, material, executable, build, board: new Board(progress, steps), most, records }
  await runTasks(steps, jobs, signal, (step, either) => perform(step, lab, either).then(() => 'done'))

  const questions = questionsOf(material.corpus, most)
  const teacher = answersOf(records.get('teacher')!.facts)
  const outcomes = rows.flatMap((row) =>
    seeds.map((seed): Outcome => {
      return { row: row.id, seed, figures: figuresOf(questions, answersOf(records.get(runName(row, seed))!.facts), teacher) }
    }),
  )
  const points = measuredPoints(given, lab)
  return {
    ...{ outcomes, teacher: figuresOf(questions, teacher, teacher), points, chosen: bestOf(points), questions: questions.length },
    seconds: [...records.values()].reduce((sum, { seconds }) => sum + seconds, 0),
  }
}

/** Throws OUTPUT_EXISTS, or OUTPUT_NOT_WRITABLE when the folders cannot be made. */
function prepare(folder: string): void {
  const name = basename(folder)
  let there: string[] = []
  try {
    there = readdirSync(folder)
  } catch {
    // made below
  }
  if (there.length > 0 && !there.includes(MARK))
    throw new AppError('OUTPUT_EXISTS', `The folder ${name} holds something else. Choose an empty folder, or that of an ablation to go on with.`)
  try {
    for (const part of [STEPS, MODELS, 'data']) mkdirSync(join(folder, part), { recursive: true })
  } catch (cause) {
    throw new AppError('OUTPUT_NOT_WRITABLE', `The folder ${name} cannot be used. Choose another one or correct its permissions.`, undefined, cause)
  }
  if (!there.includes(MARK)) keep(folder, MARK, { state: 'begun' })
}

/** A small JSON file of the folder, whole or not at all. */
export const keep = (folder: string, file: string, value: object): void => writeWholeSync(join(folder, file), JSON.stringify(value, null, 1) + '\n')
export const RESULT = MARK
export const LAMBDA = 'lambda.json'
