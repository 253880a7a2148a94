// Owns the evaluator's child process: a crash of llama.cpp ends it and not the command. It ends with the process that started it.
import { AppError } from '../../../app/contract/errors.ts'
import type { CallName, Calls, ImportanceMatrix, OpenOptions, Reply, Request } from './evaluator-calls.ts'
import { importanceCollector, type Importance } from './graph.ts'
import { RefusedByLlama, Session } from './session.ts'
import { Weights } from './weights.ts'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'

let opened: { session: Session; options: OpenOptions } | undefined
let weights: Promise<Weights> | undefined

function session(): Session {
  if (!opened) throw new Error('no model is open')
  return opened.session
}
function writable(): Promise<Weights> {
  const current = session()
  if (!opened!.options.writable) throw new Error('the model was not opened to be written')
  return (weights ??= Weights.of(current, opened!.options.model))
}

const calls: { [Name in CallName]: (...args: Parameters<Calls[Name]>) => Awaited<ReturnType<Calls[Name]>> | ReturnType<Calls[Name]> } = {
  open: (options) => {
    opened = { session: new Session(options), options }
    return opened.session.info
  },
  tokenize: (text, special) => session().tokenize(text, special),
  pieces: (tokens) => session().pieces(tokens),
  logits: (tokens) => session().logits(tokens),
  losses: (tokens, from) => session().losses(tokens, from),
  generate: (tokens, most) => session().generate(tokens, most),
  setAdapters: (adapters) => session().setAdapters(adapters),
  matrices: async () => (await writable()).names(),
  replaceTensor: async (name, type) => (await writable()).replace(name, type),
  restoreTensor: async (name) => (await writable()).restore(name),
  importance: async (texts) => {
    const { tensors } = await readGgufHeader(opened!.options.model, { values: 'facts' })
    const found = new Map<string, Importance>()
    session().watch(importanceCollector(new Set(tensors.map(({ name }) => name)), found), texts)
    return found satisfies ImportanceMatrix
  },
}

async function answer({ id, name, args }: Request): Promise<Reply> {
  try {
    return { id, ok: true, value: await (calls[name] as (...args: readonly unknown[]) => unknown)(...args) }
  } catch (error) {
    if (error instanceof RefusedByLlama) return { id, ok: false, refused: error.what }
    if (error instanceof AppError) return { id, ok: false, error: AppError.wire(error) }
    return { id, ok: false, failed: error instanceof Error ? error.message : String(error) }
  }
}

if (!process.send) {
  process.stderr.write('The evaluator is started by the model tools, not by hand.\n')
  process.exit(2)
}
process.title = 'rushlight-evaluator'
// gigabytes must not outlive the command, and its Ctrl-C is the command's to hear
process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => {})
let turn: Promise<void> = Promise.resolve()
process.on('message', (request: Request) => {
  turn = turn.then(async () => {
    const reply = await answer(request)
    process.send!(reply, undefined, undefined, () => {})
  })
})
