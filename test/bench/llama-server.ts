// Owns llama-server as a rival: started from where RUSHLIGHT_LLAMA_SERVER says, asked over its own HTTP interface with its prompt cache on.
import { spawn, type ChildProcess } from 'node:child_process'
import net from 'node:net'
import type { Message } from '../../app/contract/engine.ts'

/** Path of a llama-server of the same llama.cpp; null: none is compared with. It is not part of the project. */
export const llamaServerPath = process.env['RUSHLIGHT_LLAMA_SERVER'] ?? null
const START_MS = 60_000

export class LlamaServer {
  readonly #child: ChildProcess
  readonly #url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.#url = url
  }

  /** Resolves when the model is loaded. Throws when it is not within a minute. */
  static async start(path: string, options: { model: string; threads: number; contextSize: number; batchSize: number }): Promise<LlamaServer> {
    const { model, threads, contextSize, batchSize } = options
    const port = await freePort()
    const sizes = ['-t', `${threads}`, '-c', `${contextSize}`, '-b', `${batchSize}`, '-ub', `${batchSize}`, '-np', '1', '-ngl', '0']
    const child = spawn(path, ['-m', model, '--host', '127.0.0.1', '--port', `${port}`, '--no-webui', ...sizes], { stdio: 'ignore' })
    const server = new LlamaServer(child, `http://127.0.0.1:${port}`)
    for (const end = performance.now() + START_MS; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
      if (child.exitCode !== null) break
      if (
        await fetch(`${server.#url}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return server
    }
    child.kill()
    throw new Error('llama-server did not start')
  }

  /** Milliseconds to the end of an answer of one token, in the model's own chat format. */
  async firstToken(messages: readonly Message[]): Promise<number> {
    const chat = messages.map(({ role, text }) => ({ role, content: text }))
    const startedAt = performance.now()
    const response = await fetch(`${this.#url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: chat, max_tokens: 1, temperature: 0, cache_prompt: true }),
    })
    await response.text()
    if (!response.ok) throw new Error(`llama-server answered ${response.status}`)
    return performance.now() - startedAt
  }

  close(): void {
    this.#child.kill()
  }
}

async function freePort(): Promise<number> {
  const probe = net.createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as net.AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
