// Owns the rival of the engine benches: llama.cpp alone, its own calls in a loop as llama-bench makes them, in a process of its own.
// Arguments: MODEL THREADS CONTEXT BATCH. Reads one JSON object a line, {read} or {read, write} tokens or {hold, read}, and prints {readMs, writeMs}.
import { createInterface } from 'node:readline'
import { llama, LOAD } from '../../models/workshop/ffi/llama-api.ts'

const [path, threads, contextSize, batch] = [process.argv[2]!, ...process.argv.slice(3, 6).map(Number)] as [string, number, number, number]
const FLASH_ATTENTION_AUTO = -1
const api = llama()
const modelParameters = api.modelDefaults()
Object.assign(modelParameters, { n_gpu_layers: 0, load_mode: LOAD.mmap })
const model = api.loadModel(path, modelParameters)
if (!model) throw new Error('llama.cpp refused the model')
const parameters = api.contextDefaults()
Object.assign(parameters, { n_ctx: contextSize, n_batch: batch, n_ubatch: batch, n_threads: threads, n_threads_batch: threads })
Object.assign(parameters, { flash_attn_type: FLASH_ATTENTION_AUTO, n_outputs_max_per_seq: 1 })
const context = api.newContext(model, parameters)
if (!context) throw new Error('llama.cpp refused the context')
const vocabulary = api.vocabulary(api.vocabOf(model))

/** Any tokens do: what they are changes no time. */
let state = 1
const random = () => (state = (state * 48_271) % 2_147_483_647) % vocabulary
/** Evaluates `count` tokens after what is held; logits of the last one only, read so that the work is done when this returns. */
function evaluate(count: number): void {
  for (let left = count; left > 0;) {
    const tokens = Math.min(left, batch)
    left -= tokens
    const logits = new Int8Array(tokens)
    if (left === 0) logits[tokens - 1] = 1
    const token = Int32Array.from({ length: tokens }, random)
    const code = api.decode(context!, { n_tokens: tokens, token, embd: null, pos: null, n_seq_id: null, seq_id: null, logits })
    if (code !== 0) throw new Error(`llama_decode gave ${code}`)
    if (left === 0) api.logits(context!, tokens - 1)
  }
}

function timed(work: () => void): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

for await (const line of createInterface({ input: process.stdin })) {
  const { hold = 0, read, write = 0 } = JSON.parse(line) as { hold?: number; read: number; write?: number }
  api.clearMemory(api.memoryOf(context), false)
  if (hold > 0) evaluate(hold)
  const readMs = timed(() => evaluate(read))
  const writeMs = timed(() => {
    for (let n = 0; n < write; n++) evaluate(1)
  })
  process.stdout.write(JSON.stringify({ readMs, writeMs }) + '\n')
}
