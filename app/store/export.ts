// Owns the Markdown form of a conversation: what was asked, what the model wrote, and where it came from. Model text cannot break its frame.
import type { Conversation, Provenance, Turn } from '../contract/entities.ts'
import { checksText, factsText } from './clinical-text.ts'

const NAME_LENGTH = 60

/** A file name that Windows takes too. Turns that were replaced are left out. */
export function exportMarkdown(conversation: Conversation, turns: Turn[]): { fileName: string; markdown: string } {
  const current = turns.filter((turn) => turn.supersededBy === null)
  const demonstration = current.some((turn) => turn.provenance?.model.demonstration)
  const parts = [
    `# ${oneLine(conversation.title)}`,
    `Exported from Rushlight. The answers were written by a language model: verify them before use.${demonstration ? ' **Demonstration model: not for patient care.**' : ''}`,
    ...current.flatMap(turnParts),
  ]
  return { fileName: fileNameOf(conversation), markdown: parts.join('\n\n') + '\n' }
}

/** Letters, digits and hyphens only: no reserved name, no trailing dot, no separator can come of it. */
function fileNameOf({ createdAt, title }: Conversation): string {
  const words = title.toWellFormed().replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
  // by whole characters: half of one is no file name
  const name = Array.from(words.trim()).slice(0, NAME_LENGTH).join('').trim().replaceAll(' ', '-')
  const date = createdAt.slice(0, 10).replace(/[^0-9-]/g, '')
  return `rushlight-${date}${name === '' ? '' : `-${name}`}.md`
}

function turnParts(turn: Turn): string[] {
  const state = turn.status === 'complete' ? [] : [`*Not complete: ${oneLine(turn.error?.message ?? 'it was stopped.')}*`]
  return [
    `## ${turn.createdAt.slice(0, 16).replace('T', ' ')} UTC, ${turn.classification.category}`,
    quote(turn.question),
    ...understood(turn),
    ...section('### From rules and tables, not from the model', turn.clinical ? factsText(turn.clinical) : []),
    '### Written by the model',
    quote(turn.answer || '(nothing)'),
    ...section('### Comparison with the tables', turn.clinical ? checksText(turn.clinical) : []),
    ...state,
    origin(turn.provenance),
  ]
}

const section = (title: string, lines: string[]): string[] => (lines.length === 0 ? [] : [title, quote(lines.join('\n'))])
const understood = ({ understood }: Turn): string[] =>
  understood.length === 0 ? [] : [`Understood as: ${oneLine(understood.map(({ typed, means }) => `${typed} → ${means}`).join('; '))}`]

/**
 * As a block quote, a heading, a rule or an open code fence inside the text ends with it. HTML could close the quote, a link definition would
 * rule the whole page, and a picture is fetched by whoever opens the file: the sign that begins each is made plain text. "<30" stays as it is.
 */
function quote(text: string): string {
  return (
    text
      // an entity: a backslash of the text's own before it would undo a backslash
      .replace(/<(?=[a-z/!?])/gi, '&lt;')
      .replace(/!\[/g, '!\\[')
      .replace(/(?<!\\)\[(?=[^\]\n]*\]:)/g, '\\[')
      .split(/\r\n|\r|\n/)
      .map((line) => `> ${line}`)
      .join('\n')
  )
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').replace(/([\\`*_[\]<>#])/g, '\\$1')

function origin(from: Provenance | null): string {
  if (!from) return 'No model has written here.'
  const { model, engine, prompt } = from
  const name = oneLine([model.name, model.version].filter((part) => part !== '').join(' '))
  const where = `${oneLine(engine.name)} ${engine.host === undefined ? engine.backend.toUpperCase() : `on ${oneLine(engine.host)}`}`
  return `${name}, ${oneLine(model.quantisation) || 'quantisation not known'}, sha256 ${model.sha256 || 'not computed yet'}; ${from.mode}; ${where}; prompt ${prompt.hash}; ${from.tokens} tokens; Rushlight ${from.appVersion}; ${from.at}.`
}
