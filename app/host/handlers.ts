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
import type { EngineHost } from './engine-host.ts'
import type { Running } from './running.ts'

export interface Services {
  info: AppInfo
  parts: AskParts
  conversations: Conversations
  settings: Settings
  library: Library
  engine: EngineHost
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
        for await (const event of ask(s.parts, input, run.signal)) {
          if (event.type === 'accepted') run.name(event.turn.id)
          yield event
        }
      } finally {
        run.end()
      }
    },
    'ask.stop': ({ turn }) => (s.running.stop(turn), done),

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

    'hardware.look': () => {
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
  if (question === '' || !s.engine.isReady()) return { classification, tokens: null, limit: null }
  const measured = await measureQuestion(
    { prompts: s.parts.prompts, category: classification.category, question, limits: s.engine.limits() },
    s.engine.count,
  )
  return { classification, ...measured }
}
