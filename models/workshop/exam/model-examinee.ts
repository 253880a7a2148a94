// Owns a GGUF file as an examinee: options weighed by the probability that llama.cpp gives them, or a greedy answer written out.
import { basename } from 'node:path'
import { factOf, readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { identity } from '../eval/answer-file.ts'
import { Evaluator } from '../ffi/evaluator.ts'
import { formOf, letterIn, toldIn, weighed, type Form, type Mode } from './prompt.ts'
import type { ExamQuestion } from './questions.ts'
import { tooLong, type Examinee, type Sheet } from './sheet.ts'

/** Tokens; the longest questions of MedQA take 900. */
const CONTEXT = 3072
export const MOST_REASONING = 400
const MOST_WORDS = 120
/** With less room than this nothing can be reasoned. */
const LEAST_REASONING = 64

/** Opens `path`. Throws what Evaluator.open throws. */
export async function modelExaminee(path: string, mode: Mode, threads: number, signal: AbortSignal): Promise<Examinee> {
  const header = await readGgufHeader(path, { values: 'facts' })
  const form = formOf(String(factOf(header, 'tokenizer.chat_template') ?? ''))
  const by = await identity([path], signal)
  const evaluator = await Evaluator.open({ model: path, contextSize: CONTEXT, threads, signal })
  return new ModelExaminee(evaluator, form, { name: basename(path), identity: by, mode })
}

class ModelExaminee implements Examinee {
  readonly name: string
  readonly identity: string
  readonly mode: Mode
  readonly #evaluator: Evaluator
  readonly #form: Form

  constructor(evaluator: Evaluator, form: Form, { name, identity: by, mode }: { name: string; identity: string; mode: Mode }) {
    this.#evaluator = evaluator
    this.#form = form
    this.name = name
    this.identity = by
    this.mode = mode
  }

  asked(question: ExamQuestion): string {
    if (this.mode === 'reason') return this.#form.prompt(toldIn('reason', question), '')
    const { prompt, continuations } = weighed(this.mode, question, this.#form)
    return [prompt, ...continuations].join('\n')
  }
  answer(question: ExamQuestion): Promise<Sheet> {
    return this.mode === 'reason' ? this.#reasoned(question) : this.#weighed(this.mode, question)
  }
  async write({ question }: ExamQuestion): Promise<string | null> {
    const prompt = this.#form.prompt(question, this.#form.turns ? '' : 'Answer:')
    return this.#written(prompt, MOST_WORDS, MOST_WORDS)
  }
  close = (): Promise<void> => this.#evaluator.close()

  /**
   * log p(continuation | prompt) of each option, summed for letters; for words the mean a token, so that a long option is not the less likely
   * for its length. The prompt ends where the tokens of all options part at the latest, as a space may belong to the token behind it.
   */
  async #weighed(mode: 'letter' | 'text', question: ExamQuestion): Promise<Sheet> {
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    const { prompt, continuations } = weighed(mode, question, this.#form)
    const read = (text: string) => this.#evaluator.tokenize(text, { special: true })
    const alone = await read(prompt)
    const whole: number[][] = []
    for (const one of continuations) whole.push(await read(prompt + one))
    if (whole.some(({ length }) => length > this.#evaluator.contextSize)) return tooLong(seconds())
    const from = Math.max(1, sharedStart([alone, ...whole]))
    const scores: number[] = []
    for (const tokens of whole) {
      const losses = await this.#evaluator.losses(tokens, from)
      const sum = losses.reduce((total, loss) => total - loss, 0)
      scores.push(mode === 'letter' ? sum : sum / losses.length)
    }
    const probabilities = softmax(scores)
    const mass =
      mode === 'letter'
        ? Math.min(
            1,
            scores.reduce((total, score) => total + Math.exp(score), 0),
          )
        : null
    const best = probabilities.indexOf(Math.max(...probabilities))
    return { letter: question.options[best]!.letter, probabilities, mass, written: null, tooLong: false, seconds: seconds() }
  }

  async #reasoned(question: ExamQuestion): Promise<Sheet> {
    const startedAt = performance.now()
    const written = await this.#written(this.asked(question), MOST_REASONING, LEAST_REASONING)
    const seconds = (performance.now() - startedAt) / 1000
    if (written === null) return tooLong(seconds)
    return { letter: letterIn(written, question.options), probabilities: null, mass: null, written, tooLong: false, seconds }
  }

  async #written(prompt: string, most: number, least: number): Promise<string | null> {
    const tokens = await this.#evaluator.tokenize(prompt, { special: true })
    const room = this.#evaluator.contextSize - tokens.length
    if (room < least) return null
    return (await this.#evaluator.detokenize(await this.#evaluator.generate(tokens, Math.min(most, room)))).trim()
  }
}

/** How many tokens all the lists begin with in common. */
export function sharedStart(lists: readonly (readonly number[])[]): number {
  const [first = [], ...others] = lists
  const end = first.findIndex((token, at) => others.some((list) => list[at] !== token))
  return end < 0 ? first.length : end
}

/** exp(s_i) / Σ exp(s_j), safe for any size of score. */
export function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - highest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}
