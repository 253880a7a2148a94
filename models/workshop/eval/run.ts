// Owns the run of an evaluation: every question asked of the model, with the adapter of its category, and of the teacher; every answer judged.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { classify } from '../../../app/ask/classify.ts'
import { loadKeywordTables } from '../../../app/clinical/keywords.ts'
import { categories, type Category } from '../../../app/contract/entities.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { chat, TURN_START } from '../corpus/bpe.ts'
import { modelTeacher } from '../corpus/teacher-model.ts'
import { Evaluator } from '../ffi/evaluator.ts'
import type { VerbContext } from '../verb.ts'
import { AnswerFile, identity } from './answer-file.ts'
import { confidenceOf } from './calibration.ts'
import type { Names } from './judge.ts'
import type { Question } from './questions.ts'
import { judged, type Answered } from './score.ts'

export interface EvaluationRequest {
  readonly model: string
  /** Always on. */
  readonly adapters: readonly string[]
  /** On for questions of their category. */
  readonly byCategory: ReadonlyMap<Category, string>
  readonly teacher: string | null
  readonly questions: readonly Question[]
  readonly names: Names
  /** Where answers are kept, so that a run can go on. */
  readonly answers: string | null
  readonly threads: number
}
export const MOST_ANSWER_TOKENS = 120
const TERMS = join(import.meta.dirname, '../../terms')

/**
 * Asks the questions one by one, greedy, in the bare ChatML form of training. Throws SOURCE_UNSUPPORTED for a model without ChatML, and what
 * the evaluator and the answer file throw; with `answers` a later run of the same files goes on where this one stopped.
 */
export async function evaluate(request: EvaluationRequest, context: VerbContext): Promise<Answered[]> {
  const tables = loadKeywordTables(TERMS)
  const sorted = request.questions.map((question, at) => {
    const of = question.category ?? classify(question.q, tables).category
    // as the program does it: the adapter follows from its own classification
    const routed = classify(question.q, tables).category
    return { question, at, of, adapter: request.byCategory.get(routed) ?? null }
  })
  const file = await AnswerFile.open(request.answers)
  try {
    const answers = new Array<Answered>(sorted.length)
    // an adapter is set once for all its questions
    const groups = Map.groupBy(sorted, ({ adapter }) => adapter)
    const student = await Student.open(request, context)
    context.progress.stage(`asking ${basename(request.model)}`, sorted.length)
    let done = 0
    try {
      for (const [adapter, group] of groups) {
        const by = await student.use(adapter)
        for (const { question, at, of } of group) {
          context.signal.throwIfAborted()
          let kept = file.get(by, question.q)
          if (!kept) await file.put(by, question.q, (kept = await student.ask(question.q, at + 1)))
          const name = adapter === null ? null : basename(adapter, '.gguf')
          answers[at] = { ...question, ...kept, of, adapter: name, judged: judged(question.asked, kept.answer, request.names), teacherRight: null }
          context.progress.at(++done, question.split)
        }
      }
    } finally {
      await student.close()
    }
    return request.teacher === null ? answers : await withTeacher(request.teacher, answers, file, request, context)
  } finally {
    await file.close()
  }
}

class Student {
  readonly #evaluator: Evaluator
  readonly #always: readonly string[]
  readonly #model: string
  readonly #signal: AbortSignal

  private constructor(evaluator: Evaluator, { model, adapters }: EvaluationRequest, signal: AbortSignal) {
    this.#evaluator = evaluator
    this.#always = adapters
    this.#model = model
    this.#signal = signal
  }
  static async open(request: EvaluationRequest, { signal }: VerbContext): Promise<Student> {
    const { model, threads } = request
    const evaluator = await Evaluator.open({ model, threads, signal })
    const start = await evaluator.tokenize(TURN_START, { special: true })
    if (start.length > 2) {
      await evaluator.close()
      throw new AppError('SOURCE_UNSUPPORTED', `${basename(model)} has no ChatML tokens, in which every question is asked. Evaluate a ChatML model.`)
    }
    return new Student(evaluator, request, signal)
  }
  /** Puts an adapter beside those that are always on; returns who answers now. */
  async use(adapter: string | null): Promise<string> {
    const paths = [...this.#always, ...(adapter === null ? [] : [adapter])]
    await this.#evaluator.setAdapters(paths.map((path) => ({ path, scale: 1 })))
    return identity([this.#model, ...paths], this.#signal)
  }
  /** `number` is the question's place in the set, for the error: BAD_INPUT where it leaves no room for an answer. */
  async ask(question: string, number: number): Promise<{ answer: string; confidence: number }> {
    const prompt = await this.#evaluator.tokenize(chat(question), { special: true })
    if (prompt.length + MOST_ANSWER_TOKENS > this.#evaluator.contextSize)
      throw new AppError('BAD_INPUT', `Question ${number} takes ${prompt.length} tokens, too many for ${basename(this.#model)}. Shorten it.`, {
        number,
      })
    const written = await this.#evaluator.generate(prompt, MOST_ANSWER_TOKENS)
    if (written.length === 0) return { answer: '', confidence: 0 }
    const losses = await this.#evaluator.losses([...prompt, ...written], prompt.length)
    return { answer: (await this.#evaluator.detokenize(written)).trim(), confidence: confidenceOf(losses) }
  }
  close = (): Promise<void> => this.#evaluator.close()
}

async function withTeacher(path: string, answers: Answered[], file: AnswerFile, { names }: EvaluationRequest, context: VerbContext) {
  const by = await identity([path], context.signal)
  const teacher = await modelTeacher(path, context.signal)
  context.progress.stage(`asking ${teacher.name}`, answers.length)
  try {
    const both: Answered[] = []
    for (const [at, one] of answers.entries()) {
      context.signal.throwIfAborted()
      let kept = file.get(`teacher ${by}`, one.q)
      if (one.asked && !kept) await file.put(`teacher ${by}`, one.q, (kept = { answer: await teacher.ask(one.q), confidence: 0 }))
      both.push({ ...one, teacherRight: kept ? (judged(one.asked, kept.answer, names)?.right ?? null) : null })
      context.progress.at(at + 1, one.split)
    }
    return both
  } finally {
    await teacher.close()
  }
}

/** "medication.gguf" or "starter-medication.gguf" in `folder`, for each category that has one. Throws SOURCE_INVALID for none, or two of one category. */
export function adaptersIn(folder: string): ReadonlyMap<Category, string> {
  const name = basename(folder)
  let files: string[]
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.gguf'))
  } catch (cause) {
    throw new AppError('SOURCE_INVALID', `The folder ${name} cannot be read. Name a folder of adapters.`, { file: name }, cause)
  }
  const found = new Map<Category, string>()
  for (const file of files.sort()) {
    const category = categories.find((one) => new RegExp(`(^|[-_.])${one}\\.gguf$`).test(file))
    if (category === undefined) continue
    if (found.has(category)) throw new AppError('SOURCE_INVALID', `${name} has two adapters for ${category}. Leave one of them.`, { file })
    found.set(category, join(folder, file))
  }
  if (found.size === 0)
    throw new AppError('SOURCE_INVALID', `${name} has no adapter named after a category, such as medication.gguf. Name the files so.`, { file: name })
  return found
}
