// Owns the truncated singular value decomposition of a sparse matrix by random projection (Halko, Martinsson and Tropp, 2011).
import type { Random } from '../twin/random.ts'
import type { Sparse } from './counts.ts'

/** Beside the rank: directions that catch what the projection spills. */
const SPARE = 16
/** Each turns the projection towards the large singular values; more than two change nothing that can be measured here. */
const POWER_STEPS = 2
const SWEEPS = 30

export interface Decomposition {
  /** rows × rank, row by row: U·Σ^½, the halved weight of the large values being best for words (Levy, Goldberg and Dagan, 2015). */
  readonly rows: Float64Array
  readonly rank: number
  /** Singular values, largest first. */
  readonly values: readonly number[]
}

/** The `rank` largest singular directions of A. The same seed gives the same bytes. A rank above the matrix's size is cut to it. */
export function truncatedSvd(matrix: Sparse, rank: number, random: Random, onStep: (done: number, total: number) => void): Decomposition {
  const n = matrix.size
  const wide = Math.min(n, rank + SPARE)
  const kept = Math.min(rank, wide)
  let basis: Float64Array = Float64Array.from({ length: n * wide }, () => random.gauss())
  const steps = 2 * POWER_STEPS + 2
  let done = 0
  const step = (next: Float64Array) => {
    onStep(++done, steps)
    return next
  }
  basis = orthonormal(step(times(matrix, basis, wide)), n, wide)
  for (let power = 0; power < POWER_STEPS; power++) {
    basis = orthonormal(step(timesTransposed(matrix, basis, wide)), n, wide)
    basis = orthonormal(step(times(matrix, basis, wide)), n, wide)
  }
  // (QᵀA)ᵀ, whose small Gram matrix has the squared singular values
  const projected = step(timesTransposed(matrix, basis, wide))
  const { values, vectors } = eigen(gram(projected, n, wide), wide)
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!)
  const singular = order.slice(0, kept).map((at) => Math.sqrt(Math.max(0, values[at]!)))
  const rows = new Float64Array(n * kept)
  for (let row = 0; row < n; row++)
    for (let to = 0; to < kept; to++) {
      let sum = 0
      for (let at = 0; at < wide; at++) sum += basis[row * wide + at]! * vectors[at * wide + order[to]!]!
      rows[row * kept + to] = sum * Math.sqrt(singular[to]!)
    }
  return { rows, rank: kept, values: singular }
}

/** A·X, X being size × wide. */
function times({ size, from, columns, values }: Sparse, x: Float64Array, wide: number): Float64Array {
  const out = new Float64Array(size * wide)
  for (let row = 0; row < size; row++)
    for (let at = from[row]!; at < from[row + 1]!; at++) {
      const [value, source, target] = [values[at]!, columns[at]! * wide, row * wide]
      for (let k = 0; k < wide; k++) out[target + k]! += value * x[source + k]!
    }
  return out
}

/** Aᵀ·X. */
function timesTransposed({ size, from, columns, values }: Sparse, x: Float64Array, wide: number): Float64Array {
  const out = new Float64Array(size * wide)
  for (let row = 0; row < size; row++)
    for (let at = from[row]!; at < from[row + 1]!; at++) {
      const [value, source, target] = [values[at]!, row * wide, columns[at]! * wide]
      for (let k = 0; k < wide; k++) out[target + k]! += value * x[source + k]!
    }
  return out
}

/** XᵀX, wide × wide. */
function gram(x: Float64Array, n: number, wide: number): Float64Array {
  const out = new Float64Array(wide * wide)
  for (let row = 0; row < n; row++)
    for (let a = 0; a < wide; a++) {
      const value = x[row * wide + a]!
      for (let b = a; b < wide; b++) out[a * wide + b]! += value * x[row * wide + b]!
    }
  for (let a = 0; a < wide; a++) for (let b = 0; b < a; b++) out[a * wide + b] = out[b * wide + a]!
  return out
}

/** Orthonormal columns of the same span: Gram and Schmidt, twice, which is as exact as Householder here. A column without news becomes zero. */
function orthonormal(x: Float64Array, n: number, wide: number): Float64Array {
  // each column in one piece: several times quicker
  const columns = Array.from({ length: wide }, (_, column) => Float64Array.from({ length: n }, (_unused, row) => x[row * wide + column]!))
  columns.forEach((column, at) => {
    const before = Math.sqrt(dot(column, column))
    for (let pass = 0; pass < 2; pass++)
      for (let k = 0; k < at; k++) {
        const other = columns[k]!
        const share = dot(column, other)
        for (let row = 0; row < n; row++) column[row]! -= share * other[row]!
      }
    const after = Math.sqrt(dot(column, column))
    const scale = after > before * 1e-10 ? 1 / after : 0
    for (let row = 0; row < n; row++) x[row * wide + at] = column[row]! *= scale
  })
  return x
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}

/** All eigenvalues and vectors (as columns) of a symmetric matrix, by Jacobi's rotations. */
function eigen(a: Float64Array, n: number): { values: number[]; vectors: Float64Array } {
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  const size = a.reduce((sum, value) => sum + value * value, 0)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p * n + q]! ** 2
    if (off <= size * 1e-24) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }
  return { values: Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors: v }
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!
  if (apq === 0) return
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!]
    a[k * n + p] = c * kp - s * kq
    a[k * n + q] = s * kp + c * kq
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [a[p * n + k]!, a[q * n + k]!]
    a[p * n + k] = c * pk - s * qk
    a[q * n + k] = s * pk + c * qk
    const [vp, vq] = [v[k * n + p]!, v[k * n + q]!]
    v[k * n + p] = c * vp - s * vq
    v[k * n + q] = s * vp + c * vq
  }
}
