// Owns how a calculator is described to a form, made from its own schema so that the two cannot differ, and how its result is told.
import * as z from 'zod'
import type { CalculatorField, CalculatorInfo, CalculatorResult, ChildDoseAnswer } from '../../contract/clinical.ts'
import { AppError } from '../../contract/errors.ts'
import { refOf } from '../cards.ts'
import { numberText } from '../dose-text.ts'
import type { Facts } from '../facts.ts'
import { calculators } from './all.ts'
import { calculate, type Calculator } from './calculator.ts'
import { childDoses } from './child-dose.ts'

interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly default?: unknown
}

/** Every calculator with its inputs, in the order of the list. */
export const calculatorInfos = (): CalculatorInfo[] =>
  (calculators as readonly Calculator[]).map(({ id, name, source, limits, input }) => {
    const { properties = {} } = z.toJSONSchema(input, { io: 'input' }) as JsonSchema
    return { id, name, source, limits, fields: Object.entries(properties).map(([field, schema]) => fieldOf(field, schema)) }
  })

function fieldOf(name: string, schema: JsonSchema): CalculatorField {
  const inner = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema
  const optional = schema.anyOf !== undefined || schema.default !== undefined
  const said = inner.description ?? schema.description ?? ''
  const shared = { name, optional, options: [...(inner.enum ?? [])], least: inner.minimum ?? null, most: inner.maximum ?? null }
  if (inner.enum) return { ...shared, kind: 'choice', label: said === '' ? wordsOf(name) : `${wordsOf(name)} (${said})`, unit: '', whole: false }
  if (inner.type === 'boolean') return { ...shared, kind: 'yes-no', label: said === '' ? wordsOf(name) : said, unit: '', whole: false }
  const cut = said.lastIndexOf(', ')
  return {
    ...shared,
    kind: 'number',
    label: cut < 0 ? said : said.slice(0, cut),
    unit: cut < 0 ? '' : said.slice(cut + 2),
    whole: inner.type === 'integer',
  }
}

/** "saturationScale" → "Saturation scale". */
const wordsOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** Throws BAD_INPUT for an unknown calculator and for every field outside its limits, in words. */
export function runCalculator(id: string, input: unknown): CalculatorResult {
  const one = (calculators as readonly Calculator[]).find((calculator) => calculator.id === id)
  if (!one) throw new AppError('BAD_INPUT', 'There is no such calculator. Choose one from the list.', { calculator: id })
  const { value, unit, band, text, points } = calculate(one, input)
  return { value: unit === '' ? numberText(value) : `${numberText(value)} ${unit}`, band, text, points: points.map((point) => ({ ...point })) }
}

/** Names of the medicines whose record has a dose for a child. */
export const childMedicines = ({ medicines }: Facts): string[] =>
  [...medicines.keys()]
    .filter(({ doses }) => doses.some(({ population }) => population === 'child' || population === 'neonate'))
    .map(({ name }) => name)

/** Throws BAD_INPUT as `childDoses` does, and for a medicine without a record. */
export function runChildDose(
  { medicine: name, ageYears, weightKg }: { medicine: string; ageYears: number; weightKg: number },
  facts: Facts,
): ChildDoseAnswer {
  const medicine = [...facts.medicines.keys()].find((one) => one.name.toLowerCase() === name.trim().toLowerCase())
  if (!medicine) throw new AppError('BAD_INPUT', `There is no record of “${name}”. Choose a medicine from the list.`)
  const { doses, text } = childDoses(medicine, { ageYears, weightKg })
  return {
    text,
    record: refOf(facts.medicines.get(medicine)!),
    doses: doses.map(({ indication, low, high, unit, capped, byWeight, line, note }) => ({
      ...{ indication, line, note },
      dose: `${low === high ? numberText(low) : `${numberText(low)} to ${numberText(high)}`} ${unit}`,
      how: capped ? 'the ceiling decides, not the weight' : byWeight ? 'by weight' : 'by age',
    })),
  }
}
