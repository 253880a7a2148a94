// Owns the laterality slot: left, right, both, one, and the ends of the body.
import type { SlotReader } from './slot.ts'

export const side: SlotReader = {
  slot: 'side',
  phrases: {
    left: 'left|left sided|left-sided|left hand side',
    right: 'right|right sided|right-sided|right hand side',
    bilateral: 'bilateral|both sides|bilaterally|on both sides',
    both: 'both',
    unilateral: 'unilateral|one sided|one-sided|on one side|unilaterally',
    upper: 'upper',
    lower: 'lower',
    anterior: 'anterior',
    posterior: 'posterior',
    medial: 'medial',
    lateral: 'lateral',
    proximal: 'proximal',
    distal: 'distal',
    front: 'front',
    internal: 'internal|inner',
    external: 'external|outer',
    central: 'central',
    peripheral: 'peripheral',
  },
}
