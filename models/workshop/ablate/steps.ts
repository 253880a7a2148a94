// Owns the steps of the ablation: data, one teacher and its answers, stage 1 and stage 2 of each row and seed, and the grid for λ.
import { join } from 'node:path'
import * as z from 'zod'
import { cacheConfig, stepsOf, teacherOf, trainConfig } from '../train/configs.ts'
import { writeKeys } from '../train/keys.ts'
import type { Learning, Plan } from '../train/plan.ts'
import { tagOf, writeSets, type SetFacts } from './data.ts'
import { keyOfStep, MODELS, type Attempt, type Lab, type Step } from './lab.ts'
import { measure, questionsOf } from './measure.ts'
import { pointsOf, type AblationPlan, type Lambda } from './plans.ts'
import { switchesOf, type RowOfTable, type Switches } from './rows.ts'

const DATA = 'data'
const KEYS = join(DATA, 'keys.gguf')
const CACHE = join(MODELS, 'teacher.cache')
/** The seed of the teacher and of the grid. */
const FIRST_SEED = 1
const Sets = z.record(z.string(), z.object({ file: z.string(), samples: z.number(), tokens: z.number(), sha256: z.string() }))
const setOf = ({ records }: Lab, name: string): SetFacts => Sets.parse(records.get('data')?.facts['sets'])[name]!
const modelOf = (name: string) => join(MODELS, `${name}.gguf`)

/** Stage 1 knows three of the five switches; rows that agree in them share it. */
const stage1Name = ({ medKL, progressive, basicFirst }: Switches, seed: number) =>
  `stage1-${tagOf({ progressive, basicFirst })}${medKL ? '' : '-plain'}-seed${seed}`
export const runName = ({ id }: RowOfTable, seed: number): string => `${id}-seed${seed}`
export const pointName = (at: number): string => `grid-${at}`

/** What λ stage 2 learns with. */
type LambdaOf = (lab: Lab) => Lambda

/** All steps for `rows` and `seeds`, in the order in which they are begun. `chosen` is λ once the grid's points are done. */
export function stepsFor(given: AblationPlan, rows: readonly RowOfTable[], seeds: readonly number[], chosen: LambdaOf, best: LambdaOf): Step[] {
  const { plan } = given
  const complete: Switches = { medKL: true, progressive: true, basicFirst: true, transfer: true, retention: true }
  const points = pointsOf(given)
  const steps: Step[] = [dataStep(plan), teacherStep(plan), cacheStep(plan), stage1Step(plan, complete, FIRST_SEED)]
  points.forEach((lambda, at) => steps.push(stage2Step(given, pointName(at), complete, FIRST_SEED, () => lambda, [], null)))
  // the best of the points, with the distance of hidden states as well: the teacher itself must then be there
  const withStates: LambdaOf = (lab) => ({ ...best(lab), mse: given.grid.mse })
  const before = points.map((_, at) => pointName(at))
  steps.push(stage2Step(given, pointName(points.length), complete, FIRST_SEED, withStates, before, null))
  for (const seed of seeds)
    for (const row of rows) {
      const switches = switchesOf(row)
      if (!steps.some(({ name }) => name === stage1Name(switches, seed))) steps.push(stage1Step(plan, switches, seed))
      steps.push(stage2Step(given, runName(row, seed), switches, seed, chosen, [...before, pointName(points.length)], row))
    }
  return steps
}

function dataStep(plan: Plan): Step {
  return {
    ...{ name: 'data', after: [], minutes: 0.2, files: [KEYS] },
    inputs: ({ material }) => [material.sha256, plan.corpus, plan.teacher.passes, plan.student.passes, plan.transfer.passes],
    async work({ folder, material }, { signal }) {
      const sets = await writeSets(join(folder, DATA), plan, material, signal)
      await writeKeys(join(folder, KEYS), material.vocabulary, { name: `Rushlight ${plan.name}`, description: plan.about, signal })
      return { sets }
    },
  }
}

const sourcesOf = (lab: Lab, data: string) => {
  const path = (name: string) => join(lab.folder, DATA, setOf(lab, name).file)
  const { tokens } = setOf(lab, data)
  const vocabulary = lab.material.vocabulary.tokens.length
  const none = { base: null, keys: null, replay: null, teacher: null }
  return { data: path(data), tokens, vocabulary, validation: path('validation'), ...none }
}
const dataKeys = (lab: Lab, ...names: readonly string[]) => [...names, 'validation'].map((name) => setOf(lab, name).sha256)

async function chanceModel(lab: Lab, attempt: Attempt, plan: Plan, part: Plan['student'], data: string, out: string) {
  const sources = { ...sourcesOf(lab, data), keys: join(lab.folder, KEYS) }
  const config = trainConfig(plan, { learning: part, epochs: 1, shape: part.shape }, sources)
  const validation = await attempt.train(config, join(lab.folder, out), stepsOf(part, 1, sources.tokens, 0))
  return { validation }
}

function teacherStep(plan: Plan): Step {
  return {
    ...{ name: 'teacher', after: ['data'], minutes: plan.teacher.minutes, files: [modelOf('teacher')] },
    inputs: (lab) => [keyOfStep(lab, 'data'), plan.teacher, plan.optimiser, plan.trainer.threads, lab.build, lab.most, ...dataKeys(lab, 'teacher')],
    async work(lab, attempt) {
      const facts = await chanceModel(lab, attempt, { ...plan, seed: FIRST_SEED }, plan.teacher, 'teacher', modelOf('teacher'))
      const questions = questionsOf(lab.material.corpus, lab.most)
      return { ...facts, answers: await measure(join(lab.folder, modelOf('teacher')), questions, lab, attempt.signal) }
    },
  }
}

function cacheStep(plan: Plan): Step {
  const config = (lab: Lab) =>
    cacheConfig(plan, { teacher: join(lab.folder, modelOf('teacher')), data: sourcesOf(lab, 'transfer').data, out: join(lab.folder, CACHE) })
  return {
    ...{ name: 'cache', after: ['teacher'], minutes: plan.transfer.minutes, files: [CACHE] },
    inputs: (lab) => [keyOfStep(lab, 'teacher'), config(lab), ...dataKeys(lab, 'transfer')],
    work: (lab, attempt) => attempt.cache(config(lab)).then(() => ({})),
  }
}

function stage1Step(plan: Plan, switches: Switches, seed: number): Step {
  const name = stage1Name(switches, seed)
  const data = `stage1-${tagOf(switches)}`
  const student: Plan['student'] = { ...plan.student, loss: { ...plan.student.loss, ...(switches.medKL ? {} : { entity: 0 }) } }
  return {
    ...{ name, after: ['data'], minutes: plan.student.minutes, files: [modelOf(name)] },
    inputs: (lab) => [keyOfStep(lab, 'data'), student, plan.optimiser, plan.trainer.threads, seed, lab.build, ...dataKeys(lab, data)],
    work: (lab, attempt) => chanceModel(lab, attempt, { ...plan, seed }, student, data, modelOf(name)),
  }
}

/** `row` null: a point of the grid, which is measured on the validation set alone. */
function stage2Step(
  { plan }: AblationPlan,
  name: string,
  switches: Switches,
  seed: number,
  lambdaOf: LambdaOf,
  after: readonly string[],
  row: RowOfTable | null,
): Step {
  const tag = tagOf(switches)
  const base = stage1Name(switches, seed)
  const [data, replay] = [`stage2-${tag}`, `replay-${tag}`]
  const learningOf = (lab: Lab): Learning => {
    const { kl, entity, retention, mse } = lambdaOf(lab)
    const taught = switches.transfer ? { ce: 1 - kl, kl, mse } : { ce: 1, kl: 0, mse: 0 }
    return {
      ...plan.merged,
      loss: { ...plan.merged.loss, ...taught, entity: switches.medKL ? entity : 0, retention: switches.retention ? retention : 0 },
    }
  }
  return {
    ...{ name, after: [base, 'cache', ...after], minutes: plan.merged.minutes, files: [modelOf(name)] },
    inputs: (lab) => [
      ...[keyOfStep(lab, base), keyOfStep(lab, 'cache'), learningOf(lab), plan.merged.lora, plan.merged.replay, plan.merged.epochs],
      ...[plan.optimiser, plan.trainer.threads, seed, lab.build, row === null ? null : lab.most, ...dataKeys(lab, data, replay)],
    ],
    async work(lab, attempt) {
      const learning = learningOf(lab)
      const form = teacherOf(learning.loss)
      const teacher =
        form === 'cache' ? { cache: join(lab.folder, CACHE) } : form === 'model' ? { model: join(lab.folder, modelOf('teacher')) } : null
      const sources = { ...sourcesOf(lab, data), base: join(lab.folder, modelOf(base)), replay: sourcesOf(lab, replay).data, teacher }
      const config = trainConfig({ ...plan, seed }, { learning, epochs: plan.merged.epochs, adapter: plan.merged }, sources)
      const count = stepsOf(learning, plan.merged.epochs, sources.tokens, plan.merged.replay)
      const validation = await attempt.train(config, join(lab.folder, modelOf(name)), count)
      if (row === null) return { validation }
      return { validation, answers: await measure(join(lab.folder, modelOf(name)), questionsOf(lab.material.corpus, lab.most), lab, attempt.signal) }
    },
  }
}
