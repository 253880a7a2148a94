// Owns the one face of everything that can answer: llama.cpp on this computer in its placement, or a server on the clinic's network.
import type { GenerateEvent, Message } from '../../contract/engine.ts'
import type { Category, Origin } from '../../contract/entities.ts'
import type { AnswerEngine } from '../../ask/ask.ts'
import type { AnswerLimits } from '../../ask/budget.ts'
import type { Expected } from '../../deploy/selection/score.ts'

export interface OneEngine {
  readonly id: 'computer' | 'server'
  /** For a person: the device, or the host of the server. */
  name(): string
  /** Under which its experience is kept; '' while nothing is loaded. */
  key(): string
  /** It could answer now, without waiting for anything but other answers. */
  isReady(): boolean
  /** Waits until it is; throws what keeps it from being so. */
  ready(signal: AbortSignal): Promise<void>
  limits(): AnswerLimits
  count(messages: Message[]): Promise<{ tokens: number; contextSize: number }>
  /** The same, perhaps less exactly, without anything leaving this computer: what is being typed has not been asked. */
  countHere(messages: Message[]): Promise<{ tokens: number; contextSize: number }>
  /** `promptTokens`: what count() said of these messages. Throws ENGINE_*, UNTRUSTED or QUESTION_TOO_LONG in words. */
  generate(input: Parameters<AnswerEngine['generate']>[0], signal: AbortSignal, promptTokens: number): AsyncIterable<GenerateEvent>
  origin(category: Category): Origin
  /** Of a prompt of so many tokens, with nobody ahead. */
  expected(promptTokens: number, now: Date): Expected & { answers: number }
  /** How many times longer than alone an answer takes now. */
  slowedBy(): number
  /** Answers that have to be finished before another begins. */
  ahead(): number
  /** An answer is being written. */
  busy(): boolean
}
