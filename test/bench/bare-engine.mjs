// Owns the rival of the start-up bench: node-llama-cpp alone, one process, the same model and prompts, nothing around it.
import { getLlama, LlamaLogLevel, resolveChatWrapper } from 'node-llama-cpp'

const [path, ...questions] = process.argv.slice(2)
const llama = await getLlama({ gpu: 'auto', build: 'never', maxThreads: 1, logLevel: LlamaLogLevel.error })
const model = await llama.loadModel({ modelPath: path })
const context = await model.createContext({ contextSize: 1024, threads: 1, batchSize: 256 })
const sequence = context.getSequence()
const wrapper = resolveChatWrapper(model)
process.stdout.write('loaded\n')
const times = []
for (const text of questions) {
  await sequence.clearHistory()
  const started = performance.now()
  const prompt = wrapper.generateContextState({
    chatHistory: [
      { type: 'user', text },
      { type: 'model', response: [''] },
    ],
  }).contextText
  for await (const token of sequence.evaluate(prompt.tokenize(model.tokenizer), { temperature: 0 })) {
    if (model.detokenize([token]) === '') continue
    times.push(performance.now() - started)
    break
  }
}
process.stdout.write(`first ${times[0].toFixed(2)} second ${times[1].toFixed(2)}\n`)
process.exit(0)
