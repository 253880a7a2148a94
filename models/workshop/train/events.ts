// Owns the form of what the trainer says: one JSON object a line, as native/trainer/events.h lists them.
import * as z from 'zod'

const Step = z.number().int().min(0)
const Start = z.looseObject({
  type: z.literal('start'),
  device: z.string(),
  threads: z.number().int(),
  parameters: z.number(),
  trainable: z.number(),
  samples: z.number(),
  /** Of one epoch, prompts included. */
  tokens: z.number(),
  steps: Step,
  memoryBytes: z.number(),
  /** Step of the checkpoint that the run goes on from; 0: from the start. */
  resumedFrom: Step,
})
/** A mean of the loss; infinity and NaN have no JSON and come as null. */
const Loss = z.number().nullable()
const Progress = z.looseObject({
  type: z.literal('progress'),
  step: Step,
  steps: Step,
  // the steps of a teacher cache are samples, and it has no loss
  epoch: z.number().optional(),
  ...{ loss: Loss.optional(), ce: Loss.optional(), kl: Loss.optional(), mse: Loss.optional(), entity: Loss.optional(), retention: Loss.optional() },
  learningRate: z.number().optional(),
  gradientNorm: z.number().nullable().optional(),
  tokensPerSecond: z.number().optional(),
  secondsLeft: z.number().optional(),
})
const Validation = z.looseObject({ type: z.literal('validation'), step: Step, loss: z.number(), accuracy: z.number(), rows: z.number() })
const Svd = z.looseObject({
  type: z.literal('svd'),
  step: Step,
  condition: z.number(),
  lambda: z.number(),
  change: z.number(),
  truncated: z.number(),
})
const Ranks = z.looseObject({ type: z.literal('ranks'), parameters: z.number(), ranks: z.record(z.string(), z.number()) })
const Skipped = z.looseObject({ type: z.literal('skipped'), step: Step, gradientScale: z.number() })
const Checkpoint = z.looseObject({ type: z.literal('checkpoint'), step: Step, path: z.string() })
const Stopped = z.looseObject({ type: z.literal('stopped'), step: Step, reason: z.enum(['signal', 'time']), checkpoint: z.number() })
const Done = z.looseObject({
  type: z.literal('done'),
  files: z.array(z.string()),
  step: Step.optional(),
  loss: Loss.optional(),
  /** Of training alone, over every part of a run that was resumed. */
  seconds: z.number().optional(),
})
const Failed = z.looseObject({
  type: z.literal('error'),
  code: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  step: z.number().optional(),
})
const Check = z.looseObject({ type: z.literal('gradcheck'), term: z.string(), error: z.number().nullable(), ok: z.boolean() })
const Bench = z.looseObject({
  type: z.literal('bench'),
  parameters: z.number(),
  tokensPerSecond: z.number(),
  gflops: z.number(),
  matmulGflops: z.number(),
  /** Of the speed of a plain matrix product, 0…1. */
  share: z.number(),
})

export const TrainerEvent = z.discriminatedUnion('type', [
  ...([Start, Progress, Validation, Svd, Ranks, Skipped, Checkpoint, Stopped, Done, Failed, Check, Bench] as const),
])
export type TrainerEvent = z.infer<typeof TrainerEvent>
export type EventOf<Type extends TrainerEvent['type']> = Extract<TrainerEvent, { type: Type }>

/** The event of a line; null for a line that is none, which a trainer killed while it wrote leaves behind. */
export function parseEvent(line: string): TrainerEvent | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  return TrainerEvent.safeParse(value).data ?? null
}
