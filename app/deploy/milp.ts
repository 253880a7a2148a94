// Owns placement as a mixed-integer linear programme: its statement, and its solution by HiGHS in a worker with a time limit.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { divided, evaluate, type Placement, type PlacementProblem } from './plan.ts'

/**
 * executable: what llama.cpp can do. free: the paper's placement, any layer anywhere, so that embedding and output may be on a GPU and middle
 * blocks on the CPU. llama.cpp cannot execute that: load_tensors() of llama-model.cpp (v0.4.0) assigns the input layer to the CPU always,
 * computes i_gpu_start = layers + 1 − n_gpu_layers and gives every later layer, the output last, to a GPU; and the tensor overrides that could
 * move single matrices are not passed on by node-llama-cpp 3.21.1. The free optimum says what such a runtime would gain.
 */
export type Freedom = 'executable' | 'free'
export interface MilpSolution {
  status: 'optimal' | 'infeasible' | 'timeout'
  placement: Placement | null
}

/**
 * The problem in CPLEX LP format. With layers l = 0 … L, devices d, and
 *   x_l_d   1 if layer l is on device d,
 *   t_l_d_e 1 if layer l is on d and layer l + 1 on e: a path through the layers, of which x is the shadow,
 *   y_d     1 if device d holds anything,
 *   z_n     1 if n layers are offloaded, where llama.cpp divides them among several GPUs,
 * minimise the seconds of all x and t under
 *   place   each layer is on one device,                    leave, enter  t agrees with x before and after,
 *   use     no layer on a device that is not used,          memory        bytes of each device, in GB,
 *   ram     CPU and unified devices together,               step          seconds that a stop may wait,
 *   split   x is the division that z_n stands for.
 * Executable placements have no t that leads back to an earlier device, and the embedding on the CPU.
 */
export function statement(problem: PlacementProblem, freedom: Freedom = 'executable'): string {
  const { devices, crossing, split } = problem
  const layers = problem.bytes.map((_, l) => l)
  const all = devices.map((_, d) => d)
  const arcs = layers.slice(1).flatMap((l) => all.flatMap((d) => all.filter((e) => freedom === 'free' || e >= d).map((e) => ({ l: l - 1, d, e }))))
  const [x, t, y] = [(l: number, d: number) => `x_${l}_${d}`, (l: number, d: number, e: number) => `t_${l}_${d}_${e}`, (d: number) => `y_${d}`]
  const rows: string[] = []
  const row = (name: string, terms: Term[], relation: string, right: number) => rows.push(` ${name}: ${sum(terms)} ${relation} ${right}`)

  for (const l of layers) row(`place_${l}`, all.map((d) => [1, x(l, d)]), '=', 1) // prettier-ignore
  for (const l of layers.slice(1))
    for (const d of all) {
      row(`leave_${l}_${d}`, [...arcs.filter((a) => a.l === l - 1 && a.d === d).map((a): Term => [1, t(a.l, a.d, a.e)]), [-1, x(l - 1, d)]], '=', 0)
      row(`enter_${l}_${d}`, [...arcs.filter((a) => a.l === l - 1 && a.e === d).map((a): Term => [1, t(a.l, a.d, a.e)]), [-1, x(l, d)]], '=', 0)
    }
  for (const l of layers) for (const d of all) row(`use_${l}_${d}`, [[1, x(l, d)], [-1, y(d)]], '<=', 0) // prettier-ignore

  const held = (d: number): Term[] => [[devices[d]!.fixedBytes / GB, y(d)], ...layers.map((l): Term => [problem.bytes[l]![d]! / GB, x(l, d)])]
  for (const d of all.slice(1)) row(`memory_${d}`, held(d), '<=', devices[d]!.capacity / GB)
  row('ram', all.filter((d) => d === 0 || devices[d]!.shared).flatMap(held), '<=', devices[0]!.capacity / GB) // prettier-ignore
  const cost = (of: 'seconds' | 'step'): Term[] => [
    ...layers.flatMap((l) => all.map((d): Term => [problem[of][l]![d]!, x(l, d)])),
    ...arcs.map(({ l, d, e }): Term => [crossing[of][d]![e]!, t(l, d, e)]),
  ]
  if (problem.stepLimit < Infinity) row('step', cost('step'), '<=', problem.stepLimit)

  row('cpu', [[1, y(0)]], '=', 1)
  if (freedom === 'executable') row('embedding', [[1, x(0, 0)]], '=', 1)
  const counts = freedom === 'executable' && split ? layers.map((n) => ({ name: `z_${n}`, on: divided(layers.length, n, split) })) : []
  for (const l of counts.length > 0 ? layers : [])
    for (const d of all) row(`split_${l}_${d}`, [[1, x(l, d)], ...counts.filter(({ on }) => on[l] === d).map((c): Term => [-1, c.name])], '=', 0) // prettier-ignore

  const binaries = [...layers.flatMap((l) => all.map((d) => x(l, d))), ...all.map(y), ...counts.map(({ name }) => name)]
  // t is whole by itself where x is
  const bounds = arcs.map(({ l, d, e }) => ` 0 <= ${t(l, d, e)} <= 1`)
  return [
    'Minimize',
    ` seconds: ${sum(cost('seconds'))}`,
    'Subject To',
    ...rows,
    'Bounds',
    ...bounds,
    'Binary',
    ...binaries.map((b) => ` ${b}`),
    'End',
  ].join('\n')
}

type Term = [coefficient: number, variable: string]
const GB = 1e9
// a line of the format is short
const sum = (terms: readonly Term[]) =>
  terms.map(([coefficient, name]) => `${coefficient < 0 ? '-' : '+'} ${Math.abs(coefficient)} ${name}`).join('\n  ')

/** What HiGHS is asked for: the optimum itself, not one within its usual 0.01 %. */
export const OPTIONS = { output_flag: false, mip_rel_gap: 0, mip_abs_gap: 0 } as const

/** As HiGHS gives them, by the name of the variable. */
type Columns = Readonly<Record<string, object>>

/** The placement that HiGHS' columns stand for. `evaluate` recomputes its cost, so that both solvers are judged by one rule. */
export function placementOf(problem: PlacementProblem, columns: Columns): Placement | null {
  const one = (column: object | undefined) => column !== undefined && 'Primal' in column && Number(column.Primal) > 0.5
  const device = problem.bytes.map((row, l) => row.findIndex((_, d) => one(columns[`x_${l}_${d}`])))
  return evaluate(problem, device)
}

/** The worker's whole program. A string, because the bundle has one file for each process and this one needs nothing else of it. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
require(workerData.highs)().then((highs) => {
  const { Status, Columns } = highs.solve(workerData.text, workerData.options)
  parentPort.postMessage({ status: Status, columns: Columns })
})`
/** For HiGHS to start and to notice its own limit. */
const GRACE_SECONDS = 2

/**
 * Solves `problem` with HiGHS, at most `seconds` long. It takes a hundred times as long as the dynamic programme: an oracle, and the answer to
 * what a freer runtime would gain. Throws what the worker throws.
 */
export async function solveMilp(problem: PlacementProblem, { freedom = 'executable' as Freedom, seconds = 5 } = {}): Promise<MilpSolution> {
  const workerData = {
    highs: createRequire(import.meta.url).resolve('highs'),
    text: statement(problem, freedom),
    options: { ...OPTIONS, time_limit: seconds },
  }
  const worker = new Worker(PROGRAM, { eval: true, workerData })
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), (seconds + GRACE_SECONDS) * 1000)))
    const answer = new Promise<{ status: string; columns: Columns }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    const result = await Promise.race([answer, late])
    if (result?.status === 'Optimal') return { status: 'optimal', placement: placementOf(problem, result.columns) }
    return { status: result?.status === 'Infeasible' ? 'infeasible' : 'timeout', placement: null }
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
