// Owns the keeping of the ablation's steps: each is done once for what it is made from, goes on from its checkpoint, and is found again afterwards.
import { join } from 'node:path'
import type { Board } from '../train/board.ts'
import { noteOf } from '../train/board.ts'
import { drive } from '../train/configs.ts'
import type { Material } from '../train/data.ts'
import { Journal, keyOf, madeFile, type StageRecord } from '../train/journal.ts'
import type { Task } from '../train/schedule.ts'
import { runTrainer } from '../train/trainer.ts'
import type { AblationPlan } from './plans.ts'

/** What all steps share. */
export interface Lab {
  readonly folder: string
  readonly given: AblationPlan
  readonly material: Material
  readonly executable: string
  /** Hash of the executable. */
  readonly build: string
  readonly board: Board
  /** Questions asked of each split. */
  readonly most: number
  /** Of the steps that are complete. */
  readonly records: Map<string, StageRecord>
}
/** One attempt at a step. */
export interface Attempt {
  readonly signal: AbortSignal
  /** Runs `trainer train` to its end and returns its last measurement on the validation set, or null. */
  train(config: object, model: string, steps: number): Promise<{ loss: number; accuracy: number } | null>
  cache(config: object): Promise<void>
}
export interface Step extends Task {
  /** Reckoned, on the computer where the plan was measured. */
  readonly minutes: number
  /** What it leaves, as paths in the folder. */
  readonly files: readonly string[]
  /** All that decides the outcome; steps before it by their keys. */
  inputs(lab: Lab): readonly unknown[]
  /** Returns what the record keeps beside the files. */
  work(lab: Lab, attempt: Attempt): Promise<StageRecord['facts']>
}
export const STEPS = 'steps'
export const MODELS = 'models'

/** Does `step`, or finds it done. Its record is in `lab.records` afterwards. */
export async function perform(step: Step, lab: Lab, signal: AbortSignal): Promise<void> {
  const { folder, board, records } = lab
  const journal = new Journal(join(folder, STEPS), step.name)
  const key = keyOf(step.name, ...step.inputs(lab))
  const found = await journal.finished(key, folder, signal)
  if (found) {
    records.set(step.name, found)
    board.end(step.name, { found: true })
    return
  }
  const startedAt = performance.now()
  const resume = journal.begin(key)
  board.begin(step.name)
  const facts = await step.work(lab, attemptOf(step.name, lab, journal, resume, signal))
  const files = []
  for (const file of step.files) files.push(await madeFile(folder, file, signal))
  const record: StageRecord = { stage: step.name, key, files, seconds: (performance.now() - startedAt) / 1000, facts }
  journal.finish(record)
  records.set(step.name, record)
  board.end(step.name, { found: false })
}

function attemptOf(name: string, { executable, board }: Lab, journal: Journal, resume: boolean, signal: AbortSignal): Attempt {
  const run = async (verb: 'train' | 'cache', config: object) => {
    for await (const event of runTrainer(verb, config, { executable, signal })) {
      if (verb === 'train') journal.add(event)
      if (event.type === 'start') board.resumed(name, event.resumedFrom / event.steps)
      if (event.type === 'progress') board.at(name, event.step / event.steps, noteOf(event))
    }
  }
  return {
    signal,
    async train(config, model, steps) {
      await run('train', drive(config, { out: { model }, checkpoint: journal.checkpoint, steps, resume, minutes: null }))
      const measured = journal.events().findLast((event) => event.type === 'validation')
      return measured ? { loss: measured.loss, accuracy: measured.accuracy } : null
    },
    cache: (config) => run('cache', config),
  }
}

/** The key of a finished step, for those that are made from it. */
export function keyOfStep({ records }: Lab, name: string): string {
  const record = records.get(name)
  if (!record) throw new RangeError(`${name} is not done`)
  return record.key
}
