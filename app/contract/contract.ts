// THE list: every call, stream and topic the page may use. What is not here cannot be called.
import * as z from 'zod'
import {
  CalculatorInfo,
  CalculatorInput,
  CalculatorResult,
  ChildDoseAnswer,
  ChildDoseRequest,
  IdentifierFound,
  IncidentInput,
  RecordsState,
} from './clinical.ts'
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
  Understood,
} from './entities.ts'
import { EngineList, HardwareFacts, PlanOverride, PlanPicture, ServerFinding, ServerInput, ServerState } from './hardware.ts'

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

  /**
   * What the composer shows while typing: category, tokens against the limit (null while no model is loaded), what tells who a person is, the
   * question `without` it (null when there is none of it), and how terms will be understood.
   */
  'question.preview': call(
    z.object({ question: QuestionText }),
    z.object({
      classification: Classification,
      tokens: z.number().int().nullable(),
      limit: z.number().int().nullable(),
      identifiers: z.array(IdentifierFound),
      without: z.string().nullable(),
      understood: z.array(Understood),
    }),
  ),

  /** Ends with `done`. An abort, or a lost window, stops the answer and keeps what was written. */
  'ask.run': stream(AskInput, AskEvent),
  /** Stops a running answer; its stream then ends with `done` as usual. Stopping a finished one does nothing. */
  'ask.stop': call(z.object({ turn: Id }), Done),

  'records.state': call(Nothing, RecordsState),
  'calculator.list': call(Nothing, z.array(CalculatorInfo)),
  /** Throws BAD_INPUT that names every field outside its limits. */
  'calculator.run': call(CalculatorInput, CalculatorResult),
  /** Medicines with a dose for children. */
  'calculator.medicines': call(Nothing, z.array(z.string())),
  'calculator.childDose': call(ChildDoseRequest, ChildDoseAnswer),
  /** The text of an incident file as `incident.save` would write it. */
  'incident.draft': call(IncidentInput, z.object({ text: z.string() })),
  'incident.save': call(IncidentInput, z.object({ file: z.string() })),

  'model.list': call(Nothing, z.array(ModelSummary)),
  /** Returns at once; progress is in `engine.status`. */
  'model.choose': call(z.object({ id: z.string().min(1).max(200) }), Done),
  'engine.restart': call(Nothing, Done),
  /** Looks for graphics cards again, forgets which plans have failed and places the model anew. Returns at once; progress is in `engine.status`. */
  'hardware.look': call(Nothing, Done),
  'engine.status': topic(EngineStatus),
  /** Every engine that could answer, in the order of equation 9. */
  'engine.list': topic(EngineList),
  'hardware.facts': topic(HardwareFacts),
  /** null while nothing is placed. */
  'plan.picture': topic(PlanPicture.nullable()),
  /** Another plan than Rushlight's own, kept for this model; null takes it back. Returns what was before, for an undo; progress is in `engine.status`. */
  'plan.override': call(z.object({ override: PlanOverride.nullable() }), z.object({ before: PlanOverride.nullable() })),
  'server.state': topic(ServerState),
  /** Throws BAD_INPUT in words, and UNTRUSTED where policy does not allow a server. */
  'server.save': call(ServerInput, ServerState),
  /** Looks at the server as entered, without storing anything. Throws what is wrong with it. */
  'server.test': call(ServerInput, ServerFinding),

  'settings.set': call(Settings.partial(), Settings),
  settings: topic(Settings),
} as const
export type AppContract = typeof contract
