// Owns the engine bench: reading and writing through the product's own contract beside llama.cpp alone, same model, depth, batch and threads.
import { Progress } from '../../models/workshop/progress.ts'
import { atLeast, median, type Report, type Row } from '../../models/workshop/report.ts'
import { BareLlama, BenchEngine, textOf } from './engine-client.ts'
import type { Bench } from './run.ts'
import { twin } from './twins.ts'

export interface EngineSettings {
  model: string
  threads: number
  /** Tokens that are read, and tokens that are written after them. */
  read: number
  write: number
  batchSize: number
}
/** A step as long as the reader's patience allows, and one as long as it takes: the price of a stop that is always in time. */
const KINDS = { 'stops within 150 ms': 0.075, 'whole batches': 10 } as const

export const engine: Bench = {
  about: 'reading and writing through the contract beside llama.cpp alone, on the 0.5B twin',
  async run(rounds) {
    const context = { signal: new AbortController().signal, progress: new Progress(process.stderr) }
    const model = await twin({ shape: 'qwen2-0.5b', recipe: 'rushlight-7b' }, context)
    return measureEngine({ model, threads: 1, read: 512, write: 64, batchSize: 256 }, rounds)
  },
}

/** Rounds in turn; in each, the two kinds of ours and the rival read a prompt of their own and write after it. */
export async function measureEngine({ model, threads, read, write, batchSize }: EngineSettings, rounds: number): Promise<Report> {
  const contextSize = read + write + 64
  const bare = new BareLlama({ model, threads, contextSize, batchSize })
  const ours = Object.entries(KINDS).map(([name, stepSeconds]) => ({ name, stepSeconds, engine: new BenchEngine() }))
  const speeds = new Map<string, { read: number[]; write: number[] }>()
  const note = (name: string, reading: number, writing: number | null) => {
    const of = speeds.get(name) ?? { read: [], write: [] }
    speeds.set(name, of)
    of.read.push(reading)
    if (writing !== null) of.write.push(writing)
  }
  try {
    for (const { engine, stepSeconds } of ours)
      await engine.load({ modelPath: model, gpu: 'off', threads, contextSize, batchSize, stepSeconds, mmap: true })
    // a first round that does not count: pages are read, and the length of a step is learnt
    for (let round = -1; round < rounds; round++) {
      for (const { name, engine } of ours) {
        const message = await textOf(engine, 'user', read, `${name} ${round}`)
        const tokens = await engine.count([message])
        const { readMs, tokensPerSecond } = await engine.ask([message], { maxTokens: write })
        if (round >= 0) note(name, (tokens / readMs) * 1000, tokensPerSecond)
      }
      const { readMs, writeMs } = await bare.run({ read, write })
      if (round >= 0) note(RIVAL, (read / readMs) * 1000, (write / writeMs) * 1000)
    }
  } finally {
    bare.close()
    for (const { engine } of ours) await engine.close()
  }
  const [theirs, rows] = [speeds.get(RIVAL)!, [] as Row[]]
  for (const [name, of] of speeds) {
    const ratio = (what: 'read' | 'write') => ratioOf(of[what], theirs[what])
    rows.push({
      what: name,
      'reads tok/s': median(of.read),
      'of rival': name === RIVAL ? null : ratio('read'),
      'writes tok/s': of.write.length > 0 ? median(of.write) : null,
      'of rival ': name === RIVAL ? null : ratio('write'),
    })
  }
  const product = speeds.get('stops within 150 ms')!
  return {
    name: 'bench engine',
    rows,
    targets: [
      atLeast('engine.prefill', ratioOf(product.read, theirs.read), 1, '×'),
      atLeast('engine.decode', ratioOf(product.write, theirs.write), 0.95, '×'),
    ],
    notes: [
      `${threads} thread${threads === 1 ? '' : 's'}, ${read} tokens read and ${write} written after them, batches of ${batchSize}, flash attention as llama.cpp chooses; medians of ${rounds} rounds in turn.`,
      'Ours is measured on the host’s side of the contract: template, tokenising, detokenising, sampling and the way between the processes included.',
      'The rival makes llama.cpp’s own calls on the same libraries as llama-bench does: random tokens, no sampling, no text.',
    ],
  }
}
const RIVAL = 'llama.cpp alone'

/** The median of the ratios of each round: what disturbs the machine disturbs both. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / theirs[round]!))
}
