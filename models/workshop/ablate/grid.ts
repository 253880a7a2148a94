// Owns the choice of λ: the grid's points as they were measured on the validation set, the best of them, and the table that is kept.
import * as z from 'zod'
import type { StageRecord } from '../train/journal.ts'
import type { Lab } from './lab.ts'
import { pointsOf, type AblationPlan, type Lambda } from './plans.ts'
import { pointName } from './steps.ts'

const Measured = z.object({ validation: z.object({ loss: z.number(), accuracy: z.number() }) })
export interface Point extends Lambda {
  /** Weight of the hard labels: what the teacher leaves of 1. */
  readonly ce: number
  /** Mean cross-entropy and share of tokens foretold on held-out phrasings, basic and specialised. */
  readonly loss: number
  readonly accuracy: number
}

const pointOf = (lambda: Lambda, record: StageRecord): Point => {
  const { validation } = Measured.parse(record.facts)
  return { ce: Math.round((1 - lambda.kl) * 1e6) / 1e6, ...lambda, ...validation }
}

/** The points that are done, in order; the last one, with mse, belongs to the best of those before it. */
export function measuredPoints(given: AblationPlan, { records }: Pick<Lab, 'records'>): Point[] {
  const plain = pointsOf(given).flatMap((lambda, at) => {
    const record = records.get(pointName(at))
    return record ? [pointOf(lambda, record)] : []
  })
  const last = records.get(pointName(pointsOf(given).length))
  return last ? [...plain, pointOf({ ...lambdaOf(bestOf(plain)), mse: given.grid.mse }, last)] : plain
}

/** The most tokens foretold; of equal ones the lower loss, then the earlier. */
export function bestOf(points: readonly Point[]): Point {
  return points.reduce((best, one) => (one.accuracy > best.accuracy || (one.accuracy === best.accuracy && one.loss < best.loss) ? one : best))
}
export const lambdaOf = ({ kl, entity, retention, mse }: Point): Lambda => ({ kl, entity, retention, mse })
/** Of the points without mse. */
export const bestPlain = (given: AblationPlan, lab: Pick<Lab, 'records'>): Lambda =>
  lambdaOf(bestOf(measuredPoints(given, lab).filter(({ mse }) => mse === 0)))
export const bestOfAll = (given: AblationPlan, lab: Pick<Lab, 'records'>): Lambda => lambdaOf(bestOf(measuredPoints(given, lab)))
