// Owns a teacher behind an OpenAI-compatible server on the local network: one question, one answer, every fault of the wire said.
import { lookup } from 'node:dns/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { AppError } from '../../../app/contract/errors.ts'
import { isNear } from '../../../app/engine/remote/address.ts'
import { INSTRUCTION, MOST_ANSWER_TOKENS, type Teacher } from './teacher.ts'

export interface HttpOptions {
  readonly signal: AbortSignal
  /** Milliseconds without a byte before the server counts as hung. */
  readonly silence?: number
  /** Milliseconds before the first repetition; each further one waits twice as long. */
  readonly pause?: number
}
const [SILENCE, PAUSE, REPETITIONS] = [60_000, 1000, 3]
const MOST_BYTES = 1 << 20

/**
 * The server at `address` (http://host:port, with or without /v1). Throws SOURCE_UNSUPPORTED for one outside the local network and SOURCE_INVALID for one
 * that is no such server; `ask` throws ENGINE_TIMEOUT, ENGINE_LOST or SOURCE_INVALID after three repetitions.
 */
export async function httpTeacher(address: string, options: HttpOptions): Promise<Teacher> {
  const base = URL.parse(address)
  if (!base) throw new AppError('SOURCE_INVALID', `“${address}” is no address of a server. Give it as http://host:port.`)
  base.pathname = base.pathname.replace(/\/(v1\/?)?$/, '/v1/')
  await assertLocal(base)
  const models = await repeated(options, async () => asJson(await fetched(new URL('models', base), { options }), base))
  const model = (models as { data?: { id?: unknown }[] }).data?.[0]?.id
  if (typeof model !== 'string') throw fault(base, 'lists no model')
  const ask = async (question: string): Promise<string> => {
    const body = {
      ...{ model, temperature: 0, seed: 1, max_tokens: MOST_ANSWER_TOKENS, stream: true },
      messages: [
        { role: 'system', content: INSTRUCTION },
        { role: 'user', content: question },
      ],
    }
    return repeated(options, async () => streamed(await fetched(new URL('chat/completions', base), { options, body }), base))
  }
  return { name: `${base.host} ${model}`, ask, close: () => Promise.resolve() }
}

async function assertLocal(base: URL): Promise<void> {
  const host = base.hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new AppError('ENGINE_LOST', `The server ${base.host} was not found. Check its name and the network.`, { host: base.host }, cause)
  })
  const outside = found.find(({ address }) => !isNear(address))
  if (base.protocol !== 'http:' && base.protocol !== 'https:') throw fault(base, 'is no http or https address')
  if (outside)
    throw new AppError('SOURCE_UNSUPPORTED', `The server ${base.host} is not on the local network. Use a teacher inside it, or a GGUF file.`, {
      host: base.host,
    })
}

interface Reply {
  readonly type: string
  readonly text: string
}

/** The whole reply; the clock of silence starts anew with every part of it. */
async function fetched(url: URL, { options, body }: { options: HttpOptions; body?: unknown }): Promise<Reply> {
  const silent = new AbortController()
  const limit = options.silence ?? SILENCE
  let timer = setTimeout(() => silent.abort(), limit)
  try {
    const reply = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      // an answer from elsewhere would leave the network
      redirect: 'error',
      signal: AbortSignal.any([options.signal, silent.signal]),
    })
    if (reply.status === 429 || reply.status >= 500)
      throw new AppError('ENGINE_LOST', `${url.host} answered ${reply.status}. Look into the server’s log.`)
    if (!reply.ok) throw fault(url, `answered ${reply.status}`)
    const decoder = new TextDecoder()
    let text = ''
    for await (const part of reply.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), limit)
      text += decoder.decode(part as Uint8Array, { stream: true })
      if (text.length > MOST_BYTES) throw fault(url, 'sent more than a megabyte')
    }
    return { type: reply.headers.get('content-type') ?? '', text }
  } catch (cause) {
    options.signal.throwIfAborted()
    if (cause instanceof AppError) throw cause
    if (silent.signal.aborted)
      throw new AppError('ENGINE_TIMEOUT', `${url.host} said nothing for ${limit / 1000} s. Check the server.`, undefined, cause)
    throw new AppError('ENGINE_LOST', `${url.host} cannot be reached or closed the connection. Check that the server runs.`, undefined, cause)
  } finally {
    clearTimeout(timer)
  }
}

function asJson({ type, text }: Reply, base: URL): unknown {
  if (/text\/html/i.test(type) || text.trimStart().startsWith('<')) throw fault(base, 'answered with a web page instead of JSON')
  try {
    return JSON.parse(text)
  } catch {
    throw fault(base, 'answered with something that is not JSON')
  }
}

interface Chunk {
  readonly error?: { readonly message?: unknown }
  readonly choices?: readonly {
    readonly delta?: { readonly content?: unknown }
    readonly message?: { readonly content?: unknown }
    readonly finish_reason?: unknown
  }[]
}

/** The text of a stream of server-sent events, or of one JSON object from a server that does not stream. Only a finished answer counts. */
function streamed(reply: Reply, base: URL): string {
  if (!/event-stream/i.test(reply.type)) {
    const text = (asJson(reply, base) as Chunk).choices?.[0]?.message?.content
    if (typeof text !== 'string') throw fault(base, 'answered without a text')
    return text
  }
  let [text, finished] = ['', false]
  for (const line of reply.text.split(/\r?\n/)) {
    if (!line.startsWith('data:')) continue
    const data = line.slice(5).trim()
    if (data === '[DONE]') return finish(text)
    let chunk: Chunk
    try {
      chunk = JSON.parse(data) as Chunk
    } catch {
      break
    }
    if (chunk.error) throw fault(base, 'reported an error instead of an answer')
    const choice = chunk.choices?.[0]
    if (typeof choice?.delta?.content === 'string') text += choice.delta.content
    if (typeof choice?.finish_reason === 'string') finished = true
  }
  if (!finished)
    throw new AppError(
      'ENGINE_LOST',
      `${base.host} broke off in the middle of an answer. Check the server and start again; what was answered is kept.`,
    )
  return finish(text)
}
const finish = (text: string) => text.trim()

/** Again after a fault that may pass; a server that answers wrongly is not asked twice. */
async function repeated<T>({ signal, pause = PAUSE }: HttpOptions, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const passing = error instanceof AppError && (error.code === 'ENGINE_LOST' || error.code === 'ENGINE_TIMEOUT')
      if (!passing || tries === REPETITIONS) throw error
      await wait(pause * 2 ** tries, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

const fault = (url: URL, what: string) =>
  new AppError('SOURCE_INVALID', `The server ${url.host} ${what}. Give the address of an OpenAI-compatible server.`, { host: url.host })
