// Owns how the page reaches its host: Electron's bridge when there is one, else NDJSON over loopback with a session token.
import type { Result, Transport, WireError } from '../app/contract/define.ts'
import { codes, type Code } from '../app/contract/errors.ts'
import { portTransport } from '../app/contract/port.ts'

declare global {
  interface Window {
    /** Put there by Electron's preload script. */
    rushlight?: { post(message: unknown): void; listen(onMessage: (message: unknown) => void): () => void }
  }
}
const SESSION = 'rushlight.session'

const error = (code: Code): WireError => ({ code, message: codes[code] })
const failed = (code: Code): Result => ({ ok: false, error: error(code) })

/** The transport of this window. Exchanges the single-use opening token in the address for a session token first. */
export async function openTransport(): Promise<Transport> {
  if (window.rushlight) return portTransport(window.rushlight)
  const opening = /^#open=([\w-]+)/.exec(location.hash)?.[1]
  if (opening !== undefined) {
    // out of the address before anything can copy it
    history.replaceState(null, '', location.pathname)
    const token = await exchange(opening)
    if (token !== null) sessionStorage.setItem(SESSION, token)
  }
  return loopbackTransport(sessionStorage.getItem(SESSION) ?? '')
}

/** Exported for tests. `send` has the shape of fetch. */
export function loopbackTransport(token: string, send: typeof fetch = (...args) => fetch(...args)): Transport {
  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    send(`/api/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    })

  return {
    async call(name, input) {
      try {
        for await (const line of lines(await post(`call/${name}`, { input }))) return line as Result
      } catch {
        // a host that is gone and a host that breaks off mean the same to the caller
      }
      return failed('CONNECTION_LOST')
    },
    async *stream(name, input, signal) {
      try {
        for await (const line of lines(await post(`stream/${name}`, { input }, signal))) yield line as Result
      } catch {
        yield failed(signal.aborted ? 'CANCELLED' : 'CONNECTION_LOST')
      }
    },
    topics(onState, onLost) {
      const stop = new AbortController()
      const watch = async () => {
        try {
          for await (const line of lines(await post('topics', {}, stop.signal))) {
            if (isRefusal(line)) break
            const { topic, state } = line as { topic: string; state: unknown }
            onState(topic, state)
          }
        } catch {
          // said by onLost
        }
        if (!stop.signal.aborted) onLost?.()
      }
      void watch()
      return () => stop.abort()
    },
  }
}

async function exchange(open: string): Promise<string | null> {
  try {
    const response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ open }),
    })
    const { token } = (await response.json()) as { token?: unknown }
    return typeof token === 'string' ? token : null
  } catch {
    return null
  }
}

const isRefusal = (line: unknown) => typeof line === 'object' && line !== null && 'ok' in line

/** The JSON values of a newline-delimited body, as they arrive. */
async function* lines(response: Response): AsyncGenerator<unknown> {
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split('\n')
    text = parts.pop()!
    for (const line of parts) if (line !== '') yield JSON.parse(line)
  }
  if (text !== '') yield JSON.parse(text)
}
