// Owns the folder of a recipe: the data set in chat form, proved free of leaks, the configuration, the scripts and what they were made from.
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { CHAT_TEMPLATE } from '../corpus/bpe.ts'
import { FULL_ORDER, ordered } from '../corpus/order.ts'
import { normalised, type Pair } from '../corpus/pair.ts'
import { trainingPass } from '../corpus/passes.ts'
import { find } from '../corpus/sample.ts'
import { assertNoLeak, testNames, type Corpus } from '../corpus/split.ts'
import { refuseOutput, writeWhole } from '../output.ts'
import type { VerbContext } from '../verb.ts'
import { DEEPSPEED, requirements, stageConfig, stages, VERSIONS, type Names } from './settings.ts'

export interface RecipeRequest {
  readonly folder: string
  readonly corpus: Corpus
  readonly passes: number
  readonly names: Names
  /** In one machine; for the commands in the README. */
  readonly gpus: number
  readonly force: boolean
}
export interface Written {
  readonly file: string
  readonly bytes: number
  /** Of a data set; null for any other file. */
  readonly lines: number | null
  readonly sha256: string
}
const SCRIPTS = ['train.py', 'train_ray.py', 'losses.py'] as const
const tests = ['test-phrasing', 'test-kind', 'test-unknown'] as const
const FILES = [
  ...(['data/train.jsonl', 'data/validation.jsonl', ...tests.map((name) => `data/${name}.jsonl` as const)] as const),
  ...(['config/deepspeed.json', ...stages.map((stage) => `config/${stage}.json` as const)] as const),
  ...(['chat_template.jinja', 'requirements.txt', ...SCRIPTS, 'README.md', 'recipe.json'] as const),
] as const
/** Room that every single file is judged with; a pass of all kinds has some 15 MB. */
const BYTES = 200e6

/** A line of the data set: the chat, and [from, to, weight] of the key entities in the answer, in characters. */
export function chatLine({ q, a, keys, fact, kind, level, knowledge, category }: Pair): object {
  const entities = keys.flatMap(({ text, weight }) => {
    const from = find(a, text)
    return from < 0 ? [] : [[from, from + text.length, weight]]
  })
  const messages = [
    { role: 'user', content: q },
    { role: 'assistant', content: a },
  ]
  return { messages, entities, fact, kind, level, knowledge, category }
}

/** A line of a held-out set, as `eval --file` reads it. */
const testLine = ({ q, a, keys, kind, category }: Pair): object =>
  kind.startsWith('unknown.') ? { q, a, unknown: true, category } : { q, a, keys: keys.map(({ text, tag }) => ({ text, tag })), category }

/** Every pass in the order of learning: the first in stages, those after it mixed. An error is a fault of this program. */
export function trainingPairs(corpus: Corpus, passes: number): Pair[] {
  const { seed } = corpus.options
  const held = new Set(testNames.flatMap((name) => corpus.tests[name].map(({ q }) => normalised(q))))
  const all = Array.from({ length: passes }, (_, pass) => {
    const { pairs } = trainingPass(corpus, pass)
    assertNoLeak(corpus, pairs)
    return pass === 0 ? ordered(pairs, FULL_ORDER, seed) : [...pairs]
  }).flat()
  const leak = all.find(({ q }) => held.has(normalised(q)))
  if (leak) throw new Error(`the training question “${leak.q}” is held out`)
  return all
}

/** Writes every file, each whole or not at all. Throws the OUTPUT_* codes and DISK_FULL, before any work where a file may not be written. */
export async function writeRecipe(request: RecipeRequest, { signal, progress }: VerbContext): Promise<Written[]> {
  const { folder, corpus, passes, names, force } = request
  const options = { inputs: [], force, signal }
  signal.throwIfAborted()
  for (const part of ['', 'data', 'config'])
    await mkdir(join(folder, part), { recursive: true }).catch((cause: unknown) => {
      throw new AppError('OUTPUT_NOT_WRITABLE', 'The folder cannot be made. Choose another one or correct its permissions.', undefined, cause)
    })
  for (const file of FILES) await refuseOutput(join(folder, file), { ...options, bytes: BYTES })

  progress.stage('making pairs', 3)
  const pairs = trainingPairs(corpus, passes)
  signal.throwIfAborted()
  progress.at(1, 'writing')
  const lines = (list: readonly Pair[], line: (pair: Pair) => object) => list.map((pair) => JSON.stringify(line(pair)) + '\n').join('')
  const json = (value: object) => JSON.stringify(value, null, 2) + '\n'
  const files = new Map<(typeof FILES)[number], string>([
    ['data/train.jsonl', lines(pairs, chatLine)],
    ['data/validation.jsonl', lines(corpus.tests.validation, chatLine)],
    ...tests.map((name) => [`data/${name}.jsonl`, lines(corpus.tests[name], testLine)] as const),
    ...stages.map((stage) => [`config/${stage}.json`, json(stageConfig(stage, names, corpus.options.seed))] as const),
    ['config/deepspeed.json', json(DEEPSPEED)],
    ['chat_template.jinja', CHAT_TEMPLATE],
    ['requirements.txt', requirements()],
    ['README.md', readme(await source('README.md'), request, pairs.length)],
  ])
  for (const script of SCRIPTS) files.set(script, await source(script))
  const written = [...files].map(([file, text]): Written => ({ file, ...measured(file, text) }))
  const { seed, breadth } = corpus.options
  const made = { engine: 'trl', ...names, versions: VERSIONS, corpus: { seed, breadth, facts: corpus.facts.length, passes }, files: written }
  files.set('recipe.json', json(made))
  for (const [file, text] of files)
    await writeWhole(join(folder, file), { ...options, bytes: Buffer.byteLength(text) }, (handle) => handle.writeFile(text))
  progress.at(3)
  return [...written, { file: 'recipe.json', ...measured('recipe.json', files.get('recipe.json')!) }]
}

const measured = (file: string, text: string): Omit<Written, 'file'> => ({
  ...{ bytes: Buffer.byteLength(text), lines: file.endsWith('.jsonl') ? text.split('\n').length - 1 : null },
  sha256: createHash('sha256').update(text).digest('hex'),
})

const source = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'trl', name), 'utf8')

function readme(template: string, { names, gpus, corpus, passes }: RecipeRequest, pairs: number): string {
  const { facts, options } = corpus
  const counts = `The data set: ${pairs} pairs of ${facts.length} facts (${options.breadth}) in ${passes} passes, seed ${options.seed}.`
  const values: Readonly<Record<string, string>> = { TEACHER: names.teacher, STUDENT: names.student, GPUS: String(gpus), COUNTS: counts }
  return template.replace(/\{\{([A-Z]+)\}\}/g, (whole, name: string) => values[name] ?? whole)
}
