// Owns what each stage learns from: the corpus of a plan as the trainer's data sets, every question in tokens, in the order of learning.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../../app/contract/errors.ts'
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { learnVocabulary, Tokenizer, type Vocabulary } from '../corpus/bpe.ts'
import { chance, shuffled } from '../corpus/chance.ts'
import { stageOf, type Order } from '../corpus/order.ts'
import { learnable, type Pair } from '../corpus/pair.ts'
import { trainingPass } from '../corpus/passes.ts'
import { readRecords, recordFiles } from '../corpus/records-file.ts'
import { sampleOf } from '../corpus/sample.ts'
import { assertNoLeak, buildCorpus, type Corpus } from '../corpus/split.ts'
import { writeWhole } from '../output.ts'
import type { LearnedCategory, Plan } from './plan.ts'

const RECORDS = fileURLToPath(new URL('../../corpus', import.meta.url))
/** What a sample takes as a line; only for the judgement whether the disk has room. */
const LINE_BYTES = 500
/** Of `stageOf`: what comes after the last stage of the first pass. */
const STAGES = 8

export interface Material {
  readonly corpus: Corpus
  readonly vocabulary: Vocabulary
  readonly tokenizer: Tokenizer
  /** Of all that the data sets follow from: records, draws, vocabulary. */
  readonly sha256: string
}
/** The data sets, by the stage that learns them; `transfer` is what the teacher is asked. */
export type SetName = 'teacher' | 'student' | 'transfer' | 'base' | `adapter-${LearnedCategory}` | 'merged'
export interface DataSet {
  readonly name: SetName
  readonly samples: number
  readonly tokens: number
  readonly validation: number
}

/** Facts, held-out questions and vocabulary of `plan`; `own` are further files of records. Throws SOURCE_INVALID with file and line. */
export function materialOf(plan: Plan, own: readonly string[] = []): Material {
  const { vocabulary: size } = plan.corpus
  const corpus = corpusOf(plan, own)
  const { pairs } = trainingPass(corpus, 0)
  const vocabulary = learnVocabulary(learnable(pairs), size)
  const hash = createHash('sha256')
  for (const value of [vocabulary, pairs, corpus.tests]) hash.update(JSON.stringify(value))
  return { corpus, vocabulary, tokenizer: new Tokenizer(vocabulary), sha256: hash.digest('hex') }
}

/** The facts that `plan` teaches and the questions that it holds out. Throws SOURCE_INVALID with file and line. */
export function corpusOf({ corpus: { seed, breadth, records } }: Plan, own: readonly string[] = []): Corpus {
  const { taught, untaught } = divided([...recordFiles(RECORDS), ...own], records)
  return buildCorpus(taught, { seed, breadth }, untaught)
}

/** The first of each file in turn are taught, so that what a file puts first is learned first; `most` of each kind. */
function divided(files: readonly string[], most: Plan['corpus']['records']): { taught: ClinicalRecord[]; untaught: ClinicalRecord[] } {
  const records = readRecords(files)
  if (most === null) return { taught: records, untaught: [] }
  const places = new Map(files.flatMap((file) => readRecords([file]).map(({ id }, at) => [id, at] as const)))
  const counts = new Map<string, number>()
  const chosen = new Set<string>()
  for (const { id, kind } of [...records].sort((a, b) => places.get(a.id)! - places.get(b.id)!)) {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    if (count <= (typeof most === 'number' ? most : most[kind])) chosen.add(id)
  }
  return { taught: records.filter(({ id }) => chosen.has(id)), untaught: records.filter(({ id }) => !chosen.has(id)) }
}

interface SetOf {
  readonly name: SetName
  /** Passes of the corpus: first, and the one after the last. */
  readonly passes: readonly [from: number, to: number]
  readonly order: Order
  /** Tokens of a row where it is read; no sample may be longer. */
  readonly context: number
  wants(pair: Pair): boolean
}

/** Which part of which passes each stage learns. The phrasings of `transfer` are new to all that was trained before. */
export function setsOf(plan: Plan): SetOf[] {
  const first = Math.max(plan.teacher.passes, plan.student.passes)
  const after = [first, first + plan.transfer.passes] as const
  const basic = ({ knowledge }: Pair) => knowledge === 'basic'
  const special = ({ knowledge }: Pair) => knowledge === 'specialised'
  const [base, adapters, merged] = [plan.base.context, plan.adapters.context, plan.merged.context]
  return [
    { name: 'teacher', passes: [0, plan.teacher.passes], order: plan.teacher.order, context: plan.teacher.context, wants: () => true },
    { name: 'student', passes: [0, plan.student.passes], order: plan.student.order, context: plan.student.context, wants: basic },
    { name: 'transfer', passes: after, order: plan.base.order, context: base, wants: () => true },
    // what the adapters repeat, too
    { name: 'base', passes: after, order: plan.base.order, context: Math.min(base, adapters, merged), wants: basic },
    ...plan.adapters.categories.map((category): SetOf => {
      const wants = (pair: Pair) => special(pair) && pair.category === category
      return { name: `adapter-${category}`, passes: after, order: plan.adapters.order, context: adapters, wants }
    }),
    { name: 'merged', passes: after, order: plan.merged.order, context: merged, wants: special },
  ]
}

export const dataFile = (folder: string, name: SetName): string => join(folder, `${name}.jsonl`)
export const validationFile = (folder: string, name: SetName): string => join(folder, `${name}.validation.jsonl`)

/**
 * Writes every data set of `plan` into `folder`, each whole or not at all; `onPass` hears how many passes are done. The same material gives the same
 * bytes. Throws SOURCE_INVALID where a stage has nothing to learn, RECIPE_INVALID where a sample is longer than a row, the OUTPUT_* codes and DISK_FULL.
 */
export async function writeData(
  folder: string,
  plan: Plan,
  { corpus, tokenizer }: Material,
  { signal, onPass }: { signal?: AbortSignal; onPass?: (done: number, of: number) => void } = {},
): Promise<DataSet[]> {
  const sets = setsOf(plan)
  const passes = Math.max(...sets.map((set) => set.passes[1]))
  const bytes = corpus.facts.length * 7 * LINE_BYTES * passes
  const options = { bytes, inputs: [], force: true, ...(signal ? { signal } : {}) }
  const fill = async (writers: readonly Lines[]): Promise<DataSet[]> => {
    for (let pass = 0; pass < passes; pass++) {
      signal?.throwIfAborted()
      onPass?.(pass, passes)
      const { pairs } = trainingPass(corpus, pass)
      assertNoLeak(corpus, pairs)
      for (const pair of pairs) {
        const wanted = sets.flatMap((set, at) => (set.passes[0] <= pass && pass < set.passes[1] && set.wants(pair) ? [at] : []))
        if (wanted.length === 0) continue
        const sample = sampleOf(pair, tokenizer)
        for (const at of wanted) {
          const { name, passes, order, context } = sets[at]!
          if (sample.tokens.length > context) throw tooLong(name, sample.tokens.length, context)
          // the trainer's level is the place in the order of learning: the first pass in stages, then pass by pass
          const level = pass === passes[0] ? stageOf(pair, order) : STAGES + pass - passes[0]
          writers[at]!.add(JSON.stringify({ ...sample, level }) + '\n', sample.tokens.length)
        }
      }
      for (const writer of writers) await writer.flush()
    }
    const counts: DataSet[] = []
    for (const [at, set] of sets.entries()) {
      const { lines: samples, tokens } = writers[at]!
      if (samples === 0)
        throw new AppError(
          'SOURCE_INVALID',
          `There is nothing to learn for “${set.name}”: no record has such facts. Add records, or change the plan.`,
        )
      counts.push({ name: set.name, samples, tokens, validation: await writeValidation(folder, set, { corpus, tokenizer }, plan, options) })
    }
    return counts
  }
  const open = (at: number, writers: readonly Lines[]): Promise<DataSet[]> =>
    at === sets.length
      ? fill(writers)
      : writeWhole(dataFile(folder, sets[at]!.name), options, (handle) => open(at + 1, [...writers, new Lines(handle)]))
  return open(0, [])
}

// said before anything is trained: the trainer would say it an hour later
const tooLong = (name: SetName, tokens: number, context: number) =>
  new AppError(
    'RECIPE_INVALID',
    `A question with its answer takes ${tokens} tokens, and the plan has ${context} for “${name}”. Raise its context, or the vocabulary.`,
  )

/** Held-out phrasings of what the set teaches, at most as many as the plan measures with; 0 for a set that has none. */
async function writeValidation(
  folder: string,
  set: SetOf,
  { corpus, tokenizer }: Pick<Material, 'corpus' | 'tokenizer'>,
  { corpus: { seed, validation } }: Plan,
  options: Parameters<typeof writeWhole>[1],
): Promise<number> {
  const fitting = corpus.tests.validation.filter((pair) => set.wants(pair))
  const chosen = shuffled(fitting, chance(seed, 'validation of', set.name)).slice(0, validation)
  const samples = chosen.map((pair) => sampleOf(pair, tokenizer)).filter(({ tokens }) => tokens.length <= set.context)
  const text = samples.map((sample) => JSON.stringify(sample) + '\n').join('')
  await writeWhole(validationFile(folder, set.name), { ...options, bytes: text.length }, (handle) => handle.writeFile(text))
  return samples.length
}

/** A file of lines that is written a pass at a time. */
class Lines {
  readonly #handle: FileHandle
  readonly #waiting: string[] = []
  lines = 0
  tokens = 0
  constructor(handle: FileHandle) {
    this.#handle = handle
  }
  add(line: string, tokens: number): void {
    this.#waiting.push(line)
    this.lines++
    this.tokens += tokens
  }
  async flush(): Promise<void> {
    const text = this.#waiting.join('')
    this.#waiting.length = 0
    await this.#handle.appendFile(text)
  }
}
