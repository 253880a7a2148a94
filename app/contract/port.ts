// Owns the message form used over any port (Electron bridge, engine process) and the client end of it. Its server end is base/port-server.ts.
import type { Result, Transport, WireError } from './define.ts'
import { codes } from './errors.ts'

/** Client → server. `id` is chosen by the client and unique while its answer is open. */
export type PortRequest =
  { id: number; op: 'call' | 'stream'; name: string; input: unknown } | { id: number; op: 'cancel' } | { id: number; op: 'topics' }
/** Server → client. `end` closes the id. */
export type PortReply = { id: number; result: Result } | { id: number; end: true } | { id: number; topic: string; state: unknown }

export interface Port {
  post(message: unknown): void
  /** Calls `onMessage` for each message and `onClose` once when the other side is gone. Returns the function that stops both. */
  listen(onMessage: (message: unknown) => void, onClose?: () => void): () => void
}

type Waiting = { push(result: Result): void; end(): void; topic?(name: string, state: unknown): void; lost?(): void }
const lost: WireError = { code: 'CONNECTION_LOST', message: codes.CONNECTION_LOST }

/** A Transport over a port. When the port closes, every open call and stream ends with `lostError`. */
export function portTransport(port: Port, lostError: WireError = lost): Transport & { close(): void } {
  const open = new Map<number, Waiting>()
  let next = 1
  let closed = false
  const onClose = () => {
    if (closed) return
    closed = true
    for (const waiting of [...open.values()]) {
      waiting.push({ ok: false, error: lostError })
      waiting.end()
      waiting.lost?.()
    }
    open.clear()
  }
  const stopListening = port.listen((message) => {
    const reply = message as PortReply
    const waiting = open.get(reply.id)
    if (!waiting) return
    if ('topic' in reply) waiting.topic?.(reply.topic, reply.state)
    else if ('result' in reply) waiting.push(reply.result)
    else {
      open.delete(reply.id)
      waiting.end()
    }
  }, onClose)

  return {
    call: (name, input) =>
      new Promise((resolve) => {
        if (closed) return resolve({ ok: false, error: lostError })
        const id = next++
        open.set(id, { push: resolve, end: () => open.delete(id) })
        port.post({ id, op: 'call', name, input })
      }),
    async *stream(name, input, signal) {
      if (closed) return yield { ok: false, error: lostError }
      const id = next++
      const queue: Result[] = []
      let ended = false
      let wake = () => {}
      const ring = () => wake()
      const cancel = () => port.post({ id, op: 'cancel' })
      open.set(id, { push: (r) => (queue.push(r), ring()), end: () => ((ended = true), ring()) })
      port.post({ id, op: 'stream', name, input })
      if (signal.aborted) cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        for (;;) {
          while (queue.length > 0) yield queue.shift()!
          if (ended) return
          await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        signal.removeEventListener('abort', cancel)
        if (!ended && !closed) cancel()
        open.delete(id)
      }
    },
    topics(onState, onLost) {
      const id = next++
      if (closed) return (onLost?.(), () => {})
      open.set(id, { push() {}, end() {}, topic: onState, ...(onLost ? { lost: onLost } : {}) })
      port.post({ id, op: 'topics' })
      return () => {
        if (open.delete(id) && !closed) port.post({ id, op: 'cancel' })
      }
    },
    close() {
      stopListening()
      onClose()
    },
  }
}
