// Owns seeded chance: the same seed gives the same twin on every machine.

export interface Random {
  /** A number of 0 ≤ x < 1. */
  next(): number
  /** A whole number of 0 ≤ x < n. */
  below(n: number): number
  /** Normally distributed, mean 0, standard deviation 1 (Box and Muller). */
  gauss(): number
}

/** sfc32, a small fast generator of good quality (PractRand); period at least 2³². */
export function random(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, Math.trunc(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1]
  const next = () => {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  // seeds that differ in one bit give unrelated numbers only after some rounds
  for (let round = 0; round < 12; round++) next()
  let spare: number | null = null
  return {
    next,
    below: (n) => Math.floor(next() * n),
    gauss: () => {
      if (spare !== null) {
        const value = spare
        spare = null
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next()))
      const angle = 2 * Math.PI * next()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}
