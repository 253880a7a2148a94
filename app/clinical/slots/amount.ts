// Owns the amount slot: doses and strengths in one unit of each dimension, ranges, per kilogram; what has two readings stays as typed.
import { findAmounts, type AmountFound } from '../doses/amounts.ts'
import type { SlotReader, Token } from './slot.ts'
import { tokensWithin } from './spans.ts'

/** From the smallest unit of a dimension to the one that a person reads. */
function shown(value: number, { unit }: AmountFound, written: string): string {
  const size = value * unit.size
  if (unit.dimension === 'mass') {
    if (size >= 1_000_000) return `${plain(size / 1_000_000)} g`
    return size >= 1000 ? `${plain(size / 1000)} mg` : `${plain(size)} micrograms`
  }
  if (unit.dimension === 'volume') return `${plain(size)} ml`
  // tablets and capsules count alike for the dose readers, and are two things here
  return `${plain(size)} ${unit.dimension === 'tablets' ? written : unit.dimension}`
}
const plain = (value: number): string => String(Number(value.toPrecision(10)))

function valueOf(amount: AmountFound, within: readonly Token[]): string {
  const numbers = within.filter(({ isNumber }) => isNumber).length
  const [low, high] = [amount.low, amount.high]
  const signs = within.some(({ text }) => text === 'x' || text === '+' || text === 'minus')
  const expected = (low === high ? 1 : 2) + (amount.ml !== undefined && within.at(-1)?.text === 'ml' && numbers > 1 ? 1 : 0)
  // "500/125 mg" and "2 x 500 mg" are one amount for a dose check; here they are what is written
  if (low === null || high === null || signs || numbers !== expected) return within.map(({ text }) => text).join(' ')
  const written = within.findLast(({ text }) => /^(?:tab|cap|pill)/.test(text))?.text.slice(0, 3) ?? 'tablets'
  const range = low === high ? shown(low, amount, written) : `${shown(low, amount, written)} to ${shown(high, amount, written)}`
  return `${range}${amount.perKg ? '/kg' : ''}${amount.per === null ? '' : `/${amount.per}`}${amount.ml === undefined ? '' : `/${plain(amount.ml)} ml`}`
}

export const amount: SlotReader = {
  slot: 'amount',
  read({ scanned, tokens }, take) {
    for (const found of findAmounts(scanned)) {
      let [from, to] = tokensWithin(tokens, found.start, found.end)
      if (to === from) continue
      // "20 mg/day" is 20 mg daily; by weight the day belongs to the rate
      const daily = found.per === 'day' && !found.perKg
      if (daily) to -= tokens.slice(from, to).findLast(({ text }) => text === '/' || text === 'per') ? 2 : 0
      const value = valueOf(daily ? { ...found, per: null } : found, tokens.slice(from, to))
      if (tokens[from - 1]?.text === 'minus') from--
      take('amount', from < tokens.length && tokens[from]!.text === 'minus' ? `minus ${value}` : value, from, to)
    }
  },
}
