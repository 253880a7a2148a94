// Owns `merge`: base and adapter as one model, the deployable form that needs no adapter beside it.
import { basename } from 'node:path'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { bytesOf } from '../gguf/write.ts'
import { mergeModel, type Merged, type MergedType } from '../merge.ts'
import { duration } from '../progress.ts'
import { groupOf } from '../recipe.ts'
import type { Row } from '../report.ts'
import { optionText, WrongUse, type Verb } from '../verb.ts'

const TYPES: readonly string[] = ['f16', 'f32', 'same'] satisfies MergedType[]
const MOST = 100

export const mergeVerb: Verb = {
  name: 'merge',
  about: 'a base and its adapter as one model',
  usage: 'BASE.gguf ADAPTER.gguf OUT.gguf [--type f16|f32|same] [--scale N]',
  positionals: [3, 3],
  options: { type: { type: 'string' }, scale: { type: 'string', default: '1' }, force: { type: 'boolean', default: false } },
  help: `
  --type T    of the matrices: f16, f32, or same (each as in the base). Default: a base in f16, bf16 or
              f32 keeps its types, a quantised one becomes f16: rounding a second time would lose most
              of a small change
  --scale N   of the adapter, on top of its own alpha/rank (default: 1)
  --force     replace OUT if it is there

Each weight becomes W + scale·(alpha/rank)·B·A, summed in f32. An adapter made for other weights is
refused, by the ids that both files state, or by architecture and shapes. Metadata are kept;
rushlight.weights_id becomes a new one, derived from both, and rushlight.merged_from names the two.
OUT appears under its name only when it is whole.`,
  async run(input, context) {
    const [base, adapter, to] = input.positionals as [string, string, string]
    const asked = optionText(input, 'type')
    if (asked !== undefined && !TYPES.includes(asked)) throw new WrongUse(`--type takes ${TYPES.join(', ')}, not “${asked}”.`)
    const text = optionText(input, 'scale') ?? '1'
    const scale = Number(text)
    if (text.trim() === '' || !Number.isFinite(scale) || scale === 0 || Math.abs(scale) > MOST)
      throw new WrongUse(`--scale takes a number other than 0 from −${MOST} to ${MOST}, not “${text}”.`)
    const startedAt = performance.now()
    const type = (asked ?? null) as MergedType | null
    const made = await mergeModel({ base, adapter, to, type, scale, force: input.values['force'] === true }, context)
    const speed = made.flops / made.addMs / 1e6
    const notes = [
      `${basename(to)}: ${made.changed.size} weights changed at rank ${made.rank}, ${(made.bytes / 1e9).toFixed(3)} GB, in ${duration(performance.now() - startedAt)} (adding alone ${speed.toFixed(1)} GFLOP/s).`,
      `Weights ${made.weightsId.slice(0, 16)}…, from ${made.mergedFrom[0].slice(0, 16)}… and the adapter ${made.mergedFrom[1].slice(0, 16)}….`,
    ]
    if (made.widened) notes.push('The base was quantised: its matrices became F16. Export the result by a recipe, or merge with --type same.')
    if (type === 'same' && made.tensors.some(({ name, type: id }) => made.changed.has(name) && tensorTypes.get(id)!.block > 1))
      notes.push('The changed weights were rounded a second time: a small change may have been lost. Prefer merging the original and exporting that.')
    const { weightsId, mergedFrom, bytes } = made
    return { name: 'merge', rows: rowsOf(made), targets: [], notes, detail: { weightsId, mergedFrom, scale, bytes, gflops: speed } }
  },
}

function rowsOf({ tensors, changed }: Merged): Row[] {
  const rows = new Map<string, { group: string; from: string; to: string; tensors: number; changed: number; MB: number }>()
  for (const tensor of tensors) {
    const [group, from, to] = [groupOf(tensor.name), tensorTypes.get(tensor.source.type)!.name, tensorTypes.get(tensor.type)!.name]
    const row = rows.get(`${group} ${from}`) ?? { group, from, to, tensors: 0, changed: 0, MB: 0 }
    row.tensors++
    if (changed.has(tensor.name)) row.changed++
    row.MB += bytesOf(tensor) / 1e6
    rows.set(`${group} ${from}`, row)
  }
  return [...rows.values()]
}
