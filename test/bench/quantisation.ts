// Owns the bench of compression: what each type does to weights, what the default recipe does to the starter's answers, what an export costs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readGgufHeader } from '../../app/engine/gguf-header.ts'
import { typeIdOf } from '../../app/engine/ggml-types.ts'
import { rowsOf, TensorFile } from '../../models/workshop/convert.ts'
import { chat, TURN_END } from '../../models/workshop/corpus/bpe.ts'
import { exportModel } from '../../models/workshop/export.ts'
import { Evaluator } from '../../models/workshop/ffi/evaluator.ts'
import { dequantise, quantise } from '../../models/workshop/ffi/rows.ts'
import { Progress } from '../../models/workshop/progress.ts'
import { readRecipe } from '../../models/workshop/recipe.ts'
import { atMost, median, percent, table, type Report, type Row, type Target } from '../../models/workshop/report.ts'
import type { Bench } from './run.ts'
import { smallTwin } from './twins.ts'
import { distributions, nf4 } from './weights.ts'

const root = join(import.meta.dirname, '../..')
const starter = join(root, 'models/starter/rushlight-starter-q8.gguf')
const TYPES = ['Q8_0', 'Q6_K', 'Q5_K', 'Q4_K', 'IQ4_NL', 'Q4_0'] as const
const context = () => ({ signal: new AbortController().signal, progress: new Progress(process.stderr) })

export const quantisation: Bench = {
  about: 'weight error by type beside NF4, the starter before and after the default recipe, export against llama.cpp’s quantiser',
  run: measure,
}

async function measure(rounds: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-quantisation-'))
  try {
    const errors = await weightErrors()
    const answers = await answerChange(folder)
    const costs = await exportCost(folder, rounds)
    const parts = [
      `relative error of the weights, % (root mean square):\n${table(errors.rows)}`,
      `the starter, before and after the default recipe:\n${table(answers.rows)}`,
      `export of the 0.5B twin, F16 to the default recipe, ${costs.rows.length} rounds in turn:\n${table(costs.rows)}`,
    ]
    return {
      name: 'quantisation',
      rows: [...tagged('weights', errors.rows), ...tagged('answers', answers.rows), ...tagged('export', costs.rows)],
      text: parts.join('\n\n'),
      targets: [...errors.targets, ...answers.targets, ...costs.targets],
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const tagged = (part: string, rows: readonly Row[]) => rows.map((row) => ({ part, ...row }))

async function weightErrors(): Promise<{ rows: Row[]; targets: Target[] }> {
  const sources = [...distributions(), ...(await starterTensors())]
  const rows: Row[] = []
  let worst = 0
  for (const { name, values, rowLength } of sources) {
    const row: Record<string, number | string> = { weights: name }
    for (const type of TYPES) {
      const id = typeIdOf(type)!
      const fits = rowLength % 256 === 0 || !type.endsWith('_K')
      row[type] = fits ? percentOf(values, await dequantise(id, await quantise(id, values, rowLength), values.length)) : NaN
    }
    row['NF4'] = percentOf(values, nf4(values))
    const ratio = (row['IQ4_NL'] as number) / row['NF4']
    worst = Math.max(worst, ratio)
    rows.push({ ...Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number.isNaN(value) ? null : value])), 'IQ4_NL/NF4': ratio })
  }
  return { rows, targets: [atMost('IQ4_NL error against NF4, worst case', worst, 1, '×')] }
}

async function starterTensors() {
  const header = await readGgufHeader(starter, { values: 'facts' })
  const file = await TensorFile.open(header)
  try {
    const found: { name: string; values: Float32Array; rowLength: number }[] = []
    for (const kind of ['token_embd', 'blk.0.attn_q', 'blk.3.attn_output', 'blk.0.ffn_gate', 'blk.3.ffn_down']) {
      const tensor = header.tensors.find(({ name }) => name === `${kind}.weight`)!
      found.push({ name: `starter ${kind}`, values: await file.floats(tensor, 0, rowsOf(tensor)), rowLength: tensor.dims[0]! })
    }
    return found
  } finally {
    await file.close()
  }
}

function percentOf(before: Float32Array, after: Float32Array): number {
  let [error, power] = [0, 0]
  for (let n = 0; n < before.length; n++) {
    error += (before[n]! - after[n]!) ** 2
    power += before[n]! ** 2
  }
  return 100 * Math.sqrt(error / power)
}

const lines = <T>(path: string): T[] =>
  readFileSync(join(root, path), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T)

async function answerChange(folder: string): Promise<{ rows: Row[]; targets: Target[] }> {
  const asked = lines<{ q: string; answer: string }>('test/sets/answers-starter.jsonl')
  const texts = lines<{ q: string; a: string }>('models/corpus/calibration.jsonl')
  const rows: (Row & { right: number; own: number })[] = []
  let own: { q: string; a: string }[] = []
  for (const recipe of ['f16', 'q8', 'rushlight-7b']) {
    const path = join(folder, `${recipe}.gguf`)
    await exported(starter, path, recipe)
    const model = await Evaluator.open({ model: path })
    try {
      const written: string[] = []
      for (const { q } of asked) {
        const tokens = await model.generate(await model.tokenize(chat(q), { special: true }), 64)
        written.push(tokens.length > 0 ? await model.detokenize(tokens) : '')
      }
      if (own.length === 0) own = asked.map(({ q }, n) => ({ q, a: written[n]! }))
      const right = asked.filter(({ answer }, n) => written[n]!.toLowerCase().includes(answer.toLowerCase())).length
      rows.push({
        ...{ recipe, MB: statSync(path).size / 1e6, asked: asked.length, right, 'right %': percent(right / asked.length) },
        own: await perplexity(model, own),
        'medical texts': await perplexity(model, texts),
      })
    } finally {
      await model.close()
    }
  }
  const [whole, , mixed] = rows
  const lost = percent((whole!.right - mixed!.right) / asked.length)
  const rise = 100 * (mixed!.own / whole!.own - 1)
  const unit = `points of accuracy; ${rise.toFixed(2)} % of perplexity on its own answers`
  return {
    rows: rows.map(({ own: value, 'medical texts': other, ...row }) => ({
      ...row,
      'perplexity, own answers': value,
      'perplexity, medical texts': other ?? null,
    })),
    targets: [{ id: 'the starter at mixed precision loses', value: lost, unit, target: 'reported', ok: true }],
  }
}

/** Of the answers' tokens, each given its question: exp of the mean loss. */
async function perplexity(model: Evaluator, texts: readonly { q: string; a: string }[]): Promise<number> {
  let [loss, tokens] = [0, 0]
  for (const { q, a } of texts) {
    const prompt = await model.tokenize(chat(q), { special: true })
    const all = [...prompt, ...(await model.tokenize(`${a}${TURN_END}`, { special: true }))]
    for (const one of await model.losses(all, prompt.length)) ((loss += one), tokens++)
  }
  return Math.exp(loss / tokens)
}

async function exportCost(folder: string, rounds: number): Promise<{ rows: Row[]; targets: Target[] }> {
  const twin = await smallTwin(context())
  const rows: (Row & { ratio: number })[] = []
  for (let round = 1; round <= rounds; round++) {
    const [mine, theirs] = [join(folder, 'mine.gguf'), join(folder, 'theirs.gguf')]
    const command = [join(root, 'models/workshop/model.ts'), 'export', twin, mine, '--force', '--threads', '1', '--json']
    const ours = JSON.parse(run(command)) as { cpuSeconds: number }
    const types = (await readGgufHeader(mine, { values: 'facts' })).tensors
      .filter(({ dims }) => dims.length > 1)
      .map(({ name, type }) => [name, type])
    const rival = JSON.parse(run([join(root, 'test/support/llama-quantize.ts'), twin, theirs, '1', JSON.stringify(types)])) as typeof ours
    const same = statSync(mine).size - statSync(theirs).size
    if (existsSync(theirs)) rmSync(theirs)
    rows.push({
      round,
      'CPU s, export': ours.cpuSeconds,
      'CPU s, llama.cpp': rival.cpuSeconds,
      ratio: ours.cpuSeconds / rival.cpuSeconds,
      'bytes more': same,
    })
  }
  const ratio = median(rows.map((row) => row.ratio))
  return { rows, targets: [atMost('CPU time of an export against llama.cpp’s quantiser, median', ratio, 1.1, '×')] }
}

async function exported(from: string, to: string, name: string): Promise<void> {
  const { recipe, sha256 } = readRecipe(name)
  await exportModel({ from, to, recipe, recipeSha256: sha256, version: 'bench', importance: null, requantise: false, force: true }, context())
}

function run(args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr.slice(-2000)}`)
  return stdout.trim().split('\n').at(-1)!
}
