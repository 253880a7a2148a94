// Owns the way from a place in a scanned text to the tokens that lie in it.
import type { Token } from './slot.ts'

/** Tokens that lie in `start` to `end` as [first, behind the last]; an empty span where a token lies across its border. */
export function tokensWithin(tokens: readonly Token[], start: number, end: number): [number, number] {
  const from = firstWhere(tokens, (token) => token.end > start)
  const to = firstWhere(tokens, (token) => token.start >= end)
  const whole = to > from && tokens[from]!.start >= start && tokens[to - 1]!.end <= end
  return whole ? [from, to] : [from, from]
}

/** By halving: the tokens are in order. */
function firstWhere(tokens: readonly Token[], test: (token: Token) => boolean): number {
  let [low, high] = [0, tokens.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (test(tokens[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
