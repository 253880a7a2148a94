// Owns the stages of a run: what each needs, what decides its outcome, which files it leaves and how it makes them.
import { join } from 'node:path'
import * as z from 'zod'
import { version } from '../../../app/base/version.ts'
import { testNames, type TestName } from '../corpus/split.ts'
import { exportModel } from '../export.ts'
import { str } from '../gguf/write.ts'
import { mergeModel } from '../merge.ts'
import { Progress } from '../progress.ts'
import { readRecipe } from '../recipe.ts'
import { cacheConfig, stepsOf, teacherOf, trainConfig, type Outcomes } from './configs.ts'
import { dataFile, setsOf, validationFile, writeData, type Material, type SetName } from './data.ts'
import { writeWholeSync, type StageRecord } from './journal.ts'
import { writeKeys } from './keys.ts'
import type { Learning, Plan } from './plan.ts'
import { rekey } from './rekey.ts'
import type { Task } from './schedule.ts'
import type { Ending } from './trainer.ts'

/** What all stages of a run share. */
export interface Run {
  readonly folder: string
  readonly plan: Plan
  readonly material: Material
  /** Hash of the trainer's executable. */
  readonly build: string
  /** Of the stages that are complete. */
  readonly records: ReadonlyMap<string, StageRecord>
}
/** One attempt at a stage. */
export interface Attempt {
  readonly signal: AbortSignal
  /** Runs the trainer to its end; its events go to the journal and the board. `steps`, about, decide how often it speaks. */
  train(config: object, out: Outcomes, steps: number): Promise<Ending>
  cache(config: object): Promise<Ending>
  /** Share of the work done, for stages without a trainer. */
  at(share: number, note: string): void
}
export interface Stage extends Task {
  readonly about: string
  readonly minutes: number
  /** What it leaves, as paths in the folder. */
  readonly files: readonly string[]
  /** All that decides the outcome. */
  inputs(run: Run): readonly unknown[]
  work(run: Run, attempt: Attempt): Promise<Work>
}
export interface Work {
  readonly end: Ending
  /** For the stages after it. */
  readonly facts?: StageRecord['facts']
}

const WORK = 'work'
const DATA = join(WORK, 'data')
const KEYS_FILE = join(WORK, 'keys.gguf')
/** As `corpus` names them, so that `eval --corpus` asks what this run has held out. */
const testFile = (name: TestName): string => join(DATA, `pairs-${name}.jsonl`)
const CACHE_FILE = join(WORK, 'teacher.cache')
const Sets = z.array(z.object({ name: z.string(), samples: z.number(), tokens: z.number(), validation: z.number() }))
/** A stage of seconds, beside those of minutes. */
const SHORT = 0.2

/** Of the file, as the records of finished stages have it. */
function hashOf({ records }: Run, file: string): string {
  for (const { files } of records.values()) for (const made of files) if (made.file === file) return made.sha256
  throw new RangeError(`no finished stage has left ${file}`)
}

/** Every stage of `plan`, in order. */
export function stagesOf(plan: Plan): Stage[] {
  const learnings = [plan.base, plan.adapters, plan.merged]
  const cached = learnings.some(({ loss }) => teacherOf(loss) === 'cache')
  const taught = learnings.some(({ loss }) => teacherOf(loss) !== null)
  const model = (name: string) => join(WORK, `${name}.gguf`)
  const after = (...needs: string[]) => [...needs, ...(cached ? ['cache'] : taught ? ['teacher'] : [])]
  const stages: Stage[] = [
    dataStage(plan),
    trainStage({
      ...{ name: 'teacher', about: 'teacher, from chance: all that the corpus has', after: ['data'], set: 'teacher', files: [model('teacher')] },
      ...{ learning: plan.teacher, epochs: 1, shape: plan.teacher.shape, base: null },
    }),
    trainStage({
      ...{ name: 'student', about: 'student, stage 1: supervised, basic knowledge', after: ['data'], set: 'student', files: [model('student')] },
      ...{ learning: plan.student, epochs: 1, shape: plan.student.shape, base: null },
    }),
    ...(cached ? [cacheStage(plan, model('teacher'))] : []),
    trainStage({
      ...{
        name: 'base',
        about: 'base, stage 2: distilled from the teacher',
        after: after('student'),
        set: 'base',
        files: [model('base'), 'base.gguf'],
      },
      ...{ learning: plan.base, epochs: plan.base.epochs, base: model('student') },
      finish: ({ folder }, signal) => named(join(folder, model('base')), join(folder, 'base.gguf'), `Rushlight ${plan.name}`, true, signal),
    }),
    // the longest first: nothing else is left to do beside it at the end
    trainStage({
      ...{ name: 'merged', about: 'merged model: all specialised knowledge, added into the base', after: after('base'), set: 'merged' },
      ...{
        files: [model('adapter-merged-raw'), model('adapter-merged'), 'merged.gguf'],
        learning: plan.merged,
        epochs: plan.merged.epochs,
        adapter: plan.merged,
        base: 'base.gguf',
      },
      finish: async ({ folder }, signal) => {
        const [base, adapter, to] = [join(folder, 'base.gguf'), join(folder, model('adapter-merged')), join(folder, model('merged'))]
        await named(join(folder, model('adapter-merged-raw')), adapter, `Rushlight ${plan.name}, all specialised knowledge`, false, signal)
        await mergeModel({ base, adapter, to, type: 'f32', scale: 1, force: true }, { signal, progress: new Progress(null) })
        await named(to, join(folder, 'merged.gguf'), `Rushlight ${plan.name}, merged`, false, signal)
      },
    }),
    ...plan.adapters.categories.map((category) =>
      trainStage({
        ...{ name: `adapter-${category}`, about: `adapter: specialised knowledge of ${category}`, after: after('base'), set: `adapter-${category}` },
        ...{ files: [model(`adapter-${category}`), `adapter-${category}.gguf`], learning: plan.adapters, epochs: plan.adapters.epochs },
        ...{ adapter: plan.adapters, base: 'base.gguf' },
        finish: ({ folder }, signal) =>
          named(
            join(folder, model(`adapter-${category}`)),
            join(folder, `adapter-${category}.gguf`),
            `Rushlight ${plan.name}, ${category}`,
            false,
            signal,
          ),
      }),
    ),
  ]
  return plan.exports.length === 0 ? stages : [...stages, exportStage(plan)]
}

const named = async (from: string, to: string, name: string, newWeights: boolean, signal: AbortSignal): Promise<void> => {
  await rekey(from, to, { keys: new Map([['general.name', str(name)]]), newWeights, signal })
}

function dataStage(plan: Plan): Stage {
  const sets = setsOf(plan)
  const passes = sets.map(({ name, passes, order, context }) => ({ name, passes, order, context }))
  const files = sets.flatMap(({ name }) => [dataFile(DATA, name), validationFile(DATA, name)])
  return {
    ...{ name: 'data', about: 'data sets, vocabulary and keys', after: [], minutes: SHORT * Math.max(...passes.map((set) => set.passes[1])) },
    files: [...files, ...testNames.map(testFile), KEYS_FILE, join(WORK, 'vocabulary.json')],
    inputs: ({ material }) => [material.sha256, passes, plan.corpus, plan.name, plan.about],
    async work({ folder, material }, { signal, at }) {
      const onPass = (done: number, of: number) => at(done / of, `pass ${done + 1} of ${of}`)
      const sets = await writeData(join(folder, DATA), plan, material, { signal, onPass })
      for (const name of testNames)
        writeWholeSync(join(folder, testFile(name)), material.corpus.tests[name].map((pair) => JSON.stringify(pair) + '\n').join(''))
      writeWholeSync(join(folder, WORK, 'vocabulary.json'), JSON.stringify(material.vocabulary) + '\n')
      await writeKeys(join(folder, KEYS_FILE), material.vocabulary, { name: `Rushlight ${plan.name}`, description: plan.about, signal })
      return { end: 'done', facts: { sets } }
    },
  }
}

interface Training {
  readonly name: string
  readonly about: string
  readonly after: readonly string[]
  readonly set: SetName
  /** What the trainer writes, and what `finish` makes of it. */
  readonly files: readonly [made: string, ...finished: string[]]
  readonly learning: Learning
  readonly epochs: number
  readonly shape?: Plan['student']['shape']
  readonly adapter?: Plan['merged']
  /** The model that it starts from; null: from chance. */
  readonly base: string | null
  finish?(run: Run, signal: AbortSignal): Promise<void>
}

function trainStage({ name, about, after, set, files, learning, epochs, shape, adapter, base, finish }: Training): Stage {
  const configOf = ({ folder, plan, material, records }: Run): { config: object; inputs: string[]; steps: number } => {
    const counts = Sets.parse(records.get('data')?.facts['sets']).find((one) => one.name === set)!
    const path = (file: string) => join(folder, file)
    const validation = counts.validation > 0 ? validationFile(DATA, set) : null
    const replay = adapter && adapter.replay > 0 ? dataFile(DATA, 'base') : null
    const keys = base === null ? KEYS_FILE : null
    const form = teacherOf(learning.loss)
    const teacher = form === 'cache' ? CACHE_FILE : form === 'model' ? join(WORK, 'teacher.gguf') : null
    const whole = (file: string | null) => (file === null ? null : path(file))
    const config = trainConfig(
      plan,
      { learning, epochs, ...(shape ? { shape } : {}), ...(adapter ? { adapter } : {}) },
      {
        ...{ data: path(dataFile(DATA, set)), tokens: counts.tokens, validation: whole(validation), base: whole(base), keys: whole(keys) },
        ...{ replay: whole(replay), vocabulary: material.vocabulary.tokens.length },
        teacher: teacher === null ? null : form === 'cache' ? { cache: path(teacher) } : { model: path(teacher) },
      },
    )
    const read = [dataFile(DATA, set), validation, replay, base, keys, teacher].filter((file) => file !== null)
    return { config, inputs: read, steps: stepsOf(learning, epochs, counts.tokens, adapter?.replay ?? 0) }
  }
  return {
    ...{ name, about, after, minutes: learning.minutes, files },
    inputs: (run) => {
      const { config, inputs } = configOf(run)
      return [config, inputs.map((file) => hashOf(run, file)), run.build, run.plan.name]
    },
    async work(run, attempt) {
      const { config, steps } = configOf(run)
      const made = join(run.folder, files[0])
      const end = await attempt.train(config, adapter ? { adapter: made } : { model: made }, steps)
      if (end === 'done') await finish?.(run, attempt.signal)
      return { end }
    },
  }
}

function cacheStage(plan: Plan, teacher: string): Stage {
  const config = (folder: string) =>
    cacheConfig(plan, { teacher: join(folder, teacher), data: join(folder, dataFile(DATA, 'transfer')), out: join(folder, CACHE_FILE) })
  return {
    ...{ name: 'cache', about: `the teacher's ${plan.transfer.topK} likeliest tokens at every place`, after: ['teacher'], files: [CACHE_FILE] },
    minutes: plan.transfer.minutes,
    inputs: (run) => [config(run.folder), hashOf(run, teacher), hashOf(run, dataFile(DATA, 'transfer')), run.build],
    work: async ({ folder }, attempt) => ({ end: await attempt.cache(config(folder)) }),
  }
}

function exportStage(plan: Plan): Stage {
  const forms = ['base', 'merged'].flatMap((form) => plan.exports.map((recipe) => ({ from: `${form}.gguf`, to: `${form}-${recipe}.gguf`, recipe })))
  return {
    ...{ name: 'export', about: 'mixed-precision forms of base and merged model', after: ['base', 'merged'], minutes: SHORT },
    files: forms.flatMap(({ to }) => [to, `${to}.manifest.json`]),
    inputs: (run) => forms.map(({ from, recipe }) => [hashOf(run, from), readRecipe(recipe).sha256]),
    async work({ folder, plan }, { signal, at }) {
      for (const [done, { from, to, recipe: name }] of forms.entries()) {
        at(done / forms.length, to)
        const { recipe, sha256: recipeSha256 } = readRecipe(name)
        const request = { from: join(folder, from), to: join(folder, to), recipe, recipeSha256, version, importance: null, requantise: false }
        await exportModel({ ...request, force: true, threads: plan.trainer.threads }, { signal, progress: new Progress(null) })
      }
      return { end: 'done' }
    },
  }
}
