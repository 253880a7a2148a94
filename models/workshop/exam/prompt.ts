// Owns what an examinee is told and how its written answer is read: the one place that decides what counts as an answer. Pure.
import { chat } from '../corpus/bpe.ts'
import type { ExamQuestion, Option } from './questions.ts'

/** `letter`: probability of each letter. `text`: of each option's words, a token. `reason`: written out, and the letter read from it. */
export type Mode = 'letter' | 'text' | 'reason'

const LETTER = 'Answer with the letter of the one right option.'
const REASON = 'Think step by step in at most 150 words. End with a line that says only: Answer: and the letter of the one right option.'
const listed = (options: readonly Option[]) => options.map(({ letter, text }) => `${letter}. ${text}`).join('\n')

/** What the user says. In `text` mode the options are not shown: each is weighed as the answer itself. */
export function toldIn(mode: Mode, { question, options }: ExamQuestion): string {
  if (mode === 'text') return question
  return `${question}\n\n${listed(options)}\n\n${mode === 'letter' ? LETTER : REASON}`
}

/** How a model's file wants to be spoken to. */
export interface Form {
  /** Everything up to where the model goes on; `begun` is what it has already said. */
  prompt(told: string, begun: string): string
  /** Whether turns are marked; else the text alone has to say that an answer follows. */
  readonly turns: boolean
}
const chatMl: Form = { prompt: (told, begun) => chat(told) + begun, turns: true }
const header = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`
const llama3: Form = { prompt: (told, begun) => `${header('user')}${told}<|eot_id|>${header('assistant')}${begun}`, turns: true }
const bare: Form = { prompt: (told, begun) => `Question: ${told}\n${begun}`, turns: false }

/** By the chat template in the file: ChatML, Llama 3's, or, of any other and of none, plain text. */
export function formOf(template: string): Form {
  if (template.includes('<|im_start|>')) return chatMl
  return template.includes('<|start_header_id|>') ? llama3 : bare
}

/** What is weighed: the prompt, and one continuation of it for each option. */
export function weighed(mode: 'letter' | 'text', question: ExamQuestion, form: Form): { prompt: string; continuations: string[] } {
  const begun = mode === 'letter' || !form.turns ? 'Answer:' : ''
  const gap = begun === '' ? '' : ' '
  const said = question.options.map(({ letter, text }) => gap + (mode === 'letter' ? letter : text))
  return { prompt: form.prompt(toldIn(mode, question), begun), continuations: said }
}

// a line of its own; bold or in brackets is the same, anything in front of it is not
const ANSWER = /^[\s*_#]*(?:Final\s+|final\s+)?(?:Answer|answer|ANSWER)[\s*_]*:[\s*_]*\(?([A-Z])\)?(?![\p{L}\p{N}])[\s*_.:)-]*(.*)$/u
const plain = (text: string) => text.toLowerCase().replace(/[\s*_.]+$/, '')

/**
 * The letter of the line "Answer: B" in what was written; words behind the letter must be that option's own. Null where there is no such line,
 * where two lines disagree, for a letter that is no option, and for reasoning that never came to an end: nothing is guessed from the prose.
 */
export function letterIn(written: string, options: readonly Option[]): string | null {
  const thought = written.lastIndexOf('</think>')
  if (thought < 0 && written.includes('<think>')) return null
  const found = new Set<string | null>()
  for (const line of written.slice(thought < 0 ? 0 : thought + '</think>'.length).split('\n')) {
    const [, letter, rest = ''] = ANSWER.exec(line) ?? []
    if (letter === undefined) continue
    const option = options.find((one) => one.letter === letter)
    found.add(option && (plain(rest) === '' || plain(rest) === plain(option.text)) ? option.letter : null)
  }
  return found.size === 1 ? [...found][0]! : null
}
