// Owns the weight slot: how heavy a person is.
import type { SlotReader } from './slot.ts'

const UNITS: Readonly<Record<string, string>> = { kg: 'kg', kilo: 'kg', kilogram: 'kg', lb: 'lb', lbs: 'lb', pound: 'lb', stone: 'stone' }
const LEAD = new Set(['weighing', 'weigh', 'weight', 'of', 'is'])

export const weight: SlotReader = {
  slot: 'weight',
  phrases: {
    'low body weight': 'low body weight|underweight|low weight',
    obese: 'obese|obesity',
    overweight: 'overweight|over weight',
    'severely obese': 'severely obese|morbidly obese|severe obesity|morbid obesity',
  },
  read({ tokens, texts }, take) {
    tokens.forEach((token, at) => {
      const unit = Object.hasOwn(UNITS, texts[at + 1] ?? '') ? UNITS[texts[at + 1]!] : undefined
      if (!token.isNumber || unit === undefined || texts[at - 1] === '/' || texts[at + 2] === '/') return
      let from = at
      while (LEAD.has(texts[from - 1] ?? '') && from > at - 3) from--
      // "of 20 kg" alone keeps its "of"
      if (!texts.slice(from, at).some((word) => word.startsWith('weigh'))) from = at
      take('weight', `${token.text} ${unit}`, from, at + 2)
    })
  },
}
