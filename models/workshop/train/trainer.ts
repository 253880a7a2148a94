// Owns the trainer's process: built when it must be, driven by one JSON file, heard line by line, stopped in an order that keeps its checkpoint.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { HEARD } from '../ffi/last-words.ts'
import { parseEvent, type EventOf, type TrainerEvent } from './events.ts'
import { buildFailure, trainerCrash, trainerFailure } from './failures.ts'

const BUILD = fileURLToPath(new URL('../../../native/build.mjs', import.meta.url))
/** A step of a large model and the checkpoint after it take seconds; more than this is a trainer that hangs. */
const GRACE_MS = 30_000
const STOPPED = 3

/** How the trainer is built: against the shipped libraries unless `source`; see native/build.mjs. */
export interface TrainerBuild {
  readonly source: boolean
  readonly blas: boolean
  readonly cuda: boolean
  /** Of node-llama-cpp, for a graphics processor: "linux-x64-cuda". */
  readonly package: string | null
}
export const SHIPPED: TrainerBuild = { source: false, blas: false, cuda: false, package: null }
export type TrainerVerb = 'train' | 'cache' | 'logits' | 'gradcheck' | 'bench'
export type Ending = 'done' | 'stopped'

/**
 * The path of the trainer, built now when sources, options or libraries have changed. Throws LIBRARY_MISSING (no compiler, no library, another
 * version; the sentence says what to install), TOOL_CRASHED when it does not compile, or the signal's reason.
 */
export async function builtTrainer(build: TrainerBuild, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted()
  const flags = (['source', 'blas', 'cuda'] as const).filter((flag) => build[flag]).map((flag) => `--${flag}`)
  const args = [BUILD, '--json', ...flags, ...(build.package === null ? [] : ['--package', build.package])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () => child.kill('SIGTERM')
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
    signal?.throwIfAborted()
    const answer = parsed(said) as { executable?: string; code?: string; message?: string } | null
    if (answer?.executable !== undefined) return answer.executable
    throw buildFailure(answer?.code ?? 'COMPILE_FAILED', answer?.message ?? complaint)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/**
 * Runs a verb of the trainer and yields its events; the error event is thrown instead. Returns `stopped` when the configuration's time was up and a
 * checkpoint was written, else `done`. An aborted signal lets the trainer finish its step and save (SIGTERM), ends it if it does not (SIGKILL), and
 * throws the signal's reason. Throws what `trainerFailure` maps, or TOOL_CRASHED with its last words.
 */
export async function* runTrainer(
  verb: TrainerVerb,
  config: object,
  { executable, signal, graceMs = GRACE_MS }: { executable: string; signal?: AbortSignal; graceMs?: number },
): AsyncGenerator<TrainerEvent, Ending> {
  signal?.throwIfAborted()
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-train-'))
  let child: ChildProcess | undefined
  const killNow = () => child?.kill('SIGKILL')
  let kill: NodeJS.Timeout | undefined
  const stop = () => {
    child?.kill('SIGTERM')
    kill = setTimeout(killNow, graceMs)
  }
  try {
    const file = join(folder, `${verb}.json`)
    await writeFile(file, JSON.stringify(config, null, 1))
    // spinning threads would take the other trainer's core (a source build waits with OpenMP)
    const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' }
    const running = spawn(executable, [verb, file], { stdio: ['ignore', 'pipe', 'pipe'], env })
    child = running
    let heard = ''
    running.stderr.setEncoding('utf8').on('data', (words: string) => (heard = (heard + words).slice(-HEARD)))
    const ended = new Promise<{ code: number | null; how: string }>((resolve) => {
      running.once('close', (code, killer) => resolve({ code, how: killer ?? `code ${String(code)}` }))
      running.once('error', (error) => resolve({ code: null, how: error.message }))
    })
    process.once('exit', killNow)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()

    let failure: EventOf<'error'> | undefined
    for await (const line of createInterface({ input: running.stdout, crlfDelay: Infinity })) {
      const event = parseEvent(line)
      if (event?.type === 'error') failure = event
      else if (event) yield event
    }
    const { code, how } = await ended
    signal?.throwIfAborted()
    if (failure) throw trainerFailure(failure, config)
    if (code === STOPPED) return 'stopped'
    if (code !== 0) throw trainerCrash(how, heard)
    return 'done'
  } finally {
    clearTimeout(kill)
    process.off('exit', killNow)
    signal?.removeEventListener('abort', stop)
    // a reader that gave up, or an error above
    if (child && child.exitCode === null && child.signalCode === null) killNow()
    await rm(folder, { recursive: true, force: true })
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
