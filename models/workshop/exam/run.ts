// Owns the run of an examination: every question put to one examinee, in the file's order of options and, where asked for, in another; each answer kept at once.
import type { TermTables } from '../../../app/clinical/term-tables.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { AnswerFile } from '../eval/answer-file.ts'
import type { VerbContext } from '../verb.ts'
import { coverage } from './coverage.ts'
import { reordered } from './order.ts'
import type { ExamQuestion } from './questions.ts'
import { confidenceOf, Sheet, type Examinee } from './sheet.ts'

export interface Result {
  readonly question: ExamQuestion
  readonly sheet: Sheet
  readonly right: boolean
  /** Of core concepts in what was written, 0…1; null where nothing was, or the right answer has no key term. */
  readonly coverage: number | null
  /** Asked again with its options in another order: the letter, in the file's order, that was chosen then. Null: not asked again. */
  readonly again: { readonly letter: string | null; readonly right: boolean } | null
}
export interface ExamRequest {
  readonly questions: readonly ExamQuestion[]
  /** Where answers are kept, so that a run can go on; null keeps none. */
  readonly answers: string | null
  /** Seed of the other order; null asks in the file's order only. */
  readonly shuffle: number | null
  /** Where options are weighed: also have each question answered freely, for the coverage. */
  readonly cover: boolean
  readonly terms: TermTables
}

/**
 * Asks one by one. With `answers`, a later run of the same examinee, mode and prompts goes on where this one stopped; the seconds kept with an answer
 * are those of the run that asked. Throws SOURCE_INVALID for a file of answers that is something else, and what the examinee throws.
 */
export async function examine(examinee: Examinee, request: ExamRequest, context: VerbContext): Promise<Result[]> {
  const file = await AnswerFile.open(request.answers)
  try {
    const asker = new Asker(examinee, file)
    const results: Result[] = []
    context.progress.stage(`examining ${examinee.name}`, request.questions.length)
    for (const question of request.questions) {
      context.signal.throwIfAborted()
      const sheet = await asker.answer(question)
      const other = request.shuffle === null ? null : reordered(question, request.shuffle)
      const turned = other && (await asker.answer(other.question))
      const written = sheet.written ?? (request.cover ? await asker.write(question) : null)
      results.push({
        ...{ question, sheet, right: sheet.letter === question.answer },
        coverage: written === null ? null : coverage(question, written, request.terms),
        again: turned && { letter: turned.letter === null ? null : other!.original(turned.letter), right: turned.letter === other!.question.answer },
      })
      context.progress.at(results.length, question.set)
    }
    return results
  } finally {
    await file.close()
  }
}

class Asker {
  readonly #examinee: Examinee
  readonly #file: AnswerFile
  constructor(examinee: Examinee, file: AnswerFile) {
    this.#examinee = examinee
    this.#file = file
  }

  async answer(question: ExamQuestion): Promise<Sheet> {
    const [by, asked] = [`exam ${this.#examinee.mode} ${this.#examinee.identity}`, this.#examinee.asked(question)]
    const kept = this.#file.get(by, asked)
    if (kept) return sheetOf(kept.answer)
    const sheet = await this.#examinee.answer(question)
    await this.#file.put(by, asked, { answer: JSON.stringify(sheet), confidence: confidenceOf(sheet) })
    return sheet
  }
  async write(question: ExamQuestion): Promise<string | null> {
    const by = `exam free ${this.#examinee.identity}`
    const kept = this.#file.get(by, question.question)
    if (kept) return kept.answer
    const written = await this.#examinee.write(question)
    if (written !== null) await this.#file.put(by, question.question, { answer: written, confidence: 0 })
    return written
  }
}

function sheetOf(text: string): Sheet {
  try {
    return Sheet.parse(JSON.parse(text))
  } catch (cause) {
    throw new AppError('SOURCE_INVALID', 'The file of answers holds an answer of another version. Name a new file for the answers.', undefined, cause)
  }
}
