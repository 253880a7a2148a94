// Owns the composition: builds every service with its inputs, starts them in order, closes them in reverse. Both hosts and the terminal use it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contract, type AppContract } from '../contract/contract.ts'
import { AppError } from '../contract/errors.ts'
import { createLog, failure } from '../base/log.ts'
import type { Paths } from '../base/paths.ts'
import { Router } from '../base/router.ts'
import { loadKeywordTables } from '../clinical/keywords.ts'
import { loadPrompts } from '../ask/prompt.ts'
import { readHardware } from '../deploy/hardware.ts'
import { inspectModel } from '../engine/gguf.ts'
import { Library } from '../library/library.ts'
import { openStore } from '../store/db.ts'
import { Conversations } from '../store/conversations.ts'
import { Settings } from '../store/settings.ts'
import { EngineHost } from './engine-host.ts'
import { EngineSupervisor, type EngineChild } from './engine-process.ts'
import { createHandlers } from './handlers.ts'
import { Hardware } from './hardware.ts'
import type { SpawnProbe } from './probes.ts'
import { Running } from './running.ts'
import type { Environment } from './visible-cards.ts'

export interface ServiceOptions {
  paths: Paths
  host: 'electron' | 'loopback'
  version: string
  spawnEngine: (changes?: Environment) => EngineChild
  /** Library id or path of a GGUF file; overrides the stored choice for this run and is not stored. */
  model?: string
  verbose?: boolean
  /** Starts a process that looks at the hardware and is thrown away; without it only the processor is used. */
  spawnProbe?: SpawnProbe
  /** Path of a hardware profile to plan with instead of this computer's facts. */
  hardware?: string
}
export interface RunningServices {
  router: Router<AppContract>
  /** Resolves when the model is ready; rejects with what keeps it from being so. */
  ready(signal: AbortSignal): Promise<void>
  /** Stops answers (what was written is saved), then the engine, then the store. Bounded. */
  close(): Promise<void>
}

/** Throws STORE_* when the data folder cannot be used: said before a question is typed. A model that does not load is a state, not a throw. */
export async function createServices(options: ServiceOptions): Promise<RunningServices> {
  const { paths, version } = options
  makeFolders(paths)
  const log = createLog(paths.logs, { console: options.verbose ?? false })
  const hostLog = log('host')

  const tables = loadKeywordTables(join(paths.resources, 'terms'))
  const prompts = loadPrompts(join(paths.resources, 'prompts'))
  const store = openStore(paths.database, { log: log('store') })
  const conversations = new Conversations(store)
  const settings = new Settings(store)
  const unfinished = conversations.recoverUnfinished()
  if (unfinished > 0) hostLog.warn('turns left unfinished by an earlier run are kept as partial', { turns: unfinished })

  const library = new Library({ resources: paths.resources, models: paths.models, inspect: inspectModel })
  const supervisor = new EngineSupervisor({ spawn: options.spawnEngine, log: log('engine') })
  const running = new Running()
  const hardware = new Hardware({
    path: join(paths.data, 'hardware.json'),
    spawnProbe: options.spawnProbe ?? null,
    fixed: options.hardware === undefined ? null : readHardware(options.hardware),
    log: log('hardware'),
  })
  const engine = new EngineHost({ supervisor, library, hardware, log: hostLog, publish: (status) => router.publish('engine.status', status) })
  const parts = {
    store: conversations,
    engine,
    tables,
    prompts,
    appVersion: version,
    onInternal: (error: unknown) => hostLog.error('answer failed', failure(error)),
  }
  const info = { version, host: options.host, dataFolder: paths.data, modelFolder: paths.models, logFolder: paths.logs }

  const handlers = createHandlers({
    info,
    parts,
    conversations,
    settings,
    library,
    engine,
    running,
    publishSettings: (value) => router.publish('settings', value),
  })
  const router: Router<AppContract> = new Router(contract, handlers, (name, error) => hostLog.error('route failed', { name, ...failure(error) }))
  router.publish('settings', settings.get())
  router.publish('engine.status', engine.status())

  void engine.choose(options.model ?? settings.get().model ?? library.defaultId()).catch(() => {}) // the status has it
  return {
    router,
    ready: (signal) => engine.ready(signal),
    close: async () => {
      running.stopAll()
      for (let waited = 0; running.count > 0 && waited < 2000; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20))
      engine.close()
      await supervisor.close()
      store.close()
      hostLog.info('closed')
    },
  }
}

function makeFolders(paths: Paths): void {
  try {
    for (const folder of [paths.data, paths.logs, paths.models]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    throw new AppError(full ? 'STORE_FULL' : 'STORE_READ_ONLY', undefined, { folder: paths.data }, error)
  }
}
