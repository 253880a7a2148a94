// Owns what the bench of the answer cache asks with, and the proof on labelled pairs that nothing wrong is served and every variant is.
import { join } from 'node:path'
import * as z from 'zod'
import { AnswerCache } from '../../app/ask/answer-cache.ts'
import type { Asked, Gate } from '../../app/ask/answer-cache/asked.ts'
import { diskLimits, usualCacheSettings } from '../../app/ask/answer-cache/settings.ts'
import type { StaticEmbedder } from '../../app/ask/embedder.ts'
import type { Slots } from '../../app/clinical/slots/slot.ts'
import type { SlotTables } from '../../app/clinical/slots/slots.ts'
import { standardise } from '../../app/clinical/terms.ts'
import type { Scope } from '../../app/store/answer-rows.ts'
import { Answers } from '../../app/store/answers.ts'
import { percent } from '../../models/workshop/report.ts'
import { inTests, readLines } from '../../models/workshop/score/set.ts'

export interface World {
  readonly embedder: StaticEmbedder
  readonly tables: SlotTables
  readonly gate: Gate<Slots>
  readonly folder: string
}
export const scope: Scope = { model: 'bench', adapter: null, quantisation: 'Q8_0', prompt: 'p', category: 'medication', language: 'en' }
export const log = { error() {}, warn() {}, info() {} }
export const settings = { ...usualCacheSettings, diskBytes: 2 ** 43 }

/** RUSHLIGHT_CACHE_PAIRS names a file of labelled pairs to take as well. */
const PAIRS = ['pairs-dev.jsonl', 'pairs-test.jsonl']

export const question = (text: string, world: World): Asked => ({
  scope,
  question: text,
  standard: standardise(text, world.tables.terms).text,
  emergency: false,
  followUp: false,
  identifiable: false,
})

const Line = z.object({ a: z.string(), b: z.string(), same: z.union([z.literal(0), z.literal(1)]) })
interface Count {
  all: number
  served: number
  linked: number
}

/** Every pair both ways through the whole cache: the one is kept, the other is asked. `variants` is the share of the same that is served, in %. */
export async function serves(world: World): Promise<{ notes: string[]; wrong: number; variants: number }> {
  const own = process.env['RUSHLIGHT_CACHE_PAIRS']
  const notes: string[] = []
  const disk = new Answers(join(world.folder, 'pairs.db'), { log, contents: world.embedder.id, limits: diskLimits(settings) })
  let [wrong, served, variants] = [0, 0, 0]
  for (const path of [...PAIRS.map(inTests), ...(own === undefined ? [] : [own])]) {
    const { same, different } = await judge(path, disk, world)
    wrong += different.served
    // what a stranger calls similar may well differ in what must not be served
    if (path !== own) [served, variants] = [served + same.served, variants + same.all]
    const name = path === own ? 'your pairs' : path.replace(/^.*[\\/]/, '')
    const words = ({ all, served: hits, linked }: Count) => `of ${all} asked ${hits} served, ${linked} linked`
    notes.push(`${name}: different, ${words(different)}; the same, ${words(same)}.`)
  }
  disk.close()
  return { notes, wrong, variants: percent(served / variants) }
}

async function judge(path: string, disk: Answers, world: World): Promise<{ same: Count; different: Count }> {
  const { embedder, gate } = world
  const counts = { same: { all: 0, served: 0, linked: 0 }, different: { all: 0, served: 0, linked: 0 } }
  for (const { a, b, same } of readLines(path, Line, '{"a": "…", "b": "…", "same": 0}'))
    for (const [first, second] of [
      [a, b],
      [b, a],
    ] as const) {
      const cache = new AnswerCache({ disk, embedder, rarity: embedder.rarity, gate, settings, log })
      await cache.keep(question(first, world), { answer: 'x', status: 'complete', turn: 't', conversation: 'c' })
      const { kind } = await cache.lookup(question(second, world))
      const count = counts[same === 1 ? 'same' : 'different']
      count.all++
      if (kind === 'hit') count.served++
      if (kind === 'near') count.linked++
      cache.invalidate(scope)
      cache.sweep()
    }
  return counts
}
