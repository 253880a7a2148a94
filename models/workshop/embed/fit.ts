// Owns the fitting of α and of the two thresholds of equation 8, and what they are worth on pairs that they were not fitted on.
import { similarity, type Compared, type Fit } from '../../../app/ask/similarity.ts'
import { auc, type Pair, type Scores } from './pairs.ts'

const FOLDS = 5
const ALPHA_STEP = 0.05
/** Of the earlier questions that are offered as a link, at least so many must be what the asker meant, where half of the pairs are. */
const NEAR_PRECISION = 0.8

export type Chosen = Pick<Fit, 'alpha' | 'serve' | 'near'>
export interface Fitted extends Chosen {
  /** Of equation 8 on folds that α was not fitted on, joined. */
  readonly auc: number
  /** The same at the thresholds: what each lets through. */
  readonly heldOut: readonly { readonly threshold: 'serve' | 'near'; readonly similar: number; readonly dissimilar: number }[]
  readonly perFold: readonly (Chosen & { readonly fold: number; readonly auc: number })[]
}
interface Set {
  readonly pairs: readonly Pair[]
  readonly compared: readonly (readonly [Compared, Compared])[]
}

/**
 * Splits the pairs into five by their first question, fits on four and judges on the fifth, then fits on all. α is the one of greatest AUC;
 * `serve` the threshold that parts the two kinds best (greatest sum of sensitivity and specificity); `near` the least with a precision of 0.8.
 */
export function fit(pairs: readonly Pair[], compared: readonly (readonly [Compared, Compared])[]): Fitted {
  const all: Set = { pairs, compared }
  const groups = [...new Set(pairs.map(({ group }) => group))]
  const foldOf = new Map(groups.map((group, at) => [group, at % FOLDS]))
  const part = (keep: (fold: number) => boolean): Set => {
    const kept = Array.from(pairs.keys()).filter((at) => keep(foldOf.get(pairs[at]!.group)!))
    return { pairs: kept.map((at) => pairs[at]!), compared: kept.map((at) => compared[at]!) }
  }
  const counts = { serve: { similar: 0, dissimilar: 0 }, near: { similar: 0, dissimilar: 0 } }
  const perFold: (Chosen & { fold: number; auc: number })[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const chosen = choose(part((one) => one !== fold))
    const held = part((one) => one === fold)
    const scores = scoresOf(held, chosen.alpha)
    perFold.push({ fold: fold + 1, ...chosen, auc: auc(held.pairs, scores) })
    for (const threshold of ['serve', 'near'] as const)
      held.pairs.forEach(({ same }, at) => {
        if (scores[at]! >= chosen[threshold]) counts[threshold][same === 1 ? 'similar' : 'dissimilar']++
      })
  }
  return {
    ...choose(all),
    auc: perFold.reduce((sum, one) => sum + one.auc, 0) / FOLDS,
    heldOut: (['serve', 'near'] as const).map((threshold) => ({ threshold, ...counts[threshold] })),
    perFold,
  }
}

const scoresOf = ({ compared }: Set, alpha: number): Scores => compared.map(([a, b]) => similarity(a, b, alpha))

function choose(set: Set): Chosen {
  let best = { alpha: 1, auc: -Infinity }
  for (let step = 0; step * ALPHA_STEP <= 1; step++) {
    const alpha = Math.round(step * ALPHA_STEP * 100) / 100
    const value = auc(set.pairs, scoresOf(set, alpha))
    if (value > best.auc) best = { alpha, auc: value }
  }
  const scores = scoresOf(set, best.alpha)
  return { alpha: best.alpha, ...thresholds(set.pairs, scores) }
}

function thresholds(pairs: readonly Pair[], scores: Scores): { serve: number; near: number } {
  const order = Array.from(pairs.keys()).sort((a, b) => scores[b]! - scores[a]!)
  const similar = pairs.filter(({ same }) => same === 1).length
  const dissimilar = pairs.length - similar
  let [hits, wrong] = [0, 0]
  let best = { at: 1, value: -Infinity }
  let near = 1
  order.forEach((pair, place) => {
    if (pairs[pair]!.same === 1) hits++
    else wrong++
    // pairs of one score fall on the same side
    if (scores[order[place + 1]!] === scores[pair]) return
    const value = hits / similar - wrong / dissimilar
    if (value > best.value) best = { at: scores[pair]!, value }
    if (hits / (hits + wrong) >= NEAR_PRECISION) near = scores[pair]!
  })
  // rounded down, so that the pair that decided stays on its side
  const down = (value: number) => Math.floor(value * 1000) / 1000
  return { serve: down(best.at), near: down(near) }
}
