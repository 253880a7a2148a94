// Owns the bench of the answer cache: what a hit in memory, a hit on disk and a miss cost at several sizes, and how often a wrong answer is served.
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnswerCache } from '../../app/ask/answer-cache.ts'
import type { Asked, Lookup } from '../../app/ask/answer-cache/asked.ts'
import { bucketsOf } from '../../app/ask/answer-cache/buckets.ts'
import { formOf, tokensOf, wordsOf } from '../../app/ask/answer-cache/form.ts'
import { diskLimits } from '../../app/ask/answer-cache/settings.ts'
import { loadEmbedder } from '../../app/ask/embedder.ts'
import { cosine, toBytes } from '../../app/ask/similarity.ts'
import { gate as clinicalGate } from '../../app/clinical/gate.ts'
import type { Slots } from '../../app/clinical/slots/slot.ts'
import { loadSlotTables, slotsOf } from '../../app/clinical/slots/slots.ts'
import { standardise } from '../../app/clinical/terms.ts'
import { Answers } from '../../app/store/answers.ts'
import { atLeast, atMost, median, type Row } from '../../models/workshop/report.ts'
import { inModels } from '../../models/workshop/score/set.ts'
import type { Bench } from './run.ts'
import { log, question, scope, serves, settings, type World } from './cache-pairs.ts'
import { questions } from './cache-questions.ts'

/** Answers stored; RUSHLIGHT_CACHE_SIZES names others, "10000,100000,1000000" takes minutes to fill. */
const SIZES = '10000,100000'
const PER_ROUND = 300
const BATCH = 5000
const ANSWER = 'Start low, go slow, and look at the kidneys before and after. '.repeat(10)

interface Filled {
  size: number
  disk: Answers
  /** Nothing stays in memory: every hit is one of the disk. */
  cold: AnswerCache<Slots>
  path: string
}
export const cache: Bench = {
  about: 'the answer cache: hits in memory and on disk, misses at several sizes, wrong answers served',
  async run(rounds) {
    const sizes = (process.env['RUSHLIGHT_CACHE_SIZES'] ?? SIZES).split(',').map(Number)
    const tables = loadSlotTables(inModels(''))
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-bench-cache-'))
    const world: World = {
      embedder: loadEmbedder(inModels('embedder')),
      tables,
      gate: { slotsOf: (question) => slotsOf(question, tables), gate: clinicalGate },
      folder,
    }
    try {
      const filled = sizes.map((size) => fill(size, world))
      const rows = await timings(rounds, filled, world)
      for (const { disk } of filled) disk.close()
      const served = await serves(world)
      const [small, large] = [filled[0]!, filled.at(-1)!]
      const at = (what: string, column: 'p50 ms' | 'p99 ms') => Number(rows.find((row) => row['what'] === what)![column])
      const growth = at(missAt(large.size), 'p50 ms') / at(missAt(small.size), 'p50 ms')
      const logarithm = Math.round((Math.log(large.size) / Math.log(small.size)) * 100) / 100
      return {
        name: 'bench cache',
        rows,
        targets: [
          atMost('cache.memory.p50', at('hit in memory', 'p50 ms'), 1, 'ms'),
          atMost('cache.memory.p99', at('hit in memory', 'p99 ms'), 3, 'ms'),
          atMost('cache.disk.p50', at(`hit on disk, ${large.size} stored`, 'p50 ms'), 5, 'ms'),
          ...filled.map(({ size }) => atMost(`cache.miss.${size}`, at(missAt(size), 'p50 ms'), 3, 'ms')),
          atMost('cache.miss.growth', growth, logarithm, '×'),
          atMost('cache.false-serves', served.wrong, 0, ''),
          atLeast('cache.variants-served', served.variants, 100, '%'),
        ],
        notes: [
          ...served.notes,
          'A miss is a question of the same medicines, conditions and people as those stored, and none of them; it includes its embedding.',
          `From ${small.size} to ${large.size} stored a miss takes ${growth.toFixed(2)} times as long; log n grows by ${logarithm}.`,
          ...filled.map(({ size, path }) => `${size} answers take ${(sizeOf(path) / 1e6).toFixed(0)} MB on disk.`),
        ],
      }
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}

const missAt = (size: number) => `miss, ${size} stored`
function fill(size: number, world: World): Filled {
  const { embedder, gate, folder } = world
  const path = join(folder, `${size}.db`)
  const disk = new Answers(path, { log, contents: embedder.id, limits: diskLimits(settings) })
  const all = questions(size)
  for (let from = 0; from < size; from += BATCH)
    disk.together(() => {
      all.slice(from, from + BATCH).forEach((text, at) => {
        const { standard } = question(text, world)
        const tokens = tokensOf(standard)
        const place = { turn: `t${from + at}`, conversation: `c${from + at}`, askedAt: Date.now() }
        const entry = { question: text, standard, answer: `${ANSWER}${from + at}`, vector: toBytes(embedder.embed(standard)), ...place }
        disk.put(scope, formOf(tokens), bucketsOf(wordsOf(tokens), embedder.rarity), entry)
      })
    })
  const parts = { disk, embedder, rarity: embedder.rarity, gate, log }
  return { size, disk, path, cold: new AnswerCache({ ...parts, settings: { ...settings, memoryBytes: 0 } }) }
}

/** In each round every kind of lookup once, one after the other, and the rivals between them. */
async function timings(rounds: number, filled: readonly Filled[], world: World): Promise<Row[]> {
  const { embedder, gate } = world
  const large = filled.at(-1)!
  const warm = new AnswerCache({ disk: large.disk, embedder, rarity: embedder.rarity, gate, settings, log })
  const known = questions(PER_ROUND).map((text) => question(text, world))
  const times = new Map<string, number[]>()
  const timed = async (what: string, asked: readonly Asked[], kind: Lookup['kind'] | null, look: (one: Asked) => unknown) => {
    const list = times.get(what) ?? []
    times.set(what, list)
    for (const one of asked) {
      const started = performance.now()
      const found = (await look(one)) as Lookup | null
      list.push(performance.now() - started)
      if (kind !== null && found!.kind !== kind) throw new Error(`${what}: “${one.question}” is a ${found!.kind}`)
    }
  }
  const bare = filled.map(({ path }) => bareRead(path))
  const flat = flatScan(filled[0]!.size, world)
  for (const one of known) await warm.lookup(one)
  for (let round = 0; round < rounds; round++) {
    await timed('hit in memory', known, 'hit', (one) => warm.lookup(one))
    for (const [at, { size, cold }] of filled.entries()) {
      const stored = questions(PER_ROUND, Math.floor((size - PER_ROUND) * ((round + 1) / (rounds + 1)))).map((text) => question(text, world))
      const others = questions(PER_ROUND, 1_100_000 + round * PER_ROUND).map((text) => question(text, world))
      await timed(`hit on disk, ${size} stored`, stored, 'hit', (one) => cold.lookup(one))
      await timed(`bare read, ${size} stored`, stored, null, () => bare[at]!.read())
      await timed(missAt(size), others, null, (one) => cold.lookup(one))
    }
    await timed('flat scan', known.slice(0, 20), null, (one) => flat(one))
  }
  for (const { close } of bare) close()
  const row = (what: string, rival: string | null): Row => {
    const [own, theirs] = [times.get(what)!, rival === null ? null : times.get(rival)!]
    return {
      what,
      'p50 ms': median(own),
      'p99 ms': [...own].sort((a, b) => a - b)[Math.floor(own.length * 0.99)]!,
      rival: rival?.replace(/^bare read.*/, 'bare SQLite read by key').replace('flat scan', `scan of ${filled[0]!.size} vectors`) ?? '',
      'rival p50 ms': theirs && median(theirs),
      ratio: theirs && median(own) / median(theirs),
    }
  }
  return [
    row('hit in memory', null),
    ...filled.map(({ size }) => row(`hit on disk, ${size} stored`, `bare read, ${size} stored`)),
    ...filled.map(({ size }, at) => row(missAt(size), at === 0 ? 'flat scan' : null)),
  ]
}

/** The least that SQLite can do: one row of the same table by its key. */
function bareRead(path: string): { read(): unknown; close(): void } {
  const db = new Database(path, { readonly: true })
  const statement = db.prepare('SELECT answer FROM answers WHERE id = ?')
  const { most } = db.prepare('SELECT max(id) AS most FROM answers').get() as { most: number }
  let id = 0
  return { read: () => statement.get((id = (id + 7919) % most) + 1), close: () => db.close() }
}

/** What a cache does that compares with every stored vector. */
function flatScan(size: number, { embedder, tables }: World): (asked: Asked) => number {
  const vectors = questions(size).map((text) => toBytes(embedder.embed(standardise(text, tables.terms).text)))
  return ({ standard }) => {
    const own = toBytes(embedder.embed(standard))
    return vectors.reduce((best, vector) => Math.max(best, cosine(own, vector)), -1)
  }
}

function sizeOf(path: string): number {
  const db = new Database(path, { readonly: true })
  const bytes = Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }))
  db.close()
  return bytes
}
