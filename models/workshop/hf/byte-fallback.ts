// Owns BPE with byte fallback (Llama 2, early Mistral): merges by rank said as scores, which is all that llama.cpp's `llama` vocabulary has.
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { bool, f32s, i32s, str, strings, u32 } from '../gguf/write.ts'
import { shown, unsupported } from './source.ts'
import { collectTokens, stagesOf, TOKENIZER, TYPE, type TokenizerJson, type Tokens, type Vocabulary } from './tokenizer-json.ts'

const SPACE = '▁'
const BYTE = /^<0x[0-9A-F]{2}>$/

/** The vocabulary as GGUF states it. Throws SOURCE_UNSUPPORTED for a pipeline, or an order of merges, that scores cannot state. */
export function byteFallback(json: TokenizerJson, size: number): Vocabulary {
  const prefix = spacePrefix(json)
  if (!stagesOf(json.decoder, 'decoders').some(({ type }) => type === 'ByteFallback'))
    throw unsupported(TOKENIZER, 'the decoder does not join bytes to characters.')
  const tokens = collectTokens(json, size)
  const { texts, types, ids } = tokens
  for (let byte = 0; byte < 256; byte++) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) throw unsupported(TOKENIZER, `the byte ${byte} is no token, so that some text could not be written.`)
    types[id] = TYPE.byte
  }
  const unknown = json.model.unk_token == null ? undefined : ids.get(json.model.unk_token)
  if (unknown !== undefined) types[unknown] = TYPE.unknown
  const keys: [string, GgufValue][] = [
    ['tokenizer.ggml.model', str('llama')],
    ['tokenizer.ggml.pre', str('default')],
    ['tokenizer.ggml.tokens', strings(texts)],
    ['tokenizer.ggml.scores', f32s(scoresOf(tokens))],
    ['tokenizer.ggml.token_type', i32s(types)],
    ['tokenizer.ggml.add_space_prefix', bool(prefix)],
  ]
  if (unknown !== undefined) keys.push(['tokenizer.ggml.unknown_token_id', u32(unknown)])
  return { tokens, keys, composes: false }
}

/** Whether a space is put before the text and after each special token. Spaces become "▁" in any case. */
function spacePrefix({ normalizer, pre_tokenizer: splitter }: TokenizerJson): boolean {
  const normalizers = stagesOf(normalizer, 'normalizers')
  const splitters = stagesOf(splitter, 'pretokenizers')
  const replaces = (stage: (typeof normalizers)[number] | undefined) =>
    stage?.type === 'Replace' && (stage['pattern'] as { String?: unknown } | undefined)?.String === ' ' && stage['content'] === SPACE
  if (splitters.length === 0) {
    if (normalizers.length === 1 && replaces(normalizers[0])) return false
    const [first, second] = normalizers
    if (normalizers.length === 2 && first?.type === 'Prepend' && first['prepend'] === SPACE && replaces(second)) return true
  }
  const [only] = splitters
  if (splitters.length === 1 && normalizers.length === 0 && only?.type === 'Metaspace' && only['replacement'] === SPACE && only['split'] === false) {
    if (only['prepend_scheme'] === 'always') return true
    if (only['prepend_scheme'] === 'never') return false
    throw unsupported(TOKENIZER, 'a space is put before the text but not after a special token (prepend_scheme); llama.cpp puts it in both places.')
  }
  throw unsupported(TOKENIZER, 'text is split in a way that is not that of Llama 2; another split gives other tokens.')
}

/**
 * A merge's rank as the score of what it makes: 0 for the best, then −1, −2, …. llama.cpp joins any two neighbours whose join is a token, the
 * best score first, so scores say the same as merges only if every way to make a token is a merge and the ways of one token rank together. Runs of
 * spaces rank among each other in the real files; they share a score, and the leftmost join wins in both. Throws SOURCE_UNSUPPORTED otherwise.
 */
export function scoresOf({ texts, types, ids, merges }: Tokens): number[] {
  const listed = new Set(merges.map(([left, right]) => `${left} ${right}`))
  const span = new Map<string, { first: number; last: number }>()
  merges.forEach(([left, right], rank) => {
    const known = span.get(left + right)
    if (known) known.last = rank
    else span.set(left + right, { first: rank, last: rank })
  })
  for (const [id, text] of texts.entries()) {
    if (types[id] === TYPE.unused || BYTE.test(text)) continue
    const characters = [...text]
    for (let at = 1, left = characters[0]!; at < characters.length; left += characters[at++]!) {
      const right = text.slice(left.length)
      if (ids.has(left) && ids.has(right) && !listed.has(`${left} ${right}`))
        throw unsupported(
          TOKENIZER,
          `${shown(text)} could be joined from ${shown(left)} and ${shown(right)}, but no merge says so; scores cannot state that.`,
        )
    }
  }
  const scores = new Map<string, number>()
  let [classes, last] = [0, -1]
  let members: string[] = []
  for (const [text, one] of [...span].sort((a, b) => a[1].first - b[1].first)) {
    if (one.first > last) {
      classes++
      members = []
    } else if (![...members, text].every((member) => [...member].every((character) => character === SPACE)))
      throw unsupported(TOKENIZER, `the merges of ${shown(members[0])} and ${shown(text)} rank among each other, which scores cannot state.`)
    members.push(text)
    last = Math.max(last, one.last)
    scores.set(text, 1 - classes)
  }
  return texts.map((text, id) => (types[id] === TYPE.normal ? (scores.get(text) ?? -classes) : 0))
}
