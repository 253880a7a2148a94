// Owns one line per route: contract name → the service that does it. Nothing else.
import type { AppContract } from '../contract/contract.ts'
import type { Handlers } from '../contract/define.ts'
import type { AppInfo, Settings as SettingsValue } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { cleanQuestion } from '../clinical/text.ts'
import { ask, type AskParts } from '../ask/ask.ts'
import { measureQuestion } from '../ask/budget.ts'
import { classify } from '../ask/classify.ts'
import type { Library } from '../library/library.ts'
import type { Conversations } from '../store/conversations.ts'
import type { Settings } from '../store/settings.ts'
import { clinicalHandlers, lookAt } from './clinical-handlers.ts'
import type { EngineHost } from './engine-host.ts'
import type { Composed } from './engines/compose.ts'
import type { Running } from './running.ts'

export interface Services {
  info: AppInfo
  /** The engine is chosen for each question. */
  parts: Omit<AskParts, 'engine'>
  conversations: Conversations
  settings: Settings
  library: Library
  engine: EngineHost
  composed: Composed
  running: Running
  publishSettings(settings: SettingsValue): void
}
const done = { done: true } as const

export function createHandlers(s: Services): Handlers<AppContract> {
  return {
    'app.info': () => s.info,

    'conversation.list': (query) => s.conversations.list(query),
    'conversation.open': ({ id }) => s.conversations.open(id),
    'conversation.rename': ({ id, title }) => s.conversations.rename(id, title),
    'conversation.delete': ({ id }) => (s.conversations.delete(id), done),
    'conversation.export': ({ id }) => s.conversations.exportMarkdown(id),

    'question.preview': ({ question }) => preview(s, question),

    'ask.run': async function* (input, signal) {
      const run = s.running.begin(signal)
      try {
        for await (const event of ask({ ...s.parts, engine: s.composed.engines.forQuestion() }, input, run.signal)) {
          if (event.type === 'accepted') run.name(event.turn.id)
          yield event
        }
      } finally {
        run.end()
      }
    },
    'ask.stop': ({ turn }) => (s.running.stop(turn), done),

    ...clinicalHandlers({ tables: s.parts.clinical, conversations: s.conversations, dataFolder: s.info.dataFolder, version: s.info.version }),

    'model.list': () => s.library.list(s.engine.activeId()),
    'model.choose': async ({ id }) => {
      // a path may come from the command line, never from the page
      const known = await s.library.list(s.engine.activeId())
      if (!known.some((model) => model.id === id)) throw new AppError('MODEL_MISSING')
      s.library.resolve(id)
      s.publishSettings(s.settings.set({ model: id }))
      void s.engine.choose(id).catch(() => {}) // the status has it
      return done
    },
    'engine.restart': () => {
      void s.engine.restart().catch(() => {})
      return done
    },

    'plan.override': ({ override }) => ({ before: s.engine.override(override) }),
    'server.save': (input) => s.composed.server.save(input),
    'server.test': (input) => s.composed.server.test(input),

    'hardware.look': () => {
      s.composed.forgive()
      void s.engine.lookAgain().catch(() => {}) // the status has it
      return done
    },

    'settings.set': (partial) => {
      const settings = s.settings.set(partial)
      s.publishSettings(settings)
      return settings
    },
  }
}

async function preview(s: Services, raw: string) {
  const question = cleanQuestion(raw)
  const classification = classify(question, s.parts.tables)
  const { text, shown } = lookAt(question, s.parts.clinical())
  const engine = s.composed.engines.forPreview()
  if (question === '' || !engine.isReady()) return { classification, tokens: null, limit: null, ...shown }
  const measured = await measureQuestion(
    { prompts: s.parts.prompts, category: classification.category, question: text, limits: engine.limits() },
    engine.count,
  )
  return { classification, ...measured, ...shown }
}
