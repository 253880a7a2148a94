// Owns the loss by kind of token, and the rise of one measurement over another with its uncertainty.
import type { Evaluator } from '../ffi/evaluator.ts'
import { tags, type Tag } from './tag.ts'
import type { Text } from './texts.ts'

/** Per text, the loss of each token of its answer, in nats. */
export type Losses = readonly Float32Array[]
/** In nats a token. A kind of token that does not occur has 0. */
export interface Rise extends Readonly<Record<Tag, number>> {
  /** Mean of the kinds that occur: each counts as a whole, so that the numbers, few as they are, weigh as much as the ordinary words. */
  readonly all: number
  /** Standard error of `all`; tokens of one text are one observation, for they rise and fall together. */
  readonly error: number
}

export async function measure(evaluator: Evaluator, texts: readonly Text[]): Promise<Losses> {
  const losses: Float32Array[] = []
  for (const { tokens, from } of texts) losses.push(await evaluator.losses(tokens, from))
  return losses
}

/** Index beside those of `tags`: a token that is not counted. */
const UNCOUNTED = tags.length

/**
 * The texts with only those tokens counted to which the model itself gives at least probability `least`; texts without one are left out.
 * Rounding can only lose what is known: where a model guesses, noise makes it less sure of wrong words as often as of right ones, and the
 * loss falls by chance. The choice is made on the unrounded model, so that rises lean upwards, as a divergence from it would.
 */
export function countKnown(texts: readonly Text[], base: Losses, least: number): { texts: Text[]; base: Losses } {
  const most = -Math.log(least)
  const kept: { text: Text; base: Float32Array }[] = []
  for (const [n, { tokens, from, tagged }] of texts.entries()) {
    const losses = base[n]!
    const counted = tagged.map((tag, token) => (losses[token]! <= most ? tag : UNCOUNTED))
    // what follows the last of them need not be evaluated
    const length = counted.findLastIndex((tag) => tag !== UNCOUNTED) + 1
    if (length > 0)
      kept.push({ text: { tokens: tokens.slice(0, from + length), from, tagged: counted.slice(0, length) }, base: losses.slice(0, length) })
  }
  return { texts: kept.map(({ text }) => text), base: kept.map((one) => one.base) }
}

/** How many tokens there are of each kind. */
export function countTags(texts: readonly Text[]): Record<Tag, number> {
  const counts = new Array<number>(UNCOUNTED + 1).fill(0)
  for (const { tagged } of texts) for (const tag of tagged) counts[tag]!++
  return Object.fromEntries(tags.map((tag, n) => [tag, counts[n]!])) as Record<Tag, number>
}

/** Mean of now − base by kind of token; with `base` null, of `now` itself. */
export function riseOf(texts: readonly Text[], now: Losses, base: Losses | null): Rise {
  const counts = Object.values(countTags(texts))
  const kinds = counts.filter((count) => count > 0).length
  const means = tags.map(() => 0)
  const perText = texts.map(({ tagged }, n) => {
    let own = 0
    tagged.forEach((tag, token) => {
      if (tag === UNCOUNTED) return
      const share = (now[n]![token]! - (base?.[n]?.[token] ?? 0)) / counts[tag]!
      means[tag]! += share
      own += share / kinds
    })
    return own
  })
  const all = perText.reduce((sum, own) => sum + own, 0)
  const variance = perText.reduce((sum, own) => sum + (own - all / perText.length) ** 2, 0)
  const error = perText.length > 1 ? Math.sqrt((variance * perText.length) / (perText.length - 1)) : 0
  return { term: means[0]!, number: means[1]!, ordinary: means[2]!, all, error }
}
