// Owns the contract between the host and a probe: a process that looks at one backend or measures this computer, and is thrown away.
import * as z from 'zod'
import { call } from './define.ts'
import { Backend } from './entities.ts'

/** What one backend sees. Memory in bytes, over all its devices: llama.cpp names each, and adds up what they have. */
export const BackendFacts = z.object({
  names: z.array(z.string()),
  memoryTotal: z.number(),
  memoryFree: z.number(),
  /** Its memory is a part of RAM. */
  unified: z.boolean(),
  /** What llama.cpp says of the processor: "AVX2 = 1 | …". */
  system: z.string(),
})
export type BackendFacts = z.infer<typeof BackendFacts>

export const probeContract = {
  /** Shows that the process is up. */
  'probe.hello': call(z.null(), z.null()),
  /** Throws GPU_UNAVAILABLE; the reason is in `data.words`. A driver may also hang or end the process. */
  'probe.backend': call(z.object({ backend: Backend }), BackendFacts),
  /** Reads memory with one thread and with `threads`, about `seconds` each; bytes a second. */
  'probe.bandwidth': call(
    z.object({ threads: z.number().int().min(1).max(512), seconds: z.number().positive().max(10) }),
    z.object({ oneThread: z.number().positive(), all: z.number().positive() }),
  ),
} as const
export type ProbeContract = typeof probeContract
