// Owns what a teacher is, whatever answers for it, and what it is told.

export interface Teacher {
  /** Goes with every answer; a run goes on only from answers of the same teacher. */
  readonly name: string
  ask(question: string): Promise<string>
  close(): Promise<void>
}
export const MOST_ANSWER_TOKENS = 120
export const INSTRUCTION =
  'Answer the question of a clinician in one short sentence of at most 40 words that begins with the name asked about and states doses with their units. ' +
  'If you do not know, say: I have no checked data on it.'
