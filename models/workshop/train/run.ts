// Owns a whole training run: its folder, its stages in order, what is skipped and gone on with, and its end.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { hashFile } from '../../../app/library/manifest.ts'
import { duration } from '../progress.ts'
import type { VerbContext } from '../verb.ts'
import { Board, noteOf } from './board.ts'
import { drive } from './configs.ts'
import { materialOf } from './data.ts'
import type { TrainerEvent } from './events.ts'
import { Journal, keyOf, madeFile, writeWholeSync, type StageRecord } from './journal.ts'
import type { Plan } from './plan.ts'
import { runTasks, withNeeds } from './schedule.ts'
import { stagesOf, type Attempt, type Run, type Stage } from './stages.ts'
import { builtTrainer, runTrainer } from './trainer.ts'

export interface TrainRequest {
  readonly plan: Plan
  readonly folder: string
  /** Go on in a folder in which a run has begun. */
  readonly resume: boolean
  /** Make again what was made from other records, another plan or another build of the trainer; else that is refused, for it may have taken hours. */
  readonly anew?: boolean
  /** Names of stages; they and what they need are run. Empty: all. */
  readonly only: readonly string[]
  /** After so long every trainer stops with a checkpoint; null: never. */
  readonly minutes: number | null
  /** Files of records beside ours. */
  readonly records?: readonly string[]
}
export interface StageResult {
  readonly stage: string
  readonly about: string
  readonly state: 'complete' | 'found' | 'stopped' | 'waiting'
  readonly record: StageRecord | null
  readonly events: readonly TrainerEvent[]
}
export interface TrainResult {
  readonly stages: readonly StageResult[]
  /** Of the trainer's executable. */
  readonly build: string
  readonly complete: boolean
}
/** What is made again in less needs no question. */
const WORTH_KEEPING_SECONDS = 30
const [WORK, STAGES, LOCK] = ['work', 'stages', 'running']

/**
 * Trains what `plan` says into `folder`. A stage that is complete for the same inputs is found and not run again; one that was killed goes on from its
 * checkpoint; the result is the same bytes either way. Throws OUTPUT_EXISTS for a folder with a run in it without `resume`, OUTPUT_NOT_WRITABLE also
 * while another run works there, and what builtTrainer, runTrainer and the stages throw; every finished stage and checkpoint stays.
 */
export async function trainAll(request: TrainRequest, { signal, progress }: VerbContext): Promise<TrainResult> {
  const { plan, folder, minutes } = request
  const stages = withNeeds(stagesOf(plan), request.only)
  const deadline = minutes === null ? null : performance.now() + minutes * 60_000
  prepare(folder, request.resume)
  const release = lock(folder)
  try {
    progress.stage('preparing', 2)
    const executable = await builtTrainer(plan.trainer.build, signal)
    const build = (await hashFile(executable, { chunkBytes: Infinity, signal })).sha256
    progress.at(1, 'reading the records')
    const material = materialOf(plan, request.records ?? [])
    const records = new Map<string, StageRecord>()
    const run: Run = { folder, plan, material, build, records }
    const board = new Board(progress, stages)
    const found = new Set<string>()
    const one = async (stage: Stage, either: AbortSignal) => {
      const left = deadline === null ? null : (deadline - performance.now()) / 60_000
      if (left !== null && left <= 0) return 'stopped'
      const worker = new Worker(run, stage, { executable, board, signal: either, minutes: left })
      const old = await worker.found()
      if (!old && request.anew !== true) worker.refuseToDiscard(stagesAfter(stage, stages))
      const record = old ?? (await worker.work())
      if (!record) return 'stopped'
      records.set(stage.name, record)
      if (old) found.add(stage.name)
      board.end(stage.name, { found: old !== null })
      return 'done'
    }
    const done = await runTasks(stages, plan.trainer.jobs, signal, one)
    const results = stages.map((stage): StageResult => {
      const journal = journalOf(folder, stage)
      const events = journal.events()
      const state = found.has(stage.name) ? 'found' : done.has(stage.name) ? 'complete' : events.length > 0 ? 'stopped' : 'waiting'
      return { stage: stage.name, about: stage.about, state, record: records.get(stage.name) ?? null, events }
    })
    return { stages: results, build, complete: done.size === stages.length }
  } finally {
    release()
  }
}

/** All that need it, and what needs those. */
function stagesAfter({ name }: Stage, stages: readonly Stage[]): Stage[] {
  const direct = stages.filter(({ after }) => after.includes(name))
  return [...new Set(direct.flatMap((stage) => [stage, ...stagesAfter(stage, stages)]))]
}

const journalOf = (folder: string, { name }: Stage) => new Journal(join(folder, WORK, STAGES), name)

/** One stage at work. */
class Worker {
  readonly #run: Run
  readonly #stage: Stage
  readonly #options: { executable: string; board: Board; signal: AbortSignal; minutes: number | null }
  readonly #journal: Journal
  readonly #key: string
  #seconds = 0

  constructor(run: Run, stage: Stage, options: { executable: string; board: Board; signal: AbortSignal; minutes: number | null }) {
    this.#run = run
    this.#stage = stage
    this.#options = options
    this.#journal = journalOf(run.folder, stage)
    this.#key = keyOf(stage.name, ...stage.inputs(run))
  }

  found(): Promise<StageRecord | null> {
    return this.#journal.finished(this.#key, this.#run.folder, this.#options.signal)
  }

  /** Throws OUTPUT_EXISTS where other inputs would make this stage, and so all `after` it, anew. */
  refuseToDiscard(after: readonly Stage[]): void {
    const { last } = this.#journal
    if (last === null || last.key === this.#key) return
    const folder = this.#run.folder
    const seconds = after.reduce((sum, stage) => sum + (journalOf(folder, stage).last?.seconds ?? 0), last.seconds)
    if (seconds < WORTH_KEEPING_SECONDS) return
    throw new AppError(
      'OUTPUT_EXISTS',
      `“${this.#stage.name}” in ${basename(folder)} was made from other records, another plan or another build of the trainer. ` +
        `Choose another folder, or add --anew to throw away ${duration(seconds * 1000)} of work and make it again.`,
    )
  }

  /** The record of the finished stage; null when the time was up. */
  async work(): Promise<StageRecord | null> {
    const { board, signal } = this.#options
    const { name, files } = this.#stage
    const startedAt = performance.now()
    const resume = this.#journal.begin(this.#key)
    board.begin(name)
    const attempt: Attempt = {
      signal,
      train: (config, out, steps) =>
        this.#trainer('train', drive(config, { out, steps, resume, checkpoint: this.#journal.checkpoint, minutes: this.#options.minutes })),
      cache: (config) => this.#trainer('cache', config),
      at: (share, note) => board.at(name, share, note),
    }
    const { end, facts = {} } = await this.#stage.work(this.#run, attempt)
    if (end === 'stopped') return null
    const made = []
    for (const file of files) made.push(await madeFile(this.#run.folder, file, signal))
    const seconds = this.#seconds > 0 ? this.#seconds : (performance.now() - startedAt) / 1000
    const record: StageRecord = { stage: name, key: this.#key, files: made, seconds, facts }
    this.#journal.finish(record)
    return record
  }

  async #trainer(verb: 'train' | 'cache', config: object): Promise<'done' | 'stopped'> {
    const { executable, board, signal } = this.#options
    const { name } = this.#stage
    const events = runTrainer(verb, config, { executable, signal })
    for (;;) {
      const next = await events.next()
      if (next.done) return next.value
      const event = next.value
      // a cache is not resumed, and its progress makes no curve
      if (verb === 'train') this.#journal.add(event)
      if (event.type === 'start') board.resumed(name, event.resumedFrom / event.steps)
      if (event.type === 'progress') board.at(name, event.step / event.steps, noteOf(event))
      if (event.type === 'done') this.#seconds += event.seconds ?? 0
    }
  }
}

/** Throws OUTPUT_EXISTS, or OUTPUT_NOT_WRITABLE when the folders cannot be made. */
function prepare(folder: string, resume: boolean): void {
  const name = basename(folder)
  try {
    if (!resume && readdirSync(folder).length > 0)
      throw new AppError('OUTPUT_EXISTS', `The folder ${name} is not empty. Add --resume to go on with the run in it, or choose another folder.`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw outputError(name, error)
  }
  try {
    for (const path of [join(folder, WORK, STAGES), join(folder, WORK, 'data')]) mkdirSync(path, { recursive: true })
  } catch (error) {
    throw outputError(name, error)
  }
}
const outputError = (name: string, error: unknown) =>
  error instanceof AppError
    ? error
    : new AppError('OUTPUT_NOT_WRITABLE', `The folder ${name} cannot be used. Choose another one or correct its permissions.`, undefined, error)

/** One run in a folder at a time; a run that was killed has left nothing that could hold the next one up. */
function lock(folder: string): () => void {
  const path = join(folder, WORK, LOCK)
  const pid = readPid(path)
  if (pid !== null && pid !== process.pid && isAlive(pid))
    throw new AppError('OUTPUT_NOT_WRITABLE', `Another run works in ${basename(folder)} (process ${pid}). Wait for it, or choose another folder.`)
  writeWholeSync(path, String(process.pid))
  for (const place of [folder, join(folder, WORK), join(folder, WORK, 'data'), join(folder, WORK, STAGES)])
    for (const file of readdirSync(place))
      if (/\.part$|\.gguf\.tmp$|\.checkpoint\.tmp$|\.cache\.tmp$/.test(file)) rmSync(join(place, file), { force: true })
  return () => rmSync(path, { force: true })
}

function readPid(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
