// Owns the placement bench: whether the plan that is chosen is the fastest that was measured, and whether speed and memory come as predicted.
import { join } from 'node:path'
import type { LoadRequest } from '../../app/contract/engine.ts'
import type { ModelShape } from '../../app/contract/shape.ts'
import type { Question } from '../../app/deploy/affinity.ts'
import { choose } from '../../app/deploy/choose.ts'
import { calibrate, forecast, type Observed } from '../../app/deploy/forecast.ts'
import type { HardwareProfile } from '../../app/deploy/hardware.ts'
import { predictMemory } from '../../app/deploy/memory.ts'
import type { Plan } from '../../app/deploy/plan.ts'
import { resolvePaths } from '../../app/base/paths.ts'
import { readGgufHeader } from '../../app/engine/gguf-header.ts'
import { shapeOf } from '../../app/engine/shape.ts'
import type { EngineChild } from '../../app/host/engine-child.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { Hardware } from '../../app/host/hardware.ts'
import { requestOf } from '../../app/host/plan-request.ts'
import { atLeast, atMost, median, table, type Report, type Row } from '../../models/workshop/report.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'
import type { Bench } from './run.ts'
import { residentOf } from './memory.ts'
import { exportedShape, placementPlans, profiles } from './placement-plans.ts'
import { needsProc, stoppable } from './stoppable.ts'
import { twin } from './twins.ts'

const entry = join(import.meta.dirname, '../../out/app/engine.js')
const log = { error: (message: string, data?: unknown) => void process.stderr.write(`${message} ${JSON.stringify(data)}\n`), warn() {}, info() {} }
/** Shorter than the clinic's, so that a sweep takes minutes; predictions are made for the same one. */
const QUESTION: Question = { promptTokens: 260, answerTokens: 40 }
/** The context that is asked for: only configurations that hold it compete with the chosen one. */
const CONTEXT = 4096
const SWEEP = { kvTypes: ['f16', 'q8_0'], steps: [16, 64, 256], contexts: [2048, CONTEXT] } as const
/** Cards of 8 GB with their memory free. */
const EIGHT_GB = ['rtx-3050-8gb', 'rtx-4060-8gb', 'arc-a750-8gb']

interface Configuration {
  name: string
  plan: Plan
  request: LoadRequest
  contextSize: number
}
interface Measured {
  readTokens: number
  readSeconds: number
  tokensPerSecond: number
  /** Bytes of the engine process after the answer. */
  rss: number
}

export const placement: Bench = {
  about: 'the chosen plan against a sweep of threads, batch, KV type and context; predicted speed and memory; plans for every test profile',
  rounds: 3,
  run: (rounds) => {
    needsProc()
    return stoppable((context) => measureAll(rounds, context))
  },
}

async function measureAll(rounds: number, { signal, progress }: VerbContext): Promise<Report> {
  const path = await twin({ shape: 'qwen2-0.5b', recipe: 'rushlight-7b' }, { signal, progress })
  const shape = shapeOf(await readGgufHeader(path, { values: 'facts' }))
  const profile = await calibrated(path, shape)
  const chosen = choose(profile, shape, { contextSize: CONTEXT, question: QUESTION }).plan!
  const all = [
    { name: 'chosen', plan: chosen, contextSize: CONTEXT, request: requestOf(chosen, path, chosen.threads) },
    ...sweep(profile, shape, path),
  ]
  const measured = new Map(all.map(({ name }) => [name, [] as Measured[]]))
  progress.stage('measuring', all.length * rounds)
  for (let round = 0; round < rounds; round++)
    for (const [n, one] of all.entries()) {
      signal.throwIfAborted()
      progress.at(round * all.length + n, one.name)
      measured.get(one.name)!.push(await measure(one.request))
    }
  progress.end()
  const rows = all.map((one) => rowOf(one, profile, shape, measured.get(one.name)!))
  return reportOf(rows, profile)
}

/** This computer as the program knows it after its first answer: memory measured in a probe, matrix rates learned from the answer. */
async function calibrated(path: string, shape: ModelShape): Promise<HardwareProfile> {
  const hardware = new Hardware({
    ...{ path: join(import.meta.dirname, 'absent', 'hardware.json'), fixed: null, log },
    spawnProbe: (changes) => spawnNodeEngine(resolvePaths().probeEntry, changes),
  })
  await hardware.measure()
  const before = hardware.profile()
  const { plan } = choose(before, shape, { contextSize: CONTEXT, question: QUESTION })
  const first: Observed = await measure(requestOf(plan!, path, plan!.threads))
  return { ...before, calibration: calibrate(before, shape, plan!, first, 1) ?? before.calibration }
}

/** Every combination that this machine may run: one thread, and one for each core, as the program would never do by itself. */
function sweep(profile: HardwareProfile, shape: ModelShape, path: string): Configuration[] {
  const threads = [...new Set([1, profile.cpu.physicalCores])]
  return SWEEP.contexts.flatMap((contextSize) =>
    SWEEP.kvTypes.flatMap((kvType) =>
      SWEEP.steps.flatMap((step) => {
        const { plan } = choose(profile, shape, {
          contextSize,
          question: QUESTION,
          kvTypes: [kvType],
          steps: [step],
          stepSeconds: 1000,
          backends: ['cpu'],
        })
        return threads.map((count) => ({
          ...{ contextSize, name: `${count} threads, step ${step}, ${kvType}, ${contextSize}` },
          plan: { ...plan!, threads: count },
          request: { ...requestOf(plan!, path, plan!.threads), threads: count, step, batchSize: plan!.batchSize },
        }))
      }),
    ),
  )
}

/** A fresh process, so that its memory is that of this load alone; one question. */
async function measure(request: LoadRequest): Promise<Measured> {
  const children: EngineChild[] = []
  const engine = new EngineSupervisor({ spawn: (changes) => (children[children.length] = spawnNodeEngine(entry, changes)), log })
  try {
    const { threads, contextSize, kvType, mmap, batchSize } = await engine.load(request)
    const inEffect = { threads, contextSize, kvType, mmap, batchSize }
    if (Object.entries(inEffect).some(([key, value]) => request[key as keyof typeof inEffect] !== value))
      throw new Error(`not in effect: ${JSON.stringify(request)}`)
    let text = ''
    while ((await engine.count([{ role: 'user', text }])).tokens < QUESTION.promptTokens) text += 'the dose of amoxicillin in mg for a child of '
    const input = { messages: [{ role: 'user' as const, text }], maxTokens: QUESTION.answerTokens, temperature: 0 }
    for await (const event of engine.generate(input, new AbortController().signal)) {
      if (event.type !== 'done') continue
      const { firstTokenMs, tokensPerSecond, promptTokens } = event
      if (firstTokenMs === null || tokensPerSecond === null) throw new Error('the twin wrote nothing')
      return { readTokens: promptTokens, readSeconds: firstTokenMs / 1000, tokensPerSecond, rss: residentOf(children.at(-1)!.pid!).rss * 1e9 }
    }
    throw new Error('the answer did not end')
  } finally {
    await engine.close()
  }
}

const off = (predicted: number, measured: number) => Math.abs(predicted / measured - 1) * 100

function rowOf({ name, plan, request, contextSize }: Configuration, profile: HardwareProfile, shape: ModelShape, runs: readonly Measured[]): Row {
  const first = median(runs.map(({ readSeconds }) => readSeconds))
  const speed = median(runs.map(({ tokensPerSecond }) => tokensPerSecond))
  const rss = Math.max(...runs.map((run) => run.rss))
  const predicted = forecast(profile, shape, plan, { ...QUESTION, promptTokens: runs[0]!.readTokens })
  const { kvType, mmap } = plan
  const memory = predictMemory(shape, { contextSize, kvType, batchSize: request.batchSize ?? plan.batchSize, mmap }).total
  return {
    ...{ plan: name, threads: plan.threads, context: contextSize },
    ...{ 'first token s': first, predicted: predicted.firstTokenSeconds, '% off': off(predicted.firstTokenSeconds, first) },
    ...{ 'tokens/s': speed, 'predicted ': predicted.tokensPerSecond, '% off ': off(predicted.tokensPerSecond, speed) },
    'question s': first + (QUESTION.answerTokens - 1) / speed,
    ...{ 'RSS MB': rss / 1e6, 'predicted  ': memory / 1e6, '% off  ': off(memory, rss) },
  }
}

function reportOf(rows: readonly Row[], { load }: HardwareProfile): Report {
  const number = (row: Row, key: string) => Number(row[key])
  const [chosen, ...others] = rows as [Row, ...Row[]]
  const rivals = others.filter((row) => number(row, 'context') >= CONTEXT)
  const best = Math.min(...rivals.map((row) => number(row, 'question s')))
  const errors = rows.flatMap((row) => [number(row, '% off'), number(row, '% off ')])
  const plans = placementPlans()
  const planned = profiles().map(({ name, profile }) => ({ name, planning: choose(profile, exportedShape('qwen2-7b')) }))
  const over = planned.filter(({ planning }) => planning.plan?.devices.some(({ memory, free }) => memory.total > free)).length
  const whole = planned.filter(
    ({ name, planning: { plan } }) => EIGHT_GB.includes(name) && plan?.gpuLayers === 29 && plan.contextSize >= CONTEXT,
  ).length
  return {
    name: 'bench placement',
    rows,
    text: `${table(rows)}\n\nPlans for every test profile\n\n${table(plans)}`,
    targets: [
      atMost('placement.chosen', number(chosen, 'question s') / best, 1.05, '× the best measured'),
      atMost('placement.speed', median(errors), 15, '% median error'),
      atMost('placement.memory', Math.max(...rows.map((row) => number(row, '% off  '))), 3, '% off'),
      atMost('placement.over', over, 0, 'plans beyond memory'),
      atLeast('placement.8gb', whole, EIGHT_GB.length, 'cards of 8 GB with the whole 7B'),
    ],
    notes: [
      `One question of ${QUESTION.promptTokens} tokens and ${QUESTION.answerTokens} of answer each, a fresh process each; medians over the rounds, of memory the most.`,
      `The chosen plan competes with those that hold the ${CONTEXT} tokens asked for. Steps are no longer than 75 ms, as in the program, whatever the batch.`,
      `When the machine was measured, other programs kept ${load.busyCores.toFixed(1)} cores busy; predictions count on that.`,
    ],
    detail: { plans },
  }
}
