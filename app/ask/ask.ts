// Owns the way of a question, top to bottom: clean → classify → rules and facts → plan the prompt → save → wait → read → write → check → save → done.
import type { Clinical } from '../contract/clinical.ts'
import type { GenerateEvent, GenerateInput } from '../contract/engine.ts'
import type { AskEvent, Category, Classification, Conversation, ErrorInfo, Origin, Provenance, Turn, Understood } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { cleanQuestion } from '../clinical/text.ts'
import type { KeywordTables } from '../clinical/keywords.ts'
import type { ClinicalTables } from '../clinical/layer.ts'
import { planPrompt, type AnswerLimits, type Counter, type Exchange, type Plan } from './budget.ts'
import { classify, withUserCategory } from './classify.ts'
import { Draft } from './draft.ts'
import { readQuestion } from './facts.ts'
import type { Prompts } from './prompt.ts'

/** Where turns are kept. Every method has saved durably when it returns. */
export interface TurnStore {
  createTurn(input: {
    conversation: string | null
    question: string
    classification: Classification
    understood: Understood[]
    clinical: Clinical | null
    supersedes?: string
  }): { conversation: Conversation; turn: Turn }
  saveProgress(turn: string, answer: string, reasoning: string): void
  finishTurn(
    turn: string,
    end: {
      status: 'complete' | 'partial' | 'failed'
      answer: string
      reasoning: string
      provenance: Provenance | null
      error: ErrorInfo | null
      clinical: Clinical | null
    },
  ): { conversation: Conversation; turn: Turn }
  /** Finished exchanges of a conversation that a follow-up may refer to, oldest first; those that `supersedes` replaces are left out. */
  history(conversation: string, supersedes?: string): Exchange[]
}
/** What answers. `ready` resolves at once when a model is loaded. */
export interface AnswerEngine {
  isReady(): boolean
  ready(signal: AbortSignal): Promise<void>
  limits(): AnswerLimits
  count: Counter
  generate(
    input: Pick<GenerateInput, 'messages' | 'maxTokens' | 'temperature' | 'probabilities' | 'speculation' | 'kind' | 'client'>,
    signal: AbortSignal,
  ): AsyncIterable<GenerateEvent>
  /** Of a question of this category, were it asked now; after an answer, of that answer. */
  origin(category: Category): Origin
}
export interface AskParts {
  store: TurnStore
  engine: AnswerEngine
  tables: KeywordTables
  /** Read when they are first needed. */
  clinical(): ClinicalTables
  /** What the banner of an emergency tells to call. */
  emergencyNumber(): string
  prompts: Prompts
  appVersion: string
  /** Hears of failures that no code describes; the turn itself then only says INTERNAL. */
  onInternal(error: unknown): void
}
export interface Question {
  question: string
  conversation: string | null
  category?: Category | undefined
  supersedes?: string | undefined
  /** The `undo` of terms that shall stay as typed. */
  keep?: string[] | undefined
}

/**
 * Answers one question. Throws QUESTION_EMPTY or QUESTION_TOO_LONG before anything is stored; after `accepted` every end,
 * a stop and a lost engine included, is one `done` with the turn as stored. `signal` stops the answer.
 */
export async function* ask(parts: AskParts, input: Question, signal: AbortSignal): AsyncGenerator<AskEvent> {
  const { store, engine } = parts
  const question = cleanQuestion(input.question)
  if (question === '') throw new AppError('QUESTION_EMPTY')

  const found = classify(question, parts.tables)
  const classification = input.category ? withUserCategory(found, input.category) : found
  const { category } = classification
  // in well under 5 ms, and before any model: an emergency must not wait for one
  const read = readQuestion(question, parts.clinical(), { category, emergencyNumber: parts.emergencyNumber(), keep: input.keep ?? [] })
  const history = input.conversation ? store.history(input.conversation, input.supersedes) : []
  const plan = () => planPrompt({ prompts: parts.prompts, category, question: read.text, history, limits: engine.limits() }, engine.count)
  const urgent = read.clinical.emergencies.length > 0
  // refused before it is stored, so that the text stays in the composer; while a model loads, its limit is not known yet. An emergency is
  // shown first, however long its text is and whatever the engine does
  let planned: Plan | null = engine.isReady() && !urgent ? await plan().catch(unlessRefused) : null

  const accepted = store.createTurn({
    conversation: input.conversation,
    question,
    classification,
    understood: read.understood,
    clinical: read.clinical,
    ...(input.supersedes === undefined ? {} : { supersedes: input.supersedes }),
  })
  const draft = new Draft(parts, accepted.turn, read)
  try {
    yield { type: 'accepted', ...accepted }
    yield* before(read.clinical)
    if (!planned) {
      yield waiting
      await engine.ready(signal)
      planned = await plan()
    }
    for await (const event of engine.generate(
      {
        messages: planned.messages,
        maxTokens: planned.maxTokens,
        temperature: 0,
        probabilities: true,
        speculation: 'auto',
        kind: category,
        // conversations take turns, whoever asks most in one of them
        client: accepted.conversation.id,
      },
      signal,
    ))
      yield* draft.take(event, planned)
  } catch (error) {
    draft.fail(error, signal)
  } finally {
    // also when the reader has gone: what was written is kept
    draft.save()
  }
  yield { type: 'done', ...draft.save() }
}

/** What is known without a model. */
function* before({ emergencies, cards, notices, missing }: Clinical): Generator<AskEvent> {
  if (emergencies.length > 0) yield { type: 'emergency', emergencies }
  if (cards.length > 0 || notices.length > 0 || missing.length > 0) yield { type: 'facts', cards, notices, missing }
}

/** An engine that dies while it counts is no reason to refuse: the question is stored and waits for the restart. */
function unlessRefused(error: unknown): null {
  if (error instanceof AppError && error.code === 'QUESTION_TOO_LONG') throw error
  return null
}

const waiting: AskEvent = { type: 'stage', stage: 'waiting', progress: null, remainingMs: null }
