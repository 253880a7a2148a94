// Owns the evaluator: a model run by llama.cpp in a child process, asked for tokens, logits and losses; a crash there is an error here.
import { fork, type ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../../app/contract/errors.ts'
import { factOf, readGgufHeader, refusal } from '../../../app/engine/gguf-header.ts'
import { inspectModel, type ModelFacts } from '../../../app/engine/gguf.ts'
import { availableMemory, loadFailure, RefusedByEngine, refuseTooLarge } from '../../../app/engine/load-failure.ts'
import type { AdapterUse, CallName, Calls, ImportanceMatrix, ModelInfo, OpenOptions, Refused, Reply, Request } from './evaluator-calls.ts'
import { HEARD, lastWords } from './last-words.ts'

export interface EvaluatorOptions extends OpenOptions {
  /** Aborted: the child is ended at once and every call, open too, throws CANCELLED. */
  readonly signal?: AbortSignal
}
const CHILD = fileURLToPath(new URL('evaluator-child.ts', import.meta.url))

interface Waiting {
  readonly name: CallName
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * One loaded model on the CPU, with the weights exactly as in the file, 32-bit attention and no repacking, so that two models differ by
 * their weights alone. Calls run one after the other in the order they are made. All throw TOOL_CRASHED when llama.cpp ends, CANCELLED when the
 * signal is aborted, and BAD_INPUT for tokens that do not fit the model.
 */
export class Evaluator {
  readonly #child: ChildProcess
  readonly #facts: ModelFacts
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  readonly #signal: AbortSignal | undefined
  readonly #abort = () => this.#end(this.#cancelled())
  readonly #killNow = () => this.#child.kill('SIGKILL')
  #info: ModelInfo = { vocabulary: 0, contextSize: 0 }
  #words = ''
  #next = 0
  /** What every call throws once the child is gone. */
  #over: Error | undefined
  #refused: Refused | undefined

  /**
   * Loads `options.model`. Throws the MODEL_* code that fits, ADAPTER_MISMATCH for an adapter that is none or does not fit, LIBRARY_MISSING,
   * CANCELLED or TOOL_CRASHED; then nothing is left running.
   */
  static async open(options: EvaluatorOptions): Promise<Evaluator> {
    const facts = await inspectModel(options.model)
    if (options.writable) refuseTooLarge(facts, availableMemory())
    for (const { path } of options.adapters ?? []) await checkAdapter(path)
    const evaluator = new Evaluator(facts, options.signal)
    try {
      const { signal: _, ...plain } = options
      evaluator.#info = await evaluator.#call('open', plain)
      return evaluator
    } catch (error) {
      await evaluator.close()
      throw error
    }
  }

  private constructor(facts: ModelFacts, signal: AbortSignal | undefined) {
    this.#facts = facts
    this.#signal = signal
    // no flag of this process is handed on; the child has nothing to say on standard output
    this.#child = fork(CHILD, [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#words = (this.#words + text).slice(-HEARD)))
    this.#child.on('message', (reply: Reply) => this.#settle(reply))
    this.#ended = new Promise((resolve) => {
      const over = (how: string) => {
        this.#end(this.#refused ? this.#refusal(this.#refused) : this.#crash(how))
        resolve()
      }
      // 'close' comes after the last words, 'exit' may come before; a child that could not start has neither
      this.#child.once('close', (code, killer) => over(killer ?? `code ${code ?? 'unknown'}`))
      this.#child.once('error', (error) => over(error.message))
    })
    process.once('exit', this.#killNow)
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (signal?.aborted) this.#abort()
  }

  /** Tokens that the model knows; the length of a row of logits. */
  get vocabulary(): number {
    return this.#info.vocabulary
  }
  /** The longest text, in tokens. */
  get contextSize(): number {
    return this.#info.contextSize
  }
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** With `special`, the model's own BOS and EOS are added and special tokens written in the text are read as such; else neither. */
  tokenize(text: string, { special }: { special: boolean }): Promise<number[]> {
    return this.#call('tokenize', text, special)
  }
  /** The bytes of each token; a character may be spread over several tokens. */
  async pieces(tokens: readonly number[]): Promise<Uint8Array[]> {
    return this.#call('pieces', this.#known(tokens))
  }
  async detokenize(tokens: readonly number[]): Promise<string> {
    return Buffer.concat(await this.pieces(tokens)).toString('utf8')
  }
  /** tokens × vocabulary, a row per position: row i is what the model expects after tokens[0…i]. */
  async logits(tokens: readonly number[]): Promise<Float32Array> {
    return this.#call('logits', this.#checked(tokens))
  }
  /** −log p(tokens[i] | tokens[0…i−1]) in nats for i = from … n−1; `from` 1 gives all that can be known, n − 1 of them. */
  async losses(tokens: readonly number[], from = 1): Promise<Float32Array> {
    return this.#call('losses', this.#checked(tokens), Math.max(1, from))
  }
  /** At most `most` tokens that follow `tokens`, the likeliest each time (greedy), without the one that ends the text. */
  async generate(tokens: readonly number[], most: number): Promise<number[]> {
    return this.#call('generate', this.#checked(tokens), most)
  }
  /** Exactly these from now on. A refusal ends the evaluator with ADAPTER_MISMATCH. */
  async setAdapters(adapters: readonly AdapterUse[]): Promise<void> {
    for (const { path } of adapters) await checkAdapter(path)
    return this.#call('setAdapters', adapters)
  }
  /** Names of the matrices that can be replaced. Needs `writable`, as the two below do. */
  async matrices(): Promise<string[]> {
    return this.#call('matrices')
  }
  /**
   * Overwrites a matrix by its value rounded through ggml type `type`, dequantise(quantise(w)), kept in the tensor's own type; always
   * from the file's value, however often. Meant for F16 and F32 models: in a coarser tensor it is rounded a second time.
   */
  async replaceTensor(name: string, type: number): Promise<void> {
    return this.#call('replaceTensor', name, type)
  }
  /** Puts the file's bytes back. */
  async restoreTensor(name: string): Promise<void> {
    return this.#call('restoreTensor', name)
  }
  /**
   * The importance matrix over `texts`, each a list of tokens: sums of squares of each matrix's input, as llama.cpp's own tool adds them
   * up (its tool leaves the output matrix out and drops short texts; this does neither). Experts of a mixture are not counted.
   */
  async importance(texts: readonly (readonly number[])[]): Promise<ImportanceMatrix> {
    return this.#call(
      'importance',
      texts.map((tokens) => this.#checked(tokens)),
    )
  }
  /** Ends the child and waits until it is gone. Calls still under way throw CANCELLED. May be called twice. */
  async close(): Promise<void> {
    this.#end(this.#cancelled())
    await this.#ended
  }

  #call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]> {
    const result = new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#over)
      const id = this.#next++
      this.#waiting.set(id, { name, resolve, reject })
      // a child that is gone is told of by 'close'
      this.#child.send({ id, name, args } satisfies Request, () => {})
    })
    return result as ReturnType<Calls[Name]>
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    if (!waiting) return
    if (!reply.ok && 'refused' in reply) {
      // why it refused stands on standard error, which is complete once the child has ended
      this.#refused = reply.refused
      this.#child.kill('SIGKILL')
      return
    }
    this.#waiting.delete(reply.id)
    if (reply.ok) waiting.resolve(reply.value)
    else if ('error' in reply) waiting.reject(AppError.unwire(reply.error))
    else waiting.reject(new AppError('TOOL_CRASHED', `${this.#file()} could not be evaluated: ${reply.failed}.`))
  }

  #refusal(what: Refused): AppError {
    const words = lastWords(this.#words)
    if (what === 'adapter') {
      const sentence = `The adapter does not fit ${this.#file()}: ${words.join(' | ')}. Use the adapter made for this model.`
      return new AppError('ADAPTER_MISMATCH', sentence, { words: words.join(' | ') })
    }
    const failure = loadFailure(new RefusedByEngine(words, undefined), this.#facts)
    if (failure.code !== 'MODEL_LOAD_FAILED') return failure
    // what it says last is only that it failed
    const reason = words.find((line) => /error loading/i.test(line)) ?? words.at(0) ?? 'it gave no reason'
    const sentence = `llama.cpp could not load ${this.#file()}: ${reason}. Make or copy the file again.`
    return new AppError('MODEL_LOAD_FAILED', sentence, failure.data)
  }
  #crash(how: string): AppError {
    const last = lastWords(this.#words).join(' | ')
    const said = last === '' ? '' : ` Its last words: ${last}`
    const sentence = `llama.cpp stopped (${how}) while it worked on ${this.#file()}. Try again; if it happens again, the file may be damaged.${said}`
    return new AppError('TOOL_CRASHED', sentence, { how, words: last })
  }
  #cancelled = () => new AppError('CANCELLED')
  #file = () => basename(this.#facts.path)

  /** A text that the model can read at once. */
  #checked(tokens: readonly number[]): readonly number[] {
    if (tokens.length === 0) throw this.#badInput('it is empty')
    if (tokens.length > this.contextSize) throw this.#badInput(`it takes ${tokens.length} tokens, and the context holds ${this.contextSize}`)
    return this.#known(tokens)
  }
  #known(tokens: readonly number[]): readonly number[] {
    const strange = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= this.vocabulary)
    if (strange !== undefined) throw this.#badInput(`there is no token ${strange}`)
    return tokens
  }
  #badInput = (what: string) => new AppError('BAD_INPUT', `The text does not fit ${this.#file()}: ${what}. Give another text.`)

  /** The first reason counts. */
  #end(reason: Error): void {
    if (this.#over) return
    this.#over = reason
    process.off('exit', this.#killNow)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#child.kill('SIGKILL')
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}

/** Throws as readGgufHeader does, or ADAPTER_MISMATCH for a file that is no adapter: llama.cpp would say so less clearly. */
async function checkAdapter(path: string): Promise<void> {
  const header = await readGgufHeader(path, { values: 'facts' })
  if (factOf(header, 'general.type') !== 'adapter' || factOf(header, 'adapter.type') !== 'lora')
    throw refusal(path)('ADAPTER_MISMATCH', 'is not a LoRA adapter. Choose a file made by import-peft.')
}
