// Owns what is found out about a server before it is asked anything: its models, its context, which program it is, and how it counts tokens.
import * as z from 'zod'
import type { Message } from '../../contract/engine.ts'
import { sendJson, TIMES, type Access, type Times } from './connect.ts'
import { serverFailure } from './failure.ts'

export interface ServerFacts {
  program: 'llama-server' | 'vllm' | 'other'
  /** Ids, as the server names them. */
  models: readonly string[]
  /** The one that will answer. */
  model: string
  /** Tokens; ASSUMED_CONTEXT where the server does not say. */
  contextSize: number
  contextKnown: boolean
  /** Milliseconds of the call that listed the models, connection included. */
  milliseconds: number
}
/** Every server that anybody runs for a clinic has this much. */
export const ASSUMED_CONTEXT = 4096
const MOST_MODELS = 200

const Size = z.number().int().min(64).max(10_000_000)
const Models = z.object({
  data: z
    .array(z.object({ id: z.string().min(1).max(300), max_model_len: Size.nullish().catch(null), owned_by: z.string().nullish().catch(null) }))
    .max(10_000),
})
const Props = z.object({ default_generation_settings: z.object({ n_ctx: Size }) })
const Version = z.object({ version: z.string() })
const Counted = z.object({ count: z.number().int().min(0) })
const Prompt = z.object({ prompt: z.string() })
const Tokens = z.object({ tokens: z.array(z.unknown()) })

/** Looks at the server: models always, then what only vLLM or llama-server tell. Throws the failures of failure.ts. `wanted` null takes the first model. */
export async function lookAtServer(access: Access, wanted: string | null, signal: AbortSignal, times: Times = TIMES): Promise<ServerFacts> {
  const { host } = access.address
  const startedAt = performance.now()
  const listed = Models.safeParse(await sendJson(access, '/v1/models', undefined, times, signal))
  if (!listed.success) throw serverFailure('form', host)
  const milliseconds = performance.now() - startedAt
  const { data } = listed.data
  const chosen = wanted === null ? data[0] : data.find(({ id }) => id === wanted)
  if (!chosen) throw serverFailure('model', host, wanted === null ? 'any model' : `the model ${wanted}`)
  const models = data.slice(0, MOST_MODELS).map(({ id }) => id)
  const known = { models, model: chosen.id, milliseconds }
  const ask = async <T>(path: string, schema: z.ZodType<T>): Promise<T | null> => {
    // a server without this call is no worse for it
    const value = await sendJson(access, path, undefined, times, signal).catch(() => null)
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : null
  }
  const props = await ask('/props', Props)
  if (props) return { ...known, program: 'llama-server', contextSize: props.default_generation_settings.n_ctx, contextKnown: true }
  const program = chosen.owned_by === 'vllm' || (await ask('/version', Version)) ? 'vllm' : 'other'
  return { ...known, program, contextSize: chosen.max_model_len ?? ASSUMED_CONTEXT, contextKnown: chosen.max_model_len != null }
}

/** Bytes of UTF-8 a token, on the careful side for English with drug names; and what a chat template adds to each message. */
const BYTES_A_TOKEN = 3
const PER_MESSAGE = 8

/** Tokens of the whole prompt: as the server counts them where it can be asked, else more rather than fewer. Throws what keeps the server from answering. */
export async function countTokens(
  access: Access,
  { program, model }: ServerFacts,
  messages: readonly Message[],
  signal: AbortSignal,
  times: Times = TIMES,
): Promise<number> {
  const chat = messages.map(({ role, text }) => ({ role, content: text }))
  if (program === 'vllm') {
    const counted = Counted.safeParse(await sendJson(access, '/tokenize', { model, messages: chat, add_generation_prompt: true }, times, signal))
    if (counted.success) return counted.data.count
  }
  if (program === 'llama-server') {
    const prompt = Prompt.safeParse(await sendJson(access, '/apply-template', { messages: chat }, times, signal))
    const content = prompt.success ? prompt.data.prompt : chat.map((one) => one.content).join('\n')
    const body = { content, add_special: true, parse_special: true }
    const tokens = Tokens.safeParse(await sendJson(access, '/tokenize', body, times, signal))
    if (tokens.success) return tokens.data.tokens.length
  }
  return estimate(messages)
}

export const estimate = (messages: readonly Message[]): number =>
  messages.reduce((sum, { text }) => sum + PER_MESSAGE + Math.ceil(Buffer.byteLength(text) / BYTES_A_TOKEN), 0)
