// Owns what is known of one answered question: which option was chosen, how surely, in which words and in what time; and who can be examined.
import * as z from 'zod'
import type { Mode } from './prompt.ts'
import type { ExamQuestion } from './questions.ts'

export const Sheet = z.strictObject({
  /** Null: nothing in the answer counts as a choice. */
  letter: z.string().nullable(),
  /** Of the options in the order asked, 0…1 and together 1; null where an answer was written. */
  probabilities: z.array(z.number()).nullable(),
  /** Share of all probability that the model gave to any of the letters, 0…1: near 0, it did not take the form of the question. Null outside of letter scoring. */
  mass: z.number().nullable(),
  /** What it wrote; null where options were weighed. */
  written: z.string().nullable(),
  /** The question does not fit the model's context and was not asked. */
  tooLong: z.boolean(),
  /** Wall clock. */
  seconds: z.number(),
})
export type Sheet = z.infer<typeof Sheet>
export const tooLong = (seconds: number): Sheet => ({ letter: null, probabilities: null, mass: null, written: null, tooLong: true, seconds })

/** Who sits the examination. */
export interface Examinee {
  /** For a person. */
  readonly name: string
  /** Kept answers are those of the same one: the bytes of the model, or server and model. */
  readonly identity: string
  readonly mode: Mode
  /** Everything the answer depends on besides the model. */
  asked(question: ExamQuestion): string
  answer(question: ExamQuestion): Promise<Sheet>
  /** A free answer to the question alone, without its options; null where it does not fit. */
  write(question: ExamQuestion): Promise<string | null>
  close(): Promise<void>
}

/** Probability of the chosen option, 0…1; 0 where none was weighed. */
export const confidenceOf = ({ probabilities }: Sheet): number => (probabilities === null ? 0 : Math.max(...probabilities))
