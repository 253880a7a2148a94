// Owns the mieo bench: a day of questions with every part of the inference framework, and without each of them, beside the paper's Table 4.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnswerCache } from '../../app/ask/answer-cache.ts'
import { diskLimits } from '../../app/ask/answer-cache/settings.ts'
import { loadEmbedder } from '../../app/ask/embedder.ts'
import { compose, loadPrompts, type PromptProfile, type Prompts } from '../../app/ask/prompt.ts'
import { gate } from '../../app/clinical/gate.ts'
import type { Slots } from '../../app/clinical/slots/slot.ts'
import { loadSlotTables, slotsOf } from '../../app/clinical/slots/slots.ts'
import type { Message } from '../../app/contract/engine.ts'
import { Answers } from '../../app/store/answers.ts'
import { Progress } from '../../models/workshop/progress.ts'
import { median, percent, type Report, type Row } from '../../models/workshop/report.ts'
import { inModels } from '../../models/workshop/score/set.ts'
import { log, question, scope, settings, type World } from './cache-pairs.ts'
import { BenchEngine } from './engine-client.ts'
import { dayOf, type Work } from './mieo-work.ts'
import type { Bench } from './run.ts'
import { twin } from './twins.ts'

export interface MieoSettings {
  name: string
  model: string
  profile: PromptProfile
  threads: number
  contextSize: number
  maxTokens: number
  /** Questions of the day, asked in so many blocks; each kind of engine answers a block before the next one is begun. */
  questions: number
  blocks: number
}

const PARTS = ['shapes', 'flash', 'cache', 'adaptive'] as const
type Part = (typeof PARTS)[number]
/** What the paper says that each part is worth: by so many % the latency grows without it. */
const PAPER: Readonly<Record<Part, number>> = { shapes: 24.5, flash: 17.5, cache: 39.5, adaptive: 8.3 }
const NAMES: Readonly<Record<Part, string>> = {
  shapes: 'without warm prompts and shapes',
  flash: 'without flash attention',
  cache: 'without the answer cache',
  adaptive: 'without guessing from the prompt',
}
const [COMPLETE, NONE] = ['complete', 'without all four'] as const

export const mieo: Bench = {
  about:
    'a day of questions with all parts of the framework and without each, on the starter and the 0.5B twin; RUSHLIGHT_MIEO=starter leaves out the twin',
  async run(rounds) {
    const context = { signal: new AbortController().signal, progress: new Progress(process.stderr) }
    const starter = { name: 'starter', model: inModels('starter/rushlight-starter-q8.gguf'), profile: 'question-only', contextSize: 1024 } as const
    const common = { threads: 1, maxTokens: 64, blocks: rounds }
    const reports = [await measureMieo({ ...starter, ...common, questions: 100 * rounds })]
    if (process.env['RUSHLIGHT_MIEO'] !== 'starter') {
      const model = await twin({ shape: 'qwen2-0.5b', recipe: 'rushlight-7b' }, context)
      reports.push(await measureMieo({ name: '0.5B twin', model, profile: 'full', contextSize: 2048, ...common, questions: 20 * rounds }))
    }
    return {
      name: 'bench mieo',
      rows: reports.flatMap(({ rows }) => rows),
      targets: [],
      notes: [...new Set(reports.flatMap(({ notes = [] }) => notes))],
    }
  },
}

/** One way of running: its engine, its cache, and what its answers took. */
interface Kind {
  name: string
  parts: ReadonlySet<Part>
  engine: BenchEngine
  cache: AnswerCache<Slots> | null
  disk: Answers | null
  ms: number[]
  firstMs: number[]
  tokens: number
  hits: number
  answers: string[]
}

export async function measureMieo(chosen: MieoSettings): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-bench-mieo-'))
  const tables = loadSlotTables(inModels(''))
  const world: World = { embedder: loadEmbedder(inModels('embedder')), tables, gate: { slotsOf: (text) => slotsOf(text, tables), gate }, folder }
  const prompts = loadPrompts(inModels('prompts'))
  const day = dayOf(chosen.questions)
  const without = (part: Part) => new Set(PARTS.filter((other) => other !== part))
  const kinds: Kind[] = []
  try {
    const ways: [string, ReadonlySet<Part>][] = [
      [COMPLETE, new Set(PARTS)],
      ...PARTS.map((part) => [NAMES[part], without(part)] as [string, ReadonlySet<Part>]),
    ]
    for (const [name, parts] of [...ways, [NONE, new Set<Part>()] as const]) kinds.push(await start(name, parts, chosen, prompts, world))
    for (let block = 0; block < chosen.blocks; block++) {
      const [from, to] = [block, block + 1].map((n) => Math.floor((n * day.length) / chosen.blocks)) as [number, number]
      for (const kind of kinds) for (let at = from; at < to; at++) await answerOne(kind, day, at, chosen, prompts, world)
    }
    return reportOf(kinds, chosen)
  } finally {
    for (const { engine, disk } of kinds) {
      await engine.close()
      disk?.close()
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function start(name: string, parts: ReadonlySet<Part>, chosen: MieoSettings, prompts: Prompts, world: World): Promise<Kind> {
  const engine = new BenchEngine()
  const place = join(world.folder, name)
  await engine.load({
    ...{ modelPath: chosen.model, gpu: 'off', threads: chosen.threads, contextSize: chosen.contextSize },
    flashAttention: parts.has('flash') ? 'auto' : 'off',
    states: parts.has('shapes') ? { folder: place, bytes: 1e9 } : null,
    shapes: { path: null, cut: parts.has('shapes') ? 'auto' : 'off' },
  })
  // what the product does before the first question of the day
  if (parts.has('shapes')) {
    const prefixes = Object.entries(prompts).map(([id, { text }]) => ({ id, messages: [{ role: 'system', text }] satisfies Message[] }))
    await engine.warm({ prefixes: chosen.profile === 'full' ? prefixes : [], shapes: true })
  }
  const { embedder } = world
  const disk = parts.has('cache') ? new Answers(`${place}.db`, { log, contents: embedder.id, limits: diskLimits(settings) }) : null
  const cache = disk && new AnswerCache({ disk, embedder, rarity: embedder.rarity, gate: world.gate, settings, log })
  return { name, parts, engine, cache, disk, ms: [], firstMs: [], tokens: 0, hits: 0, answers: [] }
}

async function answerOne(kind: Kind, day: readonly Work[], at: number, chosen: MieoSettings, prompts: Prompts, world: World): Promise<void> {
  const { question: text, category, followUp } = day[at]!
  const history = followUp ? [{ question: day[at - 1]!.question, answer: kind.answers[at - 1]! }] : []
  const messages = compose({ prompts, category, profile: chosen.profile, history, question: text })
  const startedAt = performance.now()
  const asked = { ...question(text, world), scope: { ...scope, category }, followUp, emergency: category === 'emergency' }
  const found = kind.cache && (await kind.cache.lookup(asked))
  if (found?.kind === 'hit') {
    kind.ms.push(performance.now() - startedAt)
    kind.firstMs.push(performance.now() - startedAt)
    kind.hits++
    kind.answers.push(found.answer)
    return
  }
  const lookedUpMs = performance.now() - startedAt
  const speculation = kind.parts.has('adaptive') ? 'auto' : 'off'
  const written = await kind.engine.ask(messages, { maxTokens: chosen.maxTokens, speculation, kind: category })
  kind.ms.push(performance.now() - startedAt)
  if (written.firstMs !== null) kind.firstMs.push(lookedUpMs + written.firstMs)
  kind.tokens += written.done.tokens
  kind.answers.push(written.text)
  await kind.cache?.keep(asked, { answer: written.text, status: 'complete', turn: `${at}`, conversation: `${at}` })
}

function reportOf(kinds: readonly Kind[], { name, questions, threads }: MieoSettings): Report {
  const [complete, plain] = [kinds[0]!, kinds.at(-1)!]
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
  const rows = kinds.map((kind): Row => {
    const part = PARTS.find((one) => NAMES[one] === kind.name)
    const grown = sum(kind.ms) / sum(complete.ms) - 1
    const generated = sum(kind.ms) / 1000
    return {
      model: name,
      way: kind.name,
      's/question': sum(kind.ms) / kind.ms.length / 1000,
      'latency +%': kind === complete ? null : percent(grown),
      'paper +%': part === undefined ? null : PAPER[part],
      'first token ms': median(kind.firstMs),
      'tok/s': kind.tokens / generated,
      'from cache %': percent(kind.hits / kind.ms.length),
      'same answer %': percent(kind.answers.filter((answer, at) => answer === plain.answers[at]).length / kind.answers.length),
      pays: kind === complete || kind === plain ? '' : grown > 0 ? 'yes' : 'not here',
    }
  })
  return {
    name: 'bench mieo',
    rows,
    targets: [],
    notes: [
      `${name}: ${questions} questions, ${threads} thread${threads === 1 ? '' : 's'}; repeats by Zipf’s law, 30 % in another spelling, 15 % follow-ups, five categories.`,
      'Latency grows by so much when a part is left out; the paper’s figures are for its own engine on its own machine. tok/s: written by the engine over all time, answers from the cache included in the time only.',
      'Same answer: letter by letter what the engine writes without any of the parts. An answer from the cache to another spelling of the question counts as another one where the engine itself would have answered it otherwise.',
    ],
  }
}
