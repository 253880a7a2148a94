// Owns the exact solver that runs in the program: a dynamic programme over devices and the layer at which each one begins.
import { divided, evaluate, type Placement, type PlacementProblem } from './plan.ts'

/** A way to place the first `end` layers, the last of them on `device`. */
interface Label {
  device: number
  start: number
  before: Label | null
  seconds: number
  step: number
  /** RAM taken by the CPU and shared devices. */
  ram: number
}

/**
 * The placement with the least seconds, or null when none keeps the limits.
 *
 * State: (last device used d, number of layers placed j). Transition: device e > d takes layers j … k − 1,
 *   seconds(e, k) = seconds(d, j) + crossing(d, e) + Σ_{j ≤ i < k} seconds(i, e), allowed if e's memory holds them.
 * What a run of layers costs is a difference of prefix sums, so a problem of L layers and D devices takes O(D² L²). Two limits span devices:
 * the length of a step, and RAM that a unified device shares; a state keeps every label that no other beats in all of seconds, step and RAM,
 * which leaves the programme exact.
 */
export function solve(problem: PlacementProblem): Placement | null {
  return problem.split ? solveCount(problem, problem.split) : solveRuns(problem)
}

/** With the division left to llama.cpp there is one placement for each number of layers. */
function solveCount(problem: PlacementProblem, split: readonly number[]): Placement | null {
  const layers = problem.bytes.length
  let best: Placement | null = null
  for (let count = 0; count < layers; count++) {
    const placement = evaluate(problem, divided(layers, count, split))
    if (placement && (!best || placement.seconds < best.seconds)) best = placement
  }
  return best
}

function solveRuns(problem: PlacementProblem): Placement | null {
  const { devices, crossing, stepLimit } = problem
  const layers = problem.bytes.length
  const [seconds, step, bytes] = [sums(problem.seconds), sums(problem.step), sums(problem.bytes)]
  // a limit that cannot be broken must not keep labels apart
  const limited = stepLimit < Infinity
  const sharing = devices.some(({ shared }) => shared)
  const ramLimit = devices[0]!.capacity
  const states: Label[][][] = devices.map(() => Array.from({ length: layers + 1 }, () => []))

  /** Places layers `start` … on `device` after `before`, as many as its memory holds; bytes only grow with the run. */
  const extend = (before: Label | null, device: number, start: number) => {
    const { capacity, fixedBytes, shared } = devices[device]!
    const [time, steps, held] = [seconds[device]!, step[device]!, bytes[device]!]
    const from = before?.device ?? device
    const timeBefore = (before?.seconds ?? 0) + crossing.seconds[from]![device]! - time[start]!
    const stepBefore = (before?.step ?? 0) + crossing.step[from]![device]! - steps[start]!
    for (let end = start + 1; end <= layers; end++) {
      const takes = fixedBytes + held[end]! - held[start]!
      const ram = !sharing ? 0 : before === null ? takes : before.ram + (shared ? takes : 0)
      const stepNow = limited ? stepBefore + steps[end]! : 0
      if (takes > capacity || ram > ramLimit || stepNow > stepLimit) return
      keep(states[device]![end]!, before, device, start, timeBefore + time[end]!, stepNow, ram)
    }
  }
  extend(null, 0, 0)
  for (let device = 1; device < devices.length; device++)
    for (let before = 0; before < device; before++)
      for (let start = 1; start < layers; start++) for (const label of states[before]![start]!) extend(label, device, start)

  let last: Label | null = null
  for (const ends of states) for (const label of ends[layers]!) if (!last || label.seconds < last.seconds) last = label
  return last && evaluate(problem, devicesOf(last, layers))
}

/** Sums of the first n rows, by column. */
function sums(table: readonly (readonly number[])[]): Float64Array[] {
  return table[0]!.map((_, d) => {
    const column = new Float64Array(table.length + 1)
    for (let n = 0; n < table.length; n++) column[n + 1] = column[n]! + table[n]![d]!
    return column
  })
}

/** Adds a label unless one is at least as good in every respect, and drops those that it beats. */
function keep(labels: Label[], before: Label | null, device: number, start: number, seconds: number, step: number, ram: number): void {
  let kept = 0
  for (const other of labels) {
    if (other.seconds <= seconds && other.step <= step && other.ram <= ram) return
    if (!(seconds <= other.seconds && step <= other.step && ram <= other.ram)) labels[kept++] = other
  }
  labels.length = kept
  labels.push({ before, device, start, seconds, step, ram })
}

function devicesOf(last: Label, layers: number): number[] {
  const device = new Array<number>(layers)
  let end = layers
  for (let label: Label | null = last; label; label = label.before) {
    device.fill(label.device, label.start, end)
    end = label.start
  }
  return device
}
