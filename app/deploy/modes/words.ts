// Owns the sentences that explain a choice of mode to a person: what was chosen, what spoke for it, what it costs.
import type { DecidedBy, Judged } from './decide.ts'
import type { Policy, Stay } from './hysteresis.ts'
import type { Mode } from './situation.ts'

export const NAMES: Readonly<Record<Mode, string>> = { base: 'the base model alone', adapter: 'the base with adapters', merged: 'the merged model' }

interface Case {
  mode: Mode
  by: DecidedBy
  modes: readonly Judged[]
  pin: Mode | null
  stay: Stay | null
  policy: Policy
  expected: number
}

/** In the order in which a person would ask: what, why, compared with what, at which cost, what else was not possible. */
export function reasonsOf(of: Case): string[] {
  const { mode, modes, pin } = of
  const chosen = modes.find((one) => one.mode === mode)!
  const usable = modes.filter(({ score }) => score !== null)
  const rival = usable.find((one) => one.mode !== mode)
  const passed = pin !== null && pin !== mode ? modes.find((one) => one.mode === pin) : undefined
  const refusals = modes.flatMap(({ mode: other, refused }) => (refused ? [`${capital(NAMES[other])} cannot be used: ${refused.message}`] : []))
  return [
    ...(pin !== null && pin !== mode ? [`${capital(NAMES[pin])} is pinned and cannot be used${passed ? '' : ': this model has no such form'}.`] : []),
    headline(of, chosen),
    ...(rival ? [performance(chosen, rival), fit(chosen, rival), memory(chosen, rival)] : []),
    ...(chosen.terms.cost.switchSeconds > 0 ? [switching(chosen, of.expected)] : []),
    ...refusals,
  ]
}

function headline({ mode, by, modes, stay, policy }: Case, chosen: Judged): string {
  const name = capital(NAMES[mode])
  if (by === 'pin') return `${name} is pinned.`
  if (by === 'only') return `${name} is the only form that can be used.`
  const scores = modes.filter(({ score }) => score !== null).map((one) => `${NAMES[one.mode]} ${figure(one.score!)}`)
  if (by === 'score') return `${name} scores highest: ${scores.join(', ')}.`
  const best = modes[0]!
  const why =
    stay && stay.questions < policy.minimumStay
      ? `it has answered ${stay.questions} of the ${policy.minimumStay} questions that a mode stays for`
      : `${NAMES[best.mode]} is ahead by ${figure(best.score! - chosen.score!)} only, less than ${figure(policy.margin)}`
  return `${name} stays: ${why}.`
}

function performance({ terms: { performance: own } }: Judged, { mode, terms: { performance: other } }: Judged): string {
  const first = `begins after ${seconds(own.firstTokenSeconds)} (${NAMES[mode]}: ${seconds(other.firstTokenSeconds)})`
  return `It ${first} and writes ${speed(own.tokensPerSecond)} tokens a second (${speed(other.tokensPerSecond)}).`
}

function fit({ terms: { fit: own } }: Judged, { mode, terms: { fit: other } }: Judged): string {
  const rival = `${NAMES[mode]} ${percent(other.value)}${other.measured ? '' : ', an assumption'}`
  return own.measured
    ? `Of questions like this clinic’s it is expected to answer ${percent(own.value)} right by its validation scores (${rival}).`
    : `It has no validation scores; ${percent(own.value)} right is assumed for questions like this clinic’s (${rival}).`
}

function memory({ terms: { cost: own } }: Judged, { mode, terms: { cost: other } }: Judged): string {
  return `It takes ${gb(own.bytes)} of the ${gb(own.usableBytes)} that may be used (${NAMES[mode]}: ${gb(other.bytes)}).`
}

function switching({ terms: { cost } }: Judged, expected: number): string {
  return `Changing to it takes about ${seconds(cost.switchSeconds)}, spread over ${expected} questions expected ${seconds(cost.secondsPerQuestion)} each.`
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const figure = (value: number) => value.toFixed(3)
const percent = (share: number) => `${Math.round(share * 100)} %`
const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
const speed = (value: number) => value.toFixed(value < 10 ? 1 : 0)
const seconds = (value: number) => (value < 0.095 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 1 : 0)} s`)
