// Owns the recipe of a mixed-precision export: which tensor gets which ggml type and in which order tensors lie in the file.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { AppError } from '../../app/contract/errors.ts'
import { isRepacked } from '../../app/deploy/memory.ts'
import { tensorTypes, typeIdOf } from '../../app/engine/ggml-types.ts'
import type { GgufTensor } from '../../app/engine/gguf-header.ts'

const folder = join(import.meta.dirname, '../recipes')
/** The engine reads these, and ggml can write them from F32. */
const WRITABLE = [
  'F32',
  'F16',
  'BF16',
  'Q8_0',
  'Q6_K',
  'Q5_K',
  'Q5_1',
  'Q5_0',
  'Q4_K',
  'Q4_1',
  'Q4_0',
  'IQ4_NL',
  'IQ4_XS',
  'Q3_K',
  'Q2_K',
  'IQ3_S',
] as const
const Type = z.enum(WRITABLE)
const Pattern = z.string().refine((text) => {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}, 'is no regular expression')

/** The form of `models/recipes/*.json`. */
export const Recipe = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  about: z.string(),
  /** The first rule whose expression is found in the tensor's name decides. */
  rules: z.array(
    z.strictObject({
      match: Pattern,
      type: Type,
      /** Instead of `type`, for an embedding that is also the output matrix (the file then has no output.weight). */
      tied: Type.optional(),
    }),
  ),
  /** For a matrix that no rule names; keep: the type it has in the source. */
  default: z.union([Type, z.literal('keep')]),
  /**
   * ffn-last: what llama.cpp rearranges on x86 stands behind all else, the feed-forward matrices last. It unmaps the beginning and end of
   * the file that it no longer needs; anywhere else such a matrix would stay in memory twice.
   */
  order: z.enum(['ffn-last', 'source']),
})
export type Recipe = z.infer<typeof Recipe>

/** What a type becomes when a row is no whole number of its blocks; llama.cpp's quantiser chooses the same. */
const FALLBACK: Readonly<Record<string, string>> = {
  Q6_K: 'Q8_0',
  Q5_K: 'Q5_1',
  Q4_K: 'Q5_0',
  IQ4_XS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  Q3_K: 'Q4_0',
  Q2_K: 'Q4_0',
}

/** Names of the recipes that come with the program. */
export const recipeNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort()

/** Reads a recipe by the name of one that comes with the program, or by path. Throws RECIPE_INVALID. */
export function readRecipe(nameOrPath: string): { recipe: Recipe; sha256: string } {
  const path = recipeNames().includes(nameOrPath) ? join(folder, `${nameOrPath}.json`) : nameOrPath
  const file = basename(path)
  const refuse = (what: string) => new AppError('RECIPE_INVALID', `${file} ${what}`, { file })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw refuse(`is no recipe that can be read. Recipes of the program: ${recipeNames().join(', ')}.`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('is not JSON. Correct it; `npm run model -- export --help` shows the form.')
  }
  const result = Recipe.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw refuse(`is wrong at ${issue.path.join('.') || 'its top level'}: ${issue.message}. Correct it and try again.`)
  }
  return { recipe: result.data, sha256: createHash('sha256').update(text).digest('hex') }
}

export interface Choice {
  type: number
  /** The type that the recipe names, when the shape of the tensor does not allow it. */
  instead?: string
}

/**
 * The ggml type of `tensor` under `recipe`. Vectors, norms and biases stay as they are: they are a thousandth of the bytes and every value
 * of theirs acts on a whole column.
 */
export function typeFor(recipe: Recipe, tensor: Pick<GgufTensor, 'name' | 'dims' | 'type'>, tied: boolean): Choice {
  if (tensor.dims.length < 2 || !tensor.name.endsWith('.weight') || /_norm\.weight$/.test(tensor.name)) return { type: tensor.type }
  const rule = recipe.rules.find(({ match }) => new RegExp(match).test(tensor.name))
  const wanted = rule ? (tied && rule.tied ? rule.tied : rule.type) : recipe.default
  if (wanted === 'keep') return { type: tensor.type }
  const row = tensor.dims[0]!
  for (let name: string | undefined = wanted; name !== undefined; name = FALLBACK[name]) {
    const type = typeIdOf(name)!
    if (row % tensorTypes.get(type)!.block === 0) return name === wanted ? { type } : { type, instead: wanted }
  }
  return { type: typeIdOf('F16')!, instead: wanted }
}

/** `tensors`, in their new types, in the order that the recipe asks for; within each part the source's order is kept. */
export function inOrder<T extends { name: string; type: number }>(recipe: Recipe, tensors: readonly T[]): T[] {
  if (recipe.order === 'source') return [...tensors]
  const rank = ({ name, type }: T) =>
    (/\.ffn_(gate|up|down)(_exps)?\.weight$/.test(name) ? 1 : 0) + (isRepacked({ name, type: tensorTypes.get(type)!.name }) ? 2 : 0)
  return [0, 1, 2, 3].flatMap((place) => tensors.filter((tensor) => rank(tensor) === place))
}

/** attention, feed-forward, embedding, output, or other (norms and biases): the groups that every table of the workshop uses. */
export function groupOf(name: string): string {
  if (/^token_embd\./.test(name)) return 'embedding'
  if (/^output\.weight/.test(name)) return 'output'
  if (/\.attn_(q|k|v|output|qkv)\.weight/.test(name)) return 'attention'
  if (/\.ffn_.*\.weight/.test(name) && !/norm/.test(name)) return 'feed-forward'
  return 'norms and biases'
}
