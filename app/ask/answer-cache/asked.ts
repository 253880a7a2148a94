// Owns what the answer cache is asked and what it says: the question with its scope, what may be cached at all, and the three results.
import type { Scope } from '../../store/answer-rows.ts'

export interface Asked {
  readonly scope: Scope
  /** As typed, cleaned. */
  readonly question: string
  /** In standard terms: what is compared. */
  readonly standard: string
  /** An emergency rule has spoken, whatever the category. */
  readonly emergency: boolean
  /** It leans on earlier turns, so that the same words can mean something else. */
  readonly followUp: boolean
  /** It tells who somebody is (app/clinical/identifiers). */
  readonly identifiable: boolean
}
export interface Answered {
  readonly answer: string
  readonly status: 'complete' | 'partial' | 'failed'
  readonly turn: string
  readonly conversation: string
}
export type Verdict = { same: true } | { same: false; differs: readonly { slot: string; a: string; b: string }[] }
/** The clinical gate (app/clinical/gate), on questions as typed. What it cannot read is a difference. */
export interface Gate<S> {
  slotsOf(question: string): S
  gate(a: S, b: S): Verdict
}

/** The last four concern keeping alone. forgotten: its conversation was deleted meanwhile. */
export type Refusal = 'off' | 'emergency' | 'follow-up' | 'identifiable' | 'empty' | 'too long' | 'failed' | 'not complete' | 'no room' | 'forgotten'
export interface Hit {
  readonly kind: 'hit'
  readonly level: 'memory' | 'disk'
  readonly answer: string
  /** ISO 8601 in UTC. */
  readonly askedAt: string
  /** As it was typed then. */
  readonly originalQuestion: string
  readonly turn: string
  readonly conversation: string
}
export interface NearLink {
  readonly question: string
  readonly turn: string
  readonly conversation: string
  readonly askedAt: string
  /** In words, of the earlier question and of this one; '' where one of them says nothing ("5 mg" → "50 mg"). */
  readonly differs: readonly { readonly slot: string; readonly earlier: string; readonly asked: string }[]
}
export type Lookup =
  Hit | { readonly kind: 'near'; readonly links: readonly NearLink[] } | { readonly kind: 'miss'; readonly refused: Refusal | null }

/** A text that long tells a case, and no second person has the same. */
const MOST_CHARACTERS = 2000

/** Why nothing is looked up or kept for this question; null when both may be. */
export function refusalOf(asked: Asked): Refusal | null {
  if (asked.emergency || asked.scope.category === 'emergency') return 'emergency'
  if (asked.followUp) return 'follow-up'
  if (asked.identifiable) return 'identifiable'
  return asked.question.length > MOST_CHARACTERS || asked.standard.length > MOST_CHARACTERS ? 'too long' : null
}
