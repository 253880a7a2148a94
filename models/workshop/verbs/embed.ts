// Owns `embed`: makes the word vectors of the answer cache from texts, fits equation 8 on labelled pairs, and prints what both are worth.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createEmbedder } from '../../../app/ask/embedder.ts'
import { cosine } from '../../../app/ask/similarity.ts'
import { readVectors, writeVectors } from '../../../app/ask/word-vectors.ts'
import { buildVectors, usualSettings, type BuildSettings } from '../embed/build.ts'
import { fit } from '../embed/fit.ts'
import { auc, comparedPairs, jaccardScores, readPairs, tfIdfScores } from '../embed/pairs.ts'
import { readTexts } from '../embed/texts.ts'
import { writeWhole } from '../output.ts'
import { duration } from '../progress.ts'
import { atLeast, percent, type Report, type Row } from '../report.ts'
import { BadLines } from '../score/set.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbContext, type VerbInput } from '../verb.ts'

const VECTORS = 'words.vec'
const FIT = 'similarity.json'

export const embedVerb: Verb = {
  name: 'embed',
  about: 'the word vectors of the answer cache from texts, and α and the thresholds of equation 8 from labelled pairs',
  usage: 'OUT --text FILE … [--pairs FILE]',
  positionals: [1, 10_000],
  options: {
    text: { type: 'string', multiple: true },
    pairs: { type: 'string' },
    dimensions: { type: 'string' },
    window: { type: 'string' },
    'least-count': { type: 'string' },
    seed: { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  OUT              the folder for ${VECTORS} and ${FIT}; models/embedder is the one that the program reads
  --text FILE …    what the vectors are learnt from: .jsonl and .jsonl.gz (every text in every record), .json
                   ({topic: {synonyms}}), .tsv (term tables), .txt (a sentence a line). Without it the vectors in OUT are used.
  --pairs FILE     labelled pairs, one {"a", "b", "same": 0|1} a line: fits α and the thresholds into OUT/${FIT} and prints
                   the AUC beside Jaccard and TF-IDF. Questions are standardised first, as in the program.
  --dimensions N   of a vector (default ${usualSettings.dimensions})
  --window N       words on either side (default ${usualSettings.window})
  --least-count N  a word that occurs less often gets no vector (default ${usualSettings.leastCount})
  --seed N         of the random projection (default ${usualSettings.seed}); the same texts and seed give the same bytes
  --force          replace the files in OUT

Ship vectors only of texts whose licence allows it, and say in a card beside them what they were learnt from.`,
  async run(input, context) {
    const folder = input.positionals[0]!
    const files = [...((input.values['text'] as string[] | undefined) ?? []), ...input.positionals.slice(1)]
    const pairs = optionText(input, 'pairs')
    if (files.length === 0 && pairs === undefined) throw new WrongUse('embed takes --text, --pairs or both.')
    const made = files.length > 0 ? await make(folder, files, input, context) : null
    const fitted = pairs === undefined ? null : await fitTo(folder, pairs, { ...context, force: made !== null || input.values['force'] === true })
    return {
      name: 'embed',
      rows: fitted?.rows ?? [],
      targets: fitted?.targets ?? [],
      notes: [...(made?.notes ?? []), ...(fitted?.notes ?? [])],
      detail: { ...made?.detail, ...fitted?.detail },
    }
  },
}

type Part = Pick<Report, 'notes' | 'detail'>

async function make(folder: string, files: readonly string[], input: VerbInput, context: VerbContext): Promise<Part> {
  const startedAt = performance.now()
  const settings: BuildSettings = {
    ...usualSettings,
    dimensions: optionNumber(input, 'dimensions', 8, 1024) ?? usualSettings.dimensions,
    window: optionNumber(input, 'window', 1, 50) ?? usualSettings.window,
    leastCount: optionNumber(input, 'least-count', 1, 1000) ?? usualSettings.leastCount,
    seed: optionNumber(input, 'seed', 0, 2 ** 32) ?? usualSettings.seed,
  }
  const force = input.values['force'] === true
  const texts = readTexts(files)
  if (texts.sentences.length === 0) throw new WrongUse('The files hold no sentence to learn from.')
  const bytes = writeVectors(buildVectors(texts, settings, context))
  mkdirSync(folder, { recursive: true })
  await writeWhole(join(folder, VECTORS), { bytes: bytes.length, inputs: files, force, signal: context.signal }, (handle) => handle.write(bytes))
  const { words, dimensions, buckets } = readVectors(bytes)
  const note = `${VECTORS}: ${words.length} words and ${buckets} n-gram buckets of ${dimensions} dimensions from ${texts.sentences.length} sentences and
${texts.synonyms.length} groups of names, ${(bytes.length / 1e6).toFixed(2)} MB, in ${duration(performance.now() - startedAt)}.`
  return { notes: [note.replace('\n', ' ')], detail: { bytes: bytes.length, words: words.length, id: idOf(bytes), settings } }
}

async function fitTo(
  folder: string,
  file: string,
  { signal, progress, force }: VerbContext & { force: boolean },
): Promise<Part & Pick<Report, 'rows' | 'targets'>> {
  progress.stage('fitting', 0)
  const bytes = vectorsIn(folder)
  const pairs = pairsIn(file)
  const similar = pairs.filter(({ same }) => same === 1).length
  if (similar < 10 || pairs.length - similar < 10) throw new WrongUse(`${basename(file)} needs at least ten similar and ten dissimilar pairs.`)
  const id = idOf(bytes)
  const embedder = createEmbedder(readVectors(bytes), id, { embedder: id, alpha: 0, serve: 1, near: 1 })
  const compared = await comparedPairs(pairs, (text) => embedder.embed(text))
  const cosines = compared.map(([a, b]) => cosine(a.vector, b.vector))
  const fitted = fit(pairs, compared)
  const values = { embedder: auc(pairs, cosines), jaccard: auc(pairs, jaccardScores(pairs)), tfIdf: auc(pairs, tfIdfScores(pairs)) }
  const { alpha, serve, near } = fitted
  const fittedOn = { pairs: pairs.length, similar, firstQuestions: new Set(pairs.map(({ group }) => group)).size }
  const text = JSON.stringify(
    {
      embedder: id,
      alpha,
      serve,
      near,
      how: HOW,
      fittedOn,
      auc: { ...rounded(values), equation8HeldOut: round(fitted.auc) },
      heldOut: fitted.heldOut,
    },
    null,
    2,
  )
  await writeWhole(join(folder, FIT), { bytes: text.length, inputs: [file], force, signal }, (handle) => handle.write(`${text}\n`))
  const row = (what: string, value: number): Row => ({ similarity: what, 'AUC %': percent(value), α: null, serve: null, near: null })
  return {
    rows: [
      row('Jaccard of the words', values.jaccard),
      row('TF-IDF cosine', values.tfIdf),
      row('cos(Embed q1, Embed q2)', values.embedder),
      ...fitted.perFold.map((one) => ({ ...row(`equation 8, fold ${one.fold} held out`, one.auc), α: one.alpha, serve: one.serve, near: one.near })),
      { ...row('equation 8, mean of the folds', fitted.auc), α: alpha, serve, near },
    ],
    targets: [
      atLeast('embed.auc.over-tf-idf', round(values.embedder - values.tfIdf), 0, ''),
      atLeast('embed.auc.equation-8-over-jaccard', round(fitted.auc - values.jaccard), 0, ''),
    ],
    notes: fitted.heldOut.map(
      (one) =>
        `From ${one.threshold} on, held out: ${one.similar} of ${similar} similar pairs, ${one.dissimilar} of ${pairs.length - similar} dissimilar.`,
    ),
    detail: { alpha, serve, near, fittedOn },
  }
}

const HOW =
  'npm run model -- embed, five folds split by first question: alpha of greatest AUC; serve parts similar and dissimilar best; near has a precision of 0.8'
const idOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 12)
const round = (value: number) => Math.round(value * 10_000) / 10_000
const rounded = (values: Readonly<Record<string, number>>) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, round(value)]))

function vectorsIn(folder: string): Buffer {
  try {
    const bytes = readFileSync(join(folder, VECTORS))
    readVectors(bytes)
    return bytes
  } catch (error) {
    throw new WrongUse(`${VECTORS} in ${basename(folder)} cannot be used (${(error as Error).message}). Make it with --text.`)
  }
}

function pairsIn(file: string) {
  try {
    return readPairs(file)
  } catch (error) {
    throw error instanceof BadLines ? new WrongUse(error.message) : error
  }
}
