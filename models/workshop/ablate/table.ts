// Owns the statistics of the ablation: means and deviations over seeds, paired differences with their 95 % interval, and the sentence for each row. Pure.
import type { Row } from '../report.ts'
import { measures, SEED_RETAINED, tableRows, type Measure, type RowOfTable } from './rows.ts'

/** One run, in percent; null where there was nothing to measure. */
export interface Outcome {
  readonly row: string
  readonly seed: number
  readonly figures: Readonly<Record<Measure, number | null>>
}
/** Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom; beyond them the normal's is close. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093]
const NORMAL = 1.96

export interface Spread {
  readonly mean: number
  /** Of a sample (n − 1); null for one value. */
  readonly deviation: number | null
  readonly count: number
}
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (values.length === 1) return { mean, deviation: null, count: 1 }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)), count: values.length }
}

export type Effect = 'helps' | 'does not help' | 'within noise' | 'one seed'
export interface Difference extends Spread {
  /** Half of the 95 % interval of the mean; null for one seed. */
  readonly reach: number | null
  readonly effect: Effect
}
/** Complete minus without the part, seed by seed. "Does not help": it is better without, beyond the noise. */
export function difference(complete: ReadonlyMap<number, number>, without: ReadonlyMap<number, number>): Difference | null {
  const pairs = [...complete].flatMap(([seed, value]) => (without.has(seed) ? [value - without.get(seed)!] : []))
  const found = spread(pairs)
  if (!found) return null
  if (found.deviation === null) return { ...found, reach: null, effect: 'one seed' }
  const reach = ((T95[found.count - 2] ?? NORMAL) * found.deviation) / Math.sqrt(found.count)
  const effect = found.mean - reach > 0 ? 'helps' : found.mean + reach < 0 ? 'does not help' : 'within noise'
  return { ...found, reach, effect }
}

const bySeed = (outcomes: readonly Outcome[], row: string, measure: Measure): Map<number, number> =>
  new Map(outcomes.filter((one) => one.row === row).flatMap(({ seed, figures }) => (figures[measure] === null ? [] : [[seed, figures[measure]]])))
const told = (found: Spread | null): string | null =>
  found && (found.deviation === null ? found.mean.toFixed(1) : `${found.mean.toFixed(1)} ± ${found.deviation.toFixed(1)}`)
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`

const HEADS: Readonly<Record<Measure, string>> = {
  ...{ keys: 'key facts %', entities: 'entities %', basic: 'basic %', specialised: 'specialised %', declined: 'declined %', retained: 'retained %' },
}
/** Table 3, as far as `outcomes` go: mean ± standard deviation over the seeds, what the part adds, and the paper's figure where it is known. */
export function tableOf(outcomes: readonly Outcome[]): Row[] {
  return rowsIn(outcomes).map(({ id, title }) => {
    const added = id === 'complete' ? null : difference(bySeed(outcomes, 'complete', 'keys'), bySeed(outcomes, id, 'keys'))
    return {
      ...{ row: title, seeds: outcomes.filter(({ row }) => row === id).length },
      ...Object.fromEntries(measures.map((measure) => [HEADS[measure], told(spread([...bySeed(outcomes, id, measure).values()]))])),
      'the part adds': added && (added.reach === null ? signed(added.mean) : `${signed(added.mean)} ± ${added.reach.toFixed(1)}`),
      ...{ effect: added?.effect ?? null, 'retained, seed paper %': SEED_RETAINED[id] ?? null },
    }
  })
}

const rowsIn = (outcomes: readonly Outcome[]) => tableRows.filter(({ id }) => outcomes.some(({ row }) => row === id))

/** A sentence for each row: what was left out, and whether the part helps, on the key facts and on the figure that it should move. */
export function notesOf(outcomes: readonly Outcome[]): string[] {
  return rowsIn(outcomes).flatMap((row) => (row.off === null ? [] : [noteOf(row, outcomes)]))
}

function noteOf({ id, title, reading, measure }: RowOfTable, outcomes: readonly Outcome[]): string {
  const of = (one: Measure) => difference(bySeed(outcomes, 'complete', one), bySeed(outcomes, id, one))
  const parts = [...new Set<Measure>(['keys', measure])].flatMap((one) => {
    const found = of(one)
    return found ? [`${HEADS[one].replace(' %', '')} ${sentence(found)}`] : []
  })
  return `${title[0]!.toUpperCase()}${title.slice(1)} (${reading}): ${parts.join('; ') || 'nothing was measured'}.`
}

function sentence({ mean, reach, effect, count }: Difference): string {
  if (reach === null) return `${signed(mean)} points with the part, from one seed: how much is noise is not known`
  const figure = `${signed(mean)} points with the part (95 % ${signed(mean - reach)} to ${signed(mean + reach)}, ${count} seeds)`
  if (effect === 'within noise') return `${figure}: within noise`
  return `${figure}: ${effect === 'helps' ? 'it helps' : 'it does not help, it is better without'}`
}
