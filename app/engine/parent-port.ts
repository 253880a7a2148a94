// Owns the way from a child process to the host that started it: one port under fork and under Electron alike.
import type { Port } from '../contract/port.ts'

/** Electron's utility process has this beside Node's own names. */
type ParentPort = { postMessage(message: unknown): void; on(event: 'message', listener: (event: { data: unknown }) => void): void }

/** Ends this process when nobody started it. */
export function parentPort(): Port {
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

/** A host that was killed must not leave gigabytes behind; the terminal's Ctrl C goes to every process, and the host decides about its children. */
export function endWithHost(): void {
  process.on('disconnect', () => process.exit(0))
  process.on('SIGINT', () => {})
}
