// Owns the order in which pairs are learned: simple concepts before complex ones, basic knowledge before specialised (formula 6).
import { chance, shuffled } from './chance.ts'
import type { Pair } from './pair.ts'

export interface Order {
  /** Concept complexity rises from stage to stage. */
  readonly progressive: boolean
  /** All basic knowledge before any specialised. */
  readonly basicFirst: boolean
}
export const FULL_ORDER: Order = { progressive: true, basicFirst: true }

/** The stage of a pair under `order`: 0, 1, …; with neither rule all are in stage 0. */
export function stageOf({ level, knowledge }: Pick<Pair, 'level' | 'knowledge'>, { progressive, basicFirst }: Order): number {
  return (basicFirst && knowledge === 'specialised' ? 4 : 0) + (progressive ? level : 0)
}

/** The pairs in stages, random within each; the same seed gives the same order. */
export function ordered(pairs: readonly Pair[], order: Order, seed: number): Pair[] {
  const mixed = shuffled(pairs, chance(seed, 'order'))
  return mixed.sort((a, b) => stageOf(a, order) - stageOf(b, order))
}
