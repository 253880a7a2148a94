// Owns the measurements of the modes bench: speed, memory and loads of the product's engine, adapter changes, logits, and answers judged.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LoadRequest } from '../../app/contract/engine.ts'
import { categories, type Category } from '../../app/contract/entities.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { namesOf } from '../../models/workshop/eval/judge.ts'
import { corpusQuestions, ownRecords, sampled } from '../../models/workshop/eval/questions.ts'
import { evaluate } from '../../models/workshop/eval/run.ts'
import { figuresOf, type Share } from '../../models/workshop/eval/score.ts'
import { Evaluator } from '../../models/workshop/ffi/evaluator.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'
import { corpusOf } from '../../models/workshop/train/data.ts'
import { readPlan } from '../../models/workshop/train/plan.ts'
import { residentOf } from './memory.ts'
import type { Change, ChangeRequest } from './modes-change.ts'
import type { Subject } from './modes-subjects.ts'

export const modeNames = ['base', 'adapter', 'merged'] as const
export type ModeName = (typeof modeNames)[number]
const log = { error: (message: string, data?: unknown) => void process.stderr.write(`${message} ${JSON.stringify(data)}\n`), warn() {}, info() {} }

export interface Question {
  promptTokens: number
  answerTokens: number
}
export interface Measured {
  firstTokenMs: number
  tokensPerSecond: number
  /** GB resident in the engine process after the answer; null where /proc is not there. */
  rss: number | null
  /** From a fresh process to ready, and from this mode to the one named after it in modeNames, in the same process. */
  loadMs: number
  switchMs: number
}

const requestOf = (subject: Subject, mode: ModeName): LoadRequest => ({
  ...{ modelPath: mode === 'merged' ? subject.merged : subject.base, gpu: 'off', contextSize: 1024, threads: null, kvType: 'f16' },
  adapters: mode === 'adapter' ? [{ path: subject.adapters[0]!.path, scale: subject.scale }] : [],
})

/** A fresh engine process: loads the mode, answers one question, then changes to the next mode. */
export async function measureMode(subject: Subject, mode: ModeName, question: Question, entry: string, signal: AbortSignal): Promise<Measured> {
  let pid = 0
  const spawn = () => {
    const child = spawnNodeEngine(entry)
    pid = child.pid ?? 0
    return child
  }
  const engine = new EngineSupervisor({ spawn, log })
  const stop = () => void engine.close()
  signal.addEventListener('abort', stop)
  try {
    const began = performance.now()
    const info = await engine.load(requestOf(subject, mode))
    const loadMs = performance.now() - began
    if (info.adapters !== (mode === 'adapter' ? 1 : 0)) throw new Error(`${info.adapters} adapters are in effect in mode ${mode}`)
    const { firstTokenMs, tokensPerSecond } = await answer(engine, question, signal)
    const rss = process.platform === 'linux' ? residentOf(pid).rss : null
    const again = performance.now()
    await engine.load(requestOf(subject, modeNames[(modeNames.indexOf(mode) + 1) % modeNames.length]!))
    return { firstTokenMs, tokensPerSecond, rss, loadMs, switchMs: performance.now() - again }
  } finally {
    signal.removeEventListener('abort', stop)
    await engine.close()
  }
}

async function answer(engine: EngineSupervisor, { promptTokens, answerTokens }: Question, signal: AbortSignal) {
  let text = ''
  while ((await engine.count([{ role: 'user', text }])).tokens < promptTokens) text += 'the dose of amoxicillin in mg for a child of '
  let pace: { firstTokenMs: number; tokensPerSecond: number } | null = null
  // an answer may end early; then the next question is as good
  for (let n = 0; n < 8 && !pace; n++) {
    const messages = [{ role: 'user' as const, text: n === 0 ? text : `${n} ${text}` }]
    for await (const event of engine.generate({ messages, maxTokens: answerTokens, temperature: 0 }, signal))
      if (event.type === 'done' && event.firstTokenMs !== null && event.tokensPerSecond !== null)
        pace = { firstTokenMs: event.firstTokenMs, tokensPerSecond: event.tokensPerSecond }
  }
  if (!pace) throw new Error('the model wrote nothing that could be measured')
  return pace
}

/** What a change of adapter takes while both are in memory. */
export async function adapterChange({ base, adapters }: Subject, times: number, signal: AbortSignal): Promise<Change> {
  const child = fork(join(import.meta.dirname, 'modes-change.ts'), [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    const ended = once(child, 'exit').then(([code, killer]) => {
      throw new Error(`changes of adapter could not be timed: ${String(killer ?? code)}`)
    })
    const told = once(child, 'message').then(([change]) => change as Change)
    child.send({ base, adapters: [adapters[0]!.path, adapters[1]!.path], times } satisfies ChangeRequest)
    return await Promise.race([told, ended])
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

const TEXTS = [
  'maximum daily dose of ibuprofen in adults',
  'chest pain spreading to the left arm',
  'which vaccine after a splenectomy',
  'warfarin and clarithromycin together',
  'first line treatment of a urinary infection in pregnancy',
  'causes of a raised potassium',
  'amoxicillin for a child of 12 kg',
  'when to repeat a cervical screening test',
]

export interface Agreement {
  /** Root mean square of the difference between the logits of adapter and merged mode, as a share of the logits' own. */
  rms: number
  /** The same between adapter mode and the base: what there was to agree about. */
  effect: number
  /** Share of the tokens after which both find the same one likeliest. */
  top: number
}

/** Adapter and merged mode on the same texts, with the weights exactly as in the files. */
export async function agreement({ base, adapters, merged, scale }: Subject, texts: number, signal: AbortSignal): Promise<Agreement> {
  const options = { contextSize: 128, signal }
  const adapter = [{ path: adapters[0]!.path, scale }]
  const left = await Evaluator.open({ ...options, model: base, adapters: adapter })
  const right = await Evaluator.open({ ...options, model: merged }).catch(async (error: unknown) => {
    await left.close()
    throw error
  })
  try {
    let [difference, effect, own, same, rows] = [0, 0, 0, 0, 0]
    for (const text of TEXTS.slice(0, texts)) {
      const tokens = await left.tokenize(text, { special: false })
      const [adapted, fused] = [await left.logits(tokens), await right.logits(tokens)]
      await left.setAdapters([])
      const without = await left.logits(tokens)
      await left.setAdapters(adapter)
      for (let row = 0; row < tokens.length; row++, rows++) {
        const [x, y, z] = [adapted, fused, without].map((all) => all.subarray(row * left.vocabulary, (row + 1) * left.vocabulary)) as Rows
        const mean = y.reduce((sum, value) => sum + value, 0) / y.length
        for (let n = 0; n < y.length; n++) {
          difference += (x[n]! - y[n]!) ** 2
          effect += (x[n]! - z[n]!) ** 2
          own += (y[n]! - mean) ** 2
        }
        if (greatest(x) === greatest(y)) same++
      }
    }
    return { rms: Math.sqrt(difference / own), effect: Math.sqrt(effect / own), top: same / rows }
  } finally {
    await Promise.all([left.close(), right.close()])
  }
}
type Rows = [Float32Array, Float32Array, Float32Array]
const greatest = (row: Float32Array) => row.reduce((best, value, n) => (value > row[best]! ? n : best), 0)

/** Key facts right of the held-out questions, by category and mode; at most `most` of each split are asked. */
export async function accuracy(subject: Subject, most: number, context: VerbContext): Promise<Map<Category, Record<ModeName, Share>>> {
  const records = ownRecords()
  const questions = sampled(corpusQuestions(corpusOf(readPlan('starter'))), most)
  const names = namesOf(records.filter(({ kind }) => kind === 'medicine'))
  const byCategory = new Map(subject.adapters.flatMap(({ path, category }) => (category === null ? [] : [[category, path] as const])))
  const found = new Map<Category, Record<ModeName, Share>>()
  for (const mode of modeNames) {
    const model = mode === 'merged' ? subject.merged : subject.base
    const asked = { model, adapters: [], teacher: null, questions, names, answers: null, threads: 1 }
    const answers = await evaluate({ ...asked, byCategory: mode === 'adapter' ? byCategory : new Map() }, context)
    for (const category of categories) {
      const { right } = figuresOf(answers.filter(({ of }) => of === category))
      const before = found.get(category) ?? { base: { hits: 0, total: 0 }, adapter: { hits: 0, total: 0 }, merged: { hits: 0, total: 0 } }
      if (right.total > 0) found.set(category, { ...before, [mode]: right })
    }
  }
  context.progress.end()
  return found
}
