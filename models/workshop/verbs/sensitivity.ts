// Owns `sensitivity`: which groups of weights the medical terms and numbers depend on most, and the recipe that follows under a size.
import { basename } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { typeIdOf } from '../../../app/engine/ggml-types.ts'
import { judgeModel } from '../../../app/engine/gguf.ts'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { checkTensors } from '../convert.ts'
import { Evaluator } from '../ffi/evaluator.ts'
import { needsImportance } from '../ffi/rows.ts'
import { fileBytes } from '../gguf/write.ts'
import { refuseOutput, writeWhole } from '../output.ts'
import { readRecipe, Recipe } from '../recipe.ts'
import { isTied, measureGroups, measureRecipe, propose, recipeBytes, refuseTooSmall, type Measured } from '../sensitivity/analyse.ts'
import { parseBudget } from '../sensitivity/budget.ts'
import { groupsOf, padded, recipeOf, type By, type TypeOption } from '../sensitivity/groups.ts'
import { countKnown, countTags, measure, riseOf } from '../sensitivity/measure.ts'
import { describe, rowOf } from '../sensitivity/words.ts'
import { withPreciseSource } from '../sensitivity/source.ts'
import { corpusPath, readLines, textsFor } from '../sensitivity/texts.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

const TYPES: readonly TypeOption['type'][] = ['Q8_0', 'Q6_K', 'Q5_K', 'Q5_0', 'Q4_K', 'IQ4_NL', 'Q4_0']
/** The recipe whose size is the budget when none is given, and that the proposal is compared with. */
const HOUSE = 'rushlight-7b'
const CONTEXT = 512
/** What export adds to a header: the keys of its recipe. */
const KEYS = 4096
const RECIPE_FILE = 64 * 1024

export const sensitivityVerb: Verb = {
  name: 'sensitivity',
  about: 'which weights the medical terms and numbers depend on most, and a recipe under a size',
  usage: 'IN.gguf [--budget SIZE] [--by kind|layer] [--types LIST] [--out RECIPE.json]',
  positionals: [1, 1],
  options: {
    budget: { type: 'string' },
    by: { type: 'string', default: 'kind' },
    types: { type: 'string' },
    texts: { type: 'string' },
    most: { type: 'string' },
    known: { type: 'string', default: '0.5' },
    out: { type: 'string' },
    force: { type: 'boolean', default: false },
    threads: { type: 'string' },
  },
  help: `
  --budget SIZE   what the whole file may take: 5.25GB, 4800MB, bytes, or bits a weight up to 32
                  (default: what the recipe ${HOUSE} makes of this model)
  --by kind       embedding, attention q k, attention v output, ffn gate up, ffn down, output (default)
  --by layer      the same for each layer: a finer recipe for as many times the work as there are layers
  --types LIST    types to try, with commas (default ${TYPES.join(',')})
  --texts FILE    lines of {"q", "a", "category"} instead of the medical texts of models/corpus
  --most N        only the first N of them
  --known P       count only tokens to which the model itself gives at least this probability (default 0.5; 0: all):
                  rounding can lose what a model knows; where it guesses, the loss rises and falls by chance
  --out FILE      write the recipe, for export --recipe FILE; --force replaces the file
  --threads N     threads of llama.cpp (default 1)

Each group of matrices is rounded to each type in memory, the others left as they are (a group whose rows are no whole blocks
of any of the types is tried at F16); the rise of the mean loss is measured on the answers, apart for tokens of medical
terms, of numbers with their units and of other words. The choice under the budget is exact; the whole recipe is then
measured once, for the sum of the parts is not quite the truth. A source below 16 bits is first copied at F16 to the system's
folder for temporary files (set TMPDIR for another) and the copy deleted; it takes memory as an F16 model does.`,
  async run(input, context) {
    const path = input.positionals[0]!
    const { by, types, least } = choicesOf(input)
    const out = optionText(input, 'out')
    const header = await readGgufHeader(path, { values: 'all' })
    checkTensors(header)
    judgeModel(header)
    const house = readRecipe(HOUSE).recipe
    const tied = isTied(header)
    const fixedHeader = fileBytes({ metadata: header.metadata, tensors: [] }) + tableBytes(header.tensors) + KEYS
    const weights = header.tensors.reduce((sum, { dims }) => sum + dims.reduce((product, length) => product * length, 1), 0)
    const asked = optionText(input, 'budget')
    const budget = asked === undefined ? fixedHeader + recipeBytes(header, house) : parseBudget(asked, { weights, header: fixedHeader })
    const lines = readLines(optionText(input, 'texts') ?? corpusPath, optionNumber(input, 'most', 1, 1_000_000))
    const written = { bytes: RECIPE_FILE, inputs: [path], force: input.values['force'] === true, signal: context.signal }
    if (out !== undefined) await refuseOutput(out, written)

    const result = await withPreciseSource(header, context, async (precise, copied) => {
      const evaluator = await Evaluator.open({
        ...{ model: precise, contextSize: CONTEXT, writable: true, signal: context.signal, threads: optionNumber(input, 'threads', 1, 256) ?? 1 },
      })
      try {
        const known = new Set(await evaluator.matrices())
        const matrices = header.tensors.filter(({ name }) => known.has(name))
        const groups = groupsOf(matrices, by)
        const grouped = new Set(groups.flatMap(({ tensors }) => tensors))
        const rest = header.tensors.filter((tensor) => !grouped.has(tensor))
        const fixed = fixedHeader + rest.reduce((sum, tensor) => sum + padded(tensor, tensor.type), 0)
        refuseTooSmall(groups, types, fixed, budget)
        const all = await textsFor(evaluator, lines)
        const allBase = await measure(evaluator, all)
        const { texts, base } = countKnown(all, allBase, least)
        if (texts.length === 0)
          throw new AppError('BAD_INPUT', `The model gives no token of these answers a probability of ${least}. Lower --known, or use other --texts.`)
        const measured = await measureGroups(evaluator, { groups, types, texts, base }, context)
        const proposal = propose(measured, fixed, budget)
        const recipe = Recipe.parse(recipeOf(groups, typesOf(proposal.chosen), wordsFor(path, proposal.bytes, weights)))
        context.progress.stage('measuring the whole recipe', 2)
        const truth = await measureRecipe(evaluator, { recipe, matrices, tied, texts, base })
        context.progress.at(1)
        const houseRise = await measureRecipe(evaluator, { recipe: house, matrices, tied, texts, base })
        const before = { counted: riseOf(texts, base, null), all: riseOf(all, allBase, null) }
        const tokens = { counted: countTags(texts), all: countTags(all) }
        return { texts: all.length, before, tokens, measured, proposal, recipe, truth, house: { rise: houseRise, name: HOUSE }, copied }
      } finally {
        await evaluator.close()
      }
    })

    if (out !== undefined) await writeWhole(out, written, (handle) => handle.writeFile(JSON.stringify(result.recipe, null, 2) + '\n'))
    const houseBytes = fixedHeader + recipeBytes(header, house)
    const { text, notes, detail } = describe({ ...result, least, budget, weights, houseBytes, skipped: lines.length - result.texts, out })
    return { name: 'sensitivity', rows: result.measured.map(rowOf), targets: [], text, notes, detail }
  },
}

const typesOf = (chosen: readonly Measured[]) => chosen.map(({ option }) => option.type)

/** Bytes of the table of tensors in a header; names and shapes are the same whatever the types. */
const tableBytes = (tensors: readonly { name: string; dims: readonly number[] }[]) =>
  tensors.reduce((sum, { name, dims }) => sum + 8 + Buffer.byteLength(name) + 4 + 8 * dims.length + 12, 0)

function choicesOf(input: VerbInput): { by: By; types: TypeOption['type'][]; least: number } {
  const by = optionText(input, 'by')
  if (by !== 'kind' && by !== 'layer') throw new WrongUse(`--by takes kind or layer, not “${by}”.`)
  const known = optionText(input, 'known')!
  const least = Number(known)
  if (known.trim() === '' || !(least >= 0 && least < 1)) throw new WrongUse(`--known takes a probability from 0 to below 1, not “${known}”.`)
  const names = optionText(input, 'types')?.split(',') ?? TYPES
  const types = names.map((name) => {
    const found = Recipe.shape.rules.element.shape.type.safeParse(name.trim().toUpperCase())
    if (!found.success) throw new WrongUse(`--types has “${name}”, which is no type that a recipe can name.`)
    if (needsImportance(typeIdOf(found.data)!)) throw new WrongUse(`--types has ${found.data}, which needs an importance matrix.`)
    return found.data
  })
  return { by, types: [...new Set(types)], least }
}

/** The name of the recipe is that of the file, in the letters that a recipe's name may have. */
function wordsFor(path: string, bytes: number, weights: number): Pick<Recipe, 'name' | 'about'> {
  const bits = ((bytes * 8) / weights).toFixed(2)
  const stem = basename(path)
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
  return {
    name: `${stem || 'model'}-${bits}`,
    about: `Proposed by the sensitivity analysis of ${basename(path)}: ${bits} bits a weight, file and all.`,
  }
}
