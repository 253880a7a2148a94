// Owns what a person sees of a run while it goes on: one bar over all stages, with the time left, and how each stage at work is doing.
import type { Progress } from '../progress.ts'
import type { EventOf } from './events.ts'

interface Place {
  readonly minutes: number
  /** Share that this run did not have to do: found complete, or gone on with. */
  credit: number
  share: number
  note: string
  working: boolean
}

export class Board {
  readonly #progress: Progress
  readonly #places: ReadonlyMap<string, Place>

  /** `minutes`: what each stage is reckoned to take, relative to the others. */
  constructor(progress: Progress, stages: readonly { name: string; minutes: number }[]) {
    this.#progress = progress
    this.#places = new Map(stages.map(({ name, minutes }) => [name, { minutes, credit: 0, share: 0, note: '', working: false }]))
    progress.stage('training', 1)
  }

  begin(stage: string): void {
    this.#change(stage, { working: true })
  }
  /** The stage goes on from `share` of its work, done by an earlier run. */
  resumed(stage: string, share: number): void {
    this.#change(stage, { credit: share, share })
  }
  at(stage: string, share: number, note: string): void {
    this.#change(stage, { share, note })
  }
  /** `found`: complete before this run began. */
  end(stage: string, { found }: { found: boolean }): void {
    this.#change(stage, { share: 1, working: false, ...(found ? { credit: 1 } : {}) })
  }

  #change(stage: string, changes: Partial<Place>): void {
    const place = this.#places.get(stage)
    if (!place) return
    Object.assign(place, changes)
    const places = [...this.#places]
    const [done, all] = places.reduce(
      ([sum, total], [, { minutes, credit, share }]) => [sum + minutes * (share - credit), total + minutes * (1 - credit)],
      [0, 0],
    )
    const notes = places.flatMap(([name, { working, note }]) => (working ? [`${name} ${note}`.trim()] : []))
    this.#progress.at(all > 0 ? done / all : 0, notes.join(' · '))
  }
}

/** Step, loss, learning rate and speed of a progress event in a few words. */
export function noteOf({ step, steps, loss, learningRate, tokensPerSecond }: EventOf<'progress'>): string {
  const parts = [
    `${step}/${steps}`,
    typeof loss === 'number' ? `loss ${loss.toPrecision(3)}` : '',
    learningRate === undefined ? '' : `lr ${learningRate.toExponential(1)}`,
    tokensPerSecond === undefined ? '' : `${Math.round(tokensPerSecond).toLocaleString('en-GB')} tokens/s`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
