// Owns the loopback transport: the contract as NDJSON over http on 127.0.0.1, and every rule about who may use it.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AppContract } from '../contract/contract.ts'
import type { Result } from '../contract/define.ts'
import { codes, type Code } from '../contract/errors.ts'
import type { Router } from '../base/router.ts'
import { securityHeaders } from './csp.ts'
import { sendPageFile } from './page-files.ts'
import { Tokens } from './tokens.ts'

// A question of 250,000 characters, each escaped as \uXXXX, is 1.5 MB.
const BODY_LIMIT = 2 * 1024 * 1024

export interface Loopback {
  /** http://127.0.0.1:PORT */
  readonly origin: string
  /** Adds a single-use opening token, valid for two minutes, to the address of the page. */
  openingUrl(): string
  /** For a second start on the same data folder: proves itself with this to be given an opening address. */
  readonly controlKey: string
  close(): Promise<void>
}

/** Serves the built page in `page` and the router. `onOpen` hears each time a page has opened. */
export async function serveLoopback(router: Router<AppContract>, page: string, onOpen: () => void = () => {}): Promise<Loopback> {
  const tokens = new Tokens()
  const server = http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 }, (request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  server.maxConnections = 64
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const origin = `http://${own}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders())) response.setHeader(name, value)
    // another name for this address means that a foreign page had its name rebound to it
    if (request.headers.host !== own) return refuse(response, 421, 'UNTRUSTED')
    const path = new URL(request.url ?? '/', origin).pathname
    if (!path.startsWith('/api/')) return sendPageFile(page, path, request, response)
    const refusal = checkApiRequest(request, origin)
    if (refusal) return refuse(response, refusal, 'UNTRUSTED')
    const [, , verb, name = ''] = path.split('/')
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''

    if (verb === 'open') return tokens.isControl(bearer) ? send(response, { url: openingUrl() }) : refuse(response, 401, 'UNTRUSTED')
    const body = await readBody(request)
    if (typeof body === 'number') return refuse(response, body, 'BAD_INPUT')
    if (verb === 'session') {
      const session = tokens.redeem((body as { open?: unknown } | null)?.open)
      if (session === null) return refuse(response, 401, 'UNTRUSTED')
      onOpen()
      return send(response, { token: session })
    }
    if (!tokens.isSession(bearer)) return refuse(response, 401, 'UNTRUSTED')
    await dispatch(verb, decodeURIComponent(name), (body as { input?: unknown } | null)?.input, response)
  }

  async function dispatch(verb: string | undefined, name: string, input: unknown, response: ServerResponse): Promise<void> {
    response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8')
    const line = (value: unknown) => response.write(JSON.stringify(value) + '\n')
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    if (verb === 'topics') {
      response.on(
        'close',
        router.subscribe((topic, state) => line({ topic, state })),
      )
      return
    }
    if (verb === 'call') line(await router.call(name, input))
    else if (verb === 'stream')
      for await (const result of router.stream(name, input, gone.signal)) await withBackPressure(response, line(result), gone.signal)
    else return refuse(response, 404, 'UNKNOWN_ROUTE')
    response.end()
  }

  const openingUrl = () => `${origin}/#open=${tokens.issue()}`
  return {
    origin,
    openingUrl,
    controlKey: tokens.controlKey,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The status to refuse with, or null. A browser always sends Origin on POST; Sec-Fetch-Site cannot be forged by a page. */
function checkApiRequest(request: IncomingMessage, origin: string): number | null {
  if (request.method !== 'POST') return 405
  const { origin: from, 'sec-fetch-site': site, 'content-type': type } = request.headers
  if (from !== undefined && from !== origin) return 403
  if (site !== undefined && site !== 'same-origin') return 403
  // a simple form post cannot carry this type, so a foreign page would need a preflight, which is never granted
  if (type?.split(';')[0]?.trim() !== 'application/json') return 415
  return null
}

/** The parsed body, or the status to refuse it with. */
function readBody(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= BODY_LIMIT) chunks.push(chunk)
      // answered at once; what still arrives is thrown away until the closing connection ends it
      else resolve(413)
    })
    request.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      } catch {
        resolve(400)
      }
    })
    request.on('close', () => resolve(400))
  })
}

function refuse(response: ServerResponse, status: number, code: Code): void {
  const result: Result = { ok: false, error: { code, message: codes[code] } }
  response.statusCode = status
  if (status === 413) {
    response.setHeader('Connection', 'close')
    response.on('finish', () => response.socket?.destroySoon())
  }
  send(response, result)
}

function send(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(value) + '\n')
}

/** A page that reads slowly slows the answer down instead of filling memory. */
async function withBackPressure(response: ServerResponse, flushed: boolean, gone: AbortSignal): Promise<void> {
  if (flushed || gone.aborted) return
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go)
      gone.removeEventListener('abort', go)
      resolve()
    }
    response.once('drain', go)
    gone.addEventListener('abort', go, { once: true })
  })
}
