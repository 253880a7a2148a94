// Owns `corpus`: from clinical records to training pairs, held-out questions, a vocabulary and their statistics, in one folder.
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../../app/contract/errors.ts'
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { CHAT_TEMPLATE, LEAST_VOCABULARY, learnVocabulary, MOST_VOCABULARY, Tokenizer } from '../corpus/bpe.ts'
import type { Breadth } from '../corpus/facts.ts'
import { collect, keysIn, openTeacher, type TeacherAnswer } from '../corpus/from-teacher.ts'
import { FULL_ORDER, ordered } from '../corpus/order.ts'
import { learnable, type Pair } from '../corpus/pair.ts'
import { trainingPass } from '../corpus/passes.ts'
import { readRecords, recordFiles } from '../corpus/records-file.ts'
import { assertNoLeak, buildCorpus, testNames, type Corpus } from '../corpus/split.ts'
import { rowsOf, statisticsOf, type Statistics } from '../corpus/statistics.ts'
import { namesOf } from '../eval/judge.ts'
import { refuseOutput, writeWhole } from '../output.ts'
import { atLeast, atMost, table, type Report } from '../report.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbContext } from '../verb.ts'

const RECORDS = fileURLToPath(new URL('../../corpus', import.meta.url))
const DEFAULT_VOCABULARY = 2048
const LEAST_PAIRS = 2000
const MOST_TOKENS = 60
/** Room for one file; a pass of all kinds has some 30 MB. */
const FILE_BYTES = 100e6

export const corpusVerb: Verb = {
  name: 'corpus',
  about: 'training pairs, held-out questions and a vocabulary from clinical records',
  usage: 'OUTDIR [--vocabulary N] [--seed N] [--breadth core|full] [--records FILE] [--teacher GGUF|URL]',
  positionals: [1, 1],
  options: {
    vocabulary: { type: 'string' },
    seed: { type: 'string' },
    breadth: { type: 'string' },
    passes: { type: 'string' },
    records: { type: 'string', multiple: true },
    teacher: { type: 'string' },
    'teacher-questions': { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  --vocabulary N         tokens of the byte-level BPE, ${LEAST_VOCABULARY} to ${MOST_VOCABULARY} (default ${DEFAULT_VOCABULARY})
  --seed N               another draw of phrasings, names and splits (default 1)
  --breadth core|full    core: the kinds of fact that a small model learns in two hours; full: all (default)
  --passes N             training pairs of passes 2 to N too, each with other phrasings (default 1)
  --records FILE         a clinic's own records, one a line, beside ours; may be given several times
  --teacher GGUF|URL     ask a model file, or an OpenAI-compatible server on the local network, one question per fact and
                         keep the answers that state the fact: teacher-answers.jsonl (all), pairs-teacher.jsonl (kept);
                         a run that was stopped goes on with --force
  --teacher-questions N  only so many questions
  --force                replace files in OUTDIR; answers of the same teacher are always kept

OUTDIR gets pairs-train.jsonl (in the order of learning), pairs-validation.jsonl, pairs-test-phrasing.jsonl (a fact's held-out
phrasing), pairs-test-kind.jsonl (kinds of phrasing that are never trained), pairs-test-unknown.jsonl (what must be
declined), vocabulary.json and statistics.json. The same records and seed give the same bytes.`,
  async run(input, context) {
    const folder = input.positionals[0]!
    const seed = optionNumber(input, 'seed', 0, 1_000_000) ?? 1
    const size = optionNumber(input, 'vocabulary', LEAST_VOCABULARY, MOST_VOCABULARY) ?? DEFAULT_VOCABULARY
    const passes = optionNumber(input, 'passes', 1, 1000) ?? 1
    const most = optionNumber(input, 'teacher-questions', 1, 1_000_000) ?? Infinity
    const breadth = breadthOf(optionText(input, 'breadth') ?? 'full')
    const own = [input.values['records'] ?? []].flat().filter((path) => typeof path === 'string')
    const files = [...recordFiles(RECORDS), ...own]
    const records = readRecords(files)
    const output = new Output(folder, files, input.values['force'] === true, context.signal)
    const teacher = optionText(input, 'teacher')
    await output.prepare(passes, teacher !== undefined)

    const { progress, signal } = context
    signal.throwIfAborted()
    progress.stage('making pairs', passes + 2)
    const corpus = buildCorpus(records, { seed, breadth })
    const first = trainingPass(corpus, 0)
    assertNoLeak(corpus, first.pairs)
    progress.at(1, 'vocabulary')
    const vocabulary = learnVocabulary(learnable(first.pairs), size)
    const statistics = statisticsOf(records.length, corpus, first, new Tokenizer(vocabulary))
    progress.at(2, 'writing')
    await output.pairs('train', ordered(first.pairs, FULL_ORDER, seed))
    for (let pass = 1; pass < passes; pass++) {
      signal.throwIfAborted()
      const { pairs } = trainingPass(corpus, pass)
      assertNoLeak(corpus, pairs)
      await output.pairs(`train-${pass + 1}`, ordered(pairs, FULL_ORDER, seed + pass))
      progress.at(pass + 2, `pass ${pass + 1}`)
    }
    for (const name of testNames) await output.pairs(name, corpus.tests[name])
    await output.json('vocabulary.json', { ...vocabulary, template: CHAT_TEMPLATE })
    await output.json('statistics.json', { seed, breadth, ...statistics })

    const taught = teacher === undefined ? null : await teach(teacher, firstOfEach(first.pairs).slice(0, most), records, output, context)
    return report({ corpus, statistics, rows: rowsOf(first, corpus), taught, folder })
  },
}

function breadthOf(text: string): Breadth {
  if (text !== 'core' && text !== 'full') throw new WrongUse(`--breadth takes core or full, not “${text}”.`)
  return text
}

/** One question per fact, and a fact's worth of those to be declined. */
function firstOfEach(pairs: readonly Pair[]): Pair[] {
  const seen = new Map<string, Pair>()
  for (const pair of pairs) if (!seen.has(pair.fact)) seen.set(pair.fact, pair)
  return [...seen.values()].sort((a, b) => (a.fact < b.fact ? -1 : 1))
}

/** The files of one run: nothing is made before all may be, each is whole or absent. */
class Output {
  readonly #folder: string
  readonly #options: { inputs: readonly string[]; force: boolean; signal: AbortSignal }

  constructor(folder: string, inputs: readonly string[], force: boolean, signal: AbortSignal) {
    this.#folder = folder
    this.#options = { inputs, force, signal }
  }
  path = (name: string): string => join(this.#folder, name)

  async prepare(passes: number, teacher: boolean): Promise<void> {
    await mkdir(this.#folder, { recursive: true }).catch((cause: unknown) => {
      const name = basename(this.#folder)
      throw new AppError('OUTPUT_NOT_WRITABLE', `The folder ${name} cannot be made. Choose another one or correct its permissions.`, undefined, cause)
    })
    const trained = Array.from({ length: passes }, (_, pass) => (pass === 0 ? 'train' : `train-${pass + 1}`))
    const names = [
      ...[...trained, ...testNames, ...(teacher ? ['teacher'] : [])].map((name) => `pairs-${name}.jsonl`),
      'vocabulary.json',
      'statistics.json',
    ]
    for (const name of names) await refuseOutput(this.path(name), { ...this.#options, bytes: FILE_BYTES })
  }
  pairs(name: string, pairs: readonly Pair[]): Promise<void> {
    return this.#write(`pairs-${name}.jsonl`, pairs.map((pair) => JSON.stringify(pair) + '\n').join(''))
  }
  json(name: string, value: unknown): Promise<void> {
    return this.#write(name, JSON.stringify(value, null, 1) + '\n')
  }
  async #write(name: string, text: string): Promise<void> {
    await writeWhole(this.path(name), { ...this.#options, bytes: Buffer.byteLength(text) }, (handle) => handle.writeFile(text))
  }
}

interface Taught {
  readonly teacher: string
  readonly answers: readonly TeacherAnswer[]
  readonly kept: number
}

async function teach(
  source: string,
  pairs: readonly Pair[],
  records: readonly ClinicalRecord[],
  output: Output,
  { signal, progress }: VerbContext,
): Promise<Taught> {
  const teacher = await openTeacher(source, signal)
  try {
    const names = namesOf(records.filter(({ kind }) => kind === 'medicine'))
    const answers = await collect(teacher, pairs, output.path('teacher-answers.jsonl'), { names, signal, progress })
    const kept = pairs.flatMap((pair, at): Pair[] => {
      const { answer, refused } = answers[at]!
      return refused === null ? [{ ...pair, a: answer, keys: keysIn(answer, pair.keys) }] : []
    })
    await output.pairs('teacher', kept)
    return { teacher: teacher.name, answers, kept: kept.length }
  } finally {
    await teacher.close()
  }
}

function report(made: { corpus: Corpus; statistics: Statistics; rows: Report['rows']; taught: Taught | null; folder: string }): Report {
  const { corpus, statistics, rows, taught, folder } = made
  const { train, tests, tokens, duplicates, vocabulary } = statistics
  const average = Math.round((tokens.total / train.pairs) * 10) / 10
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const refused = new Map<string, number>()
  for (const { refused: why } of taught?.answers ?? []) if (why !== null) refused.set(why.split(':')[0]!, (refused.get(why.split(':')[0]!) ?? 0) + 1)
  const text = [
    table(rows),
    `${statistics.records} records, ${statistics.facts} facts, ${statistics.templates} question templates (at least ${statistics.fewestTemplatesOfAKind} a kind)`,
    `training pass 1: ${train.pairs} pairs, of which ${train.unknown} decline; ${counts(train.byCategory)}`,
    `by level: ${counts(train.byLevel)}; by knowledge: ${counts(train.byKnowledge)}`,
    `by phrasing: ${counts(train.byPhrasing)}`,
    `held out: ${counts(tests)}; kinds of phrasing never trained: ${statistics.phrasings.heldOut.join(', ')}`,
    `tokens: ${tokens.total} a pass, ${average} a pair (question ${tokens.question}, answer ${tokens.answer}), longest ${tokens.longest}; vocabulary ${vocabulary}`,
    `removed: ${duplicates.train.repeated} repeated, ${duplicates.train.held} held out, ${duplicates.train.ambiguous} ambiguous in training, ${duplicates.tests} repeated in tests`,
    ...(taught
      ? [
          `teacher ${taught.teacher}: ${taught.answers.length} answers, ${taught.kept} kept${refused.size > 0 ? `; refused: ${counts(Object.fromEntries(refused))}` : ''}`,
        ]
      : []),
  ].join('\n\n')
  return {
    ...{ name: 'corpus', rows, text },
    targets: [atLeast('training pairs in a pass', train.pairs, LEAST_PAIRS, 'pairs'), atMost('tokens of a pair', average, MOST_TOKENS, 'tokens')],
    notes: [`Written to ${basename(folder)}. No clinician has reviewed the records.`],
    detail: {
      ...{ seed: corpus.options.seed, breadth: corpus.options.breadth, statistics },
      ...(taught
        ? { teacher: { name: taught.teacher, answers: taught.answers.length, kept: taught.kept, refused: Object.fromEntries(refused) } }
        : {}),
    },
  }
}
