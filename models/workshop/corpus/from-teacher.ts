// Owns how a teacher's answers become training data: asked, judged against the facts, kept line by line so that a run can go on.
import { open, readFile, truncate } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { judge, type Names } from '../eval/judge.ts'
import type { Progress } from '../progress.ts'
import type { Key, Pair } from './pair.ts'
import { findWords } from './sample.ts'
import { wordCount } from './sentences.ts'
import { httpTeacher } from './teacher-http.ts'
import { modelTeacher } from './teacher-model.ts'
import type { Teacher } from './teacher.ts'

const MOST_ANSWER_WORDS = 60

/** A server where `source` is an http address, else a GGUF file. Throws what `httpTeacher` and the evaluator throw. */
export async function openTeacher(source: string, signal: AbortSignal): Promise<Teacher> {
  return /^https?:\/\//i.test(source) ? httpTeacher(source, { signal }) : modelTeacher(source, signal)
}

/** One line of the file of a teacher's answers. */
export interface TeacherAnswer {
  readonly q: string
  readonly fact: string
  readonly teacher: string
  readonly answer: string
  /** Why it is not used; null for an answer that is. */
  readonly refused: string | null
}

/**
 * Why an answer cannot be taught, or null. Drug, dose and unit must all be there and nothing may contradict the fact; of the other keys half must be. To
 * an unknown the only answer is to decline.
 */
export function refusalOf({ q, a, keys, kind }: Pick<Pair, 'q' | 'a' | 'keys' | 'kind'>, answer: string, names: Names): string | null {
  if (answer === '') return 'empty'
  if (wordCount(answer) > MOST_ANSWER_WORDS) return 'too long'
  const unknown = kind.startsWith('unknown.')
  const hard = keys.filter(({ tag }) => tag === 'drug' || tag === 'dose' || tag === 'unit')
  const judged = judge({ q, a, keys: hard, unknown }, answer, names)
  if (unknown) return judged.right ? null : 'does not decline'
  if (judged.declined) return 'declines'
  if (judged.contradictions.length > 0) return `contradicts: ${judged.contradictions.join(', ')}`
  if (!judged.right) return 'a drug, dose or unit is missing'
  const soft = keys.filter((key) => !hard.includes(key))
  const found = judge({ q, a, keys: soft, unknown }, answer, names).keysFound
  return found * 2 < soft.length ? 'most of the fact is missing' : null
}

/** The keys that a teacher's own words hold, as they stand there: it begins its sentences otherwise than we do. */
export const keysIn = (answer: string, keys: readonly Key[]): Key[] =>
  keys.flatMap((key) => {
    const from = findWords(answer.toLowerCase(), key.text.toLowerCase())
    return from < 0 ? [] : [{ ...key, text: answer.slice(from, from + key.text.length) }]
  })

/**
 * Asks `teacher` each of `pairs` that `path` does not hold yet and appends a line for each; a last line that a crash has cut is removed first. Returns all
 * lines that belong to `pairs`, in their order. Throws SOURCE_INVALID with the line for a file that is something else.
 */
export async function collect(
  teacher: Teacher,
  pairs: readonly Pair[],
  path: string,
  { names, signal, progress }: { names: Names; signal: AbortSignal; progress: Progress },
): Promise<TeacherAnswer[]> {
  const known = new Map((await readAnswers(path)).filter((line) => line.teacher === teacher.name).map((line) => [`${line.fact}\n${line.q}`, line]))
  const file = await open(path, 'a')
  progress.stage(`asking ${teacher.name}`, pairs.length)
  try {
    const answers: TeacherAnswer[] = []
    for (const [at, pair] of pairs.entries()) {
      signal.throwIfAborted()
      let line = known.get(`${pair.fact}\n${pair.q}`)
      if (!line) {
        const answer = await teacher.ask(pair.q)
        line = { q: pair.q, fact: pair.fact, teacher: teacher.name, answer, refused: refusalOf(pair, answer, names) }
        await file.appendFile(JSON.stringify(line) + '\n')
      }
      answers.push(line)
      progress.at(at + 1, pair.fact)
    }
    await file.sync()
    return answers
  } finally {
    await file.close()
  }
}

async function readAnswers(path: string): Promise<TeacherAnswer[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const end = text.lastIndexOf('\n') + 1
  if (end < text.length) await truncate(path, Buffer.byteLength(text.slice(0, end)))
  const lines = text.slice(0, end).split('\n').slice(0, -1)
  return lines.map((line, at) => {
    try {
      const { q, fact, teacher, answer, refused } = JSON.parse(line) as Partial<TeacherAnswer>
      if (typeof q === 'string' && typeof fact === 'string' && typeof teacher === 'string' && typeof answer === 'string' && refused !== undefined)
        return { q, fact, teacher, answer, refused }
    } catch {
      // said below
    }
    const file = basename(path)
    throw new AppError('SOURCE_INVALID', `${file}, line ${at + 1} is no answer of a teacher. Remove the line, or the file to ask again.`, {
      file,
      line: at + 1,
    })
  })
}
