// Owns the age slot: ages in years, and the age bands that a text names.
import { findAge } from '../cues.ts'
import type { SlotReader } from './slot.ts'

const YEARS = new Set(['year', 'yr', 'y', 'yo'])
const PARTS = new Set([...YEARS, 'month', 'mo', 'mth', 'week', 'wk', 'day'])

export const age: SlotReader = {
  slot: 'age',
  phrases: {
    newborn: 'newborn|new born|neonate|neonatal|newborn baby',
    preterm: 'preterm|premature baby|premature infant|premature',
    infant: 'infant|baby|babies',
    toddler: 'toddler',
    'school child': 'schoolchild|school age child|school-age child',
    child: 'child|children|kid|child patient|paediatric|pediatric|paediatric patient|childhood|youngster',
    adolescent: 'adolescent|teenager|teen|teenage|adolescence|youth',
    'young person': 'young person|young people',
    adult: 'adult|grown up|grown-up|adult patient|grownup|adulthood',
    'young adult': 'young adult',
    'middle-aged': 'middle aged|middle-aged',
    'older adult':
      'elderly|older adult|older people|older person|old people|elderly people|elderly person|elderly patient|older patient|geriatric|senior',
    frail: 'frail|frailty',
  },
  read({ tokens, texts }, take) {
    tokens.forEach((token, at) => {
      if (token.isNumber && /^aged?$/.test(texts[at - 1] ?? '') && !PARTS.has(texts[at + 1] ?? '') && texts[at + 1] !== 'to' && texts[at + 1] !== '/')
        take('age', `${token.text} years`, at - 1, at + 1)
    })
    const found = findAge(texts)
    // a group that is only named is in the phrases; a number beside "m" or "man" is an age with a sex
    if (!found || !tokens[found.from]?.isNumber) return
    let [from, to] = [found.from, found.from + 1]
    const unit = texts[to] ?? ''
    if (PARTS.has(unit)) to++
    const value = unit === '' || YEARS.has(unit) || !PARTS.has(unit) ? texts[from]! : String(Number(found.years.toPrecision(6)))
    if (texts[to] === 'old') to++
    else if (texts[to] === 'of' && texts[to + 1] === 'age') to += 2
    while (/^(?:aged?|old)$/.test(texts[from - 1] ?? '') || (texts[from - 1] === 'of' && /^aged?$/.test(texts[from - 2] ?? ''))) from--
    take('age', unit !== '' && !YEARS.has(unit) && PARTS.has(unit) ? ageIn(texts[found.from]!, unit) : `${value} years`, from, to)
  },
}

const ageIn = (count: string, unit: string): string =>
  /^mo|^mth/.test(unit) ? (Number(count) % 12 === 0 ? `${Number(count) / 12} years` : `${count} months`) : `${count} ${unit.replace('wk', 'week')}s`
