// Owns the six rows of Table 3: what each leaves out of the complete method, how that is read here, and which figure it should move.

export interface Switches {
  /** λ4, the entity-weighted term ("MedKL"), in both stages. */
  readonly medKL: boolean
  /** Simple concepts before complex ones in the first pass. */
  readonly progressive: boolean
  /** Stage 1 learns basic knowledge alone and stage 2 specialised; else both learn a mixture of the same size. */
  readonly basicFirst: boolean
  /** The teacher's distribution in stage 2; else its answers are learned as hard labels. */
  readonly transfer: boolean
  /** The distance to the model of stage 1, on samples that repeat what it knows. */
  readonly retention: boolean
}
/** A figure of one run, in percent. */
export const measures = ['keys', 'entities', 'basic', 'specialised', 'declined', 'retained'] as const
export type Measure = (typeof measures)[number]

export interface RowOfTable {
  readonly id: string
  readonly title: string
  /** What is left out, as it is read here; the paper's own text of the row was not at hand. */
  readonly reading: string
  readonly off: keyof Switches | null
  /** Beside the key facts. */
  readonly measure: Measure
}
export const tableRows: readonly RowOfTable[] = [
  { id: 'complete', title: 'complete', reading: 'every part', off: null, measure: 'keys' },
  {
    ...{ id: 'medkl', title: 'without MedKL', off: 'medKL', measure: 'entities' },
    reading: 'no entity-weighted term: λ4 is 0 in both stages',
  },
  {
    ...{ id: 'progressive', title: 'without progressive order', off: 'progressive', measure: 'keys' },
    reading: 'the first pass is learned in random order instead of by concept complexity',
  },
  {
    ...{ id: 'basic-first', title: 'without basic first', off: 'basicFirst', measure: 'keys' },
    reading: 'both stages learn basic and specialised knowledge mixed, as many pairs as before',
  },
  {
    ...{ id: 'transfer', title: 'without specialised transfer', off: 'transfer', measure: 'specialised' },
    reading: 'the specialised stage has no teacher: hard labels alone, and the entity term against certainty',
  },
  {
    ...{ id: 'retention', title: 'without retention loss', off: 'retention', measure: 'basic' },
    reading: 'nothing holds the model of stage 1 fast but the samples that repeat what it knows',
  },
]
export const switchesOf = ({ off }: RowOfTable): Switches => ({
  ...{ medKL: off !== 'medKL', progressive: off !== 'progressive', basicFirst: off !== 'basicFirst' },
  ...{ transfer: off !== 'transfer', retention: off !== 'retention' },
})

/** What of Table 3 is known here: right of student among right of teacher, for the complete method. The rest of the paper's table is not at hand. */
export const SEED_RETAINED: Readonly<Record<string, number>> = { complete: 93.6 }
