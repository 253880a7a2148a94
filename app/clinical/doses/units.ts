// Owns the units of doses: how they are written, what they measure, and how far one is from another.
import { DOSE_UNITS, type Quantity } from '../records.ts'

export type DoseUnit = Quantity['unit']
/** What can be compared with what. A tablet, a puff and a drop only with themselves. */
export type Dimension = 'mass' | 'units' | 'volume' | 'substance' | 'puffs' | 'drops' | 'sprays' | 'applications' | 'tablets' | 'sachets'
export interface UnitMeaning {
  readonly dimension: Dimension
  /** In micrograms, units, ml, mmol or pieces. */
  readonly size: number
  /** The unit of records that stands nearest, for showing. */
  readonly shown: DoseUnit
  /** What one written unit is of `shown`: 1,000,000 for a mega unit. */
  readonly of: number
}

const mass = (shown: DoseUnit, size: number, of = 1): UnitMeaning => ({ dimension: 'mass', size, shown, of })
const counted = (dimension: Dimension, shown: DoseUnit, of = 1): UnitMeaning => ({ dimension, size: of, shown, of })

const MG = mass('mg', 1000)
const G = mass('g', 1_000_000)
const MICROGRAM = mass('micrograms', 1)
const UNITS = counted('units', 'units')
const MEGA = counted('units', 'units', 1_000_000)
const ML = counted('volume', 'ml')
const TABLETS = counted('tablets', 'tablets')
const PUFFS = counted('puffs', 'puffs')

/** As written, in a scanned text (lower case, Greek mu for the micro sign). */
export const UNIT_WORDS: Readonly<Record<string, UnitMeaning>> = {
  ...{ mg: MG, mgs: MG, milligram: MG, milligrams: MG, milligramme: MG, milligrammes: MG },
  ...{ g: G, gm: G, gms: G, gram: G, grams: G, gramme: G, grammes: G },
  ...{ mcg: MICROGRAM, mcgs: MICROGRAM, μg: MICROGRAM, ug: MICROGRAM, μgs: MICROGRAM, microgram: MICROGRAM, micrograms: MICROGRAM },
  ...{ microgramme: MICROGRAM, microgrammes: MICROGRAM, ng: mass('micrograms', 0.001, 0.001), nanograms: mass('micrograms', 0.001, 0.001) },
  ...{ unit: UNITS, units: UNITS, iu: UNITS, u: UNITS, mu: MEGA, megaunit: MEGA, megaunits: MEGA },
  ...{ ml: ML, mls: ML, millilitre: ML, millilitres: ML, milliliter: ML, milliliters: ML, cc: ML },
  ...{ mmol: counted('substance', 'mmol'), mmols: counted('substance', 'mmol') },
  ...{ puff: PUFFS, puffs: PUFFS, inhalation: PUFFS, inhalations: PUFFS, actuation: PUFFS, actuations: PUFFS },
  ...{ drop: counted('drops', 'drops'), drops: counted('drops', 'drops'), spray: counted('sprays', 'sprays'), sprays: counted('sprays', 'sprays') },
  ...{ application: counted('applications', 'applications'), applications: counted('applications', 'applications') },
  ...{ tablet: TABLETS, tablets: TABLETS, tab: TABLETS, tabs: TABLETS, capsule: TABLETS, capsules: TABLETS, cap: TABLETS, caps: TABLETS },
  ...{ sachet: counted('sachets', 'sachets'), sachets: counted('sachets', 'sachets') },
}

/** The forms whose strength stands before them: "two 500 mg tablets". */
export const isPiece = (word: string | undefined): boolean => word !== undefined && UNIT_WORDS[word]?.dimension === 'tablets'

const RECORD_UNITS = Object.fromEntries(DOSE_UNITS.map((unit) => [unit, UNIT_WORDS[unit]!])) as Readonly<Record<DoseUnit, UnitMeaning>>
export const meaningOf = (unit: DoseUnit): UnitMeaning => RECORD_UNITS[unit]

/** A record's quantity in the smallest unit of its dimension. */
export const inBase = ({ amount, unit }: Quantity): number => amount * RECORD_UNITS[unit].size

/** Medicines whose units and mass are one scale, as their labels print both: how many units one microgram is. */
export const UNITS_PER_MICROGRAM: Readonly<Record<string, number>> = { colecalciferol: 40, enoxaparin: 0.1 }
