// Owns the groups of matrices that sensitivity is measured by, what each takes at each type, and the recipe that a choice of types makes.
import { tensorTypes, typeIdOf } from '../../../app/engine/ggml-types.ts'
import type { GgufTensor } from '../../../app/engine/gguf-header.ts'
import { ALIGNMENT, bytesOf } from '../gguf/write.ts'
import type { Recipe } from '../recipe.ts'

export type By = 'kind' | 'layer'
type RecipeType = Recipe['rules'][number]['type']
export interface Group {
  /** "ffn down", or "ffn down 3" for a layer's. */
  readonly name: string
  readonly kind: string
  /** null where there is no layer, or all of them. */
  readonly layer: number | null
  readonly tensors: readonly GgufTensor[]
  readonly weights: number
}
export interface TypeOption {
  readonly type: RecipeType
  readonly id: number
  /** In the file, padding included. */
  readonly bytes: number
}

/** Which matrices act together: where attention looks, what it takes, what a feed-forward layer reads and what it writes. */
const KINDS: readonly { kind: string; inLayer: boolean; match: string }[] = [
  { kind: 'embedding', inLayer: false, match: '^token_embd\\.weight$' },
  { kind: 'attention q, k', inLayer: true, match: 'attn_(q|k|qkv)\\.weight$' },
  { kind: 'attention v, output', inLayer: true, match: 'attn_(v|output)\\.weight$' },
  { kind: 'ffn gate, up', inLayer: true, match: 'ffn_(gate|up)(_exps|_shexp)?\\.weight$' },
  { kind: 'ffn down', inLayer: true, match: 'ffn_down(_exps|_shexp)?\\.weight$' },
  { kind: 'output', inLayer: false, match: '^output\\.weight$' },
]
const LAYER = '^blk\\.(\\d+)\\.'

/** The groups of `tensors` in the order of a forward pass; a matrix of none of the kinds is in no group, and its type is not touched. */
export function groupsOf(tensors: readonly GgufTensor[], by: By): Group[] {
  const groups = new Map<string, { kind: string; layer: number | null; tensors: GgufTensor[] }>()
  for (const tensor of tensors) {
    const found = KINDS.find(({ inLayer, match }) => new RegExp((inLayer ? LAYER : '') + match).test(tensor.name))
    if (!found || tensor.dims.length < 2) continue
    const layer = found.inLayer && by === 'layer' ? Number(new RegExp(LAYER).exec(tensor.name)![1]) : null
    const name = layer === null ? found.kind : `${found.kind} ${layer}`
    const group = groups.get(name)
    if (group) group.tensors.push(tensor)
    else groups.set(name, { kind: found.kind, layer, tensors: [tensor] })
  }
  const order = ({ kind, layer }: { kind: string; layer: number | null }) => {
    const place = KINDS.findIndex((one) => one.kind === kind)
    return kind === 'embedding' ? -1 : kind === 'output' ? Infinity : (layer ?? 0) * KINDS.length + place
  }
  return [...groups]
    .sort(([, a], [, b]) => order(a) - order(b))
    .map(([name, group]) => ({ name, ...group, weights: group.tensors.reduce((sum, { dims }) => sum + product(dims), 0) }))
}

/** Those of `types` whose blocks fill the rows of every matrix of the group; F16, which every row fits, where there is none. */
export function optionsOf(group: Group, types: readonly RecipeType[]): TypeOption[] {
  const fits = (type: RecipeType) => group.tensors.every(({ dims }) => dims[0]! % tensorTypes.get(typeIdOf(type)!)!.block === 0)
  const fitting = types.filter(fits)
  return (fitting.length > 0 ? fitting : (['F16'] as const)).map((type) => {
    const id = typeIdOf(type)!
    return { type, id, bytes: group.tensors.reduce((sum, tensor) => sum + padded(tensor, id), 0) }
  })
}

/** Bytes that the tensor takes in a file as ggml type `type`, with the padding behind it. */
export const padded = ({ name, dims }: Pick<GgufTensor, 'name' | 'dims'>, type: number): number =>
  Math.ceil(bytesOf({ name, dims, type }) / ALIGNMENT) * ALIGNMENT

/** `types[n]` for `groups[n]`, as a recipe: one rule where all layers of a kind agree, else one for each type with its layers. */
export function recipeOf(groups: readonly Group[], types: readonly RecipeType[], words: Pick<Recipe, 'name' | 'about'>): Recipe {
  const rules = KINDS.flatMap(({ kind, inLayer, match }) => {
    const layersOf = new Map<RecipeType, (number | null)[]>()
    groups.forEach((group, n) => {
      if (group.kind === kind) layersOf.set(types[n]!, [...(layersOf.get(types[n]!) ?? []), group.layer])
    })
    return [...layersOf].map(([type, layers]) => {
      const named = layersOf.size > 1 ? `^blk\\.(${layers.join('|')})\\.` : inLayer ? '^blk\\.\\d+\\.' : ''
      return { match: named + match, type }
    })
  })
  return { ...words, rules, default: 'keep', order: 'ffn-last' }
}

const product = (dims: readonly number[]) => dims.reduce((values, length) => values * length, 1)
