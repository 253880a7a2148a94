// Owns `train`: the run of a plan in a folder, from records to base, adapters and merged model, with a report that shows how it went.
import { basename, join } from 'node:path'
import { duration } from '../progress.ts'
import { atLeast, type Report } from '../report.ts'
import { writeWholeSync } from '../train/journal.ts'
import { planNames, readPlan, type Plan } from '../train/plan.ts'
import { figuresOf, reportHtml } from '../train/report-html.ts'
import { trainAll, type TrainResult } from '../train/run.ts'
import { stagesOf } from '../train/stages.ts'
import { optionNumber, optionText, WrongUse, type Verb } from '../verb.ts'

const stageLines = stagesOf(readPlan('starter'))
  .map(({ name }) => name)
  .join(', ')

export const trainVerb: Verb = {
  name: 'train',
  about: 'teacher, distilled student, category adapters and merged model, from clinical records',
  usage: 'OUTDIR [--plan P] [--stage NAME]… [--resume [--anew]] [--threads N] [--jobs N] [--minutes N] [--records FILE]…',
  positionals: [1, 1],
  options: {
    plan: { type: 'string', default: 'starter' },
    stage: { type: 'string', multiple: true },
    resume: { type: 'boolean', default: false },
    threads: { type: 'string' },
    anew: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    minutes: { type: 'string' },
    records: { type: 'string', multiple: true },
  },
  help: `
  --plan P        one of ${planNames().join(', ')} (default starter), or a JSON file of the same form; a file may
                  say {"from": "starter", …} and then only what differs. Each report.html shows its plan
  --stage NAME    only this stage and what it needs; may be given several times. Of the starter:
                  ${stageLines}
  --resume        go on with the run in OUTDIR: what is complete for the same inputs is kept, a stage
                  that was stopped or killed goes on from its checkpoint
  --anew          with --resume: make again what was made from other records, another plan or another
                  build of the trainer, instead of refusing to throw hours away
  --threads N     of each trainer; another number gives other roundings, so another model
  --jobs N        trainers at once; changes the time alone
  --minutes N     stop all after so long, with a checkpoint
  --records FILE  a clinic's own records, one a line, beside ours; may be given several times

OUTDIR gets base.gguf, merged.gguf and adapter-CATEGORY.gguf in F32, their mixed-precision forms with
manifests, report.html with all curves, and training.json. OUTDIR/work keeps data sets, teacher, cache
and checkpoints; delete it when you are done. What the run has held out is asked by
  npm run model -- eval OUTDIR/merged.gguf --corpus OUTDIR/work/data
Needs git and a C++ compiler. The same seed, threads, processor and build of the trainer give the same
bytes.`,
  async run(input, context) {
    const folder = input.positionals[0]!
    const plan = planOf(input)
    const only = listOf(input, 'stage')
    const names = stagesOf(plan).map(({ name }) => name)
    const strange = only.find((name) => !names.includes(name))
    if (strange !== undefined) throw new WrongUse(`--stage takes ${names.join(', ')}, not “${strange}”.`)
    const startedAt = performance.now()
    const minutes = optionNumber(input, 'minutes', 1, 100_000) ?? null
    const request = {
      plan,
      folder,
      resume: input.values['resume'] === true,
      anew: input.values['anew'] === true,
      only,
      minutes,
      records: listOf(input, 'records'),
    }
    const result = await trainAll(request, context)
    writeWholeSync(join(folder, 'report.html'), reportHtml(plan, result))
    const stages = result.stages.map(({ stage, state, record, events }) => ({
      stage,
      state,
      record,
      figures: figuresOf({ events }),
    }))
    writeWholeSync(join(folder, 'training.json'), JSON.stringify({ plan, build: result.build, stages }, null, 1) + '\n')
    return report(result, { folder, plan, minutes, ms: performance.now() - startedAt })
  },
}

type Input = Parameters<Verb['run']>[0]

function planOf(input: Input): Plan {
  const plan = readPlan(optionText(input, 'plan')!)
  const { trainer } = plan
  const [threads, jobs] = [optionNumber(input, 'threads', 1, 1024) ?? trainer.threads, optionNumber(input, 'jobs', 1, 64) ?? trainer.jobs]
  return { ...plan, trainer: { ...trainer, threads, jobs } }
}

const listOf = (input: Input, name: string): string[] => [input.values[name] ?? []].flat().filter((value) => typeof value === 'string')

function report(result: TrainResult, { folder, plan, minutes, ms }: { folder: string; plan: Plan; minutes: number | null; ms: number }): Report {
  const rows = result.stages.map((stage) => {
    const { parameters, trainable, tokens, step, steps, tokensPerSecond, loss, heldOutLoss, heldOutRight } = figuresOf(stage)
    const time = stage.record ? duration(stage.record.seconds * 1000) : null
    return {
      ...{ stage: stage.stage, state: stage.state, parameters, trained: trainable, tokens },
      ...{ steps: steps === null ? null : `${step ?? 0}/${steps}`, time, 'tokens/s': tokensPerSecond, loss },
      ...{ 'held-out loss': heldOutLoss, 'held-out right': heldOutRight },
    }
  })
  const complete = result.stages.filter(({ state }) => state === 'complete' || state === 'found').length
  const stopped = result.complete ? [] : [`Stopped after ${minutes} minutes, as asked. Go on with --resume.`]
  return {
    ...{ name: 'train', rows },
    targets: [atLeast('stages complete', complete, result.stages.length, 'stages')],
    notes: [
      ...stopped,
      `${plan.name} in ${basename(folder)}: ${duration(ms)} this time. Curves and hashes: report.html. No clinician has reviewed the records.`,
    ],
    detail: { plan, build: result.build },
  }
}
