// Owns the texts that a loss is measured on: questions and answers in the model's chat form, each token of an answer with its tag.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { loadKeywordTables } from '../../../app/clinical/keywords.ts'
import { Category } from '../../../app/contract/entities.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { chat, TURN_START } from '../corpus/bpe.ts'
import type { Evaluator } from '../ffi/evaluator.ts'
import { tags, tagTokens, type Tag } from './tag.ts'

const Line = z.strictObject({ q: z.string().min(1), a: z.string().min(1), category: Category })
export type Line = z.infer<typeof Line>
export interface Text {
  readonly tokens: readonly number[]
  /** Where the answer begins. */
  readonly from: number
  /** Of the tokens from `from` on: index into `tags`. */
  readonly tagged: Uint8Array
}
const models = join(import.meta.dirname, '../..')
/** The medical texts that come with the program: any beginning of the file has all categories in their shares. */
export const corpusPath = join(models, 'corpus/calibration.jsonl')

/** The first `most` lines of a file of {"q", "a", "category"}. Throws BAD_INPUT naming the line. */
export function readLines(path: string, most = Infinity): Line[] {
  const file = basename(path)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new AppError('BAD_INPUT', `${file} cannot be read. Name a file with one {"q", "a", "category"} a line.`, { file }, error)
  }
  const lines: Line[] = []
  for (const [n, row] of text.split(/\r?\n/).entries()) {
    if (row.trim() === '') continue
    if (lines.length >= most) break
    const parsed = Line.safeParse(parse(row))
    if (!parsed.success) throw new AppError('BAD_INPUT', `Line ${n + 1} of ${file} is no {"q", "a", "category"}. Correct it and try again.`, { file })
    lines.push(parsed.data)
  }
  if (lines.length === 0) throw new AppError('BAD_INPUT', `${file} holds no texts. Name a file with one {"q", "a", "category"} a line.`, { file })
  return lines
}

/**
 * Tokens and tags of every line that fits the model's context. The question is context only: what is asked of a model is its answers. The
 * chat form is ChatML where the model has its tokens, else plain lines.
 */
export async function textsFor(evaluator: Evaluator, lines: readonly Line[]): Promise<Text[]> {
  const tables = loadKeywordTables(join(models, 'terms'))
  const plain = (await evaluator.tokenize(TURN_START, { special: true })).length > 2
  const texts: Text[] = []
  for (const { q, a } of lines) {
    const prompt = plain ? `Question: ${q}\nAnswer: ` : chat(q)
    const before = await evaluator.tokenize(prompt, { special: true })
    const answer = await evaluator.tokenize(a, { special: false })
    if (before.length === 0 || before.length + answer.length > evaluator.contextSize) continue
    const tagged = Uint8Array.from(tagTokens(a, await evaluator.pieces(answer), tables), (tag: Tag) => tags.indexOf(tag))
    texts.push({ tokens: [...before, ...answer], from: before.length, tagged })
  }
  return texts
}

function parse(row: string): unknown {
  try {
    return JSON.parse(row)
  } catch {
    return undefined
  }
}
