// Owns the facts of a medicine: what its record says, one short sentence each, beginning with its name.
import { ageText, amountText, doseText, frequencyText, numberText, populationText, quantityText } from '../../../app/clinical/dose-text.ts'
import type { Dose, Medicine, Quantity } from '../../../app/clinical/records.ts'
import { keyOf, type FactKind, type Key } from './pair.ts'
import { capital, clauses, fragment, head, list, within, type Parts } from './sentences.ts'

/** A fact before it has an id; `slots` beside the names. */
export interface Draft {
  readonly kind: FactKind
  readonly answer: string
  readonly keys: readonly Key[]
  readonly slots?: Readonly<Record<string, readonly string[]>>
}
const LIST_WORDS = 17
const VALUE_WORDS = 22
const MOST_INDICATIONS = 2
const MOST_BANDS = 3
const MOST_PARTNERS = 3
/** Worst first: what a short list must not leave out. */
const ACTIONS = ['do not combine', 'avoid if possible', 'adjust dose', 'separate doses', 'monitor']

export function medicineFacts(record: Medicine): Draft[] {
  const N = capital(record.name)
  const name = keyOf(N, 'drug')
  const facts: (Draft | null)[] = [
    { kind: 'medicine.class', answer: `${N} is ${article(record.class)}.`, keys: [name, keyOf(record.class, 'criterion')] },
    listed('medicine.uses', `${N}, uses`, name, 'criterion', within(record.uses, LIST_WORDS, 5)),
    ...doseFacts(record),
    listed('medicine.contraindications', `${N}, contraindications`, name, 'contraindication', within(record.contraindications, LIST_WORDS)),
    listed('medicine.side-effects', `${N}, side effects`, name, 'criterion', within(record.sideEffects, LIST_WORDS, 5)),
    ...interactionFacts(record),
    advice('medicine.pregnancy', `${N} in pregnancy`, name, record.pregnancy),
    advice('medicine.breastfeeding', `${N} in breastfeeding`, name, record.breastfeeding),
    kidney(record),
    listed('medicine.liver', `${N} in liver disease`, name, 'contraindication', within([record.hepatic], VALUE_WORDS)),
    listed('medicine.monitoring', `${N}, monitoring`, name, 'step', within(record.monitoring, LIST_WORDS)),
  ]
  return facts.filter((fact) => fact !== null)
}

/** "a" or "an" by the sound of the first word; an abbreviation is read letter by letter. */
const article = (noun: string): string => {
  if (/^vitamin /.test(noun)) return noun
  const vowel = /^[A-Z]{2}|^H2/.test(noun) ? /^[AEFHILMNORSX]/.test(noun) : /^([aeio]|u(?!ri|ni|se))/.test(noun) && !/^(eu|one)/.test(noun)
  return `${vowel ? 'an' : 'a'} ${noun}`
}

/** "Name, label: items." A list that leaves something out says "include". */
export function listed(kind: FactKind, label: string, name: Key, tag: Key['tag'], parts: Parts | null): Draft | null {
  if (!parts) return null
  const plural = /(ions|uses|effects|flags|signs|tests|diagnoses|features|measures|steps|warnings)$/.test(label)
  const answer = `${label}${plural && !parts.whole ? ' include' : ''}: ${list(parts.items)}.`
  return { kind, answer, keys: [name, ...keysOf(parts.items, tag)] }
}

/** The first words of each item, without repeats. */
const keysOf = (items: readonly string[], tag: Key['tag']): Key[] => [...new Set(items.map((item) => head(item)))].map((text) => keyOf(text, tag))

const UNIT = /[a-z]+(\/kg)?$/
/** Amount, its unit and how often: what must be exactly right. */
export function doseKeys(dose: Dose): Key[] {
  const amount = amountText(dose)
  const often = frequencyText(dose).split(',')[0]!
  return [keyOf(amount, 'dose'), keyOf(UNIT.exec(amount)![0], 'unit'), ...(often === '' ? [] : [keyOf(often, 'dose')])]
}
const quantityKeys = (quantity: Quantity): Key[] => {
  const text = quantityText(quantity)
  return [keyOf(text, 'dose'), keyOf(UNIT.exec(text)![0], 'unit')]
}

function doseFacts(record: Medicine): (Draft | null)[] {
  const N = capital(record.name)
  const name = keyOf(N, 'drug')
  const adult = record.doses.filter(({ population }) => population === 'adult')
  const children = record.doses.filter(({ population }) => population === 'child')
  const give = (kind: FactKind, who: string, dose: Dose, slots?: Draft['slots']): Draft => {
    const keys = [name, ...doseKeys(dose)]
    const single = dose.perKg && dose.maxSingle ? `, at most ${quantityText(dose.maxSingle)} a dose` : ''
    return { kind, answer: `${N}, ${who} (${dose.indication}): ${doseText(dose)}${single}.`, keys, ...(slots ? { slots } : {}) }
  }

  const facts: (Draft | null)[] = []
  const first = adult[0]
  if (first) facts.push(give('medicine.adult-dose', 'adult dose', first), maximum(N, name, adult))
  const asked = (dose: Dose) => dose.indication.replace(/\s*\(.*?\)/g, '')
  const named = adult.filter((dose) => asked(dose).split(' ').length <= 7 && adult.filter((other) => asked(other) === asked(dose)).length === 1)
  if (adult.length > 1)
    for (const dose of named.filter((one) => one !== first).slice(0, MOST_INDICATIONS))
      facts.push(give('medicine.indication-dose', 'adult dose', dose, { d: [asked(dose)] }))

  // the band of a child of five stands for "a child"; its age is in the answer
  const usual = children.find((dose) => (dose.ageFrom ?? 0) <= 5 && (dose.ageBelow ?? 18) > 5) ?? children[0]
  if (!usual) return facts
  facts.push(give('medicine.child-dose', populationText(usual), usual))
  const bands = children.filter((dose) => dose.indication === usual.indication && dose.route === usual.route && dose !== usual)
  const clear = bands.filter(
    (dose) => ages(dose).length > 0 && !bands.some((other) => other !== dose && overlap(other, dose)) && !overlap(usual, dose),
  )
  for (const dose of clear.slice(0, MOST_BANDS))
    facts.push(
      give('medicine.age-dose', populationText(dose), dose, { a: ages(dose).map((age) => childOf(age)), b: ages(dose).map((age) => ageText(age)) }),
    )
  return facts
}

const MICROGRAMS: Readonly<Record<string, number>> = { micrograms: 1, mg: 1000, g: 1_000_000 }
const size = ({ amount, unit }: Quantity): number => amount * (MICROGRAMS[unit] ?? 1)

/** The highest ceiling of all uses, with the use where they differ: the ceiling of a starting dose is no maximum of the drug. */
function maximum(N: string, name: Key, adult: readonly Dose[]): Draft | null {
  const daily = adult.flatMap((dose) => (dose.maxDaily ? [{ dose, most: dose.maxDaily, per: 'in 24 hours' }] : []))
  const single = adult.flatMap((dose) => (dose.maxSingle ? [{ dose, most: dose.maxSingle, per: 'a dose' }] : []))
  const all = daily.length > 0 ? daily : single
  const highest = all.reduce<(typeof all)[number] | undefined>((best, one) => (best && size(best.most) >= size(one.most) ? best : one), undefined)
  if (!highest) return null
  const differs = all.length < adult.length || new Set(all.map(({ most }) => quantityText(most))).size > 1
  const what = differs ? ` (${highest.dose.indication})` : ''
  const answer = `${N}, maximum adult dose${what}: ${quantityText(highest.most)} ${highest.per}.`
  return { kind: 'medicine.maximum', answer, keys: [name, ...quantityKeys(highest.most)] }
}

const overlap = (a: Dose, b: Dose): boolean => (a.ageFrom ?? 0) < (b.ageBelow ?? 18) && (b.ageFrom ?? 0) < (a.ageBelow ?? 18)

/** Up to three ages inside a band: whole years, or whole months in the first two years. */
function ages({ ageFrom = 0, ageBelow = 18 }: Dose): number[] {
  const step = ageBelow <= 2 ? 1 / 12 : 1
  const least = Math.ceil(Math.max(ageFrom, step) / step - 0.02)
  const all = Array.from({ length: Math.max(0, Math.ceil(ageBelow / step - 0.02) - least) }, (_, n) => (least + n) * step)
  return all.length <= 3 ? all : [all[0]!, all[all.length >> 1]!, all.at(-1)!]
}

/** "an 8-year-old child", "a 4-month-old baby". */
function childOf(age: number): string {
  const years = Number.isInteger(age)
  const count = years ? age : Math.round(age * 12)
  const vowel = count === 8 || count === 11 || count === 18
  return `${vowel ? 'an' : 'a'} ${numberText(count)}-${years ? 'year' : 'month'}-old ${age < 1 ? 'baby' : 'child'}`
}

function interactionFacts(record: Medicine): (Draft | null)[] {
  const N = capital(record.name)
  const name = keyOf(N, 'drug')
  const worst = [...record.interactions].sort((a, b) => ACTIONS.indexOf(a.action) - ACTIONS.indexOf(b.action))
  const partners = worst.map((interaction) => interaction.with)
  const pairs = worst.slice(0, MOST_PARTNERS).map((interaction): Draft | null => {
    const effect = within([interaction.effect], VALUE_WORDS - 8)
    const asked = members(interaction.with)
    if (!effect || asked.length === 0) return null
    const keys = [name, keyOf(interaction.with, 'drug'), keyOf(interaction.action, 'contraindication'), keyOf(head(effect.items[0]!), 'criterion')]
    return {
      kind: 'medicine.interaction-with',
      answer: `${N} with ${interaction.with}: ${interaction.action}; ${list(effect.items)}.`,
      keys,
      slots: { w: asked },
    }
  })
  return [partners.length === 0 ? null : listed('medicine.interactions', `${N}, interactions`, name, 'drug', withinNames(partners)), ...pairs]
}

/** Names are whole: none is cut at a comma or a semicolon of its own. */
function withinNames(names: readonly string[]): Parts {
  const items: string[] = []
  let count = 0
  for (const one of names) {
    count += one.split(' ').length
    if (items.length > 0 && (count > 13 || items.length === 5)) break
    items.push(one)
  }
  return { items, whole: items.length === names.length }
}

/** "clarithromycin, erythromycin or other macrolides" is asked about by each name in it. */
export function members(group: string): string[] {
  return group
    .replace(/\s*\(.*?\)/g, '')
    .split(/, | or | and /)
    .map((one) => one.trim())
    .filter((one) => one !== '' && !/^(also|other|others|any|most|some|with|by)\b/.test(one))
}

/** "avoid; malformations in animals": what to do, then why. */
function advice(kind: FactKind, label: string, name: Key, { advice: what, text }: Medicine['pregnancy']): Draft | null {
  const parts = within([text], VALUE_WORDS - 6)
  if (!parts) return null
  // "avoid; avoid near term" says it once
  const items = parts.items[0]!.startsWith(what) ? parts.items : [what, ...parts.items]
  const why = keysOf([items[0] === what ? (items[1] ?? what) : items[0]!], 'criterion')
  return { kind, answer: `${label}: ${items.join('; ')}.`, keys: [name, keyOf(what, 'contraindication'), ...why] }
}

function kidney(record: Medicine): Draft | null {
  const label = `${capital(record.name)} in kidney disease`
  const name = keyOf(capital(record.name), 'drug')
  const kind = 'medicine.kidney'
  if (record.renal.length === 0) return { kind, answer: `${label}: no dose change is needed.`, keys: [name, keyOf('no dose change', 'criterion')] }
  const steps = record.renal.map(({ egfrBelow, text }) => ({ limit: `eGFR below ${egfrBelow}`, what: fragment(clauses(text)[0] ?? text) }))
  // where not all fit, the limits of the most severe disease are the ones that must be right
  for (let from = 0; from < steps.length; from++) {
    const kept = steps.slice(from)
    const answer = `${label}: ${kept.map(({ limit, what }) => `${limit} ${what}`).join('; ')}.`
    if (answer.split(' ').length > VALUE_WORDS + 8 && kept.length > 1) continue
    return {
      kind,
      answer,
      keys: [
        name,
        ...kept.map(({ limit }) => keyOf(limit, 'criterion')),
        ...keysOf(
          kept.map(({ what }) => what),
          'contraindication',
        ),
      ],
    }
  }
  return null
}
