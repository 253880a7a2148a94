// Owns the reading of an examination's questions: MIRAGE's one object, or a line each as MedQA has them; every fault with its place.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'
import { AppError } from '../../../app/contract/errors.ts'
import { chance, shuffled } from '../corpus/chance.ts'
import { lineOfFault, repeatedKeys } from './json-keys.ts'

export interface Option {
  /** One capital letter, A first. */
  readonly letter: string
  readonly text: string
}
export interface ExamQuestion {
  /** Unlike any other in its set. */
  readonly id: string
  /** The data set: "medqa". */
  readonly set: string
  /** What the question says of itself; in MMLU the part of its id before the number; else the name of the set. */
  readonly subject: string
  readonly question: string
  readonly options: readonly Option[]
  /** The letter of the right option. */
  readonly answer: string
  /** Core concepts of a right answer where somebody has named them; null: they follow from the right option. */
  readonly keys: readonly string[] | null
}
export const LINE = '{"id": "1", "question": "…", "options": {"A": "…", "B": "…"}, "answer": "A", "subject"?: "…", "keys"?: ["…"]}'
export const MIRAGE = '{"medqa": {"0001": {"question": "…", "options": {"A": "…", "B": "…"}, "answer": "A"}}}'

const filled = z.string().refine((value) => value.trim() !== '', 'is empty')
const Item = z.object({
  id: z.union([filled, z.number().transform(String)]).optional(),
  question: filled,
  options: z.record(z.string(), filled),
  answer: filled,
  // MedQA: the letter, while `answer` holds the words; its step of the licence
  answer_idx: z.string().optional(),
  meta_info: filled.optional(),
  subject: filled.optional(),
  set: filled.optional(),
  keys: z.array(filled).min(1).optional(),
})
type Item = z.infer<typeof Item>
/** Twenty faults are enough to see what is wrong with a file. */
const SHOWN = 20

/** The questions of a file in the order of the file. Throws SOURCE_INVALID with the place of every fault, at most 20, and what a question looks like. */
export function readExam(path: string): ExamQuestion[] {
  const file = basename(path)
  const text = read(path, file)
  const faults: string[] = []
  const whole = mirage(text)
  const questions = whole ? fromMirage(whole, text, faults) : fromLines(text, file, faults)
  const seen = new Set<string>()
  for (const { set, id } of questions) {
    if (seen.has(`${set}\n${id}`)) faults.push(`${set}, question ${id}: this id is already taken`)
    seen.add(`${set}\n${id}`)
  }
  if (faults.length > 0) {
    const more = faults.length > SHOWN ? `; and ${faults.length - SHOWN} more` : ''
    const said = `${file} is no examination: ${faults.slice(0, SHOWN).join('; ')}${more}. Correct it; it looks like ${whole ? MIRAGE : LINE}`
    throw new AppError('SOURCE_INVALID', said, { file, faults: faults.length })
  }
  if (questions.length === 0)
    throw new AppError('SOURCE_INVALID', `${file} holds no question. A file looks like ${MIRAGE}, or has lines like ${LINE}`, { file })
  return questions
}

function fromMirage(whole: Record<string, unknown>, text: string, faults: string[]): ExamQuestion[] {
  faults.push(...repeatedKeys(text).map(({ key, line }) => `line ${line}: “${key}” stands there twice`))
  return Object.entries(whole).flatMap(([set, items]) => {
    const found = z.record(z.string(), z.unknown()).safeParse(items)
    if (!found.success) faults.push(`${set}: is no object of questions`)
    return Object.entries(found.data ?? {}).flatMap(([id, item]) => questionOf(item, { set, id, place: `${set}, question ${id}` }, faults))
  })
}

function fromLines(text: string, file: string, faults: string[]): ExamQuestion[] {
  const lines = text.split(/\r?\n/)
  while (lines.at(-1)?.trim() === '') lines.pop()
  return lines.flatMap((line, at) => {
    const place = `line ${at + 1}`
    try {
      const item: unknown = JSON.parse(line)
      const [twice] = repeatedKeys(line)
      if (twice) faults.push(`${place}: “${twice.key}” stands there twice`)
      return questionOf(item, { set: basename(file).replace(/\.[^.]*$/, ''), id: String(at + 1), place }, faults)
    } catch {
      faults.push(`${place}: ${line.trim() === '' ? 'is empty' : 'is no JSON'}`)
      return []
    }
  })
}

function questionOf(item: unknown, at: { set: string; id: string; place: string }, faults: string[]): ExamQuestion[] {
  const { data, error } = Item.safeParse(item)
  if (!data) {
    faults.push(`${at.place}: ${error.issues.map(({ path, message }) => `${path.join('.') || 'question'}: ${message}`).join(', ')}`)
    return []
  }
  const options = Object.entries(data.options).map(([letter, text]): Option => ({ letter, text: text.trim() }))
  const answer = answerOf(data, options)
  const wrong = faultOf(options) ?? (answer === null ? `answer “${data.answer_idx ?? data.answer}” is not among the options` : null)
  if (wrong !== null) faults.push(`${at.place}: ${wrong}`)
  const [set, id] = [data.set ?? at.set, data.id ?? at.id]
  const subject = data.subject ?? data.meta_info ?? /^([a-z_]+)-\d+$/.exec(id)?.[1] ?? set
  return [{ id, set, subject, question: data.question.trim(), options, answer: answer ?? '', keys: data.keys ?? null }]
}

function faultOf(options: readonly Option[]): string | null {
  if (options.length < 2) return `has ${options.length === 1 ? 'one option' : 'no option'}, and at least two are needed`
  // MedMCQA has questions in which two options say the same: they are asked as they are
  const strange = options.find(({ letter }) => !/^[A-Z]$/.test(letter))
  return strange ? `option “${strange.letter}” has to be one capital letter` : null
}

/** A letter, or the words of one option and no other; null: neither. */
function answerOf({ answer, answer_idx: index }: Item, options: readonly Option[]): string | null {
  const wanted = (index ?? answer).trim()
  if (options.some(({ letter }) => letter === wanted)) return wanted
  const alike = options.filter(({ text }) => text === wanted)
  return alike.length === 1 ? alike[0]!.letter : null
}

/** At most `most` of each set, drawn over the whole of it; the same ones each time, in the order of the file. */
export function drawn(questions: readonly ExamQuestion[], most: number): ExamQuestion[] {
  return [...Map.groupBy(questions, ({ set }) => set)].flatMap(([set, all]) => {
    const chosen = new Set(shuffled(all, chance(1, 'exam', set)).slice(0, most))
    return all.filter((question) => chosen.has(question))
  })
}

/** The whole file as one object of sets; null where it is lines. Throws SOURCE_INVALID for an object that spans lines and is broken. */
function mirage(text: string): Record<string, unknown> | null {
  const first = text.trimStart().split(/\r?\n/, 1)[0] ?? ''
  try {
    const value: unknown = JSON.parse(text)
    const isOne = typeof value === 'object' && value !== null && !Array.isArray(value) && !('question' in value)
    return isOne ? (value as Record<string, unknown>) : null
  } catch (error) {
    // lines of JSON are no JSON as a whole, and each begins and ends an object
    if (!/^\{\s*("[^"]*"\s*:\s*\{?\s*)?$/.test(first)) return null
    const line = lineOfFault(error, text)
    throw new AppError(
      'SOURCE_INVALID',
      `The file is broken JSON${line === null ? '' : ` at line ${line}`}. Correct it; it looks like ${MIRAGE}`,
      { line },
      error,
    )
  }
}

function read(path: string, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (cause) {
    throw new AppError('SOURCE_INVALID', `${file} cannot be read as text in UTF-8. Check the name and how it was saved.`, { file }, cause)
  }
}
