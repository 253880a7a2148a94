// Owns a model server for tests: OpenAI's calls over http or https, answered by the real engine with the starter, and every way such a server can fail.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import * as z from 'zod'
import { resolvePaths } from '../../app/base/paths.ts'
import { EngineSupervisor } from '../../app/host/engine-process.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { starter } from '../unit/models.ts'
import type { Certificate } from './certificate.ts'

/**
 * What goes wrong from now on. html: a login page. cut: the stream breaks off after some words. silent: it stops after some words. slow: no reply at
 * all. hang: the connection is taken and nothing said. garbage: no JSON in the stream. busy, broken, moved: 503, 500, 302. error: an error in the stream.
 */
export type Fault = 'html' | 'cut' | 'silent' | 'slow' | 'garbage' | 'busy' | 'broken' | 'moved' | 'error' | 'form'

export interface OpenAiServer {
  readonly url: string
  readonly port: number
  fault: Fault | null
  /** As a program behaves: what it says of itself and which calls it has. */
  program: 'vllm' | 'llama-server' | 'other'
  /** Calls that came, without their bodies. */
  readonly calls: string[]
  /** The bodies of chat calls. */
  readonly chats: unknown[]
  /** Ends every connection and stops listening, as a killed process does. */
  kill(): Promise<void>
  /** Listens again at the same port. */
  revive(): Promise<void>
  close(): Promise<void>
}

const Chat = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  max_tokens: z.number().int(),
  temperature: z.number(),
  stream: z.literal(true),
})
export const MODEL = 'rushlight-starter'
const quiet = { error() {}, warn() {}, info() {} }
const WORDS_BEFORE_FAULT = 4

export async function startOpenAiServer(
  options: { tls?: Certificate; key?: string; host?: string; contextSize?: number } = {},
): Promise<OpenAiServer> {
  const engine = new EngineSupervisor({ spawn: (changes) => spawnNodeEngine(resolvePaths().engineEntry, changes), log: quiet })
  const { contextSize } = await engine.load({ modelPath: starter, gpu: 'off', contextSize: options.contextSize ?? 1024, threads: 1 })
  const sockets = new Set<Socket>()
  let server: http.Server | https.Server
  const self: OpenAiServer = {
    ...{ url: '', port: 0, fault: null, program: 'vllm', calls: [], chats: [] },
    kill: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
    revive: () => listen(self.port),
    close: async () => {
      await self.kill().catch(() => {})
      await engine.close()
    },
  }

  async function listen(port: number): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse) => void serve(request, response).catch(() => response.destroy())
    server = options.tls ? https.createServer({ cert: options.tls.cert, key: options.tls.key }, answer) : http.createServer(answer)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    self.calls.push(`${request.method} ${path}`)
    const body = await bodyOf(request)
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`) return json(response, 401, { error: 'no key' })
    if (self.fault === 'slow') return
    if (self.fault === 'html') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Sign in</title>')
    if (self.fault === 'busy') return json(response, 503, { error: 'loading model' })
    if (self.fault === 'broken') return json(response, 500, { error: 'out of memory' })
    if (self.fault === 'moved') return void response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end()
    if (self.fault === 'form') return json(response, 200, { hello: 'world' })
    if (path === '/v1/models') return json(response, 200, models())
    if (path === '/version' && self.program === 'vllm') return json(response, 200, { version: '0.0.0' })
    if (path === '/props' && self.program === 'llama-server') return json(response, 200, { default_generation_settings: { n_ctx: contextSize } })
    if (path === '/apply-template' && self.program === 'llama-server') return json(response, 200, { prompt: JSON.stringify(body) })
    if (path === '/tokenize' && self.program !== 'other') return json(response, 200, await tokenize(body))
    if (path === '/v1/chat/completions' && request.method === 'POST') return chat(body, response)
    json(response, 404, { error: 'not found' })
  }

  const models = () => ({
    object: 'list',
    data: [{ id: MODEL, object: 'model', ...(self.program === 'vllm' ? { owned_by: 'vllm', max_model_len: contextSize } : {}) }],
  })

  async function tokenize(body: unknown) {
    const { messages, content } = body as { messages?: { role: 'user'; content: string }[]; content?: string }
    const asked = messages?.map(({ role, content: text }) => ({ role, text })) ?? [{ role: 'user' as const, text: content ?? '' }]
    const { tokens } = await engine.count(asked)
    return self.program === 'vllm' ? { count: tokens, max_model_len: contextSize } : { tokens: Array.from({ length: tokens }, (_, n) => n) }
  }

  async function chat(body: unknown, response: ServerResponse): Promise<void> {
    self.chats.push(body)
    const asked = Chat.safeParse(body)
    if (!asked.success) return json(response, 400, { error: asked.error.message })
    const messages = asked.data.messages.map(({ role, content }) => ({ role, text: content }))
    const { tokens } = await engine.count(messages)
    if (tokens + asked.data.max_tokens > contextSize)
      return json(response, 400, { error: { message: `This model’s maximum context length is ${contextSize} tokens`, type: 'BadRequestError' } })
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache' })
    const event = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\r\n\r\n`)
    const chunk = (delta: object, finish: string | null = null) =>
      event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })
    chunk({ role: 'assistant', content: '' })
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const { max_tokens: maxTokens, temperature } = asked.data
    for await (const said of engine.generate({ messages, maxTokens, temperature }, gone.signal)) {
      if (said.type === 'text') chunk({ content: said.text })
      if (said.type === 'text' && said.tokens >= WORDS_BEFORE_FAULT) {
        if (self.fault === 'cut') return void response.destroy()
        if (self.fault === 'silent') return
        if (self.fault === 'garbage') response.write('data: {"choices": [\n\n')
        if (self.fault === 'error') event({ error: { message: 'the GPU is gone' } })
      }
      if (said.type !== 'done') continue
      chunk({}, said.stop === 'length' ? 'length' : 'stop')
      event({ choices: [], usage: { prompt_tokens: said.promptTokens, completion_tokens: said.tokens } })
    }
    response.end('data: [DONE]\n\n')
  }

  await listen(0)
  const { port } = server!.address() as AddressInfo
  return Object.assign(self, { port, url: `${options.tls ? 'https' : 'http'}://${options.host ?? '127.0.0.1'}:${port}` })
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
