// Owns the terminal: one question through the same services as the page, streamed to standard output.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../contract/client.ts'
import type { AppContract } from '../contract/contract.ts'
import { categories, Category, type AskEvent, type Turn } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { resolvePaths } from '../base/paths.ts'
import { localTransport } from '../base/local-transport.ts'
import { version } from '../base/version.ts'
import { spawnNodeEngine } from './engine-spawn-node.ts'
import { checksText, factsText } from '../store/clinical-text.ts'
import { serverPolicyOf } from './remote/server-policy.ts'
import { createServices } from './services.ts'

const help = `Ask Rushlight one question in the terminal.

  npm run ask -- "question" [options]

  --category C   one of ${categories.join(', ')} (default: found by the rules)
  --model M      a name from the model list or a GGUF file (default: the starter)
  --hardware F   plan with this hardware profile (JSON) instead of this computer's facts
  --allow-server WAY  let the server that was set up in the data folder answer: https, or http as well
  --data DIR     keep the question and its answer in this data folder; without it nothing is kept
  --json         one JSON object a line: every event of the answer
  --help         this text

The answer goes to standard output, everything else to standard error. Exit code 0: complete; 1: failed or refused; 2: wrong use; 130: stopped by Ctrl C.`

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      category: { type: 'string' },
      model: { type: 'string' },
      hardware: { type: 'string' },
      'allow-server': { type: 'string' },
      data: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return (process.stdout.write(help + '\n'), 0)
  const question = positionals.join(' ')
  if (positionals.length === 0) return (process.stderr.write(help + '\n'), 2)
  const category = values.category === undefined ? undefined : Category.safeParse(values.category)
  if (category && !category.success)
    return (process.stderr.write(`There is no category “${values.category}”. Choose one of ${categories.join(', ')}.\n`), 2)

  const data = values.data ?? mkdtempSync(join(tmpdir(), 'rushlight-ask-'))
  const paths = resolvePaths({ data })
  const stop = new AbortController()
  process.on('SIGINT', () => stop.abort())
  try {
    const services = await createServices({
      paths,
      host: 'loopback',
      version,
      serverPolicy: serverPolicyOf(values['allow-server']),
      spawnEngine: (changes) => spawnNodeEngine(paths.engineEntry, changes),
      spawnProbe: (changes) => spawnNodeEngine(paths.probeEntry, changes),
      ...(values.model === undefined ? {} : { model: values.model }),
      ...(values.hardware === undefined ? {} : { hardware: values.hardware }),
    })
    try {
      // for one question there is nobody to choose another model: a model that does not load is the end
      await services.ready(stop.signal)
      const client = createClient<AppContract>(localTransport(services.router))
      const input = { question, conversation: null, ...(category ? { category: category.data } : {}) }
      let turn: Turn | null = null
      for await (const event of client.stream('ask.run', input, stop.signal)) {
        if (values.json) process.stdout.write(JSON.stringify(event) + '\n')
        else show(event)
        if (event.type === 'done') turn = event.turn
      }
      return turn?.status === 'complete' ? 0 : stop.signal.aborted ? 130 : 1
    } finally {
      await services.close()
    }
  } catch (error) {
    const { code, message, data: detail } = AppError.wire(error)
    if (values.json) process.stdout.write(JSON.stringify({ type: 'error', code, message, ...(detail === undefined ? {} : { data: detail }) }) + '\n')
    else process.stderr.write(`${message} (${code})\n`)
    return 1
  } finally {
    if (values.data === undefined) rmSync(data, { recursive: true, force: true })
  }
}

function show(event: AskEvent): void {
  if (event.type === 'accepted') {
    const { category, matched, decidedBy } = event.turn.classification
    process.stderr.write(`${category}${decidedBy === 'user' ? ' (your choice)' : matched.length > 0 ? ` (matched: ${matched.join(', ')})` : ''}\n\n`)
    const { understood, clinical } = event.turn
    if (understood.length > 0) process.stderr.write(`Understood as ${understood.map(({ typed, means }) => `${typed} → ${means}`).join('; ')}\n\n`)
    // rules and tables speak first, and a person can act on them while the model still loads
    if (clinical) for (const line of factsText(clinical)) process.stdout.write(line + '\n')
    process.stdout.write('\n')
  } else if (event.type === 'done') {
    const { provenance: from, error, answer, clinical } = event.turn
    // not streamed: an answer that contradicts the tables must not be read before that is known
    if (!clinical?.checks?.withheld) process.stdout.write(`Written by the model:\n${answer}\n`)
    process.stdout.write('\n')
    for (const line of clinical ? checksText(clinical) : []) process.stdout.write(line + '\n')
    if (error) process.stderr.write(`\n${error.message}\n`)
    if (!from) return
    if (from.model.demonstration) process.stderr.write('\nDemonstration model: not for patient care.\n')
    const speed = from.tokensPerSecond === null ? '' : ` · ${from.tokensPerSecond.toFixed(0)} tokens/s`
    const where = from.engine.host === undefined ? from.engine.backend.toUpperCase() : `on ${from.engine.host}`
    const first = from.firstTokenMs === null ? '' : ` · ${(from.firstTokenMs / 1000).toFixed(2)} s to the first word`
    process.stderr.write(
      `Written by a language model, verify before use: ${from.model.name} ${from.model.version} · ${from.model.quantisation || 'quantisation not known'} · ${from.engine.name} ${where} · prompt ${from.prompt.hash}${first}${speed}\n`,
    )
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}\n`)
    process.exit(2)
  },
)
