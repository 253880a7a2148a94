// Owns the way of a question, top to bottom: clean → classify → plan the prompt → save → wait → read → write → save → done.
import type { GenerateEvent, Message } from '../contract/engine.ts'
import type { AskEvent, Category, Classification, Conversation, ErrorInfo, Provenance, Turn, Understood } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { cleanQuestion } from '../clinical/text.ts'
import type { KeywordTables } from '../clinical/keywords.ts'
import { planPrompt, type AnswerLimits, type Counter, type Exchange, type Plan } from './budget.ts'
import { classify, withUserCategory } from './classify.ts'
import { Draft } from './draft.ts'
import type { Prompts } from './prompt.ts'

/** Where turns are kept. Every method has saved durably when it returns. */
export interface TurnStore {
  createTurn(input: {
    conversation: string | null
    question: string
    classification: Classification
    understood: Understood[]
    supersedes?: string
  }): { conversation: Conversation; turn: Turn }
  saveProgress(turn: string, answer: string, reasoning: string): void
  finishTurn(
    turn: string,
    end: { status: 'complete' | 'partial' | 'failed'; answer: string; reasoning: string; provenance: Provenance | null; error: ErrorInfo | null },
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
  generate(input: { messages: Message[]; maxTokens: number; temperature: number }, signal: AbortSignal): AsyncIterable<GenerateEvent>
  origin(): Pick<Provenance, 'model' | 'mode' | 'engine'>
}
export interface AskParts {
  store: TurnStore
  engine: AnswerEngine
  tables: KeywordTables
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
  const history = input.conversation ? store.history(input.conversation, input.supersedes) : []
  const plan = () =>
    planPrompt({ prompts: parts.prompts, category: classification.category, question, history, limits: engine.limits() }, engine.count)
  // refused before it is stored, so that the text stays in the composer; while a model loads, its limit is not known yet
  let planned: Plan | null = engine.isReady() ? await plan().catch(unlessRefused) : null

  const accepted = store.createTurn({
    conversation: input.conversation,
    question,
    classification,
    understood: [],
    ...(input.supersedes === undefined ? {} : { supersedes: input.supersedes }),
  })
  const draft = new Draft(parts, accepted.turn)
  try {
    yield { type: 'accepted', ...accepted }
    if (!planned) {
      yield waiting
      await engine.ready(signal)
      planned = await plan()
    }
    for await (const event of engine.generate({ messages: planned.messages, maxTokens: planned.maxTokens, temperature: 0 }, signal))
      yield* draft.take(event, planned)
  } catch (error) {
    draft.fail(error, signal)
  } finally {
    // also when the reader has gone: what was written is kept
    draft.save()
  }
  yield { type: 'done', ...draft.save() }
}

/** An engine that dies while it counts is no reason to refuse: the question is stored and waits for the restart. */
function unlessRefused(error: unknown): null {
  if (error instanceof AppError && error.code === 'QUESTION_TOO_LONG') throw error
  return null
}

const waiting: AskEvent = { type: 'stage', stage: 'waiting', progress: null, remainingMs: null }
