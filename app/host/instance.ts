// Owns the rule that one data folder has one host: a lock file that names the running one, so that a second start opens its window instead.
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface Instance {
  pid: number
  origin: string
  controlKey: string
}
const fileOf = (data: string) => join(data, 'running.json')

/** The host that serves this data folder now, or null. A file left by a killed host is not one. */
export async function findRunning(data: string): Promise<Instance | null> {
  let instance: Instance
  try {
    instance = JSON.parse(readFileSync(fileOf(data), 'utf8')) as Instance
    process.kill(instance.pid, 0)
  } catch (error) {
    // EPERM: the process lives but belongs to another user
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null
    instance = JSON.parse(readFileSync(fileOf(data), 'utf8')) as Instance
  }
  // after a restart of the computer the number may belong to another program
  return (await askToOpen(instance)) === null ? null : instance
}

/** Asks a running host for a fresh opening address; null when nobody answers. */
export async function askToOpen({ origin, controlKey }: Instance): Promise<string | null> {
  try {
    const response = await fetch(`${origin}/api/open`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${controlKey}` },
      body: '{}',
      signal: AbortSignal.timeout(3000),
    })
    return response.ok ? ((await response.json()) as { url: string }).url : null
  } catch {
    return null
  }
}

/** Writes the lock file, readable by this user only; call the returned function when the host closes. */
export function claim(data: string, instance: Instance): () => void {
  const path = fileOf(data)
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', 0o600)
  writeSync(file, JSON.stringify(instance))
  closeSync(file)
  return () => rmSync(path, { force: true })
}
