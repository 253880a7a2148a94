// Owns how tests run the trainer: its executable, a folder of files for one test file, tiny models and data, and the events that it prints.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError, buildTrainer } from '../../native/build.mjs'
import { seeded } from '../support/random.ts'
import { starter } from '../unit/models.ts'

/** As native/trainer/events.h lists them. */
export interface TrainerEvent {
  readonly type: string
  readonly [field: string]: unknown
}
export interface TrainerRun {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly events: readonly TrainerEvent[]
  readonly errors: string
}
type Watch = (event: TrainerEvent, child: ChildProcess) => void
export interface Sample {
  tokens: number[]
  start?: number
  level?: number
  class?: 'general' | 'special'
  entities?: [number, number][]
}

/** The executable, or why this machine cannot build it; a fault of the source is thrown. */
export function builtTrainer(sanitize: boolean): { executable: string; missing: null } | { executable: null; missing: string } {
  try {
    return { executable: buildTrainer({ sanitize }).executable, missing: null }
  } catch (error) {
    if (error instanceof BuildError && error.code !== 'COMPILE_FAILED') return { executable: null, missing: error.message }
    throw error
  }
}

/** The starter's vocabulary, so that its tokenizer serves, and nothing else that is large. */
export const VOCAB = 1344
export const tiny = { vocab: VOCAB, width: 64, layers: 2, heads: 4, kvHeads: 2, ffn: 128, context: 128 }
export const small = { batch: 2, context: 64, logEvery: 1, seed: 7, threads: 1 }

/** Texts of 12 to 20 tokens in which each token follows from the one before, so that they can be learned; every one ends with an entity. */
export function texts(count: number, seed: number): Sample[] {
  const random = seeded(seed)
  return Array.from({ length: count }, (_, n) => {
    const length = 12 + random.below(9)
    const tokens = [random.below(VOCAB)]
    while (tokens.length < length) tokens.push((tokens.at(-1)! * 7 + 13) % VOCAB)
    return { tokens, start: 4, level: n % 3, class: n % 2 === 0 ? 'general' : 'special', entities: [[length - 1, 1.5]] }
  })
}

export class Workplace {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rushlight-trainer-'))
  readonly #executable: string
  constructor(executable: string) {
    this.#executable = executable
  }
  at(name: string): string {
    return join(this.#folder, name)
  }
  write(name: string, content: string): string {
    writeFileSync(this.at(name), content)
    return this.at(name)
  }
  data(name: string, samples: readonly Sample[]): string {
    return this.write(name, samples.map((sample) => JSON.stringify(sample)).join('\n') + '\n')
  }
  bytes(name: string): Buffer {
    return readFileSync(this.at(name))
  }
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Runs a verb to its end. `watch` sees every event as it comes, and may end the process. `blocks`: how many of 512 bytes a file may have. */
  async run(verb: string, config: object | string, watch?: Watch, blocks?: number): Promise<TrainerRun> {
    const file = typeof config === 'string' ? config : this.write('config.json', JSON.stringify(config))
    const limited = ['-c', `ulimit -f ${String(blocks)}; exec "$0" "$@"`, this.#executable, verb, file]
    const child = blocks === undefined ? spawn(this.#executable, [verb, file]) : spawn('sh', limited)
    const events: TrainerEvent[] = []
    let rest = ''
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const event = JSON.parse(line) as TrainerEvent
        events.push(event)
        watch?.(event, child)
      }
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code, signal, events, errors }))
    })
  }

  /** A model of chance with the starter's tokenizer, trained for a few steps, in F32. */
  async model(name: string, changes: object = {}): Promise<string> {
    const config = { out: { model: this.at(name) }, arch: tiny, keys: starter, data: this.data(`${name}.jsonl`, texts(16, 1)), steps: 12, ...small }
    const run = await this.run('train', { ...config, schedule: { lrMax: 3e-3, lrMin: 1e-3 }, ...changes })
    if (run.code !== 0) throw new Error(`${JSON.stringify(run.events.at(-1))} ${run.errors}`)
    return this.at(name)
  }
  /** Row i is what the model expects after tokens[0…i]. */
  async logits(model: string, tokens: readonly number[], adapter?: string): Promise<Float32Array> {
    const run = await this.run('logits', { model, tokens, out: this.at('logits.bin'), ...(adapter === undefined ? {} : { adapter }) })
    if (run.code !== 0) throw new Error(`${JSON.stringify(run.events.at(-1))} ${run.errors}`)
    const bytes = this.bytes('logits.bin')
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  }
}

export function greatestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length || a.length === 0) throw new Error(`${a.length} and ${b.length} values cannot be compared`)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
}
