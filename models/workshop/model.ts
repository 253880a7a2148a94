// Owns `npm run model`: picks the verb, reads its options, stops it cleanly on Ctrl-C, prints its report.
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { AppError } from '../../app/contract/errors.ts'
import { Progress } from './progress.ts'
import { printReport } from './report.ts'
import { WrongUse, type Verb } from './verb.ts'
import { ablateVerb } from './verbs/ablate.ts'
import { bundleVerb } from './verbs/bundle.ts'
import { corpusVerb } from './verbs/corpus.ts'
import { embedVerb } from './verbs/embed.ts'
import { evalVerb } from './verbs/eval.ts'
import { examVerb } from './verbs/exam.ts'
import { exportVerb } from './verbs/export.ts'
import { familyVerb } from './verbs/family.ts'
import { importHfVerb } from './verbs/import-hf.ts'
import { importPeftVerb } from './verbs/import-peft.ts'
import { inspectVerb } from './verbs/inspect.ts'
import { mergeVerb } from './verbs/merge.ts'
import { recipeVerb } from './verbs/recipe.ts'
import { sensitivityVerb } from './verbs/sensitivity.ts'
import { trainVerb } from './verbs/train.ts'
import { twinVerb } from './verbs/twin.ts'
import { verifyVerb } from './verbs/verify.ts'

/** In the order of the work: what there is, made, measured, trained, judged. */
const verbs: readonly Verb[] = [
  ...[inspectVerb, importHfVerb, importPeftVerb, exportVerb, sensitivityVerb, mergeVerb, twinVerb, verifyVerb],
  ...[corpusVerb, trainVerb, evalVerb, examVerb, familyVerb, ablateVerb, recipeVerb, embedVerb, bundleVerb],
]

const help = `The model workshop: make, measure and check the model files that Rushlight runs.

  npm run model -- VERB … [--json]

${verbs.map((verb) => `  ${verb.name.padEnd(12)} ${verb.about}`).join('\n')}

  VERB --help  what the verb takes
  --json       one object {name, machine, rows, targets, …} on standard output; progress stays on standard error

Ctrl-C stops at once and leaves no half-written file. Exit code 0: done; 1: failed, or a target missed; 2: wrong use; 130: stopped.`

const verbHelp = (verb: Verb) => `${verb.about}

  npm run model -- ${verb.name} ${verb.usage} [--json]

${verb.help.replace(/^\n/, '').trimEnd()}`

async function main(args: string[]): Promise<number> {
  const verb = verbs.find(({ name }) => name === args[0])
  if (!verb) {
    const asked = args[0] === '--help' || args[0] === undefined
    process[asked ? 'stdout' : 'stderr'].write(`${asked ? '' : `There is no verb “${args[0]}”.\n\n`}${help}\n`)
    return args[0] === '--help' ? 0 : 2
  }
  const common: ParseArgsConfig['options'] = { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } }
  let json = args.includes('--json')
  const stopper = new AbortController()
  const progress = new Progress(process.stderr)
  const stop = () => stopper.abort(new AppError('CANCELLED', 'Stopped. Nothing was left half-written.'))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    const { values, positionals } = parse(verb, args.slice(1), { ...verb.options, ...common })
    json = values['json'] === true
    if (values['help'] === true) {
      process.stdout.write(verbHelp(verb) + '\n')
      return 0
    }
    const [least, most] = verb.positionals
    if (positionals.length < least || positionals.length > most) throw new WrongUse(`${verb.name} takes ${verb.usage}.`)
    const report = await verb.run({ positionals, values }, { signal: stopper.signal, progress })
    progress.end()
    return printReport(report, { json })
  } catch (error) {
    progress.end()
    if (error instanceof WrongUse) {
      process.stderr.write(`${error.message}\n\n${verbHelp(verb)}\n`)
      return 2
    }
    const stopped: unknown = stopper.signal.aborted ? stopper.signal.reason : error
    if (!(stopped instanceof AppError)) throw stopped
    const wire = AppError.wire(stopped)
    if (json) process.stdout.write(JSON.stringify({ name: verb.name, error: wire }) + '\n')
    else process.stderr.write(`${wire.message} (${wire.code})\n`)
    return stopped.code === 'CANCELLED' ? 130 : 1
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

function parse(verb: Verb, args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new WrongUse(`${verb.name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

process.exitCode = await main(process.argv.slice(2))
