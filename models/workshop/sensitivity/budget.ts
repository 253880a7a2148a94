// Owns how a size is written on the command line: bytes, with or without a unit, or bits a weight.
import { WrongUse } from '../verb.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 }
/** More bits a weight has no type; fewer bytes has no model. */
const MOST_BITS = 32

/**
 * Bytes of the whole file that `text` allows. A bare number up to 32 is bits a weight, for `weights` of them beside a header of `header`
 * bytes; anything else is bytes: 4800000000, 4.8GB (10⁹), 4.5GiB (2³⁰). Throws WrongUse.
 */
export function parseBudget(text: string, { weights, header }: { weights: number; header: number }): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]i?b|b)?$/i.exec(text.trim())
  const unit = match?.[2]?.toUpperCase() ?? ''
  const value = Number(match?.[1])
  if (!match || !(value > 0) || !Object.hasOwn(UNITS, unit))
    throw new WrongUse(`--budget takes a size such as 5.25GB, or bits a weight up to ${MOST_BITS}, not “${text}”.`)
  return unit === '' && value <= MOST_BITS ? header + Math.floor((value * weights) / 8) : Math.floor(value * UNITS[unit]!)
}
