// Owns what a bench of minutes runs in: a bar on standard error, and Ctrl-C that ends it between two measurements.
import { Progress } from '../../models/workshop/progress.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'

export async function stoppable<T>(work: (context: VerbContext) => Promise<T>): Promise<T> {
  const stopper = new AbortController()
  const stop = () => stopper.abort(new Error('stopped'))
  process.once('SIGINT', stop)
  try {
    return await work({ signal: stopper.signal, progress: new Progress(process.stderr) })
  } finally {
    process.off('SIGINT', stop)
  }
}

/** Throws where the memory of a process cannot be read. */
export function needsProc(): void {
  if (process.platform !== 'linux') throw new Error('This bench reads the memory of a process from /proc, which only Linux has.')
}
