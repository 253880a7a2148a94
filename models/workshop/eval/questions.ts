// Owns the questions of an evaluation: from the corpus in memory, from a folder written by `corpus`, or from a person's own file.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { Category } from '../../../app/contract/entities.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { chance, shuffled } from '../corpus/chance.ts'
import { readRecords, recordFiles } from '../corpus/records-file.ts'
import type { Corpus } from '../corpus/split.ts'
import type { Asked, Key } from './judge.ts'

export const splits = ['test-phrasing', 'test-kind', 'test-unknown'] as const
export type Split = (typeof splits)[number]
/** `null`: a question whose answer is shown and not judged. */
export interface Question {
  readonly q: string
  readonly asked: Asked | null
  /** One of `splits`, or the name of a person's file. */
  readonly split: string
  /** Null where nobody has said; then the program's own classification counts. */
  readonly category: Category | null
}
export const ownRecords = (): ClinicalRecord[] => readRecords(recordFiles(fileURLToPath(new URL('../../corpus', import.meta.url))))

const tags = ['drug', 'dose', 'unit', 'contraindication', 'criterion', 'step'] as const
const KeyLine = z.union([z.string().min(1), z.strictObject({ text: z.string().min(1), tag: z.enum(tags), weight: z.number().optional() })])
const text = z.string().refine((value) => value.trim() !== '', 'is empty')
const Line = z.strictObject({
  q: text,
  a: text.optional(),
  keys: z.array(KeyLine).optional(),
  unknown: z.boolean().optional(),
  category: Category.optional(),
  // what a line of pairs-*.jsonl has besides
  ...{ fact: z.string().optional(), kind: z.string().optional(), level: z.number().optional(), knowledge: z.string().optional() },
  ...{ phrasing: z.string().optional(), template: z.string().optional() },
})
type Line = z.infer<typeof Line>
export const LINE = '{"q": "max dose of ibuprofen?", "a"?: "…", "keys"?: ["2400 mg"], "unknown"?: true, "category"?: "medication"}'

/** The held-out questions of a corpus: those that training on it never sees. */
export function corpusQuestions({ tests }: Pick<Corpus, 'tests'>): Question[] {
  return splits.flatMap((split) =>
    tests[split].map(({ q, a, keys, kind, category }): Question => {
      return { q, asked: { q, a, keys, unknown: kind.startsWith('unknown.') }, split, category }
    }),
  )
}

/** The held-out questions in a folder of `corpus`. Throws SOURCE_INVALID with file and line. */
export function folderQuestions(folder: string): Question[] {
  return splits.flatMap((split) => fileQuestions(join(folder, `pairs-${split}.jsonl`), split))
}

/** The questions of one file; only its end may be empty. Throws SOURCE_INVALID with file and line. */
export function fileQuestions(path: string, split: string = basename(path)): Question[] {
  const file = basename(path)
  const lines = read(path).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) throw new AppError('SOURCE_INVALID', `${file} holds no question. A line looks like ${LINE}`, { file })
  return lines.map((row, at) => questionOf(parse(row, file, at + 1), split))
}

function questionOf(line: Line, split: string): Question {
  const { q, a = '', category = null } = line
  const unknown = line.unknown ?? line.kind?.startsWith('unknown.') ?? false
  const keys = (line.keys ?? []).map((key): Key => (typeof key === 'string' ? { text: key, tag: 'criterion' } : { text: key.text, tag: key.tag }))
  const judged = unknown || a !== '' || keys.length > 0
  return { q, asked: judged ? { q, a, keys: unknown ? [] : keys, unknown } : null, split, category }
}

/** At most `most` of each split, drawn over the whole of it; the same ones each time, in the order of the split. */
export function sampled(questions: readonly Question[], most: number): Question[] {
  const groups = Map.groupBy(questions, ({ split }) => split)
  return [...groups].flatMap(([split, all]) => {
    if (all.length <= most) return all
    const chosen = new Set(shuffled(all, chance(1, 'sample', split)).slice(0, most))
    return all.filter((question) => chosen.has(question))
  })
}

function read(path: string): string {
  const file = basename(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (cause) {
    throw new AppError('SOURCE_INVALID', `${file} cannot be read as text in UTF-8. Check the name and how it was saved.`, { file }, cause)
  }
}

function parse(row: string, file: string, line: number): Line {
  const fault = (what: string) =>
    new AppError('SOURCE_INVALID', `${file}, line ${line} ${what}. Correct or remove the line; one looks like ${LINE}`, { file, line })
  if (row.trim() === '') throw fault('is empty')
  let json: unknown
  try {
    json = JSON.parse(row)
  } catch {
    throw fault('is no JSON')
  }
  const { data, error } = Line.safeParse(json)
  if (!data) throw fault(`is no question (${error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`).join('; ')})`)
  if (data.unknown === true && (data.keys?.length ?? 0) > 0) throw fault('has both unknown and keys: what must be declined states nothing')
  return data
}
