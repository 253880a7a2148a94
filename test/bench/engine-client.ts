// Owns how the engine benches reach the two they compare: the product's engine process through its contract, and llama.cpp alone in another one.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../app/contract/client.ts'
import type {
  EngineContract,
  GenerateEvent,
  GenerateInput,
  LoadedInfo,
  LoadRequest,
  Message,
  WarmEvent,
  WarmInput,
} from '../../app/contract/engine.ts'
import { portTransport } from '../../app/contract/port.ts'
import { resolvePaths } from '../../app/base/paths.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'

const never = new AbortController().signal

/** Times in milliseconds, taken on this side of the contract. */
export interface Timed {
  text: string
  /** From the call to the end of reading, to the first piece of text (null when none came) and to the end. */
  readMs: number
  firstMs: number | null
  totalMs: number
  /** Between the first and the last piece of text. */
  tokensPerSecond: number | null
  done: Extract<GenerateEvent, { type: 'done' }>
}

export class BenchEngine {
  readonly #child = spawnNodeEngine(resolvePaths().engineEntry)
  readonly #client = createClient<EngineContract>(portTransport(this.#child.port, { code: 'ENGINE_LOST', message: 'the engine ended' }))

  async load(request: LoadRequest): Promise<LoadedInfo> {
    for await (const event of this.#client.stream('engine.load', request, never)) if (event.type === 'ready') return event.info
    throw new Error('the engine did not load the model')
  }

  async count(messages: Message[]): Promise<number> {
    return (await this.#client.call('engine.count', { messages })).tokens
  }

  async warm(input: WarmInput): Promise<WarmEvent[]> {
    const events: WarmEvent[] = []
    for await (const event of this.#client.stream('engine.warm', input, never)) events.push(event)
    return events
  }

  /** Greedy unless told otherwise. */
  async ask(messages: Message[], options: Partial<GenerateInput> & { maxTokens: number }): Promise<Timed> {
    const startedAt = performance.now()
    const since = () => performance.now() - startedAt
    let [text, readMs, tokens] = ['', 0, 0]
    let first: { ms: number; tokens: number } | null = null
    let last = { ms: 0, tokens: 0 }
    for await (const event of this.#client.stream('engine.generate', { messages, temperature: 0, ...options }, never)) {
      if (event.type === 'prefill') readMs = since()
      if (event.type === 'text') {
        text += event.text
        tokens = event.tokens
        last = { ms: since(), tokens }
        first ??= last
      }
      if (event.type !== 'done') continue
      const [ms, count] = first ? [last.ms - first.ms, last.tokens - first.tokens] : [0, 0]
      const tokensPerSecond = count > 0 && ms > 0 ? (count / ms) * 1000 : null
      return { text, readMs, firstMs: first?.ms ?? null, totalMs: since(), tokensPerSecond, done: event }
    }
    throw new Error('the engine ended its answer without a word')
  }

  /** Ends the process: what it had in memory is gone. */
  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#child.onExit(() => resolve()))
    this.#child.kill()
    await gone
  }
}

/** llama.cpp alone: reads and writes as many tokens as it is told, with `hold` tokens in its context before the clock starts. */
export class BareLlama {
  readonly #child
  readonly #lines

  constructor(options: { model: string; threads: number; contextSize: number; batchSize: number }) {
    const script = fileURLToPath(new URL('bare-llama.ts', import.meta.url))
    const args = [script, options.model, `${options.threads}`, `${options.contextSize}`, `${options.batchSize}`]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async run(tokens: { hold?: number; read: number; write?: number }): Promise<{ readMs: number; writeMs: number }> {
    this.#child.stdin.write(JSON.stringify(tokens) + '\n')
    const line = await this.#lines.next()
    if (line.done) throw new Error('llama.cpp alone has ended')
    return JSON.parse(line.value) as { readMs: number; writeMs: number }
  }

  close(): void {
    this.#child.kill()
  }
}

/** A text of at least `tokens` tokens more than none, of words that a clinic writes; `mark` makes it one that was not read before. */
export async function textOf(engine: BenchEngine, role: Message['role'], tokens: number, mark = ''): Promise<Message> {
  const words = 'the dose of amoxicillin in mg for a child of 12 kg with otitis media and a fever is '.split(' ')
  const none = await engine.count([{ role, text: '' }])
  // a word is a token at least in every vocabulary; the rest is found by halves
  let [short, long] = [0, tokens + 1]
  const of = (count: number): Message => ({ role, text: `${mark} ${Array.from({ length: count }, (_, n) => words[n % words.length]).join(' ')}` })
  while (short < long) {
    const middle = Math.floor((short + long) / 2)
    if ((await engine.count([of(middle)])) - none >= tokens) long = middle
    else short = middle + 1
  }
  return of(short)
}
