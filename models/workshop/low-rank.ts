// Owns the arithmetic of W ← W + scale·B·A on rows in memory, in the order of loops that a compiler without SIMD does best.

/** A low-rank change, laid out for `addLowRank`: ranks padded with zeros to a multiple of four. */
export interface LowRank {
  /** rank × columns, row by row. */
  readonly a: Float32Array
  /** rows × rank, row by row, the scale multiplied in. */
  readonly b: Float64Array
  readonly rank: number
  readonly rows: number
  readonly columns: number
}
/** Rows and ranks taken together: sixteen factors stay in registers while four rows of A pass once. */
const TILE = 4

/** `a`: rank × columns; `b`: rows × rank. */
export function lowRank(a: Float32Array, b: Float32Array, rank: number, scale: number): LowRank {
  const [columns, rows] = [a.length / rank, b.length / rank]
  const padded = Math.ceil(rank / TILE) * TILE
  const wideA = new Float32Array(padded * columns)
  wideA.set(a)
  const wideB = new Float64Array(rows * padded)
  for (let row = 0; row < rows; row++) for (let k = 0; k < rank; k++) wideB[row * padded + k] = scale * b[row * rank + k]!
  return { a: wideA, b: wideB, rank: padded, rows, columns }
}

/** Adds rows `from`… of the change to `w`, which holds whole rows of the weight. Products are summed four at a time in F64, then rounded to F32. */
export function addLowRank(w: Float32Array, from: number, { a, b, rank, columns }: LowRank): void {
  const rows = w.length / columns
  const whole = rows - (rows % TILE)
  for (let row = 0; row < whole; row += TILE)
    for (let k = 0; k < rank; k += TILE) addTile(w, row * columns, columns, a, k * columns, b, (from + row) * rank + k, rank)
  for (let row = whole; row < rows; row++)
    for (let k = 0; k < rank; k += TILE) addRow(w, row * columns, columns, a, k * columns, b, (from + row) * rank + k)
}

/** Four rows of w from `w0`, four rows of a from `a0`, the 4 × 4 factors of b from `b0`. */
function addTile(w: Float32Array, w0: number, columns: number, a: Float32Array, a0: number, b: Float64Array, b0: number, rank: number): void {
  const [b1, b2, b3] = [b0 + rank, b0 + 2 * rank, b0 + 3 * rank]
  const [b00, b01, b02, b03] = [b[b0]!, b[b0 + 1]!, b[b0 + 2]!, b[b0 + 3]!]
  const [b10, b11, b12, b13] = [b[b1]!, b[b1 + 1]!, b[b1 + 2]!, b[b1 + 3]!]
  const [b20, b21, b22, b23] = [b[b2]!, b[b2 + 1]!, b[b2 + 2]!, b[b2 + 3]!]
  const [b30, b31, b32, b33] = [b[b3]!, b[b3 + 1]!, b[b3 + 2]!, b[b3 + 3]!]
  const [a1, a2, a3] = [a0 + columns, a0 + 2 * columns, a0 + 3 * columns]
  const [w1, w2, w3] = [w0 + columns, w0 + 2 * columns, w0 + 3 * columns]
  for (let n = 0; n < columns; n++) {
    const x0 = a[a0 + n]!
    const x1 = a[a1 + n]!
    const x2 = a[a2 + n]!
    const x3 = a[a3 + n]!
    w[w0 + n]! += b00 * x0 + b01 * x1 + b02 * x2 + b03 * x3
    w[w1 + n]! += b10 * x0 + b11 * x1 + b12 * x2 + b13 * x3
    w[w2 + n]! += b20 * x0 + b21 * x1 + b22 * x2 + b23 * x3
    w[w3 + n]! += b30 * x0 + b31 * x1 + b32 * x2 + b33 * x3
  }
}

function addRow(w: Float32Array, w0: number, columns: number, a: Float32Array, a0: number, b: Float64Array, b0: number): void {
  const [f0, f1, f2, f3] = [b[b0]!, b[b0 + 1]!, b[b0 + 2]!, b[b0 + 3]!]
  const [a1, a2, a3] = [a0 + columns, a0 + 2 * columns, a0 + 3 * columns]
  for (let n = 0; n < columns; n++) w[w0 + n]! += f0 * a[a0 + n]! + f1 * a[a1 + n]! + f2 * a[a2 + n]! + f3 * a[a3 + n]!
}
