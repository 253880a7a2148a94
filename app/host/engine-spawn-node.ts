// Owns the engine process under Node: a fork behind the same face as the Electron one.
import { fork } from 'node:child_process'
import type { EngineChild } from './engine-child.ts'

const TAIL = 4096
// Only lines that say why a process died; what else llama.cpp complains of may quote a prompt.
const REASON = /^\S+:\d+: |^terminate called|^CUDA error|^ggml_\w+: .*(alloc|out of memory)|^FATAL ERROR:|^Error( \[\w+\])?: Cannot find/

/**
 * Memory that the engine would keep after a load and never use again, measured with a vocabulary of 152,000: 60 MB of V8's young generation
 * (node-llama-cpp reads the whole header into objects) and 65 MB that glibc holds back in its arenas (the header is read three times).
 */
const FLAGS = ['--max-semi-space-size=4']
const ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' }

/** Starts the engine, its environment this one's with `changes`. No flag of this process is handed on: node-llama-cpp tests its binding in a fork of its own and fails with some of them. */
export function spawnNodeEngine(entry: string, changes: Readonly<Record<string, string>> = {}): EngineChild {
  const env = { ...process.env, ...ALLOCATOR, ...changes }
  const child = fork(entry, [], { execArgv: FLAGS, env, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (tail = (tail + text).slice(-TAIL)))
  let gone: { code: number | null; signal: string | null } | null = null
  const leaving = new Set<(code: number | null, signal: string | null) => void>()
  const leave = (code: number | null, signal: string | null) => {
    if (gone) return
    gone = { code, signal }
    for (const listener of [...leaving]) listener(code, signal)
    leaving.clear()
  }
  // after exit the pipe may still hold its last words
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.on('exit', leave)
  child.on('error', () => leave(null, null))

  return {
    pid: child.pid,
    port: {
      post: (message) => {
        if (!gone && child.connected) child.send(message as object, () => {})
      },
      listen: (onMessage, onClose) => {
        const close = () => onClose?.()
        child.on('message', onMessage)
        if (gone) queueMicrotask(close)
        else leaving.add(close)
        return () => {
          child.off('message', onMessage)
          leaving.delete(close)
        }
      },
    },
    kill: () => void child.kill('SIGKILL'),
    onExit: (listener) => {
      if (gone) listener(gone.code, gone.signal)
      else leaving.add(listener)
    },
    lastWords: () => ended.then(() => reasons(tail)),
  }
}

/** The lines of `tail` that say why a process died. */
export function reasons(tail: string): string {
  return tail
    .split('\n')
    .filter((line) => REASON.test(line))
    .join(' | ')
}
