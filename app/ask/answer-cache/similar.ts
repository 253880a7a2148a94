// Owns the choice among earlier questions that resemble this one: equation 8 ranks, the gate decides, and what it refuses becomes a link.
import type { Candidate, Found } from '../../store/answers.ts'
import { similarity, toBytes, type Fit } from '../similarity.ts'
import type { Asked, Gate, NearLink } from './asked.ts'
import { pausesOf, tokensOf, wordsOf } from './form.ts'

export interface Earlier {
  readonly candidates: readonly Candidate[]
  /** The whole row, its seal unbroken, or null. */
  read(id: number): Found | null
}

/** Put to the gate, the most similar first. */
const JUDGED = 4
const LINKS = 3

export interface Chosen<S> {
  /** The earlier question that is this one, with its slots. */
  readonly same: { readonly found: Found; readonly slots: S } | null
  readonly links: readonly NearLink[]
}

/**
 * What may be served for a question, or else what is worth a link. Served is only what reaches `fit.serve`, passes the gate and pauses behind a
 * "no" where the question does: three independent doubts, each enough.
 */
export function choose<S>(
  { question, standard }: Pick<Asked, 'question' | 'standard'>,
  vector: Float32Array,
  earlier: Earlier,
  fit: Fit,
  gate: Gate<S>,
): Chosen<S> {
  const tokens = tokensOf(standard)
  // both vectors in the same coarse form, so that a question is exactly as similar to itself as can be
  const own = { words: new Set(wordsOf(tokens)), vector: toBytes(vector) }
  const ranked = earlier.candidates
    .map((one) => ({ id: one.id, theirs: tokensOf(one.standard), vector: one.vector }))
    .map((one) => ({ ...one, score: similarity({ words: new Set(wordsOf(one.theirs)), vector: one.vector }, own, fit.alpha) }))
    .filter(({ score }) => score >= Math.min(fit.serve, fit.near))
    .sort((a, b) => b.score - a.score || b.id - a.id)
    .slice(0, JUDGED)
  const links: NearLink[] = []
  if (ranked.length === 0) return { same: null, links }
  const slots = gate.slotsOf(question)
  for (const { id, theirs, score } of ranked) {
    const found = earlier.read(id)
    if (!found) continue
    const earlierSlots = gate.slotsOf(found.question)
    const verdict = gate.gate(earlierSlots, slots)
    if (verdict.same) {
      if (score >= fit.serve && pausesOf(theirs) === pausesOf(tokens)) return { same: { found, slots: earlierSlots }, links: [] }
    } else if (score >= fit.near && links.length < LINKS) links.push(linkTo(found, verdict.differs))
  }
  return { same: null, links }
}

const linkTo = ({ question, turn, conversation, askedAt }: Found, differs: readonly { slot: string; a: string; b: string }[]): NearLink => ({
  question,
  turn,
  conversation,
  askedAt: new Date(askedAt).toISOString(),
  differs: differs.map(({ slot, a, b }) => ({ slot, earlier: a, asked: b })),
})
