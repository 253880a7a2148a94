// Owns the weights that types are tried on, and NF4 as QLoRA defines it: the reference that a non-linear 4-bit type has to beat.

const ROWS = 64
/** Of a 7B Qwen2 model. */
const ROW = 3584

export interface Weights {
  name: string
  /** ROWS rows of `rowLength`. */
  values: Float32Array
  rowLength: number
}

/** Six distributions, from what layers look like to the tails and outliers that make rounding hard. The same at every run. */
export function distributions(): Weights[] {
  const random = randomFrom(1)
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  const student = (freedom: number) => {
    let squares = 0
    for (let n = 0; n < freedom; n++) squares += normal() ** 2
    return normal() / Math.sqrt(squares / freedom)
  }
  const made: [string, (n: number) => number][] = [
    ['normal', () => normal() * 0.02],
    ['Student t, 5 degrees', () => student(5) * 0.02],
    ['Student t, 3 degrees', () => student(3) * 0.02],
    ['Laplace', () => Math.log(random()) * (random() < 0.5 ? -0.014 : 0.014)],
    ['one outlier channel in 512', (n) => normal() * 0.02 * ((n % ROW) % 512 === 7 ? 12 : 1)],
    ['rows of unequal scale', (n) => normal() * 0.02 * Math.exp(1.4 * Math.sin(Math.floor(n / ROW) * 12.9898))],
  ]
  return made.map(([name, value]) => ({ name, values: Float32Array.from({ length: ROWS * ROW }, (_, n) => value(n)), rowLength: ROW }))
}

/** xorshift32 in (0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return ((state >>> 0) + 0.5) / 2 ** 32
  }
}

/** The 16 levels of NormalFloat4 (Dettmers et al. 2023, QLoRA, appendix E): quantiles of a normal distribution scaled to −1…1. */
const LEVELS = [
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0],
  ...[0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
  ...[0.7229568362236023, 1],
]
const BLOCK = 64

/** Rounded to NF4 in blocks of 64 with an exact F32 scale each (the best case: double quantisation of the scales only adds error). */
export function nf4(values: Float32Array): Float32Array {
  const rounded = new Float32Array(values.length)
  for (let from = 0; from < values.length; from += BLOCK) {
    const to = Math.min(from + BLOCK, values.length)
    let scale = 0
    for (let n = from; n < to; n++) scale = Math.max(scale, Math.abs(values[n]!))
    for (let n = from; n < to; n++) rounded[n] = scale === 0 ? 0 : nearest(values[n]! / scale) * scale
  }
  return rounded
}

function nearest(value: number): number {
  let best = LEVELS[0]!
  for (const level of LEVELS) if (Math.abs(level - value) < Math.abs(best - value)) best = level
  return best
}
