// Owns the special tokens and the chat template: which id begins, ends and pads a text, what is added around it, how a conversation is written.
import * as z from 'zod'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { bool, str, strings, u32 } from '../gguf/write.ts'
import { Ids, type SourceModel } from './config.ts'
import { invalid, LIMIT, readJson, readText, shown, unsupported } from './source.ts'
import { stagesOf, TOKENIZER, type TokenizerJson, type Tokens } from './tokenizer-json.ts'

const CONFIG = 'tokenizer_config.json'
const Named = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const Template = z.union([z.string(), z.array(z.looseObject({ name: z.string().regex(/^[\w-]{1,64}$/), template: z.string() })).max(64)]).nullish()
const TokenizerConfig = z.looseObject({
  bos_token: Named,
  eos_token: Named,
  pad_token: Named,
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  chat_template: Template,
})
const Generation = z.looseObject({ bos_token_id: Ids, eos_token_id: Ids, pad_token_id: Ids })

export interface Specials {
  keys: [string, GgufValue][]
  bos: number | undefined
  eos: number
  addBos: boolean
  addEos: boolean
  /** Every token that ends an answer. */
  ends: number[]
  /** Characters of the chat template; 0: there is none. */
  template: number
}

/**
 * tokenizer_config.json names the tokens, generation_config.json adds further ends of an answer, config.json fills what neither says.
 * What is added around a text is what tokenizer.json's template adds, unless tokenizer_config.json states it. Throws SOURCE_INVALID for
 * a token that does not exist or no end token at all, SOURCE_UNSUPPORTED for a template that adds anything but BOS and EOS.
 */
export async function readSpecials(folder: string, json: TokenizerJson, tokens: Tokens, model: SourceModel): Promise<Specials> {
  const config = (await readJson(folder, CONFIG, TokenizerConfig, LIMIT.tokenizer)) ?? {}
  const generation = (await readJson(folder, 'generation_config.json', Generation, LIMIT.config)) ?? {}
  const list = (ids: z.infer<typeof Ids>) => (ids == null ? [] : Array.isArray(ids) ? ids : [ids])
  const candidates = (named: z.infer<typeof Named>, generated: z.infer<typeof Ids>, stated: number[]): number[] => {
    const text = typeof named === 'string' ? named : named?.content
    const id = text === undefined ? undefined : tokens.ids.get(text)
    if (text !== undefined && id === undefined) throw invalid(CONFIG, `names ${shown(text)}, which is no token. Copy the folder again.`)
    const all = [...(id === undefined ? [] : [id]), ...list(generated), ...stated]
    const strange = all.find((one) => one >= tokens.texts.length)
    if (strange !== undefined) throw invalid(CONFIG, `there is no token ${strange}. Copy the folder again.`)
    return [...new Set(all)]
  }
  const [bos] = candidates(config.bos_token, generation.bos_token_id, model.specials.bos)
  const [padding] = candidates(config.pad_token, generation.pad_token_id, model.specials.padding)
  // config.json of some chat models still names the end of a document only: it fills a gap, it adds nothing
  const named = candidates(config.eos_token, generation.eos_token_id, [])
  const ends = named.length > 0 ? named : candidates(null, null, model.specials.eos)
  const [eos, second, third] = ends
  if (eos === undefined) throw invalid(CONFIG, 'no file of the folder says which token ends an answer. Copy the folder again.')

  const template = addedAround(json, bos, eos)
  const addBos = config.add_bos_token ?? template.bos
  const addEos = config.add_eos_token ?? template.eos
  if (addBos && bos === undefined) throw invalid(CONFIG, 'a first token is to be added and none is named. Copy the folder again.')
  const keys: [string, GgufValue][] = [
    ['tokenizer.ggml.eos_token_id', u32(eos)],
    ['tokenizer.ggml.add_bos_token', bool(addBos)],
    ['tokenizer.ggml.add_eos_token', bool(addEos)],
  ]
  if (bos !== undefined) keys.push(['tokenizer.ggml.bos_token_id', u32(bos)])
  if (padding !== undefined) keys.push(['tokenizer.ggml.padding_token_id', u32(padding)])
  // llama.cpp stops at each of these three; others only when it knows them by their text
  if (second !== undefined) keys.push(['tokenizer.ggml.eot_token_id', u32(second)])
  if (third !== undefined) keys.push(['tokenizer.ggml.eom_token_id', u32(third)])
  const chat = await chatTemplate(folder, config.chat_template)
  return { keys: [...keys, ...chat.keys], bos, eos, addBos, addEos, ends, template: chat.length }
}

/** What the post-processor puts around a single text. */
function addedAround(json: TokenizerJson, bos: number | undefined, eos: number): { bos: boolean; eos: boolean } {
  const strange = (what: string) => unsupported(TOKENIZER, `${what} is added to every text, which GGUF cannot state.`)
  let around = { bos: false, eos: false }
  for (const stage of stagesOf(json.post_processor, 'processors')) {
    if (stage.type === 'ByteLevel') continue
    const Item = z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }).optional(), Sequence: z.unknown().optional() })
    const single = z.array(Item).max(16).safeParse(stage['single'])
    if (stage.type !== 'TemplateProcessing' || !single.success) throw strange(`something (${shown(stage.type)})`)
    const at = single.data.findIndex((item) => item['Sequence'] !== undefined)
    const id = (item: z.infer<typeof Item> | undefined) => json.added_tokens.find(({ content }) => content === item?.SpecialToken?.id)?.id
    const [before, after] = [single.data.slice(0, at), single.data.slice(at + 1)]
    if (at < 0 || before.length > 1 || after.length > 1) throw strange('more than one token')
    if (before.length > 0 && (bos === undefined || id(before[0]) !== bos)) throw strange(shown(before[0]!.SpecialToken?.id))
    if (after.length > 0 && id(after[0]) !== eos) throw strange(shown(after[0]!.SpecialToken?.id))
    around = { bos: before.length > 0, eos: after.length > 0 }
  }
  return around
}

/** chat_template.jinja stands before tokenizer_config.json, as in transformers. Of several templates the one named "default" is the chief one. */
async function chatTemplate(folder: string, stated: z.infer<typeof Template>): Promise<{ keys: [string, GgufValue][]; length: number }> {
  const own = await readText(folder, 'chat_template.jinja', LIMIT.template)
  const old =
    own === null && stated == null ? await readJson(folder, 'chat_template.json', z.looseObject({ chat_template: Template }), LIMIT.config) : null
  const found = own ?? stated ?? old?.chat_template
  if (found == null) return { keys: [], length: 0 }
  if (typeof found === 'string') return { keys: [['tokenizer.chat_template', str(found)]], length: found.length }
  const others = found.filter(({ name }) => name !== 'default')
  const chief = found.find(({ name }) => name === 'default')
  const keys: [string, GgufValue][] = others.map(({ name, template }) => [`tokenizer.chat_template.${name}`, str(template)])
  if (others.length > 0) keys.push(['tokenizer.chat_templates', strings(others.map(({ name }) => name))])
  if (chief) keys.push(['tokenizer.chat_template', str(chief.template)])
  return { keys, length: chief?.template.length ?? 0 }
}
