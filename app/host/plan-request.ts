// Owns the step from a plan to what the engine is told.
import { availableParallelism } from 'node:os'
import type { LoadRequest } from '../contract/engine.ts'
import { WISH } from '../deploy/choose.ts'
import type { Plan, PlannedDevice } from '../deploy/plan.ts'
import { numberOf } from './probes.ts'

/** Tokens. On a processor a larger batch than planned costs little memory (0.3 MB a token with 7B): room for a machine that is faster than predicted. */
const ROOM = 128

/**
 * A processor's step is found by the engine, by its clock and within the plan's seconds: other programs change it from minute to minute. On
 * a card it decides about memory and is the plan's. `most`: threads that an answer may be given when the computer is idle again.
 */
export function requestOf(plan: Plan, modelPath: string, most: number): LoadRequest {
  const { backend, gpuLayers, contextSize, kvType, batchSize, step, mmap, devices } = plan
  // a profile from a file may be another computer's: threads beyond the cores wait for each other
  const besideCards = gpuLayers > 0 && devices[0]!.blocks.count === 0
  const threads = Math.min(besideCards ? plan.threads : Math.max(plan.threads, most), Math.max(1, availableParallelism() - 1))
  const cards = devices.slice(1)
  const told = { modelPath, gpuLayers, contextSize, kvType, threads, mmap, stepSeconds: WISH.stepSeconds }
  if (backend === 'cpu') return { ...told, gpu: 'off', batchSize: Math.max(Math.min(ROOM, contextSize), batchSize), step: null }
  return {
    ...{ ...told, gpu: backend, batchSize, step },
    devices: backend === 'metal' ? null : cards.map(({ id }) => numberOf(id)),
    // a shared memory is counted with the RAM
    gpuBytes: Math.round(cards.reduce((sum, { memory, shared }) => sum + (shared ? 0 : memory.total), 0)),
  }
}

/**
 * Answers at once that the plan has room for, 1 or 2: each has a context of its own, and the plan counts one. The engine looks again at what is
 * free when the model is loaded.
 */
export function sequencesOf({ devices }: Pick<Plan, 'devices'>): number {
  const [cpu, ...cards] = devices
  const needs = ({ memory }: PlannedDevice) => memory.total + memory.kv
  const shared = cards.reduce((sum, card) => sum + (card.shared ? needs(card) : 0), 0)
  return needs(cpu!) + shared <= cpu!.usable && cards.every((card) => needs(card) <= card.usable) ? 2 : 1
}
