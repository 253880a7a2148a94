// Owns the token budget: how much of the context the prompt may take, which earlier turns fit, and the refusal of a question that does not.
import type { Message } from '../contract/engine.ts'
import type { Category } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { compose, type Prompts } from './prompt.ts'

export interface AnswerLimits {
  profile: 'full' | 'question-only'
  /** Longest answer, in tokens, that the model's card allows. */
  maxAnswerTokens: number
}
export type Exchange = { question: string; answer: string }
export type Counter = (messages: Message[]) => Promise<{ tokens: number; contextSize: number }>
export interface Plan {
  messages: Message[]
  promptTokens: number
  maxTokens: number
  earlierTurns: number
  droppedTurns: number
}

// An answer that may not reach this length is not worth starting: half of what the card allows.
const reserve = (limits: AnswerLimits, contextSize: number) => Math.min(Math.ceil(limits.maxAnswerTokens / 2), Math.ceil(contextSize / 4))

/**
 * Composes the prompt with as many earlier exchanges as fit, oldest dropped first; the question itself is never cut.
 * Throws QUESTION_TOO_LONG, with `data` {tokens, limit} of the question, when it does not fit even alone.
 */
export async function planPrompt(
  input: { prompts: Prompts; category: Category; question: string; history: Exchange[]; limits: AnswerLimits },
  count: Counter,
): Promise<Plan> {
  const { prompts, category, question, limits } = input
  // a model trained on single questions is only confused by a dialogue
  const usable = limits.profile === 'question-only' ? [] : input.history
  for (let dropped = 0; ; dropped++) {
    const history = usable.slice(dropped)
    const messages = compose({ prompts, category, profile: limits.profile, history, question })
    const { tokens, contextSize } = await count(messages)
    const room = contextSize - tokens
    if (room >= reserve(limits, contextSize)) {
      const droppedTurns = input.history.length - history.length
      return { messages, promptTokens: tokens, maxTokens: Math.min(limits.maxAnswerTokens, room), earlierTurns: history.length, droppedTurns }
    }
    if (history.length === 0) {
      const frame = await count(compose({ prompts, category, profile: limits.profile, history: [], question: '' }))
      throw tooLong(tokens - frame.tokens, contextSize - frame.tokens - reserve(limits, contextSize))
    }
  }
}

/** Tokens of `question` alone and the most that fit, with the longest of the prompts. For the gauge in the composer. */
export async function measureQuestion(
  input: { prompts: Prompts; category: Category; question: string; limits: AnswerLimits },
  count: Counter,
): Promise<{ tokens: number; limit: number }> {
  const at = (question: string) => compose({ ...input, profile: input.limits.profile, history: [], question })
  const [full, frame] = [await count(at(input.question)), await count(at(''))]
  return { tokens: full.tokens - frame.tokens, limit: frame.contextSize - frame.tokens - reserve(input.limits, frame.contextSize) }
}

function tooLong(tokens: number, limit: number): AppError {
  const n = (value: number) => value.toLocaleString('en-GB')
  const share = Math.ceil((1 - limit / tokens) * 100)
  return new AppError(
    'QUESTION_TOO_LONG',
    `The question is ${n(tokens)} tokens long; this model takes ${n(limit)}. Shorten it by about ${share} % and ask again.`,
    { tokens, limit },
  )
}
