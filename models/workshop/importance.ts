// Owns the importance matrix: how much each column of a weight is used, from the medical texts or from a file of llama.cpp's own tool.
import { basename } from 'node:path'
import { AppError } from '../../app/contract/errors.ts'
import { factOf, readGgufHeader, type GgufHeader } from '../../app/engine/gguf-header.ts'
import { checkTensors, rowsOf, TensorFile } from './convert.ts'
import { chat, TURN_END } from './corpus/bpe.ts'
import { Evaluator } from './ffi/evaluator.ts'
import { corpusPath, readLines } from './sensitivity/texts.ts'
import type { VerbContext } from './verb.ts'

export interface Importance {
  /** What it was measured on, for the manifest. */
  source: string
  tokens: number
  /** Mean square of each input column of the tensor, or null where nothing was measured. */
  columns(tensor: string): Float32Array | null
}

/** `from` is `corpus` or the path of an importance matrix. Throws MODEL_* codes for a file, SOURCE_INVALID for one that is no such matrix. */
export async function importanceFor(from: string, model: GgufHeader, context: VerbContext): Promise<Importance> {
  return from === 'corpus' ? measured(model, context) : fromFile(from, model)
}

/** Questions and answers in the model's own chat form, as they would be met. */
const corpusTexts = (): string[] => readLines(corpusPath).map(({ q, a }) => `${chat(q)}${a}${TURN_END}\n`)

async function measured(model: GgufHeader, { signal, progress }: VerbContext): Promise<Importance> {
  const texts = corpusTexts()
  const evaluator = await Evaluator.open({ model: model.path, signal })
  try {
    progress.stage('measuring importance', texts.length)
    let tokens = 0
    const sums = new Map<string, { sums: Float64Array; rows: number }>()
    for (const [n, text] of texts.entries()) {
      const ids = await evaluator.tokenize(text, { special: true })
      tokens += ids.length
      for (const [name, found] of await evaluator.importance([ids])) {
        const known = sums.get(name) ?? { sums: new Float64Array(found.sums.length), rows: 0 }
        for (let c = 0; c < found.sums.length; c++) known.sums[c]! += found.sums[c]!
        known.rows += found.rows
        sums.set(name, known)
      }
      progress.at(n + 1)
    }
    const columns = (name: string) => {
      const found = sums.get(name)
      return found && found.rows > 0 ? Float32Array.from(found.sums, (sum) => sum / found.rows) : null
    }
    return { source: 'medical corpus', tokens, columns }
  } finally {
    await evaluator.close()
  }
}

/** llama.cpp's form: a GGUF of type imatrix with `NAME.in_sum2` and `NAME.counts` for each weight. */
async function fromFile(path: string, model: GgufHeader): Promise<Importance> {
  const file = basename(path)
  const refuse = (what: string) =>
    new AppError('SOURCE_INVALID', `${file} ${what}. Make it with llama-imatrix from this model, or use --importance corpus.`)
  const header = await readGgufHeader(path, { values: 'facts' })
  checkTensors(header)
  if (factOf(header, 'general.type') !== 'imatrix') throw refuse('is no importance matrix')
  const rowLength = new Map(model.tensors.map(({ name, dims }) => [name, dims[0]!]))
  const found = new Map<string, Float32Array>()
  const source = await TensorFile.open(header)
  try {
    const named = new Map(header.tensors.map((tensor) => [tensor.name, tensor]))
    for (const sums of header.tensors.filter(({ name }) => name.endsWith('.in_sum2'))) {
      const name = sums.name.slice(0, -'.in_sum2'.length)
      const counts = named.get(`${name}.counts`)
      // several matrices in one tensor are experts, which no recipe here has
      if (!counts || rowsOf(sums) !== 1) continue
      if (rowLength.get(name) !== sums.dims[0]) throw refuse(`was made from another model: ${name} has other columns here`)
      const [values, count] = [await source.floats(sums, 0, 1), (await source.floats(counts, 0, 1))[0]!]
      if (count > 0)
        found.set(
          name,
          values.map((value) => value / count),
        )
    }
  } finally {
    await source.close()
  }
  if (found.size === 0) throw refuse('holds no importance that can be used')
  const chunk = Number(factOf(header, 'imatrix.chunk_size') ?? 0)
  return { source: file, tokens: chunk * Number(factOf(header, 'imatrix.chunk_count') ?? 0), columns: (name) => found.get(name) ?? null }
}
