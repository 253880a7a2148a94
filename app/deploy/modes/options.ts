// Owns the step from a model family and the plans for its files to the modes that can be chosen, with predictions that history has corrected.
import type { Category } from '../../contract/entities.ts'
import type { ModelShape } from '../../contract/shape.ts'
import type { Prediction } from '../performance.ts'
import { changesTo } from './change.ts'
import { scoresOf } from './fit.ts'
import type { Mode, Option, Scores } from './situation.ts'
import { corrected, withAdapter } from './speed.ts'
import type { Lived } from './utility.ts'

/** What is needed of a family as the library has it. */
export interface FamilyFacts {
  base: { scores: Scores }
  adapters: readonly { categories: readonly Category[]; scores: Scores; bytes: number; targets: number }[]
  merged: { scores: Scores } | null
  refused: readonly { role: 'base' | 'adapter' | 'merged'; code: string; message: string }[]
}
/** A model file as it would be loaded here. */
export interface Planned {
  shape: ModelShape
  /** Of its plan, for the clinic's typical question, without an adapter. */
  prediction: Prediction
  /** All that would be resident, in bytes. */
  bytes: number
  fileBytes: number
}
export interface OptionFacts {
  family: FamilyFacts
  base: Planned
  /** null also where no plan was found for it; then `mergedRefusal` says why. */
  merged: Planned | null
  mergedRefusal?: { code: string; message: string }
  /** Recorded answers of this family. */
  seen: readonly Lived[]
  bytesPerSecond: number | null
  /** Of a category's prompt; 0 where its state is kept for every mode. */
  promptTokens: number
}

/**
 * The family's modes. A mode whose files are there but were refused is among them with the reason, one that the family never had is not. With
 * adapters all of them are counted in memory, and the largest in speed.
 */
export function optionsOf({ family, base, merged, mergedRefusal, seen, bytesPerSecond, promptTokens }: OptionFacts): Option[] {
  const { adapters } = family
  const adapterBytes = adapters.reduce((sum, { bytes }) => sum + bytes, 0)
  const fileBytes = { base: base.fileBytes, merged: merged?.fileBytes ?? 0 }
  const made = (mode: Mode, planned: Planned, own: { prediction: Prediction; bytes: number }, refused: Option['refused']): Option => {
    const prediction = corrected(
      own.prediction,
      seen.filter((one) => one.mode === mode),
    )
    const promptSeconds = promptTokens / planned.prediction.readPerSecond
    const switchSeconds = changesTo(mode, { fileBytes, adapterBytes, bytesPerSecond, promptSeconds })
    return { mode, prediction, bytes: own.bytes, scores: scoresOf(mode, family), switchSeconds, refused }
  }
  const refusalOf = (role: 'adapter' | 'merged') => {
    const found = family.refused.find((one) => one.role === role)
    return found ? { code: found.code, message: found.message } : null
  }
  const options = [made('base', base, base, null)]
  const largest = [...adapters].sort((a, b) => b.bytes - a.bytes)[0]
  if (largest) {
    const prediction = withAdapter(base.prediction, base.shape, largest)
    options.push(made('adapter', base, { prediction, bytes: base.bytes + adapterBytes }, null))
  } else if (refusalOf('adapter')) options.push(made('adapter', base, base, refusalOf('adapter')))
  if (family.merged && merged) options.push(made('merged', merged, merged, null))
  else {
    const refused = family.merged ? (mergedRefusal ?? null) : refusalOf('merged')
    if (refused) options.push(made('merged', base, base, refused))
  }
  return options
}
