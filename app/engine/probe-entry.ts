// Owns the probe process: looks at one backend or measures memory, once, beside the host, which ends it. What a driver does to it harms nobody.
import { isMainThread } from 'node:worker_threads'
import type { Handlers } from '../contract/define.ts'
import { AppError } from '../contract/errors.ts'
import { probeContract, type ProbeContract } from '../contract/probe.ts'
import { failure } from '../base/log.ts'
import { servePort } from '../base/port-server.ts'
import { Router } from '../base/router.ts'
import { measureBandwidth, readForever } from './bandwidth.ts'
import { whyUnavailable } from './backend-parts.ts'
import { probeBackend } from './llama.ts'
import { endWithHost, parentPort } from './parent-port.ts'

const handlers: Handlers<ProbeContract> = {
  'probe.hello': () => null,
  'probe.backend': async ({ backend }) => {
    const missing = whyUnavailable(backend)
    if (missing !== null) throw new AppError('GPU_UNAVAILABLE', missing)
    try {
      return await probeBackend(backend)
    } catch (error) {
      throw new AppError('GPU_UNAVAILABLE', REFUSED, undefined, error)
    }
  },
  'probe.bandwidth': ({ threads, seconds }) => measureBandwidth(new URL(import.meta.url), threads, seconds),
}
const REFUSED = 'The driver on this computer did not start it. Install the newest driver of the card’s maker, then test again.'

if (isMainThread) {
  process.title = 'rushlight-probe'
  endWithHost()
  const report = (name: string, error: unknown) => void process.stderr.write(`${name} ${JSON.stringify(failure(error))}\n`)
  servePort(new Router(probeContract, handlers, report), parentPort())
} else readForever()
