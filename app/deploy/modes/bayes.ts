// Owns Bayesian optimisation over the weights of equation 7: which to evaluate next, and which are best after a number of evaluations.
import { GaussianProcess, type Point } from './gaussian.ts'
import type { Weights } from './situation.ts'

export interface Evaluation {
  weights: Weights
  /** To be made as large as possible. */
  value: number
}

/** Evaluated before anything is known of the function: the middle, towards each corner, the middle of each edge. */
const DESIGN: readonly Point[] = [
  [1 / 3, 1 / 3, 1 / 3],
  ...[
    [0.7, 0.15, 0.15],
    [0.15, 0.7, 0.15],
    [0.15, 0.15, 0.7],
  ],
  ...[
    [0.5, 0.5, 0],
    [0.5, 0, 0.5],
    [0, 0.5, 0.5],
  ],
]
/** Steps of the grid on which the next is looked for, and finer ones around the best so far. */
const GRID = 30
const NEAR = [0.02, 0.01, 0.004, 0.002]
/** Weights nearer than this are the same. */
const SAME = 1e-3

const pointOf = ({ performance, fit, cost }: Weights): Point => [performance, fit, cost]
const weightsOf = ([performance, fit, cost]: Point): Weights => ({ performance: performance!, fit: fit!, cost: cost! })
export const farApart = (a: Weights, b: Weights): number => Math.hypot(a.performance - b.performance, a.fit - b.fit, a.cost - b.cost)

/** Every point of the simplex whose coordinates are whole multiples of 1 / `steps`. */
export function simplex(steps: number): Weights[] {
  const found: Weights[] = []
  for (let a = 0; a <= steps; a++)
    for (let b = 0; a + b <= steps; b++) found.push({ performance: a / steps, fit: b / steps, cost: (steps - a - b) / steps })
  return found
}
const grid = simplex(GRID)

/** Moves of the distance `step` within the simplex, from one weight to another. */
function around({ performance, fit, cost }: Weights): Weights[] {
  const from = [performance, fit, cost]
  const moves = [0, 1, 2].flatMap((up) => [0, 1, 2].filter((down) => down !== up).map((down) => [up, down] as const))
  return NEAR.flatMap((step) =>
    moves.map(([up, down]) => {
      const moved = Math.min(step, from[down]!)
      return weightsOf(from.map((value, n) => (n === up ? value + moved : n === down ? value - moved : value)))
    }),
  )
}

/**
 * The weights whose evaluation is expected to improve most on the best so far (Jones, Schonlau and Welch 1998), after a fixed design of seven.
 * The same `tried` always gives the same answer; weights that were tried are not given again.
 */
export function nextWeights(tried: readonly Evaluation[]): Weights {
  const isNew = (weights: Weights) => tried.every((one) => farApart(one.weights, weights) > SAME)
  const planned = DESIGN.map(weightsOf).find(isNew)
  if (planned && tried.length < DESIGN.length) return planned
  const process = processOf(tried)
  const best = bestTried(tried, process)
  const candidates = [...grid, ...around(best.weights)].filter(isNew)
  let [found, most] = [best.weights, -1]
  for (const candidate of candidates) {
    const { mean, deviation } = process.at(pointOf(candidate))
    const gain = expectedImprovement(mean - best.expected, deviation)
    if (gain > most) [found, most] = [candidate, gain]
  }
  return found
}

const processOf = (tried: readonly Evaluation[]) =>
  new GaussianProcess(
    tried.map(({ weights }) => pointOf(weights)),
    tried.map(({ value }) => value),
  )

/** Of those tried the one that is best by the process, which sees through the noise of a single evaluation. */
function bestTried(tried: readonly Evaluation[], process: GaussianProcess): { weights: Weights; expected: number } {
  return tried
    .map(({ weights }) => ({ weights, expected: process.at(pointOf(weights)).mean }))
    .reduce((best, one) => (one.expected > best.expected ? one : best))
}

/** (μ − f*) Φ(z) + σ φ(z) with z = (μ − f*) / σ. */
export function expectedImprovement(above: number, deviation: number): number {
  if (deviation <= 0) return Math.max(0, above)
  const z = above / deviation
  return above * normalBelow(z) + deviation * Math.exp(-(z ** 2) / 2) * Math.sqrt(1 / (2 * Math.PI))
}

/** Φ(z), within 1e-7: Abramowitz and Stegun 1964, 26.2.17. */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail =
    Math.exp(-(z ** 2) / 2) *
    Math.sqrt(1 / (2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z >= 0 ? 1 - tail : tail
}

export interface Optimum extends Evaluation {
  /** In the order in which they were evaluated. */
  tried: readonly Evaluation[]
}

/** Evaluates at most `evaluations` weights, `first` ones before any other, and returns the best of them. `evaluate` must be finite. */
export function optimise(
  evaluate: (weights: Weights) => number,
  { evaluations, first = [] }: { evaluations: number; first?: readonly Weights[] },
): Optimum {
  const tried: Evaluation[] = []
  for (let n = 0; n < Math.max(1, evaluations); n++) {
    const weights = first[n] ?? nextWeights(tried)
    tried.push({ weights, value: evaluate(weights) })
  }
  const { weights } = bestTried(tried, processOf(tried))
  return { weights, value: tried.find((one) => one.weights === weights)!.value, tried }
}
