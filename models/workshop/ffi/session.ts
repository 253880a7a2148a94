// Owns one model loaded through libllama: tokens, logits, losses, greedy text, adapters. It runs in the evaluator's child process, for it blocks.
import type { AdapterUse, ModelInfo, OpenOptions, Refused } from './evaluator-calls.ts'
import { F32, FLASH_ATTENTION_OFF, floatsAt, llama, LOAD, type Llama, type Pointer } from './llama-api.ts'

/** llama.cpp said no; its reasons are on standard error. */
export class RefusedByLlama extends Error {
  override name = 'RefusedByLlama'
  readonly what: Refused
  constructor(what: Refused) {
    super(`llama.cpp refused the ${what}`)
    this.what = what
  }
}

const CONTEXT = 1024
/** Tokens at once: with a vocabulary of 150,000 their logits take 78 MB. */
const BATCH = 128
const DEVICES_NONE = 0
type EvalCallback = (tensor: Pointer, ask: boolean) => boolean

export class Session {
  readonly info: ModelInfo
  readonly #api: Llama
  readonly #model: Pointer
  readonly #vocab: Pointer
  readonly #threads: number
  readonly #loaded = new Map<string, Pointer>()
  #context: Pointer
  #adapters: readonly AdapterUse[] = []
  /** Whether the context calls back for every node, which plain evaluation need not pay for. */
  #watched = false
  #callback: Pointer | null = null
  #watching: EvalCallback = () => false
  #thrown: unknown

  /** Throws RefusedByLlama, or LIBRARY_MISSING. */
  constructor({ model, contextSize, threads = 1, adapters = [], writable = false }: OpenOptions) {
    this.#api = llama()
    const parameters = this.#api.modelDefaults()
    parameters.n_gpu_layers = DEVICES_NONE
    parameters.load_mode = writable ? LOAD.none : LOAD.mmap
    // repacked weights would be a second copy in memory, and not the bytes of the file
    parameters.use_extra_bufts = false
    const loaded = this.#api.loadModel(model, parameters)
    if (!loaded) throw new RefusedByLlama('model')
    this.#model = loaded
    this.#vocab = this.#api.vocabOf(loaded)
    this.#threads = threads
    const trained = this.#api.trainedContext(loaded)
    const size = Math.min(contextSize ?? CONTEXT, trained > 0 ? trained : Infinity)
    this.info = { vocabulary: this.#api.vocabulary(this.#vocab), contextSize: size }
    this.#context = this.#newContext()
    this.setAdapters(adapters)
  }

  /** With `special`, the model's own BOS and EOS are added and special tokens in the text are read as such; else neither. */
  tokenize(text: string, special: boolean): number[] {
    const bytes = Buffer.from(text, 'utf8')
    const into = new Int32Array(bytes.length + 8)
    const count = this.#api.tokenize(this.#vocab, bytes, bytes.length, into, into.length, special, special)
    if (count < 0) throw new Error(`the text takes ${-count} tokens, more than it has bytes`)
    return [...into.subarray(0, count)]
  }

  /** The bytes of each token; a character may be spread over several. */
  pieces(tokens: readonly number[]): Uint8Array[] {
    let into = new Uint8Array(64)
    return tokens.map((token) => {
      let length = this.#api.piece(this.#vocab, token, into, into.length, 0, true)
      if (length < 0) length = this.#api.piece(this.#vocab, token, (into = new Uint8Array(-length)), into.length, 0, true)
      return into.slice(0, length)
    })
  }

  /** A row of `vocabulary` logits per token. */
  logits(tokens: readonly number[]): Float32Array {
    this.#ensure(false)
    const { vocabulary } = this.info
    const all = new Float32Array(tokens.length * vocabulary)
    this.#evaluate(tokens, 0, (row, at) => all.set(row, at * vocabulary))
    return all
  }

  /** −log p of each token from index `from` (at least 1) on, given all before it; natural logarithm. */
  losses(tokens: readonly number[], from: number): Float32Array {
    this.#ensure(false)
    const losses = new Float32Array(Math.max(0, tokens.length - from))
    // the last token predicts nothing that is known
    this.#evaluate(tokens.slice(0, -1), from - 1, (row, at) => (losses[at + 1 - from] = surprise(row, tokens[at + 1]!)))
    return losses
  }

  /** At most `most` tokens, the likeliest each time; it ends before a token that ends generation. */
  generate(tokens: readonly number[], most: number): number[] {
    this.#ensure(false)
    let next = -1
    const choose = (row: Float32Array) => (next = likeliest(row))
    this.#evaluate(tokens, tokens.length - 1, choose)
    const written: number[] = []
    while (written.length < most && !this.#api.endsGeneration(this.#vocab, next)) {
      written.push(next)
      if (written.length === most || tokens.length + written.length >= this.info.contextSize) break
      this.#continue([next], 0, 0, choose)
    }
    return written
  }

  /** Exactly these, in the place of those before. A file once loaded stays in memory until the end. Throws RefusedByLlama. */
  setAdapters(adapters: readonly AdapterUse[]): void {
    const pointers = adapters.map(({ path }) => {
      let pointer = this.#loaded.get(path)
      if (pointer === undefined) {
        const loaded = this.#api.loadAdapter(this.#model, path)
        if (!loaded) throw new RefusedByLlama('adapter')
        this.#loaded.set(path, (pointer = loaded))
      }
      return pointer
    })
    const scales = Float32Array.from(adapters, ({ scale }) => scale)
    if (this.#api.setAdapters(this.#context, pointers, pointers.length, scales) !== 0) throw new RefusedByLlama('adapter')
    this.#adapters = adapters
  }

  /** Evaluates `texts` while `callback` watches each node of the graph. What it throws is thrown here. */
  watch(callback: EvalCallback, texts: readonly (readonly number[])[]): void {
    this.#callback ??= this.#api.register((tensor, ask) => {
      try {
        return this.#watching(tensor, ask)
      } catch (error) {
        this.#thrown ??= error
        return false
      }
    })
    this.#watching = callback
    this.#thrown = undefined
    this.#ensure(true)
    for (const text of texts) this.#evaluate(text, 0, () => {})
    if (this.#thrown !== undefined) throw this.#thrown as Error
  }

  #ensure(watched: boolean): void {
    if (this.#watched === watched) return
    this.#api.freeContext(this.#context)
    this.#watched = watched
    this.#context = this.#newContext()
    this.setAdapters(this.#adapters)
  }

  #newContext(): Pointer {
    const parameters = this.#api.contextDefaults()
    const batch = Math.min(BATCH, this.info.contextSize)
    Object.assign(parameters, {
      n_ctx: this.info.contextSize,
      n_batch: batch,
      n_ubatch: batch,
      n_threads: this.#threads,
      n_threads_batch: this.#threads,
    })
    parameters.n_outputs_max_per_seq = batch
    // what is measured is the weights: attention is kept as exact as this engine has it
    Object.assign(parameters, { flash_attn_type: FLASH_ATTENTION_OFF, type_k: F32, type_v: F32 })
    parameters.cb_eval = this.#watched ? this.#callback : null
    const context = this.#api.newContext(this.#model, parameters)
    if (!context) throw new RefusedByLlama('context')
    return context
  }

  #evaluate(tokens: readonly number[], from: number, onRow: (row: Float32Array, at: number) => void): void {
    this.#api.clearMemory(this.#api.memoryOf(this.#context), false)
    for (let start = 0; start < tokens.length; start += BATCH) this.#continue(tokens.slice(start, start + BATCH), start, from, onRow)
  }

  /** `start` is the place of the first of `tokens` in the text; rows before `from` are neither computed nor given. */
  #continue(tokens: readonly number[], start: number, from: number, onRow: (row: Float32Array, at: number) => void): void {
    const logits = Int8Array.from(tokens, (_, n) => (start + n >= from ? 1 : 0))
    const batch = { n_tokens: tokens.length, token: Int32Array.from(tokens), embd: null, pos: null, n_seq_id: null, seq_id: null, logits }
    const code = this.#api.decode(this.#context, batch)
    if (code !== 0) throw new Error(`llama_decode gave ${code}`)
    for (let n = 0; n < tokens.length; n++) {
      const row = logits[n] === 1 ? this.#api.logits(this.#context, n) : null
      if (row) onRow(floatsAt(row, this.info.vocabulary), start + n)
    }
  }
}

/** −log softmax(row)[token], in double precision. */
function surprise(row: Float32Array, token: number): number {
  const highest = row[likeliest(row)]!
  let sum = 0
  for (let n = 0; n < row.length; n++) sum += Math.exp(row[n]! - highest)
  return highest + Math.log(sum) - row[token]!
}

function likeliest(row: Float32Array): number {
  let best = 0
  for (let n = 1; n < row.length; n++) if (row[n]! > row[best]!) best = n
  return best
}
