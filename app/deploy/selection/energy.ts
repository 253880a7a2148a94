// Owns the estimate of the energy of an answer, in watt-hours. Nothing here is metered: the order of engines is right, the figures are rough.
import type { HardwareProfile } from '../hardware.ts'
import type { Plan } from '../plan.ts'
import type { Speed } from './learned.ts'

/** Watts beyond idle of a core under vector arithmetic: 65 W over 6 to 8 cores of a desktop processor, a third of that in ARM and laptop parts. */
const WATTS_A_CORE = 9
/** Of a card, per byte a second of its published bandwidth: 115 W at 272 GB/s (RTX 4060), 170 W at 360 GB/s (RTX 3060), 75 W at 128 GB/s (GTX 1650). */
const WATTS_A_BANDWIDTH = 0.48e-9
/** A card whose bandwidth nobody has published. */
const WATTS_UNKNOWN_CARD = 120
/** Graphics inside the processor. */
const WATTS_INTEGRATED = 15
/** The share of one answer in a server that writes several at once: assumed, as a server does not say. */
const SERVER_WATTS = 120
const JOULES = 3600

/** Watts beyond idle while `plan` computes. */
export function wattsOf(profile: HardwareProfile, plan: Plan): number {
  const cards = plan.devices.slice(1).filter(({ blocks, output }) => blocks.count > 0 || output)
  const drawn = cards.map(({ id }) => {
    const device = profile.devices.find((one) => one.id === id)
    if (!device) return WATTS_UNKNOWN_CARD
    return device.integrated ? WATTS_INTEGRATED : device.bandwidth === undefined ? WATTS_UNKNOWN_CARD : device.bandwidth * WATTS_A_BANDWIDTH
  })
  return plan.threads * WATTS_A_CORE + drawn.reduce((sum, watts) => sum + watts, 0)
}

/** Of an answer of so many tokens at `speed`; `watts` null for a server. */
export function wattHours(watts: number | null, { firstMs, tokensPerSecond }: Speed, answerTokens: number): number {
  return ((watts ?? SERVER_WATTS) * (firstMs / 1000 + answerTokens / tokensPerSecond)) / JOULES
}
