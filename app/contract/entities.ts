// Owns the schemas of what crosses to the page: questions, turns, models, engine state, settings. Times are ISO 8601 in UTC.
import * as z from 'zod'
import { Clinical, ClinicalNotice, EmergencyBanner, FactCard } from './clinical.ts'

/** The five categories of equation 1, and `general` for a question that no keyword claims. Order is the order of safety in a tie. */
export const categories = ['emergency', 'medication', 'diagnosis', 'treatment', 'prevention', 'general'] as const
export const Category = z.enum(categories)
export type Category = z.infer<typeof Category>

export const Id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[0-9A-Za-z_-]+$/, 'not an id')
export const Time = z.iso.datetime()
/** Above any context; a longer text is a mistake of the clipboard. The real limit is in tokens and depends on the model. */
export const QUESTION_CHARACTERS = 250_000
export const QuestionText = z.string().max(QUESTION_CHARACTERS, 'longer than 250,000 characters')

export const ErrorInfo = z.object({ code: z.string(), message: z.string() })
export type ErrorInfo = z.infer<typeof ErrorInfo>

export const Classification = z.object({
  category: Category,
  decidedBy: z.enum(['rules', 'user']),
  /** Words and phrases that counted for `category`, as they stand in the tables, in order of appearance. */
  matched: z.array(z.string()),
  /** Score per category: the number of distinct keywords found, Σ I(w ∈ K_c). */
  scores: z.partialRecord(Category, z.number()),
})
export type Classification = z.infer<typeof Classification>

/** `undo`, given as `keep` with the question, takes the meaning back. */
export const Understood = z.object({ typed: z.string(), means: z.string(), undo: z.array(z.string()).optional() })
export type Understood = z.infer<typeof Understood>

export const Backend = z.enum(['cpu', 'cuda', 'vulkan', 'metal'])
export type Backend = z.infer<typeof Backend>
export const Provenance = z.object({
  model: z.object({
    id: z.string(),
    name: z.string(),
    version: z.string(),
    quantisation: z.string(),
    demonstration: z.boolean(),
    sha256: z.string(),
  }),
  mode: z.enum(['base', 'adapter', 'merged']),
  /** The one that was active with the base model; null in the other modes. */
  adapter: z.object({ name: z.string(), version: z.string(), sha256: z.string() }).nullable().default(null),
  engine: z.object({
    ...{ name: z.string(), gpuLayers: z.number().int(), layers: z.number().int(), threads: z.number().int() },
    /** remote: a server on the clinic’s own network, whose layers and threads are not known and 0. */
    backend: z.enum([...Backend.options, 'remote']),
    /** Of that server, without path and key. */
    host: z.string().optional(),
  }),
  prompt: z.object({ profile: z.enum(['full', 'question-only']), hash: z.string(), earlierTurns: z.number().int(), droppedTurns: z.number().int() }),
  /** The earlier answer that was given again, letter by letter; null for one written afresh. */
  cache: z
    .object({ level: z.enum(['memory', 'disk']), question: z.string(), askedAt: Time, turn: Id, conversation: Id })
    .nullable()
    .default(null),
  stop: z.enum(['end', 'length', 'stopped', 'lost']),
  promptTokens: z.number().int(),
  tokens: z.number().int(),
  /** From the moment the question was accepted to the first token of text, in milliseconds; null when none was written. */
  firstTokenMs: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  appVersion: z.string(),
  at: Time,
})
export type Provenance = z.infer<typeof Provenance>
/** What answers: known before the answer is. */
export type Origin = Pick<Provenance, 'model' | 'mode' | 'adapter' | 'engine'>

export const TurnStatus = z.enum(['answering', 'complete', 'partial', 'failed'])
export const Turn = z.object({
  id: Id,
  conversation: Id,
  question: z.string(),
  classification: Classification,
  understood: z.array(Understood),
  /** null for a turn from before there were any rules and tables. */
  clinical: Clinical.nullable(),
  status: TurnStatus,
  answer: z.string(),
  reasoning: z.string(),
  provenance: Provenance.nullable(),
  error: ErrorInfo.nullable(),
  /** The turn that replaced this one (asked again or edited); null for the current one. */
  supersededBy: Id.nullable(),
  createdAt: Time,
  finishedAt: Time.nullable(),
})
export type Turn = z.infer<typeof Turn>

export const Conversation = z.object({
  id: Id,
  title: z.string(),
  createdAt: Time,
  updatedAt: Time,
  category: Category,
  turns: z.number().int(),
  lastStatus: TurnStatus,
})
export type Conversation = z.infer<typeof Conversation>
/** A search hit also says where: `snippet` is plain text, matches between U+E000 and U+E001. */
export const ConversationHit = Conversation.extend({ snippet: z.string().nullable() })
export type ConversationHit = z.infer<typeof ConversationHit>

export const AskInput = z.object({
  question: QuestionText,
  /** null starts a conversation. */
  conversation: Id.nullable(),
  /** The user's own choice instead of the classified category. */
  category: Category.optional(),
  /** The turn that this one replaces; it and what followed it stay stored but leave the page. */
  supersedes: Id.optional(),
  /** The `undo` of terms that shall stay as typed. */
  keep: z.array(z.string().max(200)).max(50).optional(),
})
export type AskInput = z.input<typeof AskInput>

export const AskStage = z.enum(['waiting', 'reading', 'writing'])
export type AskStage = z.infer<typeof AskStage>
export const AskEvent = z.discriminatedUnion('type', [
  /** The question is stored; from here nothing is lost. */
  z.object({ type: z.literal('accepted'), conversation: Conversation, turn: Turn }),
  /** Right after `accepted` when rules find one, before any model is asked; the most urgent first. */
  z.object({ type: z.literal('emergency'), emergencies: z.array(EmergencyBanner).min(1) }),
  /** What the tables hold on the subject of the question. */
  z.object({ type: z.literal('facts'), cards: z.array(FactCard), notices: z.array(ClinicalNotice), missing: z.array(z.string()) }),
  /** waiting: for a loading model or another answer. reading: prefill. writing: decode. progress 0…1 and the estimate where known. */
  z.object({ type: z.literal('stage'), stage: AskStage, progress: z.number().min(0).max(1).nullable(), remainingMs: z.number().nullable() }),
  z.object({ type: z.literal('reasoning'), text: z.string() }),
  z.object({ type: z.literal('text'), text: z.string() }),
  /** The turn as stored: complete, partial (stopped or lost, with what was written) or failed, with the reason in `error`. */
  z.object({ type: z.literal('done'), conversation: Conversation, turn: Turn }),
])
export type AskEvent = z.infer<typeof AskEvent>

export const ModelSummary = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  description: z.string(),
  licence: z.string(),
  quantisation: z.string(),
  /** null for a listed model whose file size is not known here. */
  bytes: z.number().int().nullable(),
  parameters: z.string(),
  /** Not for patient care; the page says so wherever an answer of this model is seen. */
  demonstration: z.boolean(),
  /** installed: the file is there. listed: the catalogue knows it, the file is not on this computer. */
  state: z.enum(['installed', 'listed']),
  active: z.boolean(),
  fileName: z.string(),
})
export type ModelSummary = z.infer<typeof ModelSummary>

/** How the model was placed on this computer, why, and whether it runs as predicted. Times in milliseconds. */
export const PlanStatus = z.object({
  /** What happens before there is a plan ("Looking for graphics cards"); empty otherwise. */
  doing: z.string(),
  /** What is executed: "25 of 29 layers on RTX 3060 (CUDA), context of 4096 tokens". */
  what: z.string(),
  /** Sentences. */
  reasons: z.array(z.string()),
  /** What would have been better and was left, in order, and why. */
  tried: z.array(z.object({ what: z.string(), why: z.string() })),
  /** What is different for the next answer, and why; empty when nothing is. */
  adapted: z.string(),
  /** Of the clinic's typical question. */
  predicted: z.object({ firstTokenMs: z.number(), tokensPerSecond: z.number() }).nullable(),
  /** The latest answer, beside what was predicted for just that one. */
  measured: z
    .object({
      firstTokenMs: z.number().nullable(),
      predictedFirstTokenMs: z.number().nullable(),
      tokensPerSecond: z.number().nullable(),
      predictedTokensPerSecond: z.number(),
    })
    .nullable(),
})
export type PlanStatus = z.infer<typeof PlanStatus>

export const EngineStatus = z.object({
  phase: z.enum(['starting', 'loading', 'ready', 'answering', 'restarting', 'failed']),
  /** Of loading, 0…1. */
  progress: z.number().min(0).max(1),
  model: z.object({ id: z.string(), name: z.string(), quantisation: z.string(), demonstration: z.boolean() }).nullable(),
  backend: Backend.nullable(),
  device: z.string(),
  gpuLayers: z.number().int(),
  layers: z.number().int(),
  threads: z.number().int(),
  contextSize: z.number().int(),
  restarts: z.number().int(),
  error: ErrorInfo.nullable(),
  /** Absent where the engine itself decides. */
  plan: PlanStatus.optional(),
  /** What a prompt of each category begins with: ready to be gone on from, being read, or read in the next quiet time. Absent where there is no such thing. */
  prefixes: z.array(z.object({ category: Category, state: z.enum(['ready', 'working', 'waiting']) })).optional(),
  /** The next question goes to this server; then phase, model and error are its own, and the rest is of this computer. */
  server: z.object({ host: z.string(), model: z.string() }).optional(),
})
export type EngineStatus = z.infer<typeof EngineStatus>

export const Settings = z.object({
  theme: z.enum(['auto', 'light', 'dark']),
  textSize: z.enum(['s', 'm', 'l', 'xl']),
  /** Single-letter keys outside text fields. */
  letterKeys: z.boolean(),
  showReasoning: z.boolean(),
  welcomed: z.boolean(),
  /** Library id of the chosen model; null lets Rushlight choose. */
  model: z.string().max(200).nullable(),
  /** In every emergency banner. */
  emergencyNumber: z
    .string()
    .trim()
    .regex(/^[0-9][0-9 /+-]{1,30}$/, 'no telephone number'),
})
export type Settings = z.infer<typeof Settings>

export const AppInfo = z.object({
  version: z.string(),
  host: z.enum(['electron', 'loopback']),
  dataFolder: z.string(),
  modelFolder: z.string(),
  logFolder: z.string(),
})
export type AppInfo = z.infer<typeof AppInfo>
