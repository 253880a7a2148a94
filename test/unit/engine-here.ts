// Owns the engine as tests use it without a process around it: the contract's own handlers, inputs parsed as the router would.
import { GenerateInput, LoadInput, WarmInput, type GenerateEvent, type LoadRequest, type Message, type WarmEvent } from '../../app/contract/engine.ts'
import { createEngine } from '../../app/engine/engine.ts'
import { starter } from './models.ts'

export type Done = Extract<GenerateEvent, { type: 'done' }>
export interface Answer {
  events: GenerateEvent[]
  text: string
  done: Done
  /** Tokens that were there before the first step. */
  held: number
}
/** Milliseconds that a machine with other work may take to load the starter and ask it a few questions. */
export const SLOW = 120_000
export const never = new AbortController().signal
export const user = (text: string): Message[] => [{ role: 'user', text }]

export function engineHere() {
  const handlers = createEngine()
  const load = async (options: Partial<LoadRequest> = {}, signal = never) => {
    const input = LoadInput.parse({ modelPath: starter, gpu: 'off', contextSize: 512, threads: 1, ...options })
    for await (const event of handlers['engine.load'](input, signal)) if (event.type === 'ready') return event.info
    throw new Error('not loaded')
  }
  /** Greedy, up to 40 tokens, unless told otherwise. */
  const ask = async (
    messages: Message[],
    options: Partial<GenerateInput> = {},
    signal = never,
    on: (event: GenerateEvent) => void = () => {},
  ): Promise<Answer> => {
    const events: GenerateEvent[] = []
    for await (const event of handlers['engine.generate'](GenerateInput.parse({ messages, maxTokens: 40, temperature: 0, ...options }), signal)) {
      events.push(event)
      on(event)
    }
    const first = events[0]
    return {
      events,
      text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
      done: events.at(-1) as Done,
      held: first?.type === 'prefill' ? first.done : 0,
    }
  }
  const warm = async (input: WarmInput | Pick<WarmInput, 'prefixes'>, signal = never, on: (event: WarmEvent) => void = () => {}) => {
    const events: WarmEvent[] = []
    for await (const event of handlers['engine.warm'](WarmInput.parse(input), signal)) {
      events.push(event)
      on(event)
    }
    return events
  }
  return { load, ask, warm, unload: () => handlers['engine.unload'](null) }
}
