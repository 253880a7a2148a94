// Owns the engine process: serves the engine contract to the process that started it, under fork and under Electron alike, and ends with it.
import { engineContract } from '../contract/engine.ts'
import type { Port } from '../contract/port.ts'
import { failure } from '../base/log.ts'
import { servePort } from '../base/port-server.ts'
import { Router } from '../base/router.ts'
import { createEngine } from './engine.ts'

/** Electron's utility process has this beside Node's own names. */
type ParentPort = { postMessage(message: unknown): void; on(event: 'message', listener: (event: { data: unknown }) => void): void }

function parent(): Port {
  const port = (process as unknown as { parentPort?: ParentPort }).parentPort
  if (port) {
    return {
      post: (message) => port.postMessage(message),
      listen: (onMessage) => {
        port.on('message', ({ data }) => onMessage(data))
        return () => {}
      },
    }
  }
  if (!process.send) {
    process.stderr.write('The engine is started by Rushlight, not by hand.\n')
    process.exit(2)
  }
  return {
    post: (message) => void process.send!(message, undefined, undefined, () => {}),
    listen: (onMessage, onClose) => {
      process.on('message', onMessage)
      if (onClose) process.on('disconnect', onClose)
      return () => {}
    },
  }
}

process.title = 'rushlight-engine'
// a host that was killed must not leave gigabytes behind
process.on('disconnect', () => process.exit(0))
// the terminal's Ctrl C goes to every process; the host decides when the engine ends
process.on('SIGINT', () => {})
servePort(new Router(engineContract, createEngine(), (name, error) => process.stderr.write(`${name} ${JSON.stringify(failure(error))}\n`)), parent())
