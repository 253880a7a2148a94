// THE list: every call, stream and topic the page may use. What is not here cannot be called.
import * as z from 'zod'
import { call, stream, topic } from './define.ts'
import {
  AppInfo,
  AskEvent,
  AskInput,
  Classification,
  Conversation,
  ConversationHit,
  EngineStatus,
  Id,
  ModelSummary,
  QuestionText,
  Settings,
  Turn,
} from './entities.ts'

const Nothing = z.null()
const Done = z.object({ done: z.literal(true) })

export const contract = {
  'app.info': call(Nothing, AppInfo),

  /** Newest first; with `search`, best first. */
  'conversation.list': call(
    z.object({ search: z.string().max(200).optional(), limit: z.number().int().min(1).max(1000).default(500) }),
    z.array(ConversationHit),
  ),
  'conversation.open': call(z.object({ id: Id }), z.object({ conversation: Conversation, turns: z.array(Turn) })),
  'conversation.rename': call(z.object({ id: Id, title: z.string().trim().min(1).max(200) }), Conversation),
  'conversation.delete': call(z.object({ id: Id }), Done),
  'conversation.export': call(z.object({ id: Id }), z.object({ fileName: z.string(), markdown: z.string() })),

  /** What the composer shows while typing: category, and tokens against the limit (null while no model is loaded). */
  'question.preview': call(
    z.object({ question: QuestionText }),
    z.object({ classification: Classification, tokens: z.number().int().nullable(), limit: z.number().int().nullable() }),
  ),

  /** Ends with `done`. An abort, or a lost window, stops the answer and keeps what was written. */
  'ask.run': stream(AskInput, AskEvent),
  /** Stops a running answer; its stream then ends with `done` as usual. Stopping a finished one does nothing. */
  'ask.stop': call(z.object({ turn: Id }), Done),

  'model.list': call(Nothing, z.array(ModelSummary)),
  /** Returns at once; progress is in `engine.status`. */
  'model.choose': call(z.object({ id: z.string().min(1).max(200) }), Done),
  'engine.restart': call(Nothing, Done),
  /** Looks for graphics cards again, forgets which plans have failed and places the model anew. Returns at once; progress is in `engine.status`. */
  'hardware.look': call(Nothing, Done),
  'engine.status': topic(EngineStatus),

  'settings.set': call(Settings.partial(), Settings),
  settings: topic(Settings),
} as const
export type AppContract = typeof contract
