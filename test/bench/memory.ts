// Owns the memory bench: what the product's own engine process has resident with a 7B model at 4.8 GB, form by form, beside the paper's figures.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '../../app/contract/client.ts'
import type { EngineContract, LoadRequest } from '../../app/contract/engine.ts'
import { portTransport } from '../../app/contract/port.ts'
import { predictMemory, type MemoryUse } from '../../app/deploy/memory.ts'
import { readGgufHeader } from '../../app/engine/gguf-header.ts'
import { shapeOf } from '../../app/engine/shape.ts'
import type { EngineChild } from '../../app/host/engine-child.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { atLeast, atMost, table, type Report, type Row } from '../../models/workshop/report.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'
import type { Bench } from './run.ts'
import { needsProc, stoppable } from './stoppable.ts'
import { twin } from './twins.ts'

const entry = join(import.meta.dirname, '../../out/app/engine.js')
/** What the paper states for its 7B model, in GB: as it was, and compressed. */
const PAPER = { fp16: 14.9, compressed: 5.25 }
/** Tokens that are read at once. More would cost memory and, with 7B on a processor, save nothing: a stop within 150 ms allows fewer. */
const BATCH = 64
const ANSWER = 6
const log = { error: (message: string, data?: unknown) => void process.stderr.write(`${message} ${JSON.stringify(data)}\n`), warn() {}, info() {} }
const RANK = 16

type Form = 'merged' | 'base + adapter' | 'adapter base + adapter'
interface Configuration {
  form: Form
  contextSize: number
  kvType: 'q8_0' | 'f16'
  mmap: boolean
  batchSize?: number
}
/** The one that the targets hold for: what a PC with little memory is given. */
const SMALL: Configuration = { form: 'merged', contextSize: 4096, kvType: 'q8_0', mmap: true }
const both = (one: Omit<Configuration, 'mmap'>): Configuration[] => [
  { ...one, mmap: true },
  { ...one, mmap: false },
]
const configurations: Configuration[] = [
  ...both({ form: 'merged', contextSize: 2048, kvType: 'q8_0' }),
  ...both({ form: 'merged', contextSize: 4096, kvType: 'q8_0' }),
  ...both({ form: 'merged', contextSize: 8192, kvType: 'q8_0' }),
  ...both({ form: 'merged', contextSize: 4096, kvType: 'f16' }),
  { form: 'merged', contextSize: 4096, kvType: 'q8_0', mmap: true, batchSize: 256 },
  // what a load has that says nothing
  { form: 'merged', contextSize: 4096, kvType: 'f16', mmap: true, batchSize: 256 },
  ...both({ form: 'base + adapter', contextSize: 4096, kvType: 'q8_0' }),
  ...both({ form: 'adapter base + adapter', contextSize: 4096, kvType: 'q8_0' }),
]

interface Measured {
  /** GB (10⁹ bytes) of the whole engine process. */
  rss: number
  anonymous: number
  /** Clean pages of files: the system can drop them and read them again. */
  file: number
  peak: number
  /** Pages that other processes share count in part. */
  pss: number
}

export const memory: Bench = {
  about: 'what the engine process has resident with a 7B model, by form, context and KV cache, beside the paper’s figures',
  rounds: 1,
  run: (rounds) => {
    needsProc()
    return stoppable((context) => measureAll(rounds, context))
  },
}

/** Every row is a fresh process; with several rounds the largest RSS of a row counts. Linux only: it reads /proc. */
async function measureAll(rounds: number, { signal, progress }: VerbContext): Promise<Report> {
  const files = await models({ signal, progress })
  const idle = await idleProcess()
  const rows: Row[] = []
  let reached: Measured | null = null
  progress.stage('measuring', configurations.length * rounds)
  for (const [n, one] of configurations.entries()) {
    let worst: Measured | null = null
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted()
      progress.at(n * rounds + round, describe(one))
      const now = await measure(one, files, signal)
      if (!worst || now.rss > worst.rss) worst = now
    }
    rows.push(rowOf(one, worst!, await predicted(one, files)))
    if (describe(one) === describe(SMALL)) reached = worst
  }
  progress.end()
  const { rss } = reached!
  return {
    name: 'memory',
    rows,
    // thousandths count here, and a table cuts them off
    text: table(
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, GIGABYTES.has(key) ? Number(value).toFixed(3) : value]))),
    ),
    targets: [atMost('memory.rss.4096', rss, PAPER.compressed, 'GB'), atLeast('memory.reduction', (1 - rss / PAPER.fp16) * 100, 64.7, '%')],
    notes: [
      `GB are 10⁹ bytes resident in the engine process: anonymous memory and clean pages of files. The paper states ${PAPER.fp16} for FP16 and ${PAPER.compressed} compressed.`,
      `The targets hold for the ${describe(SMALL)} row. The engine process with nothing loaded takes ${idle.rss.toFixed(3)} GB.`,
      'Peak: the file’s pages while it is repacked, which the system can drop at any time, are part of it where mmap is on.',
      'Every batch was filled: the clock of the engine process stood still, so that it never shortened a step for a quick stop.',
      'A load that names no options has f16 and a batch of 256; q8_0 and 64 were asked for. Logits are made for the last token only, as in an answer.',
    ],
    detail: { idle, paper: PAPER },
  }
}

interface Files {
  models: Record<Form, string>
  adapter: string
}

async function models(context: VerbContext): Promise<Files> {
  const merged = await twin({ shape: 'qwen2-7b', recipe: 'rushlight-7b' }, context)
  const base = await twin({ shape: 'qwen2-7b', recipe: 'rushlight-adapters' }, context)
  const adapter = await twin({ shape: 'qwen2-7b', 'adapter-rank': String(RANK) }, context)
  return { models: { merged, 'base + adapter': merged, 'adapter base + adapter': base }, adapter }
}

async function measure(one: Configuration, files: Files, signal: AbortSignal): Promise<Measured> {
  const { form, contextSize, kvType, mmap, batchSize = BATCH } = one
  const adapters = form === 'merged' ? [] : [{ path: files.adapter, scale: 1 }]
  const children: EngineChild[] = []
  const engine = new EngineSupervisor({ spawn: () => (children[children.length] = spawn()), log })
  const stop = () => void engine.close()
  signal.addEventListener('abort', stop)
  try {
    const request: LoadRequest = { modelPath: files.models[form], gpu: 'off', contextSize, threads: null, kvType, mmap, batchSize, adapters }
    const info = await engine.load(request)
    const inEffect = { contextSize: info.contextSize, kvType: info.kvType, mmap: info.mmap, batchSize: info.batchSize, adapters: info.adapters }
    const asked = { contextSize, kvType, mmap, batchSize, adapters: adapters.length }
    if (JSON.stringify(inEffect) !== JSON.stringify(asked)) throw new Error(`asked for ${JSON.stringify(asked)}, got ${JSON.stringify(inEffect)}`)
    const largest = await largestStep(engine, batchSize, signal)
    if (largest !== batchSize) throw new Error(`the largest step read ${largest} tokens, not ${batchSize}`)
    return residentOf(children.at(-1)!.pid!)
  } finally {
    signal.removeEventListener('abort', stop)
    await engine.close()
  }
}

/** Reads a prompt of two batches and writes a few tokens; returns the most tokens that were read at once. */
async function largestStep(engine: EngineSupervisor, batchSize: number, signal: AbortSignal): Promise<number> {
  let text = ''
  // the first step is a guess of 16 tokens, the next one a full batch
  while ((await engine.count([{ role: 'user', text }])).tokens < 16 + 2 * batchSize) text += 'the dose of amoxicillin in mg for a child of '
  let [largest, read] = [0, 0]
  for await (const event of engine.generate({ messages: [{ role: 'user', text }], maxTokens: ANSWER, temperature: 0 }, signal)) {
    if (event.type !== 'prefill') continue
    largest = Math.max(largest, event.done - read)
    read = event.done
  }
  return largest
}

/** What the engine process takes before it has a model. */
async function idleProcess(): Promise<Measured> {
  const child = spawn()
  try {
    const client = createClient<EngineContract>(portTransport(child.port, { code: 'ENGINE_LOST', message: 'the engine ended' }))
    await client.call('engine.unload', null)
    return residentOf(child.pid!)
  } finally {
    child.kill()
  }
}

/** A fresh engine process as the program starts it, except that no time passes in it: it then reads as many tokens at once as a batch holds. */
function spawn(): EngineChild {
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = '--import=data:text/javascript,performance.now=()=>0'
  try {
    return spawnNodeEngine(entry)
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  }
}

/** What a process has resident, from /proc. */
export function residentOf(pid: number): Measured {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const gb = (text: string, key: string) => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)
    if (!found) throw new Error(`${key} is not in /proc`)
    return (Number(found[1]) * 1024) / 1e9
  }
  const [rss, anonymous, file, peak] = ['VmRSS', 'RssAnon', 'RssFile', 'VmHWM'].map((key) => gb(status, key)) as [number, number, number, number]
  return { rss, anonymous, file, peak, pss: gb(rollup, 'Pss') }
}

async function predicted({ form, contextSize, kvType, mmap, batchSize = BATCH }: Configuration, files: Files): Promise<number> {
  const use: MemoryUse = { contextSize, kvType, mmap, batchSize, ...(form === 'merged' ? {} : { adapterBytes: statSync(files.adapter).size }) }
  return predictMemory(shapeOf(await readGgufHeader(files.models[form], { values: 'facts' })), use).total / 1e9
}

const describe = ({ form, contextSize, kvType, mmap, batchSize = BATCH }: Configuration) =>
  `${form}, ${contextSize}, ${kvType}, batch ${batchSize}, mmap ${mmap ? 'on' : 'off'}`

/** Columns in GB. */
const GIGABYTES = new Set(['GB', 'anonymous', 'file', 'peak', 'PSS', 'predicted'])

function rowOf({ form, contextSize, kvType, mmap, batchSize = BATCH }: Configuration, at: Measured, prediction: number): Row {
  const { rss, anonymous, file, peak, pss } = at
  const cells = { GB: rss, anonymous, file, peak, PSS: pss, predicted: prediction }
  return {
    ...{ form, context: contextSize, KV: kvType, batch: batchSize, mmap: mmap ? 'on' : 'off' },
    ...Object.fromEntries(Object.entries(cells).map(([key, value]) => [key, Math.round(value * 1000) / 1000])),
    '% under FP16': Math.round((1 - rss / PAPER.fp16) * 1000) / 10,
  }
}
