// Owns which batch sizes are warm: what was run once, which ones come up often, and how a prompt is cut so that warm ones are used.
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { writeWholeFile } from '../base/whole-file.ts'

/** Sizes that are kept warm at most; each costs a graph or a set of pipelines. */
const WARM_MOST = 24
/** A size that came up this often, and in this share of all steps, is common. */
const OFTEN = 3
const SHARE = 0.02
/** Older steps count half once so many were seen: the clinic of last year is not the one of today. */
const SEEN_MOST = 20_000
const MODELS_KEPT = 16

const File = z.object({ version: z.literal(1), models: z.record(z.string(), z.record(z.string(), z.number().int().min(0))) })

export class Shapes {
  readonly #path: string | null
  readonly #key: string
  readonly #cut: boolean
  readonly #largest: number
  readonly #seen: Map<number, number>
  readonly #warm = new Set<number>()
  #changed = false

  /** `key` names the model; with `cut`, prompts are cut into warm sizes; `largest` is the most tokens of one step. */
  constructor(options: { path: string | null; key: string; cut: boolean; largest: number }) {
    this.#path = options.path
    this.#key = options.key
    this.#cut = options.cut
    this.#largest = options.largest
    const sizes = Object.entries(readHistogram(options.path)[options.key] ?? {})
    this.#seen = new Map(sizes.map(([size, count]) => [Number(size), count] as const).filter(([size]) => size >= 1 && size <= this.#largest))
  }

  /** How many of the `left` tokens are read in the next step, where `most` are allowed. What was wanted is remembered, cut or not. */
  next(left: number, most: number): number {
    const wanted = Math.min(left, most)
    this.#saw(wanted)
    if (!this.#cut || this.#warm.size === 0 || this.#warm.has(wanted)) return wanted
    const below = Math.max(0, ...[...this.#warm].filter((size) => size < wanted))
    // a much smaller step would cost more than a shape that is new
    return below * 2 >= wanted ? below : wanted
  }

  /** Sizes that should be warm and are not: powers of two up to the largest step, then what is common, most common first. */
  cold(): number[] {
    const powers = Array.from({ length: Math.floor(Math.log2(this.#largest)) + 1 }, (_, n) => 2 ** n)
    const all = [...this.#seen.values()].reduce((sum, count) => sum + count, 0)
    const common = [...this.#seen].filter(([, count]) => count >= OFTEN && count >= all * SHARE).sort(([, a], [, b]) => b - a)
    const sizes = new Set([...powers, this.#largest, ...common.map(([size]) => size)])
    return [...sizes].filter((size) => !this.#warm.has(size)).slice(0, Math.max(0, WARM_MOST - this.#warm.size))
  }

  warmed(size: number): void {
    this.#warm.add(size)
  }

  get warm(): number[] {
    return [...this.#warm].sort((a, b) => a - b)
  }

  /** Writes what was seen, so that the next start knows it. A file that cannot be written costs only that. */
  save(): void {
    if (this.#path === null || !this.#changed) return
    try {
      const { [this.#key]: _old, ...others } = readHistogram(this.#path)
      const kept = Object.entries(others).slice(-(MODELS_KEPT - 1))
      const models = Object.fromEntries([...kept, [this.#key, Object.fromEntries(this.#seen)] as const])
      writeWholeFile(this.#path, JSON.stringify({ version: 1, models }))
      this.#changed = false
    } catch {
      // the next idle moment tries again
    }
  }

  #saw(size: number): void {
    this.#seen.set(size, (this.#seen.get(size) ?? 0) + 1)
    this.#changed = true
    const all = [...this.#seen.values()].reduce((sum, count) => sum + count, 0)
    if (all < SEEN_MOST) return
    for (const [seen, count] of this.#seen) if (count < 2) this.#seen.delete(seen)
    for (const [seen, count] of this.#seen) this.#seen.set(seen, Math.floor(count / 2))
  }
}

/** A file that is missing, damaged or of another version is an empty one. */
function readHistogram(path: string | null): Record<string, Record<string, number>> {
  if (path === null) return {}
  try {
    return File.parse(JSON.parse(readFileSync(path, 'utf8'))).models
  } catch {
    return {}
  }
}
