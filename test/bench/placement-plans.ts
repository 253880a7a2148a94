// Owns the table of plans: every hardware profile of the tests with the 7B, 1.5B and 0.5B shapes under the default recipe.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelShape } from '../../app/contract/shape.ts'
import { choose, type Planning } from '../../app/deploy/choose.ts'
import { readHardware, type HardwareProfile } from '../../app/deploy/hardware.ts'
import { tensorTypes, typeIdOf } from '../../app/engine/ggml-types.ts'
import { inOrder, readRecipe, typeFor } from '../../models/workshop/recipe.ts'
import type { Row } from '../../models/workshop/report.ts'
import { shapes, tensorsOf, type ShapeName } from '../../models/workshop/twin/shapes.ts'

const folder = join(import.meta.dirname, '../profiles')
const models: ShapeName[] = ['qwen2-7b', 'qwen2-1.5b', 'qwen2-0.5b']

/** Every profile that the tests come with, by the name of its file. */
export const profiles = (): { name: string; profile: HardwareProfile }[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ name: file.slice(0, -'.json'.length), profile: readHardware(join(folder, file)) }))

/** What an export of `name` under `recipe` is to placement, without writing it: the types, sizes and order of its tensors. */
export function exportedShape(name: ShapeName, recipe = 'rushlight-7b'): ModelShape {
  const shape = shapes[name]
  const { recipe: rules } = readRecipe(recipe)
  const typed = tensorsOf(shape).map(({ name: tensor, dims }) => {
    const type = typeIdOf(dims.length > 1 ? 'F16' : 'F32')!
    return { name: tensor, dims, type: typeFor(rules, { name: tensor, dims, type }, shape.tied).type }
  })
  const tensors = inOrder(rules, typed).map(({ name: tensor, dims, type }) => {
    const parameters = dims.reduce((product, length) => product * length, 1)
    const { name: typeName, block, bytes } = tensorTypes.get(type)!
    return { name: tensor, type: typeName, parameters, bytes: (parameters / block) * bytes }
  })
  const head = shape.width / shape.heads
  return {
    ...{ architecture: shape.architecture, layers: shape.layers, embedding: shape.width, feedForward: shape.feedForward, tensors },
    ...{ heads: shape.heads, kvHeads: shape.kvHeads, keyLength: head, valueLength: head },
    ...{ vocabulary: shape.vocabulary, trainContextSize: shape.context },
  }
}

const gb = (bytes: number) => (bytes / 1e9).toFixed(2)

/** One row for each profile and model. Memory: predicted GB of GB that may be used, by device. */
export function placementPlans(): Row[] {
  return profiles().flatMap(({ name, profile }) => models.map((model) => ({ profile: name, model, ...cells(choose(profile, exportedShape(model))) })))
}

function cells({ plan, conceded, shortage }: Planning): Row {
  if (!plan) {
    const layers = `too large: needs ${gb(shortage!.needs)}, has ${gb(shortage!.has)} GB; up to ${gb(shortage!.largestFile)} GB fit`
    return {
      layers,
      context: null,
      KV: null,
      step: null,
      threads: null,
      mmap: null,
      memory: null,
      'first token s': null,
      'tokens/s': null,
      less: null,
    }
  }
  const used = plan.devices.filter(({ memory }) => memory.total > 0)
  return {
    layers: used.map(({ id, embedding, blocks, output }) => `${id} ${embedding ? 'E+' : ''}${blocks.count}${output ? '+O' : ''}`).join(', '),
    ...{ context: plan.contextSize, KV: plan.kvType, step: plan.step, threads: plan.threads, mmap: plan.mmap ? 'on' : 'off' },
    memory: used.map(({ memory, usable }) => `${gb(memory.total)}/${gb(usable)}`).join(', '),
    'first token s': Math.round(plan.predicted.firstTokenSeconds * 100) / 100,
    'tokens/s': Math.round(plan.predicted.tokensPerSecond * 10) / 10,
    less: conceded.join(', ') || null,
  }
}
