// Owns how the origin of an answer is told: the short line, every field in words, and the text that goes along with a copy. Pure.
import type { Classification, Provenance, Turn } from '../../app/contract/entities.ts'
import { backend, dateTime, day, duration, rate, time } from './format.ts'
import { m } from './messages.ts'

/** The parts of the short line, most important first. */
export function originLine(p: Provenance, now: Date): string[] {
  const today = day(p.at, now) === m.history.today
  return [
    today ? m.origin.fresh(time(p.at)) : m.origin.written(dateTime(p.at)),
    modelName(p),
    ...(p.mode === 'base' ? [] : [m.origin.modes[p.mode]]),
    p.model.quantisation,
    `${p.engine.name} ${backend(p.engine.backend)}`,
    p.prompt.profile === 'full' ? m.origin.prompt(p.prompt.hash.slice(0, 4)) : m.origin.noPrompt,
    ...(p.firstTokenMs === null ? [] : [m.origin.first(duration(p.firstTokenMs))]),
    ...(p.tokensPerSecond === null ? [] : [m.origin.speed(rate(p.tokensPerSecond))]),
  ]
}

/** Every field, in words: name and value. */
export function originFields(turn: Turn, p: Provenance): [name: string, value: string][] {
  const f = m.origin.fields
  const { engine } = p
  const speed = m.origin.speedWords(
    p.firstTokenMs === null ? null : duration(p.firstTokenMs),
    p.tokensPerSecond === null ? null : rate(p.tokensPerSecond),
  )
  return [
    [f.model, modelName(p)],
    [f.purpose, p.model.demonstration ? m.origin.demonstration : m.origin.clinical],
    [f.quantisation, p.model.quantisation],
    [f.file, p.model.sha256],
    [f.mode, m.origin.modes[p.mode]],
    [f.engine, engine.name],
    [f.device, m.origin.device(backend(engine.backend), engine.gpuLayers, engine.layers, m.engine.threads(engine.threads))],
    [f.prompt, p.prompt.profile === 'full' ? m.origin.profiles.full(p.prompt.hash) : m.origin.profiles['question-only']],
    [f.context, m.origin.context(p.prompt.earlierTurns, p.prompt.droppedTurns)],
    [f.category, `${m.categories[turn.classification.category]} (${whyCategory(turn.classification)})`],
    [f.length, m.origin.length(p.tokens, p.promptTokens)],
    [f.speed, speed],
    [f.end, m.origin.ends[p.stop]],
    [f.cached, p.cached ? m.origin.cached.yes : m.origin.cached.no],
    [f.app, `${m.program} ${p.appVersion}`],
    [f.at, dateTime(p.at)],
  ]
}

/** Why a question has its category: the words that matched, or who chose. */
export function whyCategory({ decidedBy, matched }: Classification): string {
  if (decidedBy === 'user') return m.question.chosen
  return matched.length > 0 ? m.question.matched(matched) : m.question.noMatch
}

/** Question, answer and origin as plain text: an answer never travels without saying who wrote it. */
export function copyText(turn: Turn): string {
  const p = turn.provenance
  const origin = [
    ...(p?.model.demonstration ? [m.paper.demo] : []),
    p ? m.origin.copied(modelName(p)) : m.paper.by,
    ...(turn.status === 'complete' || turn.error === null ? [] : [turn.error.message]),
    `${m.program}, ${dateTime(turn.finishedAt ?? turn.createdAt)}`,
  ]
  return `${turn.question}\n\n${turn.answer.trim()}\n\n${origin.join('\n')}\n`
}

const modelName = (p: Provenance) => (p.model.version === '' ? p.model.name : `${p.model.name} ${p.model.version}`)
