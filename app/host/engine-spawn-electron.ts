// Owns the engine process under Electron: a utility process behind the same face as the Node one. fork() is closed to us by the runAsNode fuse.
import { utilityProcess } from 'electron'
import type { EngineChild } from './engine-child.ts'

/** Starts the engine, its environment this one's with `changes`. Call it after Electron is ready. Its standard output is not kept: llama.cpp may write parts of a prompt there. */
export function spawnElectronEngine(entry: string, changes: Readonly<Record<string, string>> = {}): EngineChild {
  const env = { ...process.env, ...changes }
  const child = utilityProcess.fork(entry, [], { serviceName: 'Rushlight engine', stdio: 'pipe', env })
  // an unread pipe fills up and stops the engine
  child.stdout?.resume()
  child.stderr?.resume()

  let code: number | null | undefined
  const leaving = new Set<(code: number | null, signal: string | null) => void>()
  child.on('exit', (exitCode) => {
    code = exitCode
    for (const leave of [...leaving]) leave(exitCode, null)
    leaving.clear()
  })
  return {
    get pid() {
      return child.pid
    },
    port: {
      post: (message) => {
        if (code === undefined) child.postMessage(message)
      },
      listen: (onMessage, onClose) => {
        const hear = (message: unknown) => onMessage(message)
        const close = () => onClose?.()
        child.on('message', hear)
        if (code === undefined) leaving.add(close)
        // as with an exit heard later: never before listen() has returned
        else queueMicrotask(close)
        return () => {
          child.off('message', hear)
          leaving.delete(close)
        }
      },
    },
    kill: () => void child.kill(),
    onExit: (listener) => {
      if (code === undefined) leaving.add(listener)
      else listener(code, null)
    },
  }
}
