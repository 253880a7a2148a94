// Owns byte-level BPE (Qwen2, Llama 3): the pre-tokenizers that llama.cpp has under a name, recognised by their exact expression.
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { i32s, str, strings } from '../gguf/write.ts'
import { unsupported } from './source.ts'
import { collectTokens, stagesOf, TOKENIZER, type TokenizerJson, type Vocabulary } from './tokenizer-json.ts'

/** Contractions, words, `numbers`, punctuation, line ends, spaces. Qwen2 takes digits one by one, Llama 3 up to three. */
const expression = (numbers: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** llama.cpp's name decides about ignore_merges too: whether a word that is a token is taken whole before any merge. */
const KNOWN: readonly { expression: string; ignoreMerges: boolean; name: string }[] = [
  { expression: expression('\\p{N}'), ignoreMerges: false, name: 'qwen2' },
  { expression: expression('\\p{N}{1,3}'), ignoreMerges: true, name: 'llama-bpe' },
  { expression: expression('\\p{N}{1,3}'), ignoreMerges: false, name: 'smaug-bpe' },
]

/** The vocabulary as GGUF states it. Throws SOURCE_UNSUPPORTED for a pipeline that llama.cpp does not have. */
export function byteLevel(json: TokenizerJson, size: number): Vocabulary {
  const name = preTokenizer(json)
  const normalizers = stagesOf(json.normalizer, 'normalizers')
  if (normalizers.some(({ type }) => type !== 'NFC'))
    throw unsupported(
      TOKENIZER,
      `text is changed before it is split (${normalizers.map(({ type }) => type).join(', ')}), which llama.cpp does not do.`,
    )
  if (json.decoder?.type !== 'ByteLevel') throw unsupported(TOKENIZER, 'the decoder is not that of byte-level BPE.')
  const tokens = collectTokens(json, size)
  const missing = byteCharacters().find((character) => !tokens.ids.has(character))
  if (missing !== undefined) throw unsupported(TOKENIZER, `one of the 256 bytes is no token (${missing}), so that some text could not be written.`)
  const keys: [string, GgufValue][] = [
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str(name)],
    ['tokenizer.ggml.tokens', strings(tokens.texts)],
    ['tokenizer.ggml.token_type', i32s(tokens.types)],
    ['tokenizer.ggml.merges', strings(tokens.merges.map(([left, right]) => `${left} ${right}`))],
  ]
  return { tokens, keys, composes: normalizers.length > 0 }
}

function preTokenizer({ pre_tokenizer: stage, model }: TokenizerJson): string {
  const stages = stagesOf(stage, 'pretokenizers')
  const [split, bytes] = stages
  const pattern = (split?.['pattern'] as { Regex?: unknown } | undefined)?.Regex
  const plain =
    stages.length === 2 &&
    split?.type === 'Split' &&
    split['behavior'] === 'Isolated' &&
    split['invert'] !== true &&
    bytes?.type === 'ByteLevel' &&
    bytes['add_prefix_space'] === false &&
    bytes['use_regex'] === false
  const known = KNOWN.find(({ expression: one, ignoreMerges }) => plain && one === pattern && ignoreMerges === model.ignore_merges)
  if (!known)
    throw unsupported(TOKENIZER, 'text is split in a way that is neither that of Qwen2 nor that of Llama 3; another split gives other tokens.')
  return known.name
}

/** The 256 bytes as the characters that stand for them in a vocabulary: printable ones as themselves, the others from U+0100 on (GPT-2). */
export function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  let hidden = 0
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 256 + hidden++))
}
