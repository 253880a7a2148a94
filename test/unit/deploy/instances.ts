// Owns the random placement problems on which both solvers must agree.
import type { PlacementProblem } from '../../../app/deploy/plan.ts'

export interface Sizes {
  layers: number
  devices: number
}

/**
 * A problem of no particular machine: any layer may be fast anywhere, capacities hold from none to all of the layers, a third of the problems
 * has a limit on the step, a third a unified device, a quarter of those with several GPUs llama.cpp's own division. `random` gives 0…1.
 */
export function instance(random: () => number, { layers, devices }: Sizes): PlacementProblem {
  const between = (low: number, high: number) => low + (high - low) * random()
  const table = (low: number, high: number, rows = layers) =>
    Array.from({ length: rows }, () => Array.from({ length: devices }, () => between(low, high)))
  const square = (high: number) => table(0, high, devices).map((row, d) => row.map((value, e) => (d === e ? 0 : value)))
  const bytes = table(50e6, 400e6)
  const total = bytes.reduce((sum, row) => sum + row[0]!, 0)
  const step = table(0.001, 0.02)
  return {
    devices: Array.from({ length: devices }, (_, d) => ({
      id: d === 0 ? 'cpu' : `gpu:${d}`,
      capacity: between(d === 0 ? 0.4 : 0.05, d === 0 ? 1.6 : 1.1) * total,
      fixedBytes: between(0, 0.1) * total,
      shared: d > 0 && random() < 1 / 3,
    })),
    ...{ bytes, step, seconds: table(0.01, 1) },
    crossing: { seconds: square(0.3), step: square(0.004) },
    stepLimit: random() < 1 / 3 ? between(0.4, 1.2) * step.reduce((sum, row) => sum + row[0]!, 0) : Infinity,
    split: devices > 2 && random() < 1 / 4 ? Array.from({ length: devices - 1 }, () => between(1e9, 8e9)) : null,
  }
}
