// Owns the words of the sensitivity report: its table, what follows from it, and the facts of the JSON form.
import { table, type Report, type Row } from '../report.ts'
import type { Recipe } from '../recipe.ts'
import type { Measured, Proposal } from './analyse.ts'
import type { Rise } from './measure.ts'
import type { Tag } from './tag.ts'

export interface Found {
  readonly texts: number
  /** Lines too long for the model. */
  readonly skipped: number
  /** Mean losses of the unrounded model, and tokens: those that count, and all of the answers. */
  readonly before: { readonly counted: Rise; readonly all: Rise }
  readonly tokens: { readonly counted: Readonly<Record<Tag, number>>; readonly all: Readonly<Record<Tag, number>> }
  /** Probability from which on a token counts. */
  readonly least: number
  readonly measured: readonly Measured[]
  readonly proposal: Proposal
  readonly recipe: Recipe
  readonly truth: Rise
  readonly house: { readonly name: string; readonly rise: Rise }
  readonly houseBytes: number
  readonly budget: number
  readonly weights: number
  /** The type of the temporary copy, if one was made. */
  readonly copied: string | null
  /** Where the recipe was written. */
  readonly out: string | undefined
}

/** Rises are small: thousandths of a nat a token. */
const milli = (nats: number) => Math.round(nats * 1e5) / 100
const parts = ({ term, number, ordinary, all, error }: Rise) => ({
  terms: milli(term),
  numbers: milli(number),
  ordinary: milli(ordinary),
  all: milli(all),
  '±': milli(error),
})

const losses = ({ term, number, ordinary }: Rise) => `terms ${term.toFixed(3)}, numbers ${number.toFixed(3)}, others ${ordinary.toFixed(3)}`

export const rowOf = ({ group, option, rise }: Measured): Row => ({
  group: group.name,
  type: option.type,
  'bits/weight': (option.bytes * 8) / group.weights,
  MB: option.bytes / 1e6,
  ...parts(rise),
})

export function describe(found: Found): Required<Pick<Report, 'text' | 'notes' | 'detail'>> {
  const { texts, skipped, before, tokens, least, measured, proposal, recipe, truth, house, houseBytes, budget, weights, copied, out } = found
  const total = Object.values(tokens.all).reduce((sum, count) => sum + count, 0)
  const { counted } = tokens
  const chosen = proposal.chosen.map(({ group, option, rise }) => ({ group: group.name, type: option.type, MB: option.bytes / 1e6, ...parts(rise) }))
  const bits = (bytes: number) => `${(bytes / 1e6).toFixed(3)} MB (${((bytes * 8) / weights).toFixed(2)} bits a weight)`
  const compared: Row[] = [
    {
      what: 'the proposal, sum of its parts',
      MB: proposal.bytes / 1e6,
      terms: null,
      numbers: null,
      ordinary: null,
      all: milli(proposal.expected),
      '±': null,
    },
    { what: 'the proposal, measured whole', MB: proposal.bytes / 1e6, ...parts(truth) },
    { what: `the recipe ${house.name}, measured whole`, MB: houseBytes / 1e6, ...parts(house.rise) },
  ]
  const text = [
    `Rise of the loss in thousandths of a nat a token, one group rounded at a time:\n\n${table(measured.map(rowOf))}`,
    `Proposed under ${bits(budget)}:\n\n${table(chosen)}`,
    table(compared),
    ...(out === undefined ? [`${JSON.stringify(recipe, null, 2)}`] : []),
  ].join('\n\n')
  const notes = [
    ...mostSensitive(measured),
    `Counted: ${counted.term} tokens of medical terms, ${counted.number} of numbers with units and ${counted.ordinary} others, of ${total} in the ` +
      `answers of ${texts} texts` +
      (least > 0 ? `: those to which the model gives at least ${least}.` : '.'),
    `Loss before, in nats a token: ${losses(before.counted)}` + (least > 0 ? `; over all tokens ${losses(before.all)}.` : '.'),
    '“all” is the mean of the three kinds, ± its standard error over texts. A choice counts each rise with its error added.',
    ...(skipped > 0 ? [`${skipped} texts were too long for the model and were left out.`] : []),
    ...(copied === null
      ? []
      : [`The source is below 16 bits; it was measured on a temporary copy at ${copied}, now deleted, so rises are over what the source is.`]),
    ...(out === undefined
      ? ['Nothing was written; --out FILE keeps the recipe for export.']
      : [`Recipe ${recipe.name} written; use it with export --recipe.`]),
  ]
  const sizes = { budgetBytes: budget, proposedBytes: proposal.bytes, houseBytes, weights }
  const rises = { before, expected: proposal.expected, measured: truth, [house.name]: house.rise }
  return { text, notes, detail: { recipe, sizes, rises, tokens, known: least, texts, copied } }
}

/** The group that terms lose most by, and the one for numbers, for each million weights, at the narrowest type that all groups allow. */
function mostSensitive(measured: readonly Measured[]): string[] {
  const groups = new Set(measured.map(({ group }) => group)).size
  const types = [...new Set(measured.map(({ option }) => option.type))].filter(
    (type) => measured.filter(({ option }) => option.type === type).length === groups,
  )
  const narrowest = types.at(-1)
  if (narrowest === undefined) return []
  const at = measured.filter(({ option }) => option.type === narrowest)
  const by = (tag: 'term' | 'number' | 'ordinary') => {
    const perWeight = ({ group, rise }: Measured) => rise[tag] / (group.weights / 1e6)
    const first = [...at].sort((a, b) => perWeight(b) - perWeight(a))[0]!
    return `${first.group.name} (${milli(perWeight(first))} a million weights)`
  }
  return [`Most sensitive at ${narrowest}: medical terms to ${by('term')}, numbers to ${by('number')}, other words to ${by('ordinary')}.`]
}
