// Owns the composition: builds every service with its inputs, starts them in order, closes them in reverse. Both hosts and the terminal use it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contract, type AppContract } from '../contract/contract.ts'
import { AppError } from '../contract/errors.ts'
import { createLog, failure } from '../base/log.ts'
import type { Paths } from '../base/paths.ts'
import { Router } from '../base/router.ts'
import { emergencyNumberOf } from '../clinical/emergency-number.ts'
import { loadKeywordTables } from '../clinical/keywords.ts'
import { loadClinical } from '../clinical/layer.ts'
import { loadPrompts } from '../ask/prompt.ts'
import { readHardware } from '../deploy/hardware.ts'
import { inspectModel } from '../engine/gguf.ts'
import { Library } from '../library/library.ts'
import { openStore } from '../store/db.ts'
import { Conversations } from '../store/conversations.ts'
import { Settings } from '../store/settings.ts'
import type { EngineChild } from './engine-child.ts'
import { EngineSupervisor } from './engine-process.ts'
import { clinicRecords } from './clinical-handlers.ts'
import { composeEngines } from './engines/compose.ts'
import { createHandlers } from './handlers.ts'
import { Hardware } from './hardware.ts'
import type { SpawnProbe } from './probes.ts'
import { NO_SERVER, type ServerPolicy } from './remote/server-policy.ts'
import { Running } from './running.ts'
import type { Environment } from './visible-cards.ts'

/** The page is drawn by then, and nobody has typed a question. */
const CLINICAL_AFTER_MS = 300

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
  /** What is allowed of servers on the clinic's network; without it none. */
  serverPolicy?: ServerPolicy
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
  // a third of a second of reading that a window need not wait for
  const clinical = once(() => {
    const read = loadClinical(paths.resources, clinicRecords(paths.data))
    if (read.faults.length > 0) hostLog.warn('lines of clinical records left out', { faults: read.faults })
    return read
  })
  const store = openStore(paths.database, { log: log('store') })
  const conversations = new Conversations(store)
  const settings = new Settings(store, { emergencyNumber: emergencyNumberOf(Intl.DateTimeFormat().resolvedOptions().locale) })
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
  const composed = composeEngines({
    ...{ data: paths.data, policy: options.serverPolicy ?? NO_SERVER, hardware, log: hostLog },
    host: { supervisor, library, prompts, data: paths.data },
    publish: (topic, state) => router.publish(topic, state),
  })
  const { host: engine, engines } = composed
  const parts = {
    store: conversations,
    tables,
    prompts,
    clinical,
    emergencyNumber: () => settings.get().emergencyNumber,
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
    composed,
    running,
    publishSettings: (value) => router.publish('settings', value),
  })
  const router: Router<AppContract> = new Router(contract, handlers, (name, error) => hostLog.error('route failed', { name, ...failure(error) }))
  router.publish('settings', settings.get())
  composed.begin()

  setTimeout(() => {
    try {
      clinical()
    } catch (error) {
      hostLog.error('clinical tables not read', failure(error)) // the first question says so to the person
    }
  }, CLINICAL_AFTER_MS).unref()
  void engine.choose(options.model ?? settings.get().model ?? library.defaultId()).catch(() => {}) // the status has it
  return {
    router,
    ready: (signal) => engines.forQuestion().ready(signal),
    close: async () => {
      running.stopAll()
      for (let waited = 0; running.count > 0 && waited < 2000; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20))
      composed.close()
      await supervisor.close()
      store.close()
      hostLog.info('closed')
    },
  }
}

/** The value of `make`, made at the first call; a failure is thrown to every caller, who may try again. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null
  return () => (made ??= { value: make() }).value
}

function makeFolders(paths: Paths): void {
  try {
    for (const folder of [paths.data, paths.logs, paths.models]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    throw new AppError(full ? 'STORE_FULL' : 'STORE_READ_ONLY', undefined, { folder: paths.data }, error)
  }
}
