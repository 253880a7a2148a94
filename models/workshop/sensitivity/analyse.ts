// Owns the analysis itself: one group at a time rounded to one type, the loss measured, the weights put back; then the choice under a budget.
import { AppError } from '../../../app/contract/errors.ts'
import type { GgufHeader, GgufTensor } from '../../../app/engine/gguf-header.ts'
import type { Evaluator } from '../ffi/evaluator.ts'
import { typeFor, type Recipe } from '../recipe.ts'
import type { VerbContext } from '../verb.ts'
import { optionsOf, padded, type Group, type TypeOption } from './groups.ts'
import { chooseUnder } from './knapsack.ts'
import { measure, riseOf, type Losses, type Rise } from './measure.ts'
import type { Text } from './texts.ts'

export interface Measured {
  readonly group: Group
  readonly option: TypeOption
  readonly rise: Rise
}
export interface Proposal {
  /** One option per group. */
  readonly chosen: readonly Measured[]
  /** Of the whole file. */
  readonly bytes: number
  /** Sum of the rises of the parts. */
  readonly expected: number
}

/** Every group at every type that its rows allow. The evaluator's weights are those of the file before and after. */
export async function measureGroups(
  evaluator: Evaluator,
  { groups, types, texts, base }: { groups: readonly Group[]; types: readonly TypeOption['type'][]; texts: readonly Text[]; base: Losses },
  { progress }: Pick<VerbContext, 'progress'>,
): Promise<Measured[]> {
  const work = groups.flatMap((group) => optionsOf(group, types).map((option) => ({ group, option })))
  const measured: Measured[] = []
  progress.stage('measuring', work.length)
  for (const { group, option } of work) {
    progress.at(measured.length, `${group.name} as ${option.type}`)
    for (const { name } of group.tensors) await evaluator.replaceTensor(name, option.id)
    measured.push({ group, option, rise: riseOf(texts, await measure(evaluator, texts), base) })
    for (const { name } of group.tensors) await evaluator.restoreTensor(name)
  }
  return measured
}

/** The rise when all of `matrices` are rounded as `recipe` says, measured at once. The weights are those of the file afterwards. */
export async function measureRecipe(
  evaluator: Evaluator,
  { recipe, matrices, tied, texts, base }: { recipe: Recipe; matrices: readonly GgufTensor[]; tied: boolean; texts: readonly Text[]; base: Losses },
): Promise<Rise> {
  for (const tensor of matrices) await evaluator.replaceTensor(tensor.name, typeFor(recipe, tensor, tied).type)
  const rise = riseOf(texts, await measure(evaluator, texts), base)
  for (const { name } of matrices) await evaluator.restoreTensor(name)
  return rise
}

/** Before hours are spent on it. Throws BAD_INPUT naming the smallest size that is possible; `fixed` is what the groups do not take. */
export function refuseTooSmall(groups: readonly Group[], types: readonly TypeOption['type'][], fixed: number, budget: number): void {
  const least = groups.reduce((sum, group) => sum + Math.min(...optionsOf(group, types).map(({ bytes }) => bytes)), fixed)
  if (least > budget) {
    const sentence = `The smallest file that these types allow has ${least} bytes; the budget is ${budget}. Give more, or add smaller types.`
    throw new AppError('BAD_INPUT', sentence, { least, budget })
  }
}

/**
 * The choice of least total rise whose file, of `fixed` bytes beside the groups, is within `budget`, which refuseTooSmall has found possible.
 * A rise counts with its standard error added and never below 0: a type that did well by chance must not be chosen for it.
 */
export function propose(measured: readonly Measured[], fixed: number, budget: number): Proposal {
  const byGroup = [...new Set(measured.map(({ group }) => group))].map((group) => measured.filter((one) => one.group === group))
  const options = byGroup.map((ones) => ones.map(({ option, rise }) => ({ bytes: option.bytes, cost: Math.max(0, rise.all + rise.error) })))
  const choice = chooseUnder(options, budget - fixed)
  if (!choice) throw new RangeError(`no choice fits into ${budget} bytes`)
  const chosen = choice.options.map((option, n) => byGroup[n]![option]!)
  return { chosen, bytes: choice.bytes + fixed, expected: chosen.reduce((sum, { rise }) => sum + rise.all, 0) }
}

/** Bytes of the tensors of `header` under `recipe`, padding included. */
export function recipeBytes(header: GgufHeader, recipe: Recipe): number {
  const tied = isTied(header)
  return header.tensors.reduce((sum, tensor) => sum + padded(tensor, typeFor(recipe, tensor, tied).type), 0)
}

/** Whether the embedding is the output matrix too. */
export const isTied = ({ tensors }: Pick<GgufHeader, 'tensors'>): boolean => !tensors.some(({ name }) => name === 'output.weight')
