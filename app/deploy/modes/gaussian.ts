// Owns the Gaussian process: what a function is likely to be between the points where it was evaluated. Cholesky's decomposition is ml-matrix's.
import { CholeskyDecomposition, Matrix } from 'ml-matrix'

export type Point = readonly number[]
export interface Estimate {
  mean: number
  /** Of the function itself, without the noise of an evaluation. */
  deviation: number
}

/** In the units of the points, and as shares of the function's own variance: every pair is tried, the likeliest is taken. */
const LENGTHS = [0.1, 0.2, 0.4, 0.8]
const NOISES = [1e-6, 1e-3, 1e-1]

/** Matérn's covariance with ν = 5/2, at distance r and length ℓ: (1 + √5 r/ℓ + 5r²/3ℓ²) exp(−√5 r/ℓ). Rasmussen and Williams 2006, eq. 4.17. */
export function matern(distance: number, length: number): number {
  const scaled = (Math.sqrt(5) * distance) / length
  return (1 + scaled + scaled ** 2 / 3) * Math.exp(-scaled)
}

function distance(a: Point, b: Point): number {
  let sum = 0
  for (let n = 0; n < a.length; n++) sum += (a[n]! - b[n]!) ** 2
  return Math.sqrt(sum)
}

/**
 * A process with constant mean and Matérn 5/2 covariance, whose length and noise maximise the marginal likelihood (Rasmussen and Williams
 * 2006, eq. 5.8), the variance being its own maximum for each pair. Costs n³ to fit and n² for an estimate; made for tens of points.
 */
export class GaussianProcess {
  readonly length: number
  readonly noise: number
  readonly #points: readonly Point[]
  readonly #mean: number
  readonly #variance: number
  /** K⁻¹ (y − mean), and K⁻¹, row after row. */
  readonly #alpha: Float64Array
  readonly #inverse: Float64Array

  /** Needs at least one point, and finite numbers; throws RangeError. Equal points are allowed: noise tells them apart. */
  constructor(points: readonly Point[], values: readonly number[]) {
    if (points.length === 0 || points.length !== values.length) throw new RangeError('a Gaussian process needs a value for each of its points')
    if (![...points.flat(), ...values].every(Number.isFinite)) throw new RangeError('the points and values of a Gaussian process must be finite')
    this.#points = points
    this.#mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const centred = Matrix.columnVector(values.map((value) => value - this.#mean))
    const distances = points.map((a) => points.map((b) => distance(a, b)))
    const best = likeliest(distances, centred)
    this.length = best.length
    this.noise = best.noise
    this.#variance = best.variance
    this.#alpha = Float64Array.from(best.decomposition.solve(centred).to1DArray())
    this.#inverse = Float64Array.from(best.decomposition.solve(Matrix.eye(points.length)).to1DArray())
  }

  at(point: Point): Estimate {
    const n = this.#points.length
    const k = new Float64Array(n)
    for (let i = 0; i < n; i++) k[i] = matern(distance(this.#points[i]!, point), this.length)
    let [mean, explained] = [this.#mean, 0]
    for (let i = 0; i < n; i++) {
      mean += k[i]! * this.#alpha[i]!
      // the inverse is symmetric: its lower triangle counts twice
      let row = 0.5 * this.#inverse[i * n + i]! * k[i]!
      for (let j = 0; j < i; j++) row += this.#inverse[i * n + j]! * k[j]!
      explained += 2 * k[i]! * row
    }
    return { mean, deviation: Math.sqrt(this.#variance * Math.max(0, 1 - explained)) }
  }
}

function likeliest(distances: readonly (readonly number[])[], centred: Matrix) {
  const n = distances.length
  let best: { length: number; noise: number; variance: number; decomposition: CholeskyDecomposition; likelihood: number } | null = null
  for (const length of LENGTHS) {
    const covariance = new Matrix(distances.map((row) => row.map((r) => matern(r, length))))
    for (const noise of NOISES) {
      const decomposition = new CholeskyDecomposition(Matrix.add(covariance, Matrix.eye(n, n, noise)))
      if (!decomposition.isPositiveDefinite()) continue
      const variance = Math.max(centred.dot(decomposition.solve(centred)) / n, Number.MIN_VALUE)
      const halfDeterminant = decomposition.lowerTriangularMatrix.diag().reduce((sum, value) => sum + Math.log(value), 0)
      const likelihood = -(n / 2) * Math.log(variance) - halfDeterminant
      if (!best || likelihood > best.likelihood) best = { length, noise, variance, decomposition, likelihood }
    }
  }
  // the greatest noise is on every diagonal: positive definite whatever the points
  if (!best) throw new RangeError('no length and noise give a positive definite covariance')
  return best
}
