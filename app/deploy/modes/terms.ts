// Owns equation 7 for one mode, D(M,E,R) = w1·P + w2·F − w3·C: each term between 0 and 1, with every number that it was made from.
import { categories, type Category } from '../../contract/entities.ts'
import { fitOf, isMeasured, rightShare } from './fit.ts'
import type { Mode, Option, Scores, Situation, Weights } from './situation.ts'

export interface Performance {
  value: number
  firstTokenSeconds: number
  tokensPerSecond: number
  /** The two halves of the value. */
  firstToken: number
  speed: number
}
export interface Fit {
  value: number
  /** false: no validation score of this mode is known, so it is taken to be like the base model. */
  measured: boolean
  categories: readonly { category: Category; share: number; right: number; counted: number }[]
}
export interface Cost {
  value: number
  bytes: number
  usableBytes: number
  /** 0…1 */
  memory: number
  switchSeconds: number
  /** Of the switch, spread over the questions expected. */
  secondsPerQuestion: number
  /** 0…1 */
  switching: number
}
export interface Terms {
  performance: Performance
  fit: Fit
  cost: Cost
}

/** D, between −w3 and w1 + w2. */
export const scoreOf = ({ performance, fit, cost }: Weights, terms: Readonly<Record<keyof Terms, { value: number }>>): number =>
  performance * terms.performance.value + fit * terms.fit.value - cost * terms.cost.value

/** P = ½ · target / (target + time to first token) + ½ · speed / (speed + target): one half on target, towards 1 the faster. */
export function performanceOf({ prediction }: Option, { targets }: Pick<Situation, 'targets'>): Performance {
  const { firstTokenSeconds, tokensPerSecond } = prediction
  const firstToken = targets.firstTokenSeconds / (targets.firstTokenSeconds + firstTokenSeconds)
  const speed = tokensPerSecond / (tokensPerSecond + targets.tokensPerSecond)
  return { value: (firstToken + speed) / 2, firstTokenSeconds, tokensPerSecond, firstToken, speed }
}

/**
 * C = m + s − m·s, so that either alone can be too much. m: bytes resident of those that may be used. s = t / (t + a whole question), t being
 * the seconds of the switch spread over the questions expected: 0 for the mode that serves now.
 */
export function costOf({ bytes, switchSeconds, prediction, mode }: Option, { usableBytes, expectedQuestions, current }: CostFacts): Cost {
  const memory = usableBytes > 0 ? Math.min(1, bytes / usableBytes) : 1
  const wait = current === null || current === mode ? 0 : (switchSeconds[current] ?? Math.max(0, ...Object.values(switchSeconds)))
  const secondsPerQuestion = wait / Math.max(1, expectedQuestions)
  const switching = secondsPerQuestion > 0 ? secondsPerQuestion / (secondsPerQuestion + prediction.questionSeconds) : 0
  return { value: memory + switching - memory * switching, bytes, usableBytes, memory, switchSeconds: wait, secondsPerQuestion, switching }
}
type CostFacts = Pick<Situation, 'usableBytes' | 'expectedQuestions'> & { current: Mode | null }

/** The scores of the base model, which others are compared with where they have none. */
export const baseScores = ({ options }: Pick<Situation, 'options'>): Scores => options.find(({ mode }) => mode === 'base')?.scores ?? {}

/** The terms of one mode, with all that the page shows of them. */
export function termsOf(option: Option, situation: Situation): Terms {
  const base = baseScores(situation)
  const { scores } = option
  return {
    performance: performanceOf(option, situation),
    fit: {
      value: fitOf(scores, base, situation.mix),
      measured: isMeasured(scores),
      categories: categories.map((category) => ({
        ...{ category, share: situation.mix[category], right: rightShare(scores, base, category) },
        counted: scores[category]?.total ?? 0,
      })),
    },
    cost: costOf(option, situation),
  }
}
