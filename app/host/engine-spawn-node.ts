// Owns the engine process under Node: a fork behind the same face as the Electron one.
import { fork } from 'node:child_process'
import type { EngineChild } from './engine-process.ts'

/** Starts the engine. No flag of this process is handed on: node-llama-cpp tests its binding in a fork of its own and fails with some of them. */
export function spawnNodeEngine(entry: string): EngineChild {
  const child = fork(entry, [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  // llama.cpp may quote a prompt in its complaints: read, so that the pipe does not fill, and dropped
  child.stderr?.resume()
  let gone: { code: number | null; signal: string | null } | null = null
  const leaving = new Set<(code: number | null, signal: string | null) => void>()
  const leave = (code: number | null, signal: string | null) => {
    if (gone) return
    gone = { code, signal }
    for (const listener of [...leaving]) listener(code, signal)
    leaving.clear()
  }
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
  }
}
