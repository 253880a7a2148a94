// Owns the number slot: every number that no other slot took, with the unit or sign that follows it.
import type { Reading, SlotReader, Take } from './slot.ts'

/** Units of tests and bodies; those of doses are the dose readers'. The value is how a person reads it. */
const UNITS: Readonly<Record<string, string>> = {
  ...{ '%': '%', mmol: 'mmol', mmoll: 'mmol/l', mmhg: 'mmHg', cm: 'cm', mm: 'mm', centimeter: 'cm', millimeter: 'mm', metre: 'm', meter: 'm' },
  ...{ l: 'l', liter: 'l', litre: 'l', dl: 'dl', meq: 'mEq', kcal: 'kcal', calorie: 'kcal', bpm: 'bpm', celsiu: '°C', fahrenheit: '°F' },
  ...{ time: 'times', point: 'points', unit: 'units', pack: 'packs', cigarette: 'cigarettes', step: 'steps' },
}

export const number = {
  slot: 'number',
  read({ tokens, texts }: Reading, take: Take) {
    tokens.forEach((token, at) => {
      if (!token.isNumber) return
      const sign = texts[at - 1] === 'minus' ? 1 : 0
      const unit = Object.hasOwn(UNITS, texts[at + 1] ?? '') ? UNITS[texts[at + 1]!] : undefined
      const value = `${sign ? 'minus ' : ''}${token.text}${unit === undefined ? '' : ` ${unit}`}`
      if (unit === undefined || !take('number', value, at - sign, at + 2)) take('number', `${sign ? 'minus ' : ''}${token.text}`, at - sign, at + 1)
    })
  },
} satisfies SlotReader
