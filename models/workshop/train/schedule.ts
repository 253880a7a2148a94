// Owns the order of stages: each after those it needs, as many at once as allowed, all ended when one fails.

export interface Task {
  readonly name: string
  /** Names of those that must be complete before. */
  readonly after: readonly string[]
}
/** `stopped`: the time was up; nothing that needs the task is begun. */
export type TaskEnd = 'done' | 'stopped'

/** `wanted` and all that they need, in the order of `tasks`; without `wanted`, all. */
export function withNeeds<T extends Task>(tasks: readonly T[], wanted: readonly string[]): T[] {
  if (wanted.length === 0) return [...tasks]
  const needed = new Set<string>()
  const need = (name: string) => {
    if (needed.has(name)) return
    needed.add(name)
    tasks.find((task) => task.name === name)?.after.forEach(need)
  }
  wanted.forEach(need)
  return tasks.filter(({ name }) => needed.has(name))
}

/**
 * Runs `tasks`, at most `jobs` at once, the earlier in the list first. Returns the names of those that are done; a task whose needs were stopped is not
 * begun, and after the first `stopped` none is. The first failure aborts the signal that the others were given, waits for them and is thrown.
 */
export async function runTasks<T extends Task>(
  tasks: readonly T[],
  jobs: number,
  signal: AbortSignal,
  run: (task: T, signal: AbortSignal) => Promise<TaskEnd>,
): Promise<Set<string>> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const done = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const waiting = [...tasks]
  let stopped = false
  const begin = (task: T) => {
    const work = run(task, either).then((end) => {
      if (end === 'done') done.add(task.name)
      else stopped = true
    })
    running.set(
      task.name,
      work.finally(() => running.delete(task.name)),
    )
  }
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = stopped ? -1 : waiting.findIndex(({ after }) => after.every((name) => done.has(name)))
      if (next >= 0 && running.size < jobs) begin(waiting.splice(next, 1)[0]!)
      else if (running.size > 0) await Promise.race(running.values())
      else return done
    }
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(running.values())
    throw error
  }
}
