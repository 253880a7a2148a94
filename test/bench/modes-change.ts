// Owns the process in which changes of adapter are timed: llama.cpp without any way between processes, its many words on standard error left unheard.
import { Session } from '../../models/workshop/ffi/session.ts'
import { median } from '../../models/workshop/report.ts'

export interface ChangeRequest {
  base: string
  /** Two adapter files, both kept in memory. */
  adapters: readonly [string, string]
  times: number
}
/** Milliseconds, medians: of the call, and of the call and one token after it beyond a token without a change. */
export interface Change {
  callMs: number
  withTokenMs: number
}

process.once('message', ({ base, adapters, times }: ChangeRequest) => {
  const [first, second] = adapters.map((path) => [{ path, scale: 1 }]) as [{ path: string; scale: number }[], { path: string; scale: number }[]]
  const session = new Session({ model: base, contextSize: 128, adapters: [...first, ...second] })
  const tokens = session.tokenize('dose', false)
  const timed = (work: () => void) => {
    const began = performance.now()
    work()
    return performance.now() - began
  }
  const [calls, changed, same]: [number[], number[], number[]] = [[], [], []]
  for (let n = 0; n < times; n++) {
    session.setAdapters(n % 2 === 0 ? second : first)
    session.generate(tokens, 1)
    same.push(timed(() => session.generate(tokens, 1)))
    changed.push(
      timed(() => {
        calls.push(timed(() => session.setAdapters(n % 2 === 0 ? first : second)))
        session.generate(tokens, 1)
      }),
    )
  }
  process.send!({ callMs: median(calls), withTokenMs: median(changed.map((ms, n) => ms - same[n]!)) } satisfies Change)
  process.disconnect()
})
