// Owns how a test gets the whole program without a window: real store, real engine process, real model, a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '../../app/contract/client.ts'
import type { AppContract } from '../../app/contract/contract.ts'
import type { AskEvent, AskInput, EngineStatus, Turn } from '../../app/contract/entities.ts'
import { localTransport } from '../../app/base/local-transport.ts'
import { resolvePaths } from '../../app/base/paths.ts'
import type { EngineChild } from '../../app/host/engine-child.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import type { ServerPolicy } from '../../app/host/remote/server-policy.ts'
import { createServices } from '../../app/host/services.ts'

export interface Rig {
  client: Client<AppContract>
  data: string
  /** The engine process that runs now. */
  engine(): EngineChild
  status(): EngineStatus
  ready(): Promise<void>
  /** Runs one question to its end; `on` sees each event as it comes. */
  ask(question: string, options?: Partial<AskInput>, on?: (event: AskEvent) => void, signal?: AbortSignal): Promise<Turn>
  close(): Promise<void>
}

/** `data` reopens a folder that an earlier rig left; otherwise a fresh one is removed at close. */
export async function startRig(
  options: { model?: string; data?: string; keep?: boolean; hardware?: string; engineEntry?: string; serverPolicy?: ServerPolicy } = {},
): Promise<Rig> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'rushlight-test-'))
  const paths = resolvePaths({ data })
  let child: EngineChild | null = null
  const services = await createServices({
    paths,
    host: 'loopback',
    version: '0.0.0-test',
    spawnEngine: (changes) => (child = spawnNodeEngine(options.engineEntry ?? paths.engineEntry, changes)),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.hardware === undefined ? {} : { hardware: options.hardware }),
    ...(options.serverPolicy === undefined ? {} : { serverPolicy: options.serverPolicy }),
  })
  const client = createClient<AppContract>(localTransport(services.router))
  let status!: EngineStatus
  const leave = client.watch((name, state) => {
    if (name === 'engine.status') status = state
  })
  return {
    client,
    data,
    engine: () => child!,
    status: () => status,
    ready: () => services.ready(AbortSignal.timeout(30_000)),
    ask: async (question, more = {}, on = () => {}, signal = new AbortController().signal) => {
      let turn: Turn | null = null
      for await (const event of client.stream('ask.run', { question, conversation: null, ...more }, signal)) {
        on(event)
        if (event.type === 'done') turn = event.turn
      }
      return turn!
    },
    close: async () => {
      leave()
      await services.close()
      if (!options.keep) rmSync(data, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
