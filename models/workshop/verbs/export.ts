// Owns `export`: a model at mixed precision by a recipe, proved by reopening, with a manifest beside it.
import { version } from '../../../app/base/version.ts'
import { exportModel } from '../export.ts'
import { duration } from '../progress.ts'
import { readRecipe, recipeNames } from '../recipe.ts'
import { sizeRows } from '../sizes.ts'
import { optionNumber, optionText, type Verb } from '../verb.ts'

export const exportVerb: Verb = {
  name: 'export',
  about: 'a model at mixed precision: attention at 8 bits, feed-forward layers at 4, by a recipe',
  usage: 'IN.gguf OUT.gguf [--recipe NAME|FILE]',
  positionals: [2, 2],
  options: {
    recipe: { type: 'string', default: 'rushlight-7b' },
    importance: { type: 'string' },
    requantise: { type: 'boolean', default: false },
    threads: { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  --recipe R       one of ${recipeNames().join(', ')}, or a file of the same form (models/recipes)
  --importance S   weigh the rounding by how much each column is used: \`corpus\` measures it on the medical texts of
                   models/corpus with the model itself; a file is an importance matrix of llama.cpp's own tool (GGUF)
  --requantise     allow a source that is already below 8 bits: its error adds to the new one
  --threads N      pieces worked on at once (default: all cores)
  --force          replace OUT if it is there

The source is F32, F16, BF16 or Q8_0. Vectors (norms, biases) are never rounded. OUT appears under its name only when it has been
written whole and reopened; OUT.manifest.json then states sizes by group, hashes in pieces of 64 MiB, recipe and source.`,
  async run(input, { signal, progress }) {
    const [from, to] = input.positionals as [string, string]
    const { recipe, sha256 } = readRecipe(optionText(input, 'recipe')!)
    const startedAt = performance.now()
    const cpuAt = process.cpuUsage()
    const { manifest, fallbacks } = await exportModel(
      {
        ...{ from, to, recipe, recipeSha256: sha256, version },
        importance: optionText(input, 'importance') ?? null,
        requantise: input.values['requantise'] === true,
        force: input.values['force'] === true,
        threads: optionNumber(input, 'threads', 1, 256),
      },
      { signal, progress },
    )
    const cpu = process.cpuUsage(cpuAt)
    const seconds = (cpu.user + cpu.system) / 1e6
    const spent = duration(performance.now() - startedAt)
    const size = `${(manifest.bytes / 1e9).toFixed(3)} GB, ${manifest.bitsPerWeight.toFixed(2)} bits a weight`
    return {
      name: 'export',
      rows: sizeRows(manifest.groups),
      targets: [],
      notes: [
        `${manifest.file}: ${size}, in ${spent} (${seconds.toFixed(1)} CPU seconds). Reopened and found sound; manifest beside it.`,
        ...fallbacks.map(({ wanted, got, tensors }) => `${tensors} tensors have rows that are no whole number of ${wanted} blocks; they are ${got}.`),
      ],
      detail: { manifest, fallbacks, cpuSeconds: seconds },
    }
  },
}
