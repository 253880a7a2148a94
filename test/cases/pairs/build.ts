// Owns the building of the pairs sets: frames and minimal changes become test/sets/pairs-dev.jsonl and pairs-test.jsonl, the same at every run.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { illnessChanges } from './changes-illness.ts'
import { medicineChanges } from './changes-medicine.ts'
import { personChanges } from './changes-person.ts'
import { questionChanges } from './changes-question.ts'
import { sameInOtherWords } from './variants.ts'
import { sameInOtherSigns } from './variants-signs.ts'

export interface Pair {
  readonly a: string
  readonly b: string
  readonly same: 0 | 1
  /** The slot that differs; for a variant, what was done to the question. */
  readonly slot: string
}
/** One slot: questions with {} where the change goes, and changes as "this → that". */
export interface Changes {
  readonly slot: string
  readonly frames: readonly string[]
  readonly changes: readonly string[]
}

/** Pairs of each slot that a set takes at most; the rest of the combinations say nothing new. */
const MOST = { dev: 48, test: 24 }
/** Every third change is kept from the rules: the test set shares no change with the development set. */
const isKept = (at: number): boolean => at % 3 === 2

/** Frames × changes, walked diagonally so that the first of them hold every frame and every change. */
function combine({ slot, frames, changes }: Changes, same: 0 | 1, kept: boolean): Pair[] {
  const pairs: Pair[] = []
  const chosen = changes.filter((_, at) => isKept(at) === kept)
  for (let shift = 0; shift < frames.length; shift++)
    chosen.forEach((change, at) => {
      const [, from = '', to = ''] = /^(.*?) ?→ ?(.*)$/.exec(change) ?? []
      const frame = frames[(at + shift) % frames.length]!
      const fill = (value: string) => frame.replaceAll('{}', value).replace(/\s+/g, ' ').trim()
      pairs.push({ a: fill(from), b: fill(to), same, slot })
    })
  return pairs.slice(0, kept ? MOST.test : MOST.dev)
}

/** All pairs of one set, by slot. */
export function buildPairs(set: 'dev' | 'test'): Pair[] {
  const kept = set === 'test'
  const different = [...medicineChanges, ...personChanges, ...illnessChanges, ...questionChanges].flatMap((changes) => combine(changes, 0, kept))
  return [...different, ...sameInOtherWords.flatMap((changes) => combine(changes, 1, kept)), ...sameInOtherSigns(isKept, kept)]
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const set of ['dev', 'test'] as const) {
    const lines = buildPairs(set).map((pair) => JSON.stringify(pair))
    writeFileSync(fileURLToPath(new URL(`../../sets/pairs-${set}.jsonl`, import.meta.url)), lines.join('\n') + '\n')
    process.stdout.write(`pairs-${set}: ${lines.length} pairs\n`)
  }
