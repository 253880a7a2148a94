// Owns llama.cpp on this computer, as it is placed now, behind the face of every engine.
import type { Speed } from '../../deploy/selection/learned.ts'
import { engineKey, expectedOf, slowedBy } from '../../deploy/selection/plans.ts'
import type { EngineHost } from '../engine-host.ts'
import type { Hardware } from '../hardware.ts'
import type { Experience } from './experience.ts'
import type { OneEngine } from './one-engine.ts'

/** Where the engine places a model by itself nothing is predicted: an old desktop. */
const UNKNOWN: Speed & { answers: number } = { firstMs: 8_000, tokensPerSecond: 5, answers: 0 }

export function localOne(host: EngineHost, hardware: Hardware, experience: Experience): OneEngine {
  const placed = () => host.placement()
  const key = () => {
    const now = placed()
    return now ? engineKey(now.model, now.plan) : `computer | ${host.activeId() ?? ''}`.slice(0, 400)
  }
  return {
    id: 'computer',
    name: () => host.status().device || hardware.profile().cpu.model,
    key,
    isReady: () => host.isReady(),
    ready: (signal) => host.ready(signal),
    limits: () => host.limits(),
    count: (messages) => host.count(messages),
    countHere: (messages) => host.count(messages),
    generate: (input, signal) => host.generate(input, signal),
    origin: (category) => host.origin(category),
    expected: (promptTokens, now) => {
      const at = placed()
      if (!at) return { ...UNKNOWN, watts: hardware.profile().cpu.physicalCores * 9, trouble: 0 }
      return expectedOf(at.profile, at.shape, at.plan, experience.learned(key()), promptTokens, now)
    },
    slowedBy: () => {
      const at = placed()
      return at ? slowedBy(at.profile, at.shape, at.plan) : 1
    },
    ahead: () => host.answering,
    busy: () => host.answering > 0,
  }
}
