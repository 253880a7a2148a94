// Owns `twin`: a file of the exact shape of a known model, with random weights, to measure memory and speed where the model itself is not at hand.
import { createHash } from 'node:crypto'
import { bytesOf, fileBytes, writeGguf } from '../gguf/write.ts'
import { writeWhole } from '../output.ts'
import { duration } from '../progress.ts'
import { readRecipe, recipeNames, type Recipe } from '../recipe.ts'
import { sizeRows, sizesOf } from '../sizes.ts'
import { twinAdapter, twinModel, type TwinContent } from '../twin/content.ts'
import { isLinear, shapes, tensorsOf, type ShapeName } from '../twin/shapes.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

const TYPES = ['f16', 'bf16', 'f32'] as const

export const twinVerb: Verb = {
  name: 'twin',
  about: 'a file of the exact shape of a known model with random weights, for memory and speed',
  usage: 'OUT.gguf --shape NAME [--recipe NAME|FILE] [--adapter-rank N]',
  positionals: [1, 1],
  options: {
    shape: { type: 'string' },
    recipe: { type: 'string' },
    type: { type: 'string' },
    layers: { type: 'string' },
    seed: { type: 'string' },
    'adapter-rank': { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  --shape NAME       ${Object.keys(shapes).join(', ')}
  --recipe R         types and order: one of ${recipeNames().join(', ')}, or a file (default rushlight-7b)
  --type T           instead of a recipe every matrix as ${TYPES.join(', ')}, in the order of llama.cpp's own converter
  --layers N         only so many layers: a small file for tests
  --seed N           another seed, other weights and another vocabulary (default 1)
  --adapter-rank N   write a LoRA adapter of this rank for that shape instead, on q, k, v, o, gate, up and down of every
                     layer, alpha twice the rank, in F16 or --type
  --force            replace OUT if it is there

The tokenizer is made up as well, of the exact size of the real one. What such a model writes is nonsense; what it takes is not.`,
  async run(input, { signal, progress }) {
    const out = input.positionals[0]!
    const startedAt = performance.now()
    const { content, about } = planned(input)
    const total = content.tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
    const bytes = await writeWhole(out, { bytes: fileBytes(content), inputs: [], force: input.values['force'] === true, signal }, (handle) => {
      progress.stage('writing', total)
      return writeGguf(handle, { ...content, signal, onBytes: (done, { name }) => progress.at(done, name) })
    })
    return {
      name: 'twin',
      rows: sizeRows(sizesOf(content.tensors)),
      targets: [],
      notes: [`${about}: ${(bytes / 1e9).toFixed(3)} GB, in ${duration(performance.now() - startedAt)}.`],
      detail: { bytes },
    }
  },
}

function planned(input: VerbInput): { content: TwinContent; about: string } {
  const name = optionText(input, 'shape') ?? ''
  if (!Object.hasOwn(shapes, name)) throw new WrongUse(`--shape is one of ${Object.keys(shapes).join(', ')}, not “${name}”.`)
  const shape = shapes[name as ShapeName]
  const seed = optionNumber(input, 'seed', 0, 2 ** 32) ?? 1
  const layers = optionNumber(input, 'layers', 1, shape.layers) ?? shape.layers
  const rank = optionNumber(input, 'adapter-rank', 1, 1024)
  const type = optionText(input, 'type')?.toLowerCase()
  const recipe = optionText(input, 'recipe')
  if (type !== undefined && !TYPES.some((one) => one === type)) throw new WrongUse(`--type is one of ${TYPES.join(', ')}, not “${type}”.`)
  if (recipe !== undefined && (type !== undefined || rank !== undefined)) throw new WrongUse('--recipe does not go with --type or --adapter-rank.')
  if (rank !== undefined) {
    const about = `Random adapter of rank ${rank} for ${shape.model}`
    const matrices = tensorsOf(shape, layers).filter((tensor) => isLinear(tensor.name))
    const kind = (type ?? 'f16').toUpperCase() as 'F16' | 'BF16' | 'F32'
    const { architecture } = shape
    return { content: twinAdapter({ architecture, name: about, matrices, rank, alpha: 2 * rank, type: kind, seed }), about }
  }
  const chosen = type === undefined ? readRecipe(recipe ?? 'rushlight-7b') : everywhere(type)
  const content = twinModel(shape, { recipe: chosen.recipe, recipeSha256: chosen.sha256, seed, layers })
  return { content, about: `Twin of ${shape.model}` }
}

/** A recipe that gives every matrix the same type. */
function everywhere(type: string): { recipe: Recipe; sha256: string } {
  const name = type.toUpperCase() as 'F16' | 'BF16' | 'F32'
  const recipe: Recipe = { name: type, about: `Every matrix as ${name}.`, rules: [], default: name, order: 'source' }
  return { recipe, sha256: createHash('sha256').update(JSON.stringify(recipe)).digest('hex') }
}
