// Owns the training of small real tokenizers: BPE over texts, written as tokenizer.json of the Qwen2, Llama 3 and Llama 2 kinds.

export type TokenizerStyle = 'qwen2' | 'llama3' | 'llama2'
export interface TrainedTokenizer {
  /** tokenizer.json */
  json: Record<string, unknown>
  /** Tokens, added ones included. */
  size: number
  special: Record<string, number>
}
type Pair = readonly [left: string, right: string]

const EXPRESSION = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** The most frequent pair first, `count` times. `words` are split into their first symbols. */
function train(words: readonly string[][], count: number): Pair[] {
  const merges: Pair[] = []
  let current = words.map((word) => [...word])
  while (merges.length < count) {
    const seen = new Map<string, number>()
    for (const word of current)
      for (let n = 1; n < word.length; n++) seen.set(`${word[n - 1]} ${word[n]}`, (seen.get(`${word[n - 1]} ${word[n]}`) ?? 0) + 1)
    const best = [...seen].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]
    if (!best || best[1] < 2) break
    const [left, right] = best[0].split(' ') as [string, string]
    merges.push([left, right])
    current = current.map((word) => {
      const joined: string[] = []
      for (let n = 0; n < word.length; n++) {
        if (word[n] === left && word[n + 1] === right) joined.push(left + word[++n]!)
        else joined.push(word[n]!)
      }
      return joined
    })
  }
  return merges
}

const added = (texts: readonly string[], from: number, special = true) =>
  texts.map((content, n) => ({ id: from + n, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }))
const ids = (tokens: readonly string[]) => Object.fromEntries(tokens.map((text, id) => [text, id]))

/** `merges` more tokens than bytes. Llama 3 has one whole word without merges: only ignore_merges reaches it. */
function byteLevel(style: 'qwen2' | 'llama3', corpus: readonly string[], merges: number): TrainedTokenizer {
  const digits = style === 'qwen2' ? '' : '{1,3}'
  const letters = byteLetters()
  const inBytes = (word: string) => [...Buffer.from(word)].map((byte) => letters[byte]!)
  const words = corpus.flatMap((text) => text.normalize('NFC').match(new RegExp(EXPRESSION(digits), 'gu')) ?? [])
  const learnt = train(words.map(inBytes), merges)
  const tokens = [...new Set([...letters, ...learnt.map(([left, right]) => left + right)])]
  if (style === 'llama3') tokens.push('Ġazathioprine')
  const names =
    style === 'qwen2'
      ? ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
      : ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>']
  const extra = [...added(names, tokens.length), ...added(['<think>', '</think>'], tokens.length + names.length, false)]
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const bos = { SpecialToken: { id: '<|begin_of_text|>', type_id: 0 } }
  const json = {
    version: '1.0',
    added_tokens: extra,
    normalizer: style === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Split', pattern: { Regex: EXPRESSION(digits) }, behavior: 'Isolated', invert: false }, bytes],
    },
    post_processor:
      style === 'qwen2'
        ? bytes
        : {
            type: 'Sequence',
            processors: [
              bytes,
              {
                type: 'TemplateProcessing',
                single: [bos, { Sequence: { id: 'A', type_id: 0 } }],
                pair: [bos, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
                special_tokens: { '<|begin_of_text|>': { id: '<|begin_of_text|>', ids: [tokens.length], tokens: ['<|begin_of_text|>'] } },
              },
            ],
          },
    decoder: { ...bytes, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: style === 'llama3',
      vocab: ids(tokens),
      // the newer form in one family, the older in the other
      merges: style === 'qwen2' ? learnt : learnt.map((pair) => pair.join(' ')),
    },
  }
  return { json, size: tokens.length + extra.length, special: Object.fromEntries(extra.map(({ content, id }) => [content, id])) }
}

/** Spaces as "▁", every way to make a token a merge, runs of spaces last: as Hugging Face converts a SentencePiece model. */
function byteFallback(corpus: readonly string[], merges: number): TrainedTokenizer {
  const space = '▁'
  const words = corpus
    .flatMap((text) => ` ${text}`.replaceAll(' ', space).match(/▁*[^▁]*/gu) ?? [])
    .filter((word) => /^▁?[\p{L}\p{N}\p{P}]+$/u.test(word))
  const learnt = train(
    words.map((word) => [...word]),
    merges,
  )
  const runs = [2, 4, 3].map((length) => space.repeat(length))
  const made = [...new Set(learnt.map(([left, right]) => left + right))].filter((text) => !runs.includes(text))
  const single = [...new Set(words.flatMap((word) => [...word]))]
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...made, ...runs, ...single]
  const known = new Set(tokens)
  const ways = (text: string): Pair[] => {
    const letters = [...text]
    const splits = letters.slice(1).map((_, n): Pair => [letters.slice(0, n + 1).join(''), letters.slice(n + 1).join('')])
    return splits.filter(([left, right]) => known.has(left) && known.has(right))
  }
  const longer = runs.filter((run) => run.length > 2).flatMap(ways)
  const all = [...made.flatMap(ways), ...longer.sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)), ...ways(runs[0]!)]
  const begin = { SpecialToken: { id: '<s>', type_id: 0 } }
  const json = {
    version: '1.0',
    added_tokens: added(['<unk>', '<s>', '</s>'], 0),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: space },
        { type: 'Replace', pattern: { String: ' ' }, content: space },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [begin, { Sequence: { id: 'A', type_id: 0 } }, begin, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: space }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: ids(tokens),
      merges: all.map((pair) => pair.join(' ')),
    },
  }
  return { json, size: tokens.length, special: { '<unk>': 0, '<s>': 1, '</s>': 2 } }
}

/** A tokenizer trained on `corpus` with about `merges` merges. */
export function trainTokenizer(style: TokenizerStyle, corpus: readonly string[], merges: number): TrainedTokenizer {
  return style === 'llama2' ? byteFallback(corpus, merges) : byteLevel(style, corpus, merges)
}

/** The letter that stands for each byte: itself where it prints, else one from U+0100 on. */
function byteLetters(): string[] {
  const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
  const hidden = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !prints(byte))
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : 256 + hidden.indexOf(byte)))
}
