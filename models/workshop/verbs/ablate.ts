// Owns `ablate`: Table 3, what each part of the method adds, over several seeds, with the noise beside it.
import { basename } from 'node:path'
import { ablationPlans, readAblationPlan } from '../ablate/plans.ts'
import { tableRows, type RowOfTable } from '../ablate/rows.ts'
import { ablate, keep, LAMBDA, RESULT, type AblationResult } from '../ablate/run.ts'
import { notesOf, tableOf } from '../ablate/table.ts'
import { duration } from '../progress.ts'
import { table, type Row } from '../report.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

const SEEDS = 3
const MOST = 400

export const ablateVerb: Verb = {
  name: 'ablate',
  about: 'Table 3: what each part of the method adds, over several seeds',
  usage: 'OUTDIR [--plan NAME|FILE] [--seeds N] [--rows LIST] [--most N] [--jobs N]',
  positionals: [1, 1],
  options: {
    plan: { type: 'string', default: 'ablation' },
    seeds: { type: 'string' },
    rows: { type: 'string' },
    most: { type: 'string' },
    jobs: { type: 'string' },
  },
  help: `
  --plan P     ${ablationPlans.join(', ')}, or a file as train takes it (default ablation: about half an hour on two cores)
  --seeds N    runs of each row, with first weights and order of their own (default ${SEEDS})
  --rows LIST  of ${tableRows.map(({ id }) => id).join(', ')} (default all; complete is always run)
  --most N     at most N questions of each held-out split (default ${MOST})
  --jobs N     trainers at once; changes the time alone (default: the plan's, 2)

One teacher learns everything. A student learns basic knowledge from the answers (stage 1), then specialised knowledge from the
teacher by an adapter on the frozen model (stage 2). Each row leaves one part out and changes nothing else; seeds pair the rows. λ of
stage 2 is chosen once, by a grid on the validation set with the first seed (lambda.json), and is the same for all rows.
Figures: mean ± standard deviation over seeds. "The part adds": complete minus without it, paired by seed, ± half the 95 % interval
(Student's t); an interval that holds 0 is within noise. All is kept in OUTDIR: the same command goes on where it was stopped.`,
  async run(input, context) {
    const folder = input.positionals[0]!
    const name = optionText(input, 'plan')!
    const given = readAblationPlan(name)
    const seeds = Array.from({ length: optionNumber(input, 'seeds', 1, 100) ?? SEEDS }, (_, n) => n + 1)
    const most = optionNumber(input, 'most', 1, 1_000_000) ?? MOST
    const jobs = optionNumber(input, 'jobs', 1, 64) ?? given.plan.trainer.jobs
    const result = await ablate({ folder, given, rows: rowsOf(input), seeds, most, jobs }, context)
    const rows = tableOf(result.outcomes)
    const notes = [
      ...notesOf(result.outcomes),
      'Retained: right of the student among right of the teacher. Of the paper’s Table 3 only the 93.6 % of the complete method is known here; other models, other data: the figures are not of one kind.',
      `${result.questions} held-out questions (new wordings, new kinds of wording, unknown); ${duration(result.seconds * 1000)} of work. What seeds cannot show: other records and other sizes of model.`,
      `Kept in ${basename(folder)}: ${RESULT} (this table and every run), ${LAMBDA} (the grid).`,
    ]
    const detail = { plan: given.plan.name, seeds: seeds.length, teacher: result.teacher, runs: result.outcomes, lambda: lambdaOf(result) }
    keep(folder, LAMBDA, lambdaOf(result))
    keep(folder, RESULT, { state: 'complete', rows, notes, ...detail, planned: given.plan })
    const text = [table(rows), `λ by grid on validation (stage 2, seed 1):\n\n${table(pointRows(result))}`].join('\n\n')
    return { name: 'ablate', rows, targets: [], text, notes, detail }
  },
}

const lambdaOf = ({ points, chosen }: AblationResult) => ({ chosen, measuredOn: 'validation, stage 2 of the complete method, seed 1', points })
const pointRows = ({ points, chosen }: AblationResult): Row[] =>
  points.map((point) => ({
    ...{ 'λ1 labels': point.ce, 'λ2 KL': point.kl, 'λ3 states': point.mse, 'λ4 entities': point.entity, retention: point.retention },
    ...{
      'tokens foretold %': Math.round(1e4 * point.accuracy) / 100,
      'cross-entropy': Math.round(1e4 * point.loss) / 1e4,
      chosen: point === chosen ? '←' : '',
    },
  }))

function rowsOf(input: VerbInput): RowOfTable[] {
  const asked = optionText(input, 'rows')
  if (asked === undefined) return [...tableRows]
  const ids = new Set(['complete', ...asked.split(',').map((id) => id.trim())])
  const strange = [...ids].find((id) => !tableRows.some((row) => row.id === id))
  if (strange !== undefined) throw new WrongUse(`--rows takes ${tableRows.map(({ id }) => id).join(', ')}, not “${strange}”.`)
  return tableRows.filter(({ id }) => ids.has(id))
}
