// Owns the table of what a model file is made of: tensors, weights and bytes by group and type.
import { tensorTypes } from '../../app/engine/ggml-types.ts'
import { bytesOf, type NewTensor } from './gguf/write.ts'
import { groupOf } from './recipe.ts'
import type { Row } from './report.ts'

export interface GroupSize {
  group: string
  type: string
  tensors: number
  parameters: number
  bytes: number
}

/** By group and type, the largest first. Every type must be known (checkTensors). */
export function sizesOf(tensors: readonly NewTensor[]): GroupSize[] {
  const found = new Map<string, GroupSize>()
  for (const tensor of tensors) {
    const group = /\.lora_[ab]$/.test(tensor.name) ? 'adapter' : groupOf(tensor.name)
    const type = tensorTypes.get(tensor.type)!.name
    const size = found.get(`${group} ${type}`) ?? { group, type, tensors: 0, parameters: 0, bytes: 0 }
    size.tensors++
    size.parameters += tensor.dims.reduce((product, length) => product * length, 1)
    size.bytes += bytesOf(tensor)
    found.set(`${group} ${type}`, size)
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes)
}

export const totalOf = (sizes: readonly GroupSize[]): Omit<GroupSize, 'group' | 'type'> => ({
  tensors: sizes.reduce((sum, { tensors }) => sum + tensors, 0),
  parameters: sizes.reduce((sum, { parameters }) => sum + parameters, 0),
  bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
})

/** The rows of a report, a total last. */
export function sizeRows(sizes: readonly GroupSize[]): Row[] {
  return [...sizes, { group: 'all', type: '', ...totalOf(sizes) }].map(({ group, type, tensors, parameters, bytes }) => ({
    ...{ group, type, tensors, weights: parameters },
    MB: bytes / 1e6,
    'bits/weight': parameters > 0 ? (bytes * 8) / parameters : 0,
  }))
}
