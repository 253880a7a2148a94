// Owns the choice of the engine for the next question, E* = argmax S: who may be asked at all, who is best, and when to stay with the one in use.
import type { Fence } from './breaker.ts'
import type { Terms } from './score.ts'

export interface Candidate {
  id: string
  kind: 'computer' | 'server'
  name: string
  /** It could answer now: its model is loaded, or its server has answered of late. */
  ready: boolean
  fence: Fence
  /** Its one trial after a failure is under way. */
  onTrial: boolean
  score: number
  terms: Terms
  firstMs: number
  tokensPerSecond: number
}
/** balance: by score. server, computer: that kind whenever one of it can answer. */
export type Use = 'balance' | 'server' | 'computer'
/** What hysteresis has to know of the questions before. */
export interface Memory {
  chosen: string | null
  /** Who has led since, and for how many questions in a row. */
  rival: { id: string; times: number } | null
}
export interface Choice {
  /** null: nobody can answer. */
  chosen: string | null
  /** Best first; the chosen one need not be the first. */
  order: readonly Candidate[]
  why: Readonly<Record<string, string>>
  memory: Memory
}

/** Of the score: less is noise of the measurements. */
const MARGIN = 0.04
/** Questions in a row for which a rival must lead. */
const TIMES = 2

/** May be asked: a fenced one only when nobody else is there. */
const free = ({ ready, fence, onTrial }: Candidate) => ready && (fence === 'closed' || (fence === 'half-open' && !onTrial))

/**
 * The engine for the next question. Where all that could answer are fenced the best of them is asked: nothing is lost by trying. Pure; the caller keeps
 * `memory` only for a question that is really asked.
 */
export function select(candidates: readonly Candidate[], use: Use, memory: Memory): Choice {
  const order = [...candidates].sort((a, b) => b.score - a.score)
  const open = order.filter(free)
  const able = open.length > 0 ? open : order.filter(({ ready }) => ready)
  const wanted = use === 'balance' ? [] : able.filter(({ kind }) => kind === use)
  const field = wanted.length > 0 ? wanted : able
  const [best] = field
  if (!best) return { chosen: null, order, why: reasons(order, null, use, false), memory: { chosen: null, rival: null } }
  const current = field.find(({ id }) => id === memory.chosen)
  if (!current || current === best) return choice(best, null, false)
  const times = memory.rival?.id === best.id ? memory.rival.times + 1 : 1
  const moves = best.score - current.score >= MARGIN && times >= TIMES
  return moves ? choice(best, null, false) : choice(current, best.score - current.score >= MARGIN ? { id: best.id, times } : null, true)

  function choice(chosen: Candidate, rival: Memory['rival'], stays: boolean): Choice {
    return { chosen: chosen.id, order, why: reasons(order, chosen, use, stays), memory: { chosen: chosen.id, rival } }
  }
}

function reasons(order: readonly Candidate[], chosen: Candidate | null, use: Use, stays: boolean): Record<string, string> {
  return Object.fromEntries(order.map((one) => [one.id, one === chosen ? whyChosen(order, one, use, stays) : whyNot(one, chosen, use)]))
}

function whyChosen(order: readonly Candidate[], chosen: Candidate, use: Use, stays: boolean): string {
  const others = order.filter((one) => one !== chosen && free(one))
  if (chosen.fence === 'open') return 'It has failed before, but nobody else can answer now.'
  if (chosen.fence === 'half-open') return 'It has failed before and gets one question as a trial.'
  if (others.length === 0) return order.length === 1 ? 'It is the only engine.' : 'Nobody else can answer now.'
  if (use === chosen.kind) return use === 'server' ? 'You prefer the server whenever it answers.' : 'You prefer this computer whenever it can answer.'
  if (stays) return 'It stays, as the other is not better by enough, or not for long enough.'
  return 'It has the best score for a typical question.'
}

function whyNot(one: Candidate, chosen: Candidate | null, use: Use): string {
  if (one.fence === 'open') return 'It has failed and is left alone for a while.'
  if (!one.ready) return one.kind === 'server' ? 'It does not answer.' : 'Its model is not loaded.'
  if (one.fence === 'half-open') return 'It has failed, and its trial is not over.'
  if (!chosen) return 'It cannot answer now.'
  if (use === chosen.kind) return use === 'server' ? 'You prefer the server.' : 'You prefer this computer.'
  if (one.score > chosen.score) return 'It is better, but not yet by enough or for long enough to change.'
  const behind = (Object.keys(one.terms) as (keyof Terms)[]).reduce((a, b) =>
    chosen.terms[b] - one.terms[b] > chosen.terms[a] - one.terms[a] ? b : a,
  )
  return { first: 'Its first word comes later.', speed: 'It writes more slowly.', energy: 'It takes more energy.', trust: 'It has failed of late.' }[
    behind
  ]
}
