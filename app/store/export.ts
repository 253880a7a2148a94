// Owns the Markdown form of a conversation: what was asked, what the model wrote, and where it came from. Model text cannot break its frame.
import type { Conversation, Provenance, Turn } from '../contract/entities.ts'

/** A file name that Windows takes too. Turns that were replaced are left out. */
export function exportMarkdown(conversation: Conversation, turns: Turn[]): { fileName: string; markdown: string } {
  const current = turns.filter((turn) => turn.supersededBy === null)
  const demonstration = current.some((turn) => turn.provenance?.model.demonstration)
  const parts = [
    `# ${oneLine(conversation.title)}`,
    `Exported from Rushlight. The answers were written by a language model: verify them before use.${demonstration ? ' **Demonstration model: not for patient care.**' : ''}`,
    ...current.flatMap(turnParts),
  ]
  const name = conversation.title
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .slice(0, 60)
    .trim()
    .replaceAll(' ', '-')
  return { fileName: `rushlight-${conversation.createdAt.slice(0, 10)}${name === '' ? '' : `-${name}`}.md`, markdown: parts.join('\n\n') + '\n' }
}

function turnParts(turn: Turn): string[] {
  const state = turn.status === 'complete' ? [] : [`*Not complete: ${turn.error?.message ?? 'it was stopped.'}*`]
  return [
    `## ${turn.createdAt.slice(0, 16).replace('T', ' ')} UTC, ${turn.classification.category}`,
    quote(turn.question),
    '### Written by the model',
    quote(turn.answer || '(nothing)'),
    ...state,
    origin(turn.provenance),
  ]
}

/** As a block quote, a heading or a rule inside the text stays inside it. */
const quote = (text: string) =>
  text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')
const oneLine = (text: string) => text.replace(/\s+/g, ' ').replace(/([\\`*_[\]<>#])/g, '\\$1')

function origin(from: Provenance | null): string {
  if (!from) return 'No model has written here.'
  const { model, engine, prompt } = from
  return `${model.name} ${model.version}, ${model.quantisation}, sha256 ${model.sha256 || 'not computed yet'}; ${from.mode}; ${engine.name} ${engine.backend.toUpperCase()}; prompt ${prompt.hash}; ${from.tokens} tokens; Rushlight ${from.appVersion}; ${from.at}.`
}
