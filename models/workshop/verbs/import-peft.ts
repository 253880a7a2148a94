// Owns `import-peft`: a PEFT LoRA adapter as a LoRA file for llama.cpp, checked against the base it will run with.
import { basename } from 'node:path'
import { importAdapter } from '../peft/import.ts'
import type { Row } from '../report.ts'
import { optionText, WrongUse, type Verb } from '../verb.ts'

export const importPeftVerb: Verb = {
  name: 'import-peft',
  about: 'a PEFT LoRA adapter (rank-stabilised or not) as a GGUF adapter with the right scale',
  usage: 'DIR OUT.gguf --base BASE.gguf',
  positionals: [2, 2],
  options: { base: { type: 'string' }, name: { type: 'string' }, force: { type: 'boolean', default: false } },
  help: `
  --base FILE   the GGUF model that the adapter was trained on, in any precision
  --name N      the adapter's name (default: the folder's)
  --force       replace OUT if it is there

DIR holds adapter_config.json and adapter_model.safetensors. llama.cpp scales by alpha/rank; for a
rank-stabilised adapter (alpha/√rank) alpha·√rank is written, and what rank_pattern and alpha_pattern
say of single modules is multiplied into their B. DoRA, biases, modules trained whole, embeddings and
beginnings that change the base are refused by name. The file states which weights it was made for
when the base says so (rushlight.base_weights_id). Matrices are written in f32.`,
  async run(input, context) {
    const [folder, to] = input.positionals as [string, string]
    const base = optionText(input, 'base')
    if (base === undefined) throw new WrongUse('import-peft needs --base: shapes, heads and the order of rows follow from it.')
    const made = await importAdapter({ folder, to, base, name: optionText(input, 'name') ?? null, force: input.values['force'] === true }, context)
    const rows = new Map<string, { module: string; pairs: number; rank: number; scale: number; bytes: number }>()
    for (const { name, rank, scale, a, b } of made.pairs) {
      const module = name.replace(/^blk\.\d+\./, '').replace(/\.weight$/, '')
      const key = `${module} ${rank} ${scale}`
      const row = rows.get(key) ?? { module, pairs: 0, rank, scale, bytes: 0 }
      row.pairs++
      row.bytes += ((a.shape[1] ?? 0) + (b.shape[0] ?? 0)) * rank * 4
      rows.set(key, row)
    }
    const id = made.baseWeightsId
    return {
      name: 'import-peft',
      rows: [...rows.values()].map(({ bytes, ...row }): Row => ({ ...row, MB: bytes / 1e6 })),
      targets: [],
      notes: [
        `${basename(to)}: ${made.pairs.length} pairs, ${(made.bytes / 1e6).toFixed(1)} MB, alpha ${Number(made.alpha.toPrecision(7))}${made.rankStabilised ? ' (rank-stabilised: alpha·√rank)' : ''}.`,
        id === null
          ? `${basename(base)} states no weights id: that the adapter was made for it is known by its shapes only.`
          : `Made for the weights ${id.slice(0, 16)}…; other weights of the same shape will be refused.`,
      ],
      detail: { alpha: made.alpha, baseWeightsId: id, bytes: made.bytes },
    }
  },
}
