// Owns a host with scripted answers for looking at the page: states that a real engine shows rarely or for a moment. Serves the real contract; not the product.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { contract, type AppContract } from '../../app/contract/contract.ts'
import type { Handlers } from '../../app/contract/define.ts'
import type { AskEvent, ConversationHit, EngineStatus, Settings, Turn } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import { Router } from '../../app/base/router.ts'
import { serveLoopback } from '../../app/host/loopback.ts'
import { answers, classification, conversation, engineReady, modelList, serverOff, turn } from './scripted-data.ts'

const scenes = ['ready', 'first', 'first-loading', 'loading', 'failed', 'restarting', 'empty', 'many'] as const
export type Scene = (typeof scenes)[number]
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export interface ScriptedHost {
  /** A fresh opening address; each works once. */
  url(): string
  engine(change: Partial<EngineStatus>): void
  /** Tells the page the state of any other topic. */
  tell: Router<AppContract>['publish']
  close(): Promise<void>
}

/** Starts a host in the state that `scene` names. Answers are chosen by a word in the question: long, reasoning, slow, fail, cut, list. */
export async function startScripted(scene: Scene, page: string): Promise<ScriptedHost> {
  let engine: EngineStatus = { ...engineReady, ...engineOf(scene) }
  let settings: Settings = {
    theme: 'auto',
    textSize: 'm',
    letterKeys: true,
    showReasoning: true,
    welcomed: !scene.startsWith('first'),
    model: null,
    emergencyNumber: '112',
  }
  const turns = new Map<string, Turn[]>()
  let list: ConversationHit[] = []
  if (!['empty', 'first', 'first-loading'].includes(scene)) list = fill(turns, scene === 'many' ? 500 : 12)
  const stopped = new Set<string>()
  let next = 0

  const handlers: Handlers<AppContract> = {
    'app.info': () => ({
      version: '0.1.0',
      host: 'loopback',
      dataFolder: '~/.local/share/rushlight',
      modelFolder: '~/.local/share/rushlight/models',
      logFolder: '~/.local/share/rushlight/logs',
    }),
    'conversation.list': ({ search }) =>
      search === undefined
        ? list
        : list
            .filter(({ title }) => title.toLowerCase().includes(search.toLowerCase()))
            .map((hit) => ({ ...hit, snippet: `…first steps for \uE000${search}\uE001, then review at 3 days…` })),
    'conversation.open': ({ id }) => {
      const found = list.find((hit) => hit.id === id)
      if (!found) throw new AppError('CONVERSATION_NOT_FOUND')
      return { conversation: found, turns: turns.get(id) ?? [] }
    },
    'conversation.rename': ({ id, title }) => {
      list = list.map((hit) => (hit.id === id ? { ...hit, title } : hit))
      return list.find((hit) => hit.id === id)!
    },
    'conversation.delete': ({ id }) => {
      list = list.filter((hit) => hit.id !== id)
      return { done: true }
    },
    'conversation.export': ({ id }) => ({ fileName: `rushlight-${id}.md`, markdown: '# A conversation\n' }),
    'question.preview': ({ question }) => ({
      classification: classification(question),
      tokens: engine.phase === 'loading' ? null : Math.ceil(question.length / 4),
      limit: engine.phase === 'loading' ? null : 300,
      identifiers: [],
      without: null,
      understood: [],
    }),
    'ask.run': (input, signal) => run(input, signal),
    'ask.stop': ({ turn: id }) => {
      stopped.add(id)
      return { done: true }
    },
    'records.state': () => ({ counts: { medicine: 0, condition: 0, emergency: 0, prevention: 0 }, reviewed: 0, folder: '', clinic: [], faults: [] }),
    'calculator.list': () => [],
    'calculator.run': () => ({ value: '1', band: '', text: '', points: [] }),
    'calculator.medicines': () => [],
    'calculator.childDose': () => {
      throw new AppError('BAD_INPUT')
    },
    'incident.draft': () => ({ text: '{}' }),
    'incident.save': () => ({ file: 'incident.json' }),
    'model.list': () => modelList(engine.model?.id),
    'model.choose': ({ id }) => {
      const chosen = modelList(id).find((model) => model.id === id)!
      publish({ phase: 'loading', progress: 0.4, model: chosen })
      setTimeout(() => publish({ phase: 'ready', progress: 1 }), 1500)
      return { done: true }
    },
    'engine.restart': () => {
      publish({ phase: 'ready', error: null })
      return { done: true }
    },
    'hardware.look': () => ({ done: true }),
    'plan.override': () => ({ before: null }),
    'server.save': () => serverOff,
    'server.test': () => {
      throw new AppError('ENGINE_FAILED')
    },
    'settings.set': (change) => {
      settings = { ...settings, ...change } as Settings
      router.publish('settings', settings)
      return settings
    },
  }
  const router = new Router(contract, handlers, (name, error) => process.stderr.write(`${name}: ${String(error)}\n`))
  const publish = (change: Partial<EngineStatus>) => router.publish('engine.status', (engine = { ...engine, ...change }))

  async function* run(
    input: { question: string; conversation: string | null; category?: unknown; supersedes?: string | undefined },
    signal: AbortSignal,
  ) {
    const { question } = input
    const tokens = Math.ceil(question.length / 4)
    if (tokens > 300) throw new AppError('QUESTION_TOO_LONG', undefined, { tokens, limit: 300 })
    const id = input.conversation ?? `asked-${next++}`
    const own: Turn = {
      ...turn(`${id}-${next++}`, id, question, ''),
      classification: {
        ...classification(question),
        ...(input.category ? { category: input.category as 'general', decidedBy: 'user' as const } : {}),
      },
      status: 'answering',
      provenance: null,
      finishedAt: null,
    }
    const earlier = turns.get(id) ?? []
    const at = earlier.findIndex((old) => old.id === input.supersedes)
    const kept = earlier.map((old, index) => (at >= 0 && index >= at && old.supersededBy === null ? { ...old, supersededBy: own.id } : old))
    turns.set(id, [...kept, own])
    const summary = {
      ...conversation(id, question, new Date()),
      category: own.classification.category,
      turns: kept.filter((old) => !old.supersededBy).length + 1,
    }
    list = [{ ...summary, lastStatus: 'answering' as const, snippet: null }, ...list.filter((hit) => hit.id !== id)]
    yield { type: 'accepted', conversation: { ...summary, lastStatus: 'answering' }, turn: own } satisfies AskEvent
    publish({ phase: 'answering' })
    const { reasoning, answer, error } = answers(question)
    const pause = question.includes('slow') ? 120 : 12
    for (let step = 0; step <= 5 && !stopped.has(own.id); step++) {
      yield { type: 'stage', stage: 'reading', progress: step / 5, remainingMs: (5 - step) * pause * 5 } satisfies AskEvent
      await sleep(pause * 5)
    }
    yield { type: 'stage', stage: 'writing', progress: null, remainingMs: null } satisfies AskEvent
    let [written, thought] = ['', '']
    for (const [type, text] of [
      ['reasoning', reasoning],
      ['text', answer],
    ] as const)
      for (const piece of text.match(/\s*\S+\s*/g) ?? []) {
        if (stopped.has(own.id) || signal.aborted) break
        if (type === 'text') written += piece
        else thought += piece
        yield { type, text: piece } satisfies AskEvent
        await sleep(pause)
      }
    const stop = stopped.has(own.id)
    const wire = stop ? AppError.wire(new AppError('CANCELLED')) : error
    const status = wire ? (written === '' && !stop ? 'failed' : 'partial') : 'complete'
    const finished: Turn = { ...turn(own.id, id, question, written), classification: own.classification, reasoning: thought, status, error: wire }
    turns.set(
      id,
      turns.get(id)!.map((old) => (old.id === own.id ? finished : old)),
    )
    list = list.map((hit) => (hit.id === id ? { ...hit, lastStatus: status } : hit))
    publish({ phase: 'ready' })
    yield { type: 'done', conversation: { ...summary, lastStatus: status }, turn: finished } satisfies AskEvent
  }

  router.publish('settings', settings)
  router.publish('engine.status', engine)
  const loopback = await serveLoopback(router, page)
  return { url: () => loopback.openingUrl(), engine: publish, tell: (topic, state) => router.publish(topic, state), close: () => loopback.close() }
}

function engineOf(scene: Scene): Partial<EngineStatus> {
  switch (scene) {
    case 'loading':
    case 'first-loading':
      return { phase: 'loading', progress: 0.4, backend: null }
    case 'failed':
      return { phase: 'failed', backend: null, error: AppError.wire(new AppError('ENGINE_FAILED')) }
    case 'restarting':
      return { phase: 'restarting', backend: null, restarts: 1 }
    default:
      return {}
  }
}

function fill(turns: Map<string, Turn[]>, count: number): ConversationHit[] {
  const questions = [
    'Acute red eye: when to send the same day',
    'Ibuprofen with ramipril and furosemide',
    'Tetanus booster after a garden wound',
    'Plantar fasciitis, first steps',
  ]
  return Array.from({ length: count }, (_, index) => {
    const id = `c${index}`
    const question = `${questions[index % questions.length]!}${index >= questions.length ? `, case ${index + 1}` : ''}`
    const first = turn(`${id}-1`, id, question, answers('long').answer)
    const kept = index === 1 ? [{ ...first, supersededBy: `${id}-2` }, turn(`${id}-2`, id, question, answers('').answer)] : [first]
    turns.set(id, index === 0 ? [first, turn(`${id}-2`, id, 'And in a child of four?', answers('').answer)] : kept)
    return {
      ...conversation(id, question, new Date(Date.now() - index * 7_000_000)),
      turns: index === 0 ? 2 : 1,
      lastStatus: index === 3 ? 'partial' : 'complete',
      snippet: null,
    }
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { scene: { type: 'string', default: 'ready' } } })
  const scene = scenes.find((name) => name === values.scene)
  if (!scene) throw new Error(`no such scene; there are ${scenes.join(', ')}`)
  const host = await startScripted(scene, fileURLToPath(new URL('../../out/renderer', import.meta.url)))
  process.stdout.write(`${host.url()}\n`)
}
