// Owns the server end of a port (contract/port.ts): reads requests, feeds a router, ends what the client cancelled or left behind.
import type { Port, PortReply, PortRequest } from '../contract/port.ts'
import type { Contract } from '../contract/define.ts'
import type { Router } from './router.ts'

// A page that floods the port is cut off here and not by running out of memory.
const OPEN_LIMIT = 256

/** Serves one client until its port closes or the returned function is called; both abort everything still running. */
export function servePort<C extends Contract>(router: Router<C>, port: Port): () => void {
  const open = new Map<number, () => void>()
  const post = (reply: PortReply) => port.post(reply)

  const run = async (request: Extract<PortRequest, { name: string }>) => {
    const { id, op, name, input } = request
    const stop = new AbortController()
    open.set(id, () => stop.abort())
    if (op === 'call') post({ id, result: await router.call(name, input) })
    else for await (const result of router.stream(name, input, stop.signal)) post({ id, result })
    if (open.delete(id)) post({ id, end: true })
  }

  const endAll = () => {
    for (const end of [...open.values()]) end()
    open.clear()
  }
  const stopListening = port.listen((message) => {
    const request = asRequest(message)
    if (!request) return
    if (request.op === 'cancel') {
      open.get(request.id)?.()
    } else if (open.has(request.id) || open.size >= OPEN_LIMIT) {
      post({
        id: request.id,
        result: { ok: false, error: { code: 'BAD_INPUT', message: 'Too many requests at once, or an id in use. Wait for an answer first.' } },
      })
      if (!open.has(request.id)) post({ id: request.id, end: true })
    } else if (request.op === 'topics') {
      const { id } = request
      const leave = router.subscribe((topic, state) => post({ id, topic, state }))
      open.set(id, () => (leave(), open.delete(id)))
    } else {
      void run(request)
    }
  }, endAll)
  return () => {
    stopListening()
    endAll()
  }
}

function asRequest(message: unknown): PortRequest | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { id, op, name } = message as Record<string, unknown>
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return undefined
  if (op === 'cancel' || op === 'topics') return { id, op }
  if ((op === 'call' || op === 'stream') && typeof name === 'string') return { id, op, name, input: (message as { input?: unknown }).input }
  return undefined
}
