// Owns the keys of a model that begins from chance: its tokenizer and its name, in a GGUF file without a single tensor.
import { AppError } from '../../../app/contract/errors.ts'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { CHAT_TEMPLATE, END_OF_TEXT, TURN_END, type Vocabulary } from '../corpus/bpe.ts'
import { bool, fileBytes, i32s, str, strings, u32, writeGguf } from '../gguf/write.ts'
import { writeWhole } from '../output.ts'

export interface KeysOptions {
  readonly name: string
  readonly description: string
  readonly signal?: AbortSignal
}

/**
 * Writes what llama.cpp needs to read and write text with `vocabulary`: byte-level BPE split as Qwen2's, turns that end with <|im_end|>, nothing put
 * before a text. Throws SOURCE_INVALID for a vocabulary without the control tokens, the OUTPUT_* codes and DISK_FULL.
 */
export async function writeKeys(path: string, vocabulary: Vocabulary, { name, description, signal }: KeysOptions): Promise<void> {
  const metadata = keysOf(vocabulary, name, description)
  const content = { metadata, tensors: [] }
  const options = { bytes: fileBytes(content), inputs: [], force: true, ...(signal ? { signal } : {}) }
  await writeWhole(path, options, (handle) => writeGguf(handle, { ...content, data: () => [] }))
}

/** The same as a map, in the order of the file. */
export function keysOf(vocabulary: Vocabulary, name: string, description: string): Map<string, GgufValue> {
  const { tokens, types, merges } = vocabulary
  const id = (token: string): GgufValue => {
    const at = tokens.indexOf(token)
    if (at < 0) throw new AppError('SOURCE_INVALID', `The vocabulary has no token ${token}. Make it again with \`npm run model -- corpus\`.`)
    return u32(at)
  }
  return new Map<string, GgufValue>([
    ['general.architecture', str('qwen2')],
    ['general.type', str('model')],
    ['general.name', str(name)],
    ['general.description', str(description)],
    ['general.license', str('apache-2.0')],
    ['general.languages', strings(['en'])],
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str('qwen2')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.token_type', i32s(types)],
    ['tokenizer.ggml.merges', strings(merges)],
    ['tokenizer.ggml.eos_token_id', id(TURN_END)],
    ['tokenizer.ggml.padding_token_id', id(END_OF_TEXT)],
    // named because llama.cpp would take token 11 for it; never added
    ['tokenizer.ggml.bos_token_id', id(END_OF_TEXT)],
    ['tokenizer.ggml.add_bos_token', bool(false)],
    ['tokenizer.chat_template', str(CHAT_TEMPLATE)],
  ])
}
