// Owns which graphics cards an engine process may see: the environment that its drivers read, freed of what would hide every card from them.
import type { LoadRequest } from '../contract/engine.ts'

/** Backend → the variable that its driver or llama.cpp's backend reads once, at the start of a process. */
export const VARIABLES = { cuda: 'CUDA_VISIBLE_DEVICES', vulkan: 'GGML_VK_VISIBLE_DEVICES' } as const
export type Environment = Readonly<Record<string, string>>
export interface Visible {
  /** To be laid over the environment of this process. */
  changes: Environment
  /** What was repaired, in words for the log and the hardware page. */
  repaired: readonly string[]
}

/**
 * CUDA reads `"0"` with its quotes as no card at all, and batch files write them; so they are taken off, with the spaces around numbers.
 * `devices` are numbers among the cards that were visible before: with a list of the user's own, places in that list.
 */
export function visibleCards(env: NodeJS.ProcessEnv, { gpu, devices = null }: Pick<LoadRequest, 'gpu' | 'devices'> = { gpu: 'auto' }): Visible {
  const changes: Record<string, string> = {}
  const repaired: string[] = []
  for (const [backend, name] of Object.entries(VARIABLES)) {
    const given = env[name]
    const clean = given?.replace(/["'\s]/g, '')
    if (given !== undefined && clean !== given) {
      changes[name] = clean!
      repaired.push(`${name} had quotes or spaces in it, which hide every card; it was read as ${clean || 'empty'}.`)
    }
    if (backend !== gpu || !devices) continue
    const own = clean === undefined || clean === '' ? null : clean.split(',')
    changes[name] = devices.map((device) => own?.[device] ?? String(device)).join(',')
  }
  // else CUDA counts the fastest card first, and other tools the one in the first slot
  if (gpu === 'cuda' && env['CUDA_DEVICE_ORDER'] === undefined) changes['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'
  return { changes, repaired }
}
