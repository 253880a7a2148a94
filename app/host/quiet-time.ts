// Owns what is done while nobody needs the engine, and in which order: look at the machine, measure it, plan anew, read prompts ahead.
import type { Hardware } from './hardware.ts'
import type { Placing } from './placing.ts'
import type { Prefixes } from './prefixes.ts'

/** Milliseconds. A look starts a process for each backend. */
const LOOK_AGAIN = 10 * 60_000

export interface QuietTime {
  hardware: Hardware
  placing: Placing
  prefixes: Prefixes
  isQuiet(): boolean
}

/** Throws what kept one of them from being done; prompts are read ahead all the same. */
export async function useQuietTime(parts: QuietTime): Promise<void> {
  const { hardware, prefixes, isQuiet } = parts
  try {
    await learnMachine(parts)
  } finally {
    if (isQuiet()) {
      // what others keep busy is known from before, and shows again from after: a warm-up keeps all cores busy
      hardware.profile()
      await prefixes.warm()
      hardware.profile()
    }
  }
}

async function learnMachine({ hardware, placing, isQuiet }: QuietTime): Promise<void> {
  // a better plan was left: whether its memory is free again only another look tells
  const hopes = hardware.hasCards && (placing.status()?.tried.length ?? 0) > 0 && hardware.lookAge > LOOK_AGAIN
  if (!hardware.known || hopes) await hardware.look()
  if (!hardware.calibrated) await hardware.measure()
  if (isQuiet()) await placing.reconsider()
}
