// Owns the schemas of the hardware page: this computer's facts, the plan as a picture, the engines in their order, and the clinic's own server.
import * as z from 'zod'
import { Backend, Time } from './entities.ts'

const Bytes = z.number().min(0)
const Milliseconds = z.number().min(0)

/** What is known of this computer. Memory in bytes, bandwidth in bytes a second. */
export const HardwareFacts = z.object({
  /** Where the numbers come from, in words. */
  source: z.string(),
  /** When the graphics cards were last looked at; null: not yet, or never (a profile from a file). */
  lookedAt: Time.nullable(),
  /** A look is under way. */
  looking: z.boolean(),
  cpu: z.object({
    ...{ model: z.string(), physicalCores: z.number().int(), logicalCores: z.number().int(), features: z.array(z.string()) },
    ...{ memoryTotal: Bytes, memoryFree: Bytes },
    /** Of all cores together; null until it was measured. */
    bandwidth: z.number().nullable(),
  }),
  devices: z.array(
    z.object({
      ...{ id: z.string(), backend: Backend, name: z.string(), driver: z.string().nullable(), memoryTotal: Bytes, memoryFree: Bytes },
      /** Its memory is a part of RAM. */
      shared: z.boolean(),
      /** Holds layers now. */
      inUse: z.boolean(),
    }),
  ),
  /** Backends that cannot be used, and why, in sentences. */
  rejected: z.array(z.object({ backend: Backend, why: z.string() })),
  battery: z.boolean(),
  /** Cores that other programs keep busy. */
  busyCores: z.number(),
})
export type HardwareFacts = z.infer<typeof HardwareFacts>

/** What the user wants instead of Rushlight's own plan; null parts are left to Rushlight. */
export const PlanOverride = z.object({
  backend: Backend,
  /** As llama.cpp counts: the output and the blocks before it. */
  gpuLayers: z.number().int().min(0).max(10_000).nullable(),
  contextSize: z.number().int().min(512).max(1_048_576).nullable(),
})
export type PlanOverride = z.infer<typeof PlanOverride>

/** One plan that was weighed. */
export const PlanOption = z.object({
  what: z.string(),
  backend: Backend,
  gpuLayers: z.number().int(),
  contextSize: z.number().int(),
  /** null where it was not predicted. */
  firstTokenMs: Milliseconds.nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Of equation 9, 0…1; null where it was not scored. */
  score: z.number().nullable(),
  /** possible: could be chosen. failed: it has been tried and left. impossible: does not fit. */
  state: z.enum(['in use', 'possible', 'failed', 'impossible']),
  /** A sentence; empty for the one in use. */
  why: z.string(),
})
export type PlanOption = z.infer<typeof PlanOption>

export const PlanPicture = z.object({
  model: z.string(),
  layers: z.number().int(),
  gpuLayers: z.number().int(),
  contextSize: z.number().int(),
  kvType: z.string(),
  threads: z.number().int(),
  madeAt: Time,
  /** Those that hold layers, the processor first: the strip from left to right. */
  devices: z.array(
    z.object({
      ...{ id: z.string(), name: z.string(), backend: Backend },
      ...{ embedding: z.boolean(), output: z.boolean() },
      /** Numbered from 1. */
      blocks: z.object({ first: z.number().int(), count: z.number().int() }),
      /** Of its blocks together, while the answer is written. */
      tokenMs: Milliseconds,
      /** What the plan takes of it, predicted, in bytes; `process`: the engine itself and what a driver takes. */
      memory: z.object({ weights: Bytes, kv: Bytes, compute: Bytes, process: Bytes }),
      /** Of the device; how much was free before this model was loaded; how much of that a plan may take, the rest being kept back. */
      capacity: Bytes,
      free: Bytes,
      usable: Bytes,
      /** Its memory is a part of RAM, whose bar has it as well. */
      shared: z.boolean(),
    }),
  ),
  predicted: z.object({ firstTokenMs: Milliseconds, tokensPerSecond: z.number(), wattHours: z.number() }),
  /** The plan in use first, then the best of each kind. */
  options: z.array(PlanOption),
  /** What the user has chosen; null: Rushlight's own plan. */
  override: PlanOverride.nullable(),
})
export type PlanPicture = z.infer<typeof PlanPicture>

/** One engine in the order of equation 9. */
export const EngineEntry = z.object({
  id: z.string(),
  kind: z.enum(['computer', 'server']),
  name: z.string(),
  /** The next question goes here. */
  chosen: z.boolean(),
  /** fenced: left alone for a while after failures. */
  state: z.enum(['ready', 'not ready', 'fenced']),
  /** Of the clinic's typical question as it would run now. */
  expected: z.object({ firstTokenMs: Milliseconds, tokensPerSecond: z.number() }),
  /** Answers that the expectation was learned from. */
  answers: z.number().int(),
  /** 0…1, and its weighted terms. */
  score: z.number(),
  terms: z.object({ first: z.number(), speed: z.number(), energy: z.number(), trust: z.number() }),
  /** Why it is, or is not, the one: a sentence. */
  why: z.string(),
  retryAt: Time.nullable(),
})
export type EngineEntry = z.infer<typeof EngineEntry>
export const EngineList = z.object({
  engines: z.array(EngineEntry),
  /** What has failed, newest first, in words; no question in it. */
  failures: z.array(z.object({ at: Time, engine: z.string(), why: z.string() })),
})
export type EngineList = z.infer<typeof EngineList>

/** balance: by the score. server: whenever it answers. computer: only when this computer cannot. */
export const ServerUse = z.enum(['balance', 'server', 'computer'])
export type ServerUse = z.infer<typeof ServerUse>

/** What a person enters. What is left out stays as it is; an empty key, pin or authority removes it. */
export const ServerInput = z.object({
  enabled: z.boolean(),
  url: z.string().trim().max(500),
  /** As the server names it; empty: the first that it offers. */
  model: z.string().trim().max(300),
  use: ServerUse,
  key: z.string().trim().max(1000).optional(),
  pin: z.string().trim().max(200).optional(),
  /** PEM. */
  authority: z.string().max(200_000).optional(),
})
export type ServerInput = z.infer<typeof ServerInput>

/** What the page knows of the server: never the key. */
export const ServerState = z.object({
  /** Policy lets a server be set up at all; else the form says who could. */
  allowed: z.boolean(),
  plainHttp: z.boolean(),
  /** The address is set by the organisation. */
  named: z.boolean(),
  enabled: z.boolean(),
  url: z.string(),
  model: z.string(),
  use: ServerUse,
  hasKey: z.boolean(),
  pin: z.string(),
  hasAuthority: z.boolean(),
  /** Why it cannot be asked now; empty when it can, or is off. */
  problem: z.string(),
})
export type ServerState = z.infer<typeof ServerState>

/** What a test of the server has found. */
export const ServerFinding = z.object({
  program: z.string(),
  models: z.array(z.string()),
  model: z.string(),
  contextSize: z.number().int(),
  contextKnown: z.boolean(),
  milliseconds: Milliseconds,
  /** SHA-256 of the key that the server showed, to be pinned; empty without TLS. */
  pin: z.string(),
})
export type ServerFinding = z.infer<typeof ServerFinding>
