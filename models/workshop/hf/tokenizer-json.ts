// Owns the form of tokenizer.json and what both kinds of vocabulary share: every token under its id, once, with its type.
import * as z from 'zod'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { invalid, LIMIT, requireJson, shown, unsupported } from './source.ts'

export const TOKENIZER = 'tokenizer.json'
/** llama.cpp's token types. */
export const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

const Added = z.looseObject({
  id: z.number().int().min(0),
  content: z.string().min(1).max(4096),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  special: z.boolean().default(false),
})
const Merge = z.union([z.string(), z.tuple([z.string(), z.string()])])
/** A stage of the pipeline; what it may be is judged where it is used. */
const Stage = z.looseObject({ type: z.string() }).nullish()
export type Stage = z.infer<typeof Stage>
const TokenizerJson = z.looseObject({
  added_tokens: z.array(Added).max(1_000_000).default([]),
  normalizer: Stage,
  pre_tokenizer: Stage,
  post_processor: Stage,
  decoder: Stage,
  model: z.looseObject({
    type: z.string().default('BPE'),
    vocab: z.unknown().optional(),
    merges: z.array(Merge).max(8_000_000).default([]),
    dropout: z.number().nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    byte_fallback: z.boolean().default(false),
    ignore_merges: z.boolean().default(false),
  }),
})
export type TokenizerJson = z.infer<typeof TokenizerJson>

export interface Tokens {
  /** Text by id; ids without one are padded later. */
  texts: string[]
  types: number[]
  /** Id of a text. */
  ids: ReadonlyMap<string, number>
  /** Left and right part of each merge, best first; both and their join are tokens. */
  merges: (readonly [string, string])[]
}

/** A vocabulary as GGUF states it. */
export interface Vocabulary {
  tokens: Tokens
  /** tokenizer.ggml.*, without the special tokens. */
  keys: [string, GgufValue][]
  /** The source brings text into NFC first; llama.cpp does not, so its caller must. */
  composes: boolean
}

/** Reads tokenizer.json. Throws SOURCE_INVALID, or SOURCE_UNSUPPORTED when it is no BPE that GGUF can state. */
export async function readTokenizer(folder: string): Promise<TokenizerJson> {
  const json = await requireJson(folder, TOKENIZER, TokenizerJson, LIMIT.tokenizer)
  const { model, added_tokens: added } = json
  if (model.type !== 'BPE') throw unsupported(TOKENIZER, `the vocabulary is of the kind ${shown(model.type)}; only BPE can be imported.`)
  if (model.dropout) throw unsupported(TOKENIZER, 'merges are dropped at random (dropout), which GGUF cannot state.')
  if (model.continuing_subword_prefix || model.end_of_word_suffix)
    throw unsupported(TOKENIZER, 'words have a prefix or suffix of their own (continuing_subword_prefix, end_of_word_suffix).')
  const stripping = added.find(({ lstrip, rstrip, single_word: single }) => lstrip || rstrip || single)
  if (stripping)
    throw unsupported(TOKENIZER, `${shown(stripping.content)} takes up the space around it or must stand alone, which GGUF cannot state.`)
  return json
}

/**
 * Vocabulary and added tokens by id, `size` of them; ids that have none become unused tokens "[PADn]". Throws SOURCE_INVALID for an id
 * outside 0…size−1, two texts for an id, two ids for a text (llama.cpp ends the process over one), or a merge of what is no token.
 */
export function collectTokens({ model, added_tokens: added }: TokenizerJson, size: number): Tokens {
  const texts = new Array<string | undefined>(size).fill(undefined)
  const types = new Array<number>(size).fill(TYPE.unused)
  const ids = new Map<string, number>()
  const put = (text: string, id: unknown, type: number) => {
    const damaged = (what: string) => invalid(TOKENIZER, `${shown(text)} ${what}. Copy the folder again.`)
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= size)
      throw damaged(`has id ${shown(id)}, and the model knows 0 to ${size - 1}`)
    if (text === '' || text.includes('\0') || !text.isWellFormed()) throw damaged('is no text')
    const known = texts[id as number]
    if (known !== undefined && known !== text) throw damaged(`and ${shown(known)} have the same id`)
    if ((ids.get(text) ?? id) !== id) throw damaged('has two ids')
    texts[id as number] = text
    types[id as number] = type
    ids.set(text, id as number)
  }
  if (typeof model.vocab !== 'object' || model.vocab === null || Array.isArray(model.vocab))
    throw invalid(TOKENIZER, 'has no vocabulary. Copy the folder again.')
  for (const [text, id] of Object.entries(model.vocab)) put(text, id, TYPE.normal)
  for (const { content, id, special } of added) put(content, id, special || looksSpecial(content) ? TYPE.control : TYPE.userDefined)
  for (let id = 0; id < size; id++) {
    if (texts[id] !== undefined) continue
    put(`[PAD${id}]`, id, TYPE.unused)
  }
  const merges = model.merges.map((merge): readonly [string, string] => {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge
    const [left, right] = parts as [string, string]
    if (parts.length !== 2 || !ids.has(left) || !ids.has(right) || !ids.has(left + right))
      throw invalid(TOKENIZER, `the merge ${shown(merge)} is not of two tokens into a third. Copy the folder again.`)
    return [left, right]
  })
  return { texts: texts as string[], types, ids, merges }
}

/** "<|…|>" is a control token in every family, also where the file forgot to say so: llama.cpp's own converter judges alike. */
const looksSpecial = (text: string) => (text.startsWith('<|') && text.endsWith('|>')) || text === '<pad>'

/** The stages of a Sequence, or the one stage itself; none for null. */
export function stagesOf(stage: Stage, key: string): NonNullable<Stage>[] {
  if (stage == null) return []
  if (stage.type !== 'Sequence') return [stage]
  const inner = stage[key]
  if (!Array.isArray(inner)) throw invalid(TOKENIZER, `has a Sequence without ${key}. Copy the folder again.`)
  return inner.map((one: unknown) => {
    const result = z.looseObject({ type: z.string() }).safeParse(one)
    if (!result.success) throw invalid(TOKENIZER, `has a stage without a type in ${key}. Copy the folder again.`)
    return result.data
  })
}
