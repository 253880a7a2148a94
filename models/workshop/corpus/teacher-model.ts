// Owns a teacher that is a GGUF file, asked through llama.cpp in its own chat format.
import { basename } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { factOf, readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { Evaluator } from '../ffi/evaluator.ts'
import { chat, MOST_VOCABULARY } from './bpe.ts'
import { INSTRUCTION, MOST_ANSWER_TOKENS, type Teacher } from './teacher.ts'

/** A model file through llama.cpp, greedy. Throws SOURCE_UNSUPPORTED for a chat template that is neither ChatML nor Llama 3's. */
export async function modelTeacher(path: string, signal: AbortSignal): Promise<Teacher> {
  const header = await readGgufHeader(path, { values: 'facts' })
  const template = String(factOf(header, 'tokenizer.chat_template') ?? '')
  const evaluator = await Evaluator.open({ model: path, signal })
  // a model of this workshop knows nothing but the bare question
  const own = evaluator.vocabulary <= MOST_VOCABULARY
  const prompt = own ? chat : promptOf(template)
  if (!prompt) {
    await evaluator.close()
    throw new AppError('SOURCE_UNSUPPORTED', `${basename(path)} has a chat template that is neither ChatML nor that of Llama 3. Use a server for it.`)
  }
  const ask = async (question: string): Promise<string> => {
    const tokens = await evaluator.tokenize(prompt(question), { special: true })
    return (await evaluator.detokenize(await evaluator.generate(tokens, MOST_ANSWER_TOKENS))).trim()
  }
  return { name: basename(path), ask, close: () => evaluator.close() }
}

function promptOf(template: string): ((question: string) => string) | null {
  if (template.includes('<|im_start|>')) return (question) => `<|im_start|>system\n${INSTRUCTION}<|im_end|>\n${chat(question)}`
  if (!template.includes('<|start_header_id|>')) return null
  const turn = (role: string, text: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n${text}<|eot_id|>`
  return (question) => `${turn('system', INSTRUCTION)}${turn('user', question)}<|start_header_id|>assistant<|end_header_id|>\n\n`
}
