// Owns equation 2: P_c(q) = P_base ⊕ S_c, then the question last, so that the prefix of a category never changes and its state can be kept.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../contract/engine.ts'
import { categories, type Category } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'

export interface Prompt {
  /** The system prompt, exactly as sent. */
  readonly text: string
  /** First 12 hex digits of the SHA-256 of `text` in UTF-8: part of every answer, so that it can be traced to its wording. */
  readonly hash: string
}
export type Prompts = Readonly<Record<Category, Prompt>>
export type PromptProfile = 'full' | 'question-only'

/** What stands for the hash where no system prompt is sent. */
export const NO_PROMPT = 'none'

/** Reads base.md and a suffix per category; `general` is the base alone. Throws RESOURCE_MISSING naming the file. */
export function loadPrompts(folder: string): Prompts {
  const base = readTemplate(folder, 'base')
  const prompt = (category: Category): Prompt => {
    const text = category === 'general' ? base : `${base}\n\n${readTemplate(folder, category)}`
    return { text, hash: createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 12) }
  }
  return Object.fromEntries(categories.map((category) => [category, prompt(category)])) as Record<Category, Prompt>
}

/** Line ends and outer blank lines are not part of a template: an editor or a checkout that changes them must not change the hash. */
function readTemplate(folder: string, name: string): string {
  const missing = (why: string, cause?: unknown) =>
    new AppError('RESOURCE_MISSING', `The file prompts/${name}.md of the program is ${why}. Reinstall Rushlight.`, undefined, cause)
  let text: string
  try {
    text = readFileSync(join(folder, `${name}.md`), 'utf8')
  } catch (cause) {
    throw missing('missing', cause)
  }
  const template = text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .trim()
  if (template === '') throw missing('empty')
  return template
}

/**
 * The messages of a question: the system prompt of its category, the earlier exchanges, the question last and untouched. With
 * `question-only`, for tiny models trained without a system prompt, the question is all there is.
 */
export function compose(input: {
  prompts: Prompts
  category: Category
  profile: PromptProfile
  history: readonly { question: string; answer: string }[]
  question: string
}): Message[] {
  const asked: Message = { role: 'user', text: input.question }
  if (input.profile === 'question-only') return [asked]
  const earlier = input.history.flatMap(({ question, answer }): Message[] => [
    { role: 'user', text: question },
    { role: 'assistant', text: answer },
  ])
  return [{ role: 'system', text: input.prompts[input.category].text }, ...earlier, asked]
}

/** The hash to store with an answer composed with `profile`. */
export const promptHash = (prompts: Prompts, category: Category, profile: PromptProfile): string =>
  profile === 'question-only' ? NO_PROMPT : prompts[category].hash
