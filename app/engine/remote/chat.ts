// Owns one answer of a server: OpenAI's streamed chat completion (POST /v1/chat/completions, stream: true) as the events of any engine.
import * as z from 'zod'
import type { GenerateEvent, Message } from '../../contract/engine.ts'
import { send, TIMES, type Access, type Times } from './connect.ts'
import { EventStream } from './event-stream.ts'
import { networkFailure, serverFailure } from './failure.ts'

export interface ChatInput {
  model: string
  messages: readonly Message[]
  maxTokens: number
  temperature: number
  seed?: number | undefined
  /** As counted before; the server's own number replaces it. */
  promptTokens: number
}

const Usage = z.object({ prompt_tokens: z.number().int().min(0), completion_tokens: z.number().int().min(0) })
/** Other fields are left alone: servers add their own. */
const Chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: Usage.nullish(),
  error: z.unknown().optional(),
})
/** After the answer's end a server only adds what it used; it need not. */
const USAGE_MS = 2_000

/**
 * Text as it comes, then `done`. An abort of `signal` ends it with stop 'stopped'. Throws ENGINE_LOST when the stream breaks off before its
 * end, ENGINE_TIMEOUT when it falls silent, and the other failures of failure.ts. Nothing of the answer is in them.
 */
export async function* chat(access: Access, input: ChatInput, signal: AbortSignal, times: Times = TIMES): AsyncGenerator<GenerateEvent> {
  const { host } = access.address
  const startedAt = performance.now()
  const body = {
    ...{ model: input.model, max_tokens: input.maxTokens, temperature: input.temperature, stream: true, stream_options: { include_usage: true } },
    messages: input.messages.map(({ role, text }) => ({ role, content: text })),
    ...(input.seed === undefined ? {} : { seed: input.seed }),
  }
  let { promptTokens } = input
  let [tokens, firstAt, lastAt] = [0, 0, 0]
  let finish: string | null = null
  let thinking = false
  const done = (stop: 'end' | 'length' | 'stopped'): GenerateEvent => ({
    ...{ type: 'done', stop, promptTokens, tokens, firstTokenMs: firstAt === 0 ? null : firstAt - startedAt },
    tokensPerSecond: tokens > 1 && lastAt > firstAt ? ((tokens - 1) * 1000) / (lastAt - firstAt) : null,
  })
  yield { type: 'prefill', done: 0, total: promptTokens }
  try {
    const call = { path: '/v1/chat/completions', body, accept: 'text/event-stream' } as const
    // a server may send its head only with the first word
    const reply = await send(access, call, { connect: times.connect, reply: times.firstWord }, signal)
    const patience = () => (finish !== null ? USAGE_MS : tokens === 0 ? times.firstWord : times.silence)
    for await (const data of eventsOf(reply, patience, host)) {
      if (data === '[DONE]') {
        finish ??= 'stop'
        break
      }
      const chunk = readChunk(data, host)
      if (chunk.usage) {
        promptTokens = chunk.usage.prompt_tokens
        // what came together in one piece was counted as one
        tokens = Math.max(tokens, chunk.usage.completion_tokens)
      }
      const [choice] = chunk.choices
      const { content, reasoning_content: thought } = choice?.delta ?? {}
      let text = ''
      if (thought) {
        text += (thinking ? '' : '<think>') + thought
        thinking = true
      }
      if (content) {
        text += (thinking ? '</think>' : '') + content
        thinking = false
      }
      if (text !== '') {
        lastAt = performance.now()
        firstAt ||= lastAt
        yield { type: 'text', text, tokens: ++tokens }
      }
      finish = choice?.finish_reason ?? finish
      if (finish === 'abort') throw serverFailure('cut', host)
    }
    if (finish === null) throw serverFailure('cut', host)
    yield done(finish === 'length' ? 'length' : 'end')
  } catch (error) {
    if (!signal.aborted) throw error
    yield done('stopped')
  }
}

function readChunk(data: string, host: string): z.infer<typeof Chunk> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw serverFailure('form', host)
  }
  const chunk = Chunk.safeParse(value)
  if (!chunk.success) throw serverFailure('form', host)
  if (chunk.data.error !== undefined && chunk.data.error !== null) throw serverFailure('status', host, 'in the middle of its answer')
  return chunk.data
}

/** The data of each event. `patience` says how long the next sign of life may take, asked anew each time; after the end its absence is no fault. */
async function* eventsOf(reply: AsyncIterable<Uint8Array> & { destroy(): unknown }, patience: () => number, host: string): AsyncGenerator<string> {
  const events = new EventStream()
  const bytes = reply[Symbol.asyncIterator]()
  try {
    for (;;) {
      const ms = patience()
      const next = await nextBytes(bytes, ms, host)
      if (next === 'late') {
        if (ms === USAGE_MS) return
        throw serverFailure('slow', host, `${Math.round(ms / 1000)} seconds`)
      }
      if (next.done) return
      let found: string[]
      try {
        found = events.push(next.value)
      } catch (error) {
        throw serverFailure('form', host, '', error)
      }
      yield* found
    }
  } finally {
    reply.destroy()
  }
}

async function nextBytes(bytes: AsyncIterator<Uint8Array>, ms: number, host: string): Promise<IteratorResult<Uint8Array> | 'late'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), ms)))
  try {
    const next = bytes.next()
    // it may fail later, when nobody waits for it any more
    next.catch(() => {})
    return await Promise.race([next, late])
  } catch (error) {
    throw networkFailure(error, host, true)
  } finally {
    clearTimeout(timer)
  }
}
