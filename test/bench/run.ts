// Owns `npm run bench`: picks a bench, reads its options, prints its report. Each bench is one file beside this one.
import { parseArgs } from 'node:util'
import { AppError } from '../../app/contract/errors.ts'
import { printReport, type Report } from '../../models/workshop/report.ts'
import { cache } from './cache.ts'
import { engine } from './engine.ts'
import { memory } from './memory.ts'
import { mieo } from './mieo.ts'
import { modes } from './modes.ts'
import { placement } from './placement.ts'
import { prefix } from './prefix.ts'
import { quantisation } from './quantisation.ts'
import { startup } from './startup.ts'
import { trust } from './trust.ts'

export interface Bench {
  about: string
  /** Rounds are interleaved: in each, ours and its rival run one after the other. */
  run(rounds: number): Promise<Report>
  /** Where five are not needed. */
  rounds?: number
}
const benches: Record<string, Bench> = { startup, quantisation, memory, placement, modes, cache, trust, engine, prefix, mieo }

const help = `Measure, always beside a rival in the same run; medians and ratios count, single times do not.

  npm run bench -- NAME [--rounds N] [--json]

${Object.entries(benches)
  .map(([name, bench]) => `  ${name.padEnd(12)} ${bench.about}`)
  .join('\n')}

  --rounds N  interleaved rounds (default 5; memory 1, placement and modes 3)
  --json      one object {name, machine, rows, targets}
  --help      this text

Exit code 0: every target met; 1: a target missed; 2: wrong use.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})
const name = positionals[0] ?? ''
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
const rounds = Number(values.rounds ?? bench?.rounds ?? 5)
if (values.help) process.stdout.write(help + '\n')
else if (!bench || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(help + '\n')
  process.exitCode = 2
} else {
  try {
    process.exitCode = printReport(await bench.run(rounds), { json: values.json })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    process.stderr.write(`${error.message} (${error.code})\n`)
    process.exitCode = 1
  }
}
