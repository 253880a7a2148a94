// Owns the data sets of the ablation: what teacher, stage 1 and stage 2 learn, in both orders and in both parts of knowledge.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { chance, shuffled } from '../corpus/chance.ts'
import { stageOf, type Order } from '../corpus/order.ts'
import type { Pair } from '../corpus/pair.ts'
import { trainingPass } from '../corpus/passes.ts'
import { sampleOf } from '../corpus/sample.ts'
import { assertNoLeak } from '../corpus/split.ts'
import { writeWhole } from '../output.ts'
import type { Material } from '../train/data.ts'
import type { Plan } from '../train/plan.ts'
import type { Switches } from './rows.ts'

type Arrangement = Pick<Switches, 'basicFirst' | 'progressive'>
/** "bp": basic first, progressive; "r" in random order; "m" mixed. */
export const tagOf = ({ basicFirst, progressive }: Arrangement): string => `${basicFirst ? 'b' : 'm'}${progressive ? 'p' : 'r'}`
export const ARRANGEMENTS: readonly Arrangement[] = [
  { basicFirst: true, progressive: true },
  { basicFirst: true, progressive: false },
  { basicFirst: false, progressive: true },
]
export interface SetFacts {
  readonly file: string
  readonly samples: number
  readonly tokens: number
  readonly sha256: string
}
/** By name: teacher, transfer, validation, stage1-TAG, stage2-TAG, replay-TAG. */
export type Sets = Readonly<Record<string, SetFacts>>
interface Placed {
  readonly pair: Pair
  /** Of the set's passes: 0 is the first, which alone has an order. */
  readonly pass: number
}
/** Of `stageOf`: what comes after the last stage of the first pass. */
const STAGES = 8
const LINE_BYTES = 600

/** Writes every set into `folder`, each whole or not at all. The same plan and material give the same bytes. Throws the OUTPUT_* codes and DISK_FULL. */
export async function writeSets(folder: string, plan: Plan, material: Material, signal: AbortSignal): Promise<Sets> {
  const { corpus } = material
  const first = Math.max(plan.teacher.passes, plan.student.passes)
  const passes = Array.from({ length: first + plan.transfer.passes }, (_, pass) => {
    const { pairs } = trainingPass(corpus, pass)
    assertNoLeak(corpus, pairs)
    return pairs
  })
  const placed = (from: number, to: number): Placed[] => passes.slice(from, to).flatMap((pairs, pass) => pairs.map((pair) => ({ pair, pass })))
  const basic = ({ pair }: Placed) => pair.knowledge === 'basic'
  const [early, late] = [placed(0, plan.student.passes), placed(first, first + plan.transfer.passes)]
  // mixed: as many pairs as the stage would have, drawn from all; what stage 2 leaves is what it repeats
  const draw = (all: readonly Placed[], count: number, label: string) => shuffled(all, chance(plan.corpus.seed, 'mixed', label)).slice(0, count)
  const mixed = { stage1: draw(early, early.filter(basic).length, '1'), stage2: draw(late, late.filter((one) => !basic(one)).length, '2') }
  const chosen = new Set(mixed.stage2)

  const sets: Record<string, SetFacts> = {}
  const write = async (name: string, samples: readonly Placed[], order: Order) => {
    const lines = samples.map(({ pair, pass }) => {
      const sample = sampleOf(pair, material.tokenizer)
      return { text: JSON.stringify({ ...sample, level: pass === 0 ? stageOf(pair, order) : STAGES + pass }) + '\n', tokens: sample.tokens.length }
    })
    const [text, file] = [lines.map((line) => line.text).join(''), `${name}.jsonl`]
    const options = { bytes: samples.length * LINE_BYTES, inputs: [], force: true, signal }
    await writeWhole(join(folder, file), options, (handle) => handle.writeFile(text))
    const tokens = lines.reduce((sum, line) => sum + line.tokens, 0)
    sets[name] = { file, samples: lines.length, tokens, sha256: createHash('sha256').update(text).digest('hex') }
  }
  const whole: Order = { progressive: true, basicFirst: true }
  await write('teacher', placed(0, plan.teacher.passes), whole)
  await write('transfer', late, whole)
  const held = shuffled(corpus.tests.validation, chance(plan.corpus.seed, 'validation of the ablation')).slice(0, plan.corpus.validation)
  await write(
    'validation',
    held.map((pair) => ({ pair, pass: 0 })),
    whole,
  )
  for (const arrangement of ARRANGEMENTS) {
    const { basicFirst } = arrangement
    const tag = tagOf(arrangement)
    await write(`stage1-${tag}`, basicFirst ? early.filter(basic) : mixed.stage1, arrangement)
    await write(`stage2-${tag}`, basicFirst ? late.filter((one) => !basic(one)) : mixed.stage2, arrangement)
    await write(`replay-${tag}`, basicFirst ? late.filter(basic) : late.filter((one) => !chosen.has(one)), arrangement)
  }
  return sets
}
