// Owns how all engines of a program hang together: this computer, the clinic's server, what is learned of both, and the page's topics about them.
import { join } from 'node:path'
import type { AppContract } from '../../contract/contract.ts'
import { failure, type Log } from '../../base/log.ts'
import type { Router } from '../../base/router.ts'
import { fenceOf } from '../../deploy/selection/breaker.ts'
import type { ServerEngine } from '../../engine/remote/server-engine.ts'
import { EngineHost } from '../engine-host.ts'
import type { Hardware } from '../hardware.ts'
import type { ServerPolicy } from '../remote/server-policy.ts'
import { Server } from '../remote/server.ts'
import { Engines } from './engines.ts'
import { Experience } from './experience.ts'
import { localOne } from './local-one.ts'
import type { OneEngine } from './one-engine.ts'
import { serverOne } from './server-one.ts'

interface Parts {
  /** Folder of engines.json and server.json. */
  data: string
  policy: ServerPolicy
  hardware: Hardware
  log: Log
  host: Omit<ConstructorParameters<typeof EngineHost>[0], 'publish' | 'learned' | 'hardware' | 'log'>
  publish: Router<AppContract>['publish']
}
export interface Composed {
  host: EngineHost
  engines: Engines
  server: Server
  /** From here on pages are told; the server is looked at. */
  begin(): void
  /** Everything may be tried anew: a person asked for it. */
  forgive(): void
  close(): void
}

/** Milliseconds. The status is told at once; what only the hardware page shows can wait for the next change. */
const SOON = 150

export function composeEngines({ data, policy, hardware, log, host: parts, publish }: Parts): Composed {
  const experience = new Experience({ path: join(data, 'engines.json'), log })
  const host = new EngineHost({ ...parts, hardware, log, learned: (key) => experience.learned(key), publish: () => changed() })
  const local = localOne(host, hardware, experience)

  let known: { engine: ServerEngine; one: OneEngine } | null = null
  const remote = (): OneEngine | null => {
    const { engine } = server
    if (engine !== known?.engine) known = engine && { engine, one: serverOne(engine, experience) }
    return known?.one ?? null
  }
  const server = new Server({
    ...{ path: join(data, 'server.json'), policy, log, changed: () => changed() },
    lost: (error) => {
      const one = remote()
      if (one) engines.failed(one, error)
    },
    mayLook: () => {
      const one = remote()
      return one !== null && fenceOf(experience.breaker(one.key()), experience.now()) !== 'open'
    },
    renewed: () => {
      const one = remote()
      if (one) experience.forgiven(one.key())
    },
  })
  const engines = new Engines({
    engines: () => [local, remote()].filter((one) => one !== null),
    use: () => server.use,
    status: () => host.status(),
    battery: () => hardware.seen().power.battery,
    ...{ experience, log, changed: () => changed() },
  })

  let timer: NodeJS.Timeout | null = null
  const tell = () => {
    timer = null
    try {
      publish('engine.list', engines.list())
      publish('hardware.facts', host.facts())
      publish('plan.picture', host.picture())
      publish('server.state', server.state())
    } catch (error) {
      // a picture that cannot be drawn must not end the program
      log.error('hardware page not told', failure(error))
    }
  }
  const changed = () => {
    publish('engine.status', engines.status())
    timer ??= setTimeout(tell, SOON)
    timer.unref()
  }
  return {
    ...{ host, engines, server },
    begin: () => {
      hardware.onChange(() => changed())
      server.begin()
      publish('engine.status', engines.status())
      tell()
    },
    forgive: () => {
      experience.forgiveAll()
      void server.look()
    },
    close: () => {
      if (timer) clearTimeout(timer)
      hardware.onChange(() => {})
      server.close()
      host.close()
    },
  }
}
