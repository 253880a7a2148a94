// Owns the tests' random numbers: the same for the same seed on every machine.

export interface Random {
  /** 0 ≤ x < 1 */
  uniform(): number
  /** 0 ≤ n < bound */
  below(bound: number): number
  /** Mean 0, standard deviation 1. */
  gaussian(): number
}

/** Mulberry32 with Box and Muller's transform. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    uniform,
    below: (bound) => Math.floor(uniform() * bound),
    gaussian: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
