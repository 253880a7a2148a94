// Owns `family`: the card beside a base model that names its adapters and merged form, with what each of them answered right on held-out questions.
import { basename } from 'node:path'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { inspectAdapter } from '../../../app/engine/adapter.ts'
import { readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import type { Category } from '../../../app/contract/entities.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { familyCardPath, FamilyCard, readFamilyCard, type Scores } from '../../../app/library/family-card.ts'
import { findFamily } from '../../../app/library/family-files.ts'
import type { Family } from '../../../app/library/family.ts'
import { hashFile } from '../../../app/library/manifest.ts'
import { namesOf } from '../eval/judge.ts'
import { corpusQuestions, fileQuestions, folderQuestions, ownRecords, sampled, type Question } from '../eval/questions.ts'
import { evaluate } from '../eval/run.ts'
import { figuresOf, interval, type Answered } from '../eval/score.ts'
import { refuseOutput, writeWhole } from '../output.ts'
import type { Row } from '../report.ts'
import { corpusOf } from '../train/data.ts'
import { readPlan } from '../train/plan.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbContext, type VerbInput } from '../verb.ts'

/** A card takes a few kilobytes. */
const CARD_BYTES = 64_000

export const familyVerb: Verb = {
  name: 'family',
  about: 'the card that ties a base, its adapters and its merged form, with validation scores',
  usage: 'BASE.gguf [--plan P | --corpus DIR | --file F] [--most N] [--name TEXT] [--force]',
  positionals: [1, 1],
  options: {
    plan: { type: 'string' },
    corpus: { type: 'string' },
    file: { type: 'string' },
    most: { type: 'string' },
    name: { type: 'string' },
    threads: { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  --plan P      what that plan of training holds out (default starter)
  --corpus DIR  the test splits of a folder made by corpus or train instead
  --file F      questions of your own instead; eval --help shows a line
  --most N      at most N questions of each split, drawn over the whole of it
  --name TEXT   of the family (default: the base's own name)
  --threads N   of llama.cpp (default 1)
  --force       replace the card that is there

Finds the adapters and the merged form of BASE in its folder by the ids in their headers; an adapter's category is the end of its
name: adapter-medication.gguf. Asks all of them the same known questions, each adapter those of its category, and writes
BASE.gguf.family.json: for every one and every category how many were right. The program weighs modes by these counts.`,
  async run(input, context) {
    const [path] = input.positionals as [string]
    const card = familyCardPath(path)
    await refuseOutput(card, { bytes: CARD_BYTES, inputs: [], force: input.values['force'] === true })
    const family = await membersOf(path, context)
    const asked = questionsOf(input)
    const answered = await askAll(family, asked.questions, optionNumber(input, 'threads', 1, 256) ?? 1, context)
    const value = FamilyCard.parse({
      ...{ format: 1, name: optionText(input, 'name') ?? family.name, validation: asked.words },
      base: { weightsId: family.base.weightsId, scores: scoresOf(answered.base) },
      adapters: family.adapters.map(({ file, sha256, categories, scale }, at) => {
        return { file, sha256, categories: [...categories], scale, scores: scoresOf(answered.adapters[at]!) }
      }),
      merged: family.merged && {
        ...{ file: family.merged.file, weightsId: family.merged.weightsId, adapterSha256: await mergedFrom(family.merged.path) },
        scores: scoresOf(answered.merged),
      },
    })
    const text = JSON.stringify(value, null, 1) + '\n'
    await writeWhole(card, { bytes: text.length, inputs: [], force: input.values['force'] === true, signal: context.signal }, (handle) =>
      handle.writeFile(text),
    )
    readFamilyCard(path)
    return {
      ...{ name: 'family', rows: rowsOf(family, answered), targets: [], detail: { card: value } },
      notes: [
        `${basename(card)}: ${family.adapters.length} adapters${family.merged ? ' and the merged form' : ''} of ${basename(path)}. ${asked.words}`,
      ],
    }
  },
}

async function membersOf(path: string, { signal }: VerbContext): Promise<Family> {
  const hash = async (file: string) => (await hashFile(file, { chunkBytes: Infinity, signal })).sha256
  const family = await findFamily<GgufHeader>(path, { readHeader: readGgufHeader, inspectAdapter, keys: KEYS, hash })
  const wrong = family?.refused[0]
  if (wrong) throw new AppError(wrong.code, wrong.message, { file: wrong.file })
  if (!family || (family.adapters.length === 0 && !family.merged))
    throw new AppError('SOURCE_INVALID', `Beside ${basename(path)} lies no adapter and no merged form of it. Put them into its folder.`)
  if (basename(family.base.path) !== basename(path))
    throw new AppError('SOURCE_INVALID', `${basename(path)} is the merged form of ${family.base.file}. Name that one.`)
  return family
}

interface AnsweredAll {
  readonly base: readonly Answered[]
  readonly adapters: readonly (readonly Answered[])[]
  readonly merged: readonly Answered[]
}
async function askAll(family: Family, questions: readonly Question[], threads: number, context: VerbContext): Promise<AnsweredAll> {
  const names = namesOf(ownRecords().filter(({ kind }) => kind === 'medicine'))
  const ask = (model: string, adapters: readonly string[], some: readonly Question[]) =>
    evaluate({ ...{ model, adapters, questions: some, names, threads }, byCategory: new Map(), teacher: null, answers: null }, context)
  const base = await ask(family.base.path, [], questions)
  const adapters: Answered[][] = []
  for (const { path, categories } of family.adapters)
    // as the base has sorted them: a question without a category has that of equation 1
    adapters.push(
      await ask(
        family.base.path,
        [path],
        questions.filter((_, at) => categories.includes(base[at]!.of)),
      ),
    )
  return { base, adapters, merged: family.merged ? await ask(family.merged.path, [], questions) : [] }
}

function scoresOf(answers: readonly Answered[]): Scores {
  const groups = Map.groupBy(answers, ({ of }) => of)
  const scores: Partial<Record<Category, { right: number; total: number }>> = {}
  for (const [category, group] of groups) {
    const { hits, total } = figuresOf(group).right
    if (total > 0) scores[category] = { right: hits, total }
  }
  return scores
}

function rowsOf({ base, adapters, merged }: Family, answered: AnsweredAll): Row[] {
  const row = (file: string, category: string, answers: readonly Answered[]): Row => {
    const { right } = figuresOf(answers)
    return { file, category, questions: right.total, 'key facts %': interval(right) }
  }
  const rows = (file: string, answers: readonly Answered[]) =>
    [...Map.groupBy(answers, ({ of }) => of)].map(([category, group]) => row(file, category, group))
  return [
    ...rows(base.file, answered.base),
    ...adapters.flatMap(({ file }, at) => rows(file, answered.adapters[at]!)),
    ...(merged ? rows(merged.file, answered.merged) : []),
  ]
}

/** Hash of the adapter, as the header of a merged model names it after the base. */
async function mergedFrom(path: string): Promise<string> {
  const { metadata } = await readGgufHeader(path, { values: 'all' })
  const value = metadata.get(KEYS.mergedFrom)?.value
  return Array.isArray(value) ? String(value[1]) : ''
}

function questionsOf(input: VerbInput): { questions: Question[]; words: string } {
  const given = (['plan', 'corpus', 'file'] as const).filter((name) => optionText(input, name) !== undefined)
  if (given.length > 1) throw new WrongUse('family takes one of --plan, --corpus and --file.')
  const [corpus, file, plan] = [optionText(input, 'corpus'), optionText(input, 'file'), optionText(input, 'plan') ?? 'starter']
  const all = file !== undefined ? fileQuestions(file) : corpus !== undefined ? folderQuestions(corpus) : corpusQuestions(corpusOf(readPlan(plan)))
  const known = all.filter(({ asked }) => asked?.unknown === false)
  if (known.length === 0) throw new AppError('SOURCE_INVALID', 'There is no question with an answer to judge by. Add some with “a” or “keys”.')
  const most = optionNumber(input, 'most', 1, 10_000_000)
  const questions = most === undefined ? known : sampled(known, most)
  const source = file !== undefined ? basename(file) : corpus !== undefined ? 'the corpus given' : `plan ${plan}`
  return { questions, words: `${questions.length} questions that training has not seen (${source}).` }
}
