// Owns the exact choice of one option per group under a budget of bytes: a multiple-choice knapsack, solved by a dynamic programme on Pareto fronts.

export interface Option {
  /** A whole number, at least 0. */
  readonly bytes: number
  /** Finite and at least 0. */
  readonly cost: number
}
export interface Choice {
  /** Index of the option taken in each group. */
  readonly options: readonly number[]
  readonly bytes: number
  readonly cost: number
}
interface State {
  readonly bytes: number
  readonly cost: number
  readonly option: number
  readonly before: State | null
}
/** Sums of the same costs in another order differ in the last bits; a bound must not cut by so little. */
const SLACK = 1e-9

/**
 * Chooses t(g) for every group g so that Σ cost(g, t(g)) is least under Σ bytes(g, t(g)) ≤ budget; among equals the one with fewest bytes.
 * Null when even the smallest options are too large. The front of a prefix of the groups holds every sum (bytes, cost) that no other one
 * beats in both; a state is dropped when the Lagrange bound of what is still to come, Σ min_t(cost + λ·bytes) − λ·(budget left), lies
 * above a solution already known (Sinha and Zoltners 1979), which keeps fronts short and the answer exact. λ is where the greedy solution
 * of the linear relaxation stops. Bytes are whole numbers, so that no rounding decides what fits.
 */
export function chooseUnder(groups: readonly (readonly Option[])[], budget: number): Choice | null {
  const fronts = groups.map(undominated)
  const smallest = fronts.map((front) => front[0]!.bytes)
  // what the groups behind each one take at least
  const least = suffixSums(smallest)
  if (least[0]! > budget) return null
  const { lambda, cost: known } = greedy(fronts, budget)
  const bound = suffixSums(fronts.map((front) => Math.min(...front.map(({ bytes, cost }) => cost + lambda * bytes))))
  const limit = known + SLACK * (1 + known)

  let states: State[] = [{ bytes: 0, cost: 0, option: -1, before: null }]
  fronts.forEach((front, group) => {
    const next: State[] = []
    for (const before of states) {
      for (const { bytes, cost, option } of front) {
        const sum = { bytes: before.bytes + bytes, cost: before.cost + cost }
        if (sum.bytes + least[group + 1]! > budget) break
        if (sum.cost + bound[group + 1]! - lambda * (budget - sum.bytes) <= limit) next.push({ ...sum, option, before })
      }
    }
    states = undominated(next)
  })
  const best = states.at(-1)!
  const options: number[] = []
  for (let at: State = best; at.before; at = at.before) options.unshift(at.option)
  return { options, bytes: best.bytes, cost: best.cost }
}

/** By bytes, each cheaper than all before it. Options get their place in the group; states have theirs. */
function undominated<T extends Option>(items: readonly T[]): (T & { option: number })[] {
  const numbered = items.map((item, option) => ({ option, ...item }))
  let cheapest = Infinity
  return numbered.sort((a, b) => a.bytes - b.bytes || a.cost - b.cost).filter(({ cost }) => cost < cheapest && ((cheapest = cost), true))
}

/** sums[i] is the sum of values[i…]. */
function suffixSums(values: readonly number[]): number[] {
  const sums = [...values, 0]
  for (let n = values.length - 1; n >= 0; n--) sums[n]! += sums[n + 1]!
  return sums
}

/**
 * The smallest option everywhere, then the steps along each group's lower convex hull, the most saved per byte first, until one does not
 * fit: `lambda` is that step's saving per byte, 0 when all fit.
 */
function greedy(fronts: readonly (readonly Option[])[], budget: number): { lambda: number; cost: number } {
  let bytes = 0
  let cost = 0
  const steps: { bytes: number; saved: number }[] = []
  for (const front of fronts) {
    const hull = lowerHull(front)
    bytes += hull[0]!.bytes
    cost += hull[0]!.cost
    for (let n = 1; n < hull.length; n++) steps.push({ bytes: hull[n]!.bytes - hull[n - 1]!.bytes, saved: hull[n - 1]!.cost - hull[n]!.cost })
  }
  for (const step of steps.sort((a, b) => b.saved / b.bytes - a.saved / a.bytes)) {
    if (bytes + step.bytes > budget) return { lambda: step.saved / step.bytes, cost }
    bytes += step.bytes
    cost -= step.saved
  }
  return { lambda: 0, cost }
}

function lowerHull(front: readonly Option[]): Option[] {
  const hull: Option[] = []
  for (const point of front) {
    while (hull.length > 1 && slope(hull.at(-2)!, hull.at(-1)!) >= slope(hull.at(-1)!, point)) hull.pop()
    hull.push(point)
  }
  return hull
}
const slope = (a: Option, b: Option) => (b.cost - a.cost) / (b.bytes - a.bytes)
