// Owns the values that a choice of mode is made from: what each mode would be on this computer, and what the clinic asks.
import type { Category, Provenance } from '../../contract/entities.ts'
import type { Prediction } from '../performance.ts'

/** base: the model alone. adapter: with the adapter of the question's category. merged: one file with the adapters' knowledge in its weights. */
export type Mode = Provenance['mode']
export const modes: readonly Mode[] = ['base', 'adapter', 'merged']

/** Of equation 7: w1, w2, w3; each at least 0, together 1. */
export interface Weights {
  performance: number
  fit: number
  cost: number
}

/** Validation questions answered right, of so many. */
export interface Score {
  right: number
  total: number
}
export type Scores = Readonly<Partial<Record<Category, Score>>>

/** One mode, as it would run here. */
export interface Option {
  mode: Mode
  /** Of the clinic's typical question, with what the mode adds to each token counted. */
  prediction: Prediction
  scores: Scores
  /** All that the engine process would have resident, in bytes. */
  bytes: number
  /** Until it can answer, in seconds, by the mode that serves now; of one that is missing, the greatest of the others. */
  switchSeconds: Readonly<Partial<Record<Mode, number>>>
  /** Why it cannot be used: an adapter that does not fit, a merged model that is out of date. */
  refused: { code: string; message: string } | null
}

/** What a clinic waits for without being disturbed. */
export interface Targets {
  firstTokenSeconds: number
  tokensPerSecond: number
}
/** First lines while the patient is still talking; a little faster than an English text is read, at 1.3 tokens a word and 300 words a minute. */
export const TARGETS: Targets = { firstTokenSeconds: 3, tokensPerSecond: 7 }

/** Shares of the categories in the clinic's questions; together 1. */
export type Mix = Readonly<Record<Category, number>>

export interface Situation {
  options: readonly Option[]
  /** The mode that serves now; null before the first load. */
  current: Mode | null
  mix: Mix
  /** Bytes that a model may take on this computer, the graphics card's included. */
  usableBytes: number
  /** Questions until the next change is likely: over so many the cost of a switch is spread. */
  expectedQuestions: number
  targets: Targets
}
