// Owns the plan that a user wants instead of Rushlight's own: made as exactly as any other, and tried before the ladder.
import type { PlanOverride } from '../../contract/hardware.ts'
import type { ModelShape } from '../../contract/shape.ts'
import { choose } from '../choose.ts'
import type { HardwareProfile } from '../hardware.ts'
import { changed, rungOf, type Rung } from '../ladder.ts'

/** null where it does not fit, or where there is no such device. The context is the one wanted, or `contextSize`, or less where only less fits. */
export function overridden(profile: HardwareProfile, shape: ModelShape, wanted: PlanOverride, contextSize: number): Rung | null {
  const { backend, gpuLayers } = wanted
  const wish = { backends: [backend], contextSize: wanted.contextSize ?? contextSize }
  const { plan } = choose(profile, shape, wish)
  if (!plan) return null
  if (backend === 'cpu' || gpuLayers === null) return rungOf(profile, plan)
  // the embedding stays with the processor; nothing on the card would be the processor's own plan
  const layers = Math.max(1, Math.min(gpuLayers, shape.layers + 1))
  const made = layers === plan.gpuLayers ? plan : changed(profile, shape, plan, { gpuLayers: layers, contextSize: plan.contextSize })
  return made && rungOf(profile, made)
}
