// Owns the log: one file per host, rotated, on this computer only. Never a question, an answer or a file's content; ids, codes and times are enough.
import { join } from 'node:path'
import log from 'electron-log/node.js'

export interface Log {
  error(message: string, data?: Record<string, unknown>): void
  warn(message: string, data?: Record<string, unknown>): void
  info(message: string, data?: Record<string, unknown>): void
}

const ROTATE_BYTES = 2 * 1024 * 1024

/** `scope` names the part that speaks. With `console` the lines also go to standard error. */
export function createLog(folder: string, options: { console?: boolean } = {}): (scope: string) => Log {
  const logger = log.create({ logId: folder })
  logger.transports.file.resolvePathFn = () => join(folder, 'rushlight.log')
  logger.transports.file.maxSize = ROTATE_BYTES
  logger.transports.file.format = '{y}-{m}-{d}T{h}:{i}:{s}.{ms} {level} {text}'
  logger.transports.console.level = options.console ? 'info' : false
  // electron-log can post to a server; nothing here ever does
  if (logger.transports['remote']) logger.transports['remote'].level = false
  const line = (scope: string, message: string, data?: Record<string, unknown>) => `[${scope}] ${message}${data ? ' ' + JSON.stringify(data) : ''}`
  return (scope) => ({
    error: (message, data) => logger.error(line(scope, message, data)),
    warn: (message, data) => logger.warn(line(scope, message, data)),
    info: (message, data) => logger.info(line(scope, message, data)),
  })
}

/** What may be logged of an unknown failure: its name and where it was thrown, never its message. */
export function failure(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { thrown: typeof error }
  const code = (error as NodeJS.ErrnoException).code
  return {
    name: error.name,
    ...(code ? { code } : {}),
    at: error.stack
      ?.split('\n')
      .find((part) => part.trim().startsWith('at '))
      ?.trim(),
  }
}
