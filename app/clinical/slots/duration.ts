// Owns the duration slot: how long, as number and unit of time; before, after and ago stay words of their own.
import type { SlotReader } from './slot.ts'

export const TIME: Readonly<Record<string, string>> = {
  ...{ second: 'seconds', sec: 'seconds', minute: 'minutes', min: 'minutes', hour: 'hours', hr: 'hours', h: 'hours' },
  ...{ day: 'days', d: 'days', week: 'weeks', wk: 'weeks', fortnight: 'fortnights', month: 'months', mo: 'months', mth: 'months' },
  ...{ year: 'years', yr: 'years', y: 'years', night: 'nights' },
}
const BETWEEN = new Set(['to', 'or', '-'])
/** "for a week": elsewhere "a week" says how often. */
const BEFORE_ONE = new Set(['for', 'in', 'after', 'within', 'over', 'lasting', 'than'])

export const duration: SlotReader = {
  slot: 'duration',
  read({ tokens, texts }, take) {
    tokens.forEach((token, at) => {
      const unitAt = (place: number) => (Object.hasOwn(TIME, texts[place] ?? '') ? TIME[texts[place]!] : undefined)
      const add = (value: string, from: number, to: number) => {
        // "for" is what a duration is; any other word before it changes what it says
        const lead = texts[from - 1] === 'for' ? 1 : 0
        take('duration', value, from - lead, to)
      }
      if (token.text === 'a' || token.text === 'an') {
        const unit = unitAt(at + 1)
        if (unit !== undefined && BEFORE_ONE.has(texts[at - 1] ?? '')) add(`1 ${unit}`, at, at + 2)
        return
      }
      if (!token.isNumber) return
      const ranged = BETWEEN.has(texts[at + 1] ?? '') && tokens[at + 2]?.isNumber === true
      const behind = ranged ? at + 3 : at + 1
      const unit = unitAt(behind)
      // "every 4 hours" is a frequency, "per 24 hours" a rate
      if (unit === undefined || /^(?:\/|per|every|each|q)$/.test(texts[at - 1] ?? '')) return
      if (ranged) add(`${token.text} to ${texts[at + 2]!} ${unit}`, at, behind + 1)
      else if (!BETWEEN.has(texts[at - 1] ?? '') || tokens[at - 2]?.isNumber !== true) add(`${token.text} ${unit}`, at, behind + 1)
    })
  },
}
