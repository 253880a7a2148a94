// Owns the connection to a server: one socket for each request, trusted before a byte of the request is sent, and a reply that is what was asked for.
import http, { type IncomingMessage } from 'node:http'
import net, { isIP, type Socket } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { guardedLookup, type AddressRules, type ServerAddress } from './address.ts'
import { networkFailure, serverFailure } from './failure.ts'
import { pinOf } from './pin.ts'

export interface Access {
  address: ServerAddress
  rules: AddressRules
  /** Sent as a bearer token; null for none. */
  key: string | null
  /** In hexadecimal, as readPin() gives it. With a pin and no authority, the pin alone says whom to trust. */
  pin: string | null
  /** Authorities in PEM that are trusted instead of the system's; null for those. */
  ca: string | null
}
/** Milliseconds. */
export const TIMES = { connect: 5_000, reply: 15_000, firstWord: 120_000, silence: 30_000 }
export type Times = typeof TIMES
/** A longer reply is no list of models and no count. */
const LARGEST_REPLY = 4_000_000
const MODEST_HEADERS = 32_768
const inSeconds = (ms: number) => (ms < 1000 ? `${ms} milliseconds` : `${Math.round(ms / 1000)} seconds`)

/** A connected socket whose other end is the server that was meant. Throws in words; nothing of the request has been sent then. */
function connect({ address, rules, pin, ca }: Access, ms: number, signal: AbortSignal): Promise<Socket> {
  const { secure, hostname, port, host } = address
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, lookup: guardedLookup(address, rules) }
    const socket: Socket = secure
      ? tls.connect({
          ...options,
          ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
          ...(ca === null ? {} : { ca }),
          rejectUnauthorized: pin === null || ca !== null,
        })
      : net.connect(options)
    const settle = (work: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      work()
    }
    const fail = (error: unknown) =>
      settle(() => {
        socket.destroy()
        reject(error instanceof Error && error.name === 'AbortError' ? error : networkFailure(error, host, false))
      })
    const onAbort = () => fail(signal.reason)
    const timer = setTimeout(() => fail(serverFailure('slow', host, inSeconds(ms))), ms)
    signal.addEventListener('abort', onAbort, { once: true })
    // stays for the life of the socket: what happens later is heard by the request as well
    socket.on('error', fail)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      if (secure && pin !== null && pinOf(socket as TLSSocket) !== pin) return fail(serverFailure('pin', host))
      settle(() => resolve(socket))
    })
    if (signal.aborted) onAbort()
  })
}

export interface Call {
  /** After the address's own path: "/v1/models". */
  path: string
  /** Sent as JSON by POST; without it the call is a GET. */
  body?: unknown
  accept: 'application/json' | 'text/event-stream'
}

/**
 * Sends one call and returns the reply once its head has come, its status and type judged: HTML, a redirect, a refused key and a server's own
 * error are failures in words. The caller reads the body or destroys it. An abort of `signal` destroys the connection at any time.
 */
export async function send(access: Access, call: Call, times: { connect: number; reply: number }, signal: AbortSignal): Promise<IncomingMessage> {
  const { host, root, hostname, port, secure } = access.address
  signal.throwIfAborted()
  const socket = await connect(access, times.connect, signal)
  const payload = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body))
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => socket,
      ...{ host: hostname, port, defaultPort: secure ? 443 : 80, path: root + call.path, method: payload ? 'POST' : 'GET', signal },
      maxHeaderSize: MODEST_HEADERS,
      headers: {
        Accept: call.accept,
        Connection: 'close',
        ...(payload ? { 'Content-Type': 'application/json', 'Content-Length': payload.length } : {}),
        ...(access.key === null ? {} : { Authorization: `Bearer ${access.key}` }),
      },
    })
    const timer = setTimeout(() => request.destroy(serverFailure('slow', host, inSeconds(times.reply))), times.reply)
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      if (signal.aborted) reject(new DOMException('stopped', 'AbortError'))
      // an answer that is no HTTP at all
      else reject(error.code?.startsWith('HPE_') ? serverFailure('form', host, '', error) : networkFailure(error, host, true))
    })
    request.on('response', (reply) => {
      clearTimeout(timer)
      judge(reply, call, host).then(
        () => resolve(reply),
        (error: unknown) => {
          reply.destroy()
          reject(error instanceof Error ? error : new Error('no reply'))
        },
      )
    })
    request.end(payload ?? undefined)
  })
}

/** Throws unless the reply may hold what was asked for. */
async function judge(reply: IncomingMessage, { accept }: Call, host: string): Promise<void> {
  // a socket that breaks while nobody reads must not end the program
  reply.on('error', () => {})
  const status = reply.statusCode ?? 0
  const type = (reply.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  if (status >= 300 && status < 400) throw serverFailure('redirect', host)
  if (status === 401 || status === 403) throw serverFailure('key', host)
  if (status === 429 || status === 503) throw serverFailure('busy', host)
  if (status === 400 || status === 413) throw (await isTooLong(reply)) ? serverFailure('long', host) : serverFailure('status', host, `code ${status}`)
  if (type === 'text/html' || type === 'application/xhtml+xml') throw serverFailure('html', host)
  if (status === 404 || status === 405 || status === 501) throw serverFailure('path', host)
  if (status !== 200) throw serverFailure('status', host, `code ${status}`)
  if (type !== accept) throw serverFailure('form', host)
}

/** vLLM and llama-server both refuse a long prompt with 400 and say why in the body, which may quote the prompt: it is looked at and dropped. */
async function isTooLong(reply: IncomingMessage): Promise<boolean> {
  const text = await textOf(reply, 64_000).catch(() => '')
  return /exceed_context_size|context_length_exceeded|maximum context length|context size|max_model_len/i.test(text)
}

async function textOf(reply: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new Error('too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A call whose reply is JSON, parsed but not yet believed. Throws in words; `ms` bounds it as a whole. */
export async function sendJson(access: Access, path: string, body: unknown, times: Times, signal: AbortSignal): Promise<unknown> {
  const { host } = access.address
  const late = AbortSignal.timeout(times.connect + times.reply)
  const both = AbortSignal.any([signal, late])
  try {
    const reply = await send(access, { path, accept: 'application/json', ...(body === undefined ? {} : { body }) }, times, both)
    const text = await textOf(reply, LARGEST_REPLY).catch((error: unknown) => {
      throw reply.complete ? serverFailure('form', host) : networkFailure(error, host, true)
    })
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw serverFailure(/^\s*</.test(text) ? 'html' : 'form', host)
    }
  } catch (error) {
    if (late.aborted && !signal.aborted) throw serverFailure('slow', host, inSeconds(times.connect + times.reply), error)
    throw error
  }
}
