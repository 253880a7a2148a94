// Owns a server on the clinic's network behind the face of every engine.
import { nothingLearned, expectation, troubleNow } from '../../deploy/selection/learned.ts'
import { ASSUMED_CONTEXT, estimate } from '../../engine/remote/facts.ts'
import type { ServerEngine } from '../../engine/remote/server-engine.ts'
import type { Experience } from './experience.ts'
import type { OneEngine } from './one-engine.ts'

/** Before its first answer: a graphics card that several share. One question shows whether that is so. */
const ASSUMED = { firstMs: 1_000, perTokenMs: 1, tokensPerSecond: 20 }
const assumed = (promptTokens: number) => ({ firstMs: ASSUMED.firstMs + ASSUMED.perTokenMs * promptTokens, tokensPerSecond: ASSUMED.tokensPerSecond })

export function serverOne(engine: ServerEngine, experience: Experience): OneEngine {
  const key = () => `server | ${engine.host}`.slice(0, 400)
  return {
    id: 'server',
    name: () => engine.host,
    key,
    isReady: () => engine.isReady,
    ready: async () => void (engine.isReady || (await engine.look())),
    limits: () => engine.limits(),
    count: (messages) => engine.count(messages),
    countHere: (messages) => Promise.resolve({ tokens: estimate(messages), contextSize: engine.facts?.contextSize ?? ASSUMED_CONTEXT }),
    generate: (input, signal, promptTokens) => engine.generate(input, signal, promptTokens),
    origin: () => engine.origin(),
    expected: (promptTokens, now) => {
      const learned = experience.learned(key()) ?? nothingLearned(now)
      return { ...expectation(learned, assumed, promptTokens, now), watts: null, trouble: troubleNow(learned, now) }
    },
    slowedBy: () => 1,
    // it writes several answers at once
    ahead: () => 0,
    busy: () => engine.answering > 0,
  }
}
