// Owns equation 8: Similarity = α·Jaccard(words) + (1 − α)·cos(Embed q1, Embed q2), and the reading of α and the thresholds that were fitted.
import * as z from 'zod'

/** Fitted by `npm run model -- embed … --fit`; similarity.json beside the vectors says on what and how well. */
export const Fit = z.object({
  /** `id` of the embedder that this was fitted for. */
  embedder: z.string(),
  /** Weight of the Jaccard part, 0…1. */
  alpha: z.number().min(0).max(1),
  /** Below this two questions are more often different than the same: nothing is served, whatever the gate says. */
  serve: z.number().min(-1).max(1),
  /** From here on an earlier question is worth a link. */
  near: z.number().min(-1).max(1),
})
export type Fit = z.infer<typeof Fit>

/** Throws when the text is no fit, or one of another embedder: its thresholds would mean nothing here. */
export function readFit(text: string, embedder: string): Fit {
  const fit = Fit.parse(JSON.parse(text))
  if (fit.embedder !== embedder) throw new Error(`fitted for ${fit.embedder}, not for ${embedder}`)
  return fit
}

/** Shared words ÷ all words, 0…1; of two empty sets 0, since nothing is known of either. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const word of a) if (b.has(word)) shared++
  const all = a.size + b.size - shared
  return all === 0 ? 0 : shared / all
}

/** The cosine of two vectors of any length, −1…1; 0 where one of them has no direction or they do not belong together. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return 0
  let [dot, aa, bb] = [0, 0, 0]
  for (let at = 0; at < a.length; at++) {
    dot += a[at]! * b[at]!
    aa += a[at]! * a[at]!
    bb += b[at]! * b[at]!
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb)
}

export interface Compared {
  readonly words: ReadonlySet<string>
  readonly vector: ArrayLike<number>
}
/** Equation 8. Symmetric; of a text with itself 1 when anything in it is known. */
export const similarity = (a: Compared, b: Compared, alpha: number): number =>
  alpha * jaccard(a.words, b.words) + (1 - alpha) * cosine(a.vector, b.vector)

/** A unit vector in a byte per dimension, for storing: cosines change by less than 0.01. */
export function toBytes(vector: Float32Array): Int8Array {
  let largest = 0
  for (const value of vector) largest = Math.max(largest, Math.abs(value))
  return largest === 0 ? new Int8Array(vector.length) : Int8Array.from(vector, (value) => Math.round((value / largest) * 127))
}
