// Owns `npm run score`: picks a labelled set, reads its options, prints its report. Each set is one file in score/.
import { parseArgs } from 'node:util'
import { printReport } from './report.ts'
import { classifySet } from './score/classify.ts'
import { dosesSet } from './score/doses.ts'
import { emergenciesSet } from './score/emergencies.ts'
import { hostileSet } from './score/hostile.ts'
import { pairsSet } from './score/pairs.ts'
import { BadLines, type ScoreSet } from './score/set.ts'
import { termsSet } from './score/terms.ts'

const sets: Record<string, ScoreSet> = {
  classify: classifySet,
  hostile: hostileSet,
  terms: termsSet,
  emergencies: emergenciesSet,
  doses: dosesSet,
  pairs: pairsSet,
}

const help = `Score a labelled set against the parts that the program itself uses.

  npm run score -- SET [--file F] [--json]

${Object.entries(sets)
  .map(([name, set]) => `  ${name.padEnd(11)} ${set.about}\n             a line of F: ${set.line}`)
  .join('\n')}

  --file F   a set of your own, one JSON object a line, instead of the set in test/sets
  --json     one object {name, machine, rows, targets}
  --help     this text

Exit code 0: every target met; 1: a target missed; 2: wrong use, or a line of F that cannot be read.`

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { file: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) return (process.stdout.write(help + '\n'), 0)
  const [name, ...more] = positionals
  const set = name !== undefined && Object.hasOwn(sets, name) ? sets[name] : undefined
  if (!set || more.length > 0)
    return (process.stderr.write(`${name === undefined ? 'Name a set.' : `There is no set “${positionals.join(' ')}”.`}\n\n${help}\n`), 2)
  return printReport(await set.run({ file: values.file }), { json: values.json })
}

// no process.exit: it would cut a report off that a pipe has not taken yet
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    const known = error instanceof BadLines || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    process.stderr.write(`${error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)}\n`)
    process.exitCode = known ? 2 : 1
  },
)
