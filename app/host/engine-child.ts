// Owns one running engine process as its supervisor holds it: the client to it, its first sign of life, its end. Knows neither fork nor Electron.
import { createClient, type Client } from '../contract/client.ts'
import type { EngineContract, LoadRequest } from '../contract/engine.ts'
import { codes } from '../contract/errors.ts'
import { portTransport, type Port } from '../contract/port.ts'
import { within } from './bounded.ts'

/** One process, however it was started. */
export interface EngineChild {
  readonly port: Port
  readonly pid: number | undefined
  kill(): void
  /** Called once, also when the process has ended already. */
  onExit(listener: (code: number | null, signal: string | null) => void): void
  /** Why it died, in its own words, fit for the log: never a part of a prompt. Resolves after its end, '' when it said nothing. */
  lastWords?(): Promise<string>
}

export interface Running {
  readonly child: EngineChild
  readonly client: Client<EngineContract>
  /** Resolves once its end has been dealt with: by then the next attempt runs, or the status says failed. */
  readonly gone: Promise<void>
  /** Rejects when the process does not answer its first call in time. */
  readonly started: Promise<unknown>
  /** Its end was heard: `deal` says what follows. */
  over(deal: () => void): void
  /** The cards that it sees. */
  readonly sight: string
  /** We asked for its end. */
  expected: boolean
  /** When it last gave a sign of life (performance.now). */
  heard: number
}

export type Sight = Pick<LoadRequest, 'gpu' | 'devices'>
/** Two loads of the same sight may share a process: drivers read their environment once. */
export const sightOf = ({ gpu, devices = null }: Sight): string => JSON.stringify([gpu, devices])

/** The client to `child`, its first call made: `silent` makes what is thrown when that is not answered within `startMs`. */
export function openEngine(child: EngineChild, request: Sight, startMs: number, silent: (running: Running) => Error): Running {
  const transport = portTransport(child.port, { code: 'ENGINE_LOST', message: codes.ENGINE_LOST })
  const client = createClient<EngineContract>(transport)
  let leave!: () => void
  const gone = new Promise<void>((resolve) => (leave = resolve))
  // nothing is loaded yet, so this costs nothing and shows that the process is up
  const started = within(client.call('engine.unload', null), startMs, () => silent(running))
  started.catch(() => {})
  const over = (deal: () => void) => {
    // answers that wait for this process end now, with ENGINE_LOST
    transport.close()
    deal()
    leave()
  }
  const running: Running = { child, client, gone, started, over, sight: sightOf(request), expected: false, heard: performance.now() }
  return running
}
