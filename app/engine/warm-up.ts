// Owns what is prepared while nobody asks: the states of common prompts, and the batch shapes that come up often. Every step of it can be the last.
import { setImmediate } from 'node:timers/promises'
import type { AnswerParts } from './answer.ts'
import { read } from './answer.ts'
import type { Token } from './llama.ts'
import { SHORTEST, type SequencePool } from './sequence-pool.ts'
import { commonLength, type StateStore } from './state-store.ts'

export interface WarmParts extends Pick<AnswerParts, 'model' | 'chunks' | 'shapes'> {
  pool: SequencePool
  states: StateStore | null
  key: string
  contextSize: number
}
/** How much of a prompt is read; `from` says that it is warm and why. */
export type PrefixStep = { done: number; total: number; from: 'read' | 'stored' | 'none' | null; ms: number }

/**
 * Sees to it that the state of `tokens` is stored. Leaves when `signal` is aborted; what was read is found again at the next try, unless
 * somebody took the sequence meanwhile. The last step has `from`.
 */
export async function* warmPrefix(tokens: Token[], adapters: string, parts: WarmParts, signal: AbortSignal): AsyncGenerator<PrefixStep> {
  const { states, key, pool } = parts
  const total = tokens.length
  const end = (from: 'read' | 'stored' | 'none', ms = 0): PrefixStep => ({ done: from === 'none' ? 0 : total, total, from, ms })
  // an answer needs room after it
  if (!states || total <= SHORTEST || total >= parts.contextSize - 1) return yield end('none')
  const known = states.best(key, adapters, tokens)
  // read in full now, so that nobody has to wait for it later
  if (known?.common === total && (await states.check(known.state))) return yield end('stored')
  // the token that take() always leaves out is one of a prompt that goes on
  const lease = await pool.take([...tokens, tokens[0]!], adapters)
  const { sequence } = lease
  try {
    const startedAt = performance.now()
    for await (const done of read(lease, tokens, parts, signal)) yield { done, total, from: null, ms: 0 }
    if (sequence.nextTokenIndex < total) return
    const spent = performance.now() - startedAt
    // what the whole of it costs where nothing is there
    const ms = Math.max(spent, parts.chunks.msPerToken * total)
    const plain = tokens.map(Number)
    if (commonLength(sequence.contextTokens, plain) !== total || sequence.nextTokenIndex !== total) return yield end('none')
    const state = await states.save({ key, adapters, tokens: plain, ms }, (path) => sequence.saveStateToFile(path))
    yield state ? end('read', spent) : end('none', spent)
  } finally {
    lease.end()
  }
}

/** Runs each shape that is common and not warm once; yields those that are warm after each. What the sequence holds is left as it was. */
export async function* warmShapes({ pool, shapes, model, contextSize }: WarmParts, signal: AbortSignal): AsyncGenerator<number[]> {
  const lease = pool.borrow()
  const { sequence } = lease
  try {
    const held = sequence.contextTokens
    // any token will do: nothing of it is kept
    const filler = model.tokenize('a')[0] ?? model.tokens.bos
    if (filler === null) return
    for (const size of shapes.cold()) {
      if (signal.aborted) return
      if (held.length + size >= contextSize - 1) continue
      if (size === 1) await sequence.controlledEvaluate([[filler, { generateNext: { token: true } }]])
      else await sequence.evaluateWithoutGeneratingNewTokens(Array.from({ length: size }, () => filler))
      await sequence.eraseContextTokenRanges([{ start: held.length, end: sequence.nextTokenIndex }])
      shapes.warmed(size)
      yield shapes.warm
      // whoever asked meanwhile is heard before the next one
      await setImmediate()
    }
  } finally {
    lease.end()
  }
}
