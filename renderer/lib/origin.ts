// Owns how the origin of an answer is told: the short line, every field in words, and the text that goes along with a copy. Pure.
import type { Classification, Provenance, Turn } from '../../app/contract/entities.ts'
import { backend, dateTime, day, duration, rate, time } from './format.ts'
import type { Clinical, RecordRef } from '../../app/contract/clinical.ts'
import { m } from './messages.ts'

/** The parts of the short line, most important first. */
export function originLine(p: Provenance, now: Date): string[] {
  const today = day(p.at, now) === m.history.today
  return [
    today ? m.origin.fresh(time(p.at)) : m.origin.written(dateTime(p.at)),
    modelName(p),
    ...(p.mode === 'base' ? [] : [m.origin.modes[p.mode]]),
    ...(p.model.quantisation === '' ? [] : [p.model.quantisation]),
    p.engine.host === undefined ? `${p.engine.name} ${backend(p.engine.backend)}` : `${p.engine.name} ${m.origin.onServer(p.engine.host)}`,
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
    [f.quantisation, p.model.quantisation || m.origin.notSaid],
    [f.file, p.model.sha256 || m.origin.notSaid],
    [f.mode, m.origin.modes[p.mode]],
    [f.engine, engine.name],
    [
      f.device,
      engine.host === undefined
        ? m.origin.device(backend(engine.backend), engine.gpuLayers, engine.layers, m.engine.threads(engine.threads))
        : m.origin.serverWords(engine.host),
    ],
    [f.prompt, p.prompt.profile === 'full' ? m.origin.profiles.full(p.prompt.hash) : m.origin.profiles['question-only']],
    [f.context, m.origin.context(p.prompt.earlierTurns, p.prompt.droppedTurns)],
    [f.category, `${m.categories[turn.classification.category]} (${whyCategory(turn.classification)})`],
    [f.length, m.origin.length(p.tokens, p.promptTokens)],
    [f.speed, speed],
    [f.end, m.origin.ends[p.stop]],
    [f.cached, p.cache ? m.origin.cached.yes : m.origin.cached.no],
    ...clinicalFields(turn),
    [f.app, `${m.program} ${p.appVersion}`],
    [f.at, dateTime(p.at)],
  ]
}

/** The rules and records that spoke, each with its version and review state. */
function clinicalFields({ clinical, understood }: Turn): [name: string, value: string][] {
  const f = m.origin.fields
  const { emergencies = [], cards = [], checks = null } = clinical ?? {}
  const said = cards.map(({ record }) => `${m.clinical.facts.version(record)}, ${reviewWords(record)}`).join('; ')
  return [
    [f.terms, understood.map(({ typed, means }) => `${typed} → ${means}`).join('; ') || m.origin.asTyped],
    [f.rules, emergencies.map(({ rule }) => rule).join(', ') || m.origin.noRule],
    [f.records, said || m.origin.noRecord],
    [f.checks, checks ? m.clinical.marks.unreviewed[checks.agreement] : m.clinical.marks.unreviewed['not checked']],
  ]
}

const reviewWords = ({ review }: RecordRef) =>
  review.state === 'reviewed' ? m.clinical.facts.reviewed(review.role, review.date) : m.clinical.facts.unreviewedShort

/** What tables and rules said, for a copy: the emergency, and of each card what was asked for. */
function factsCopy({ emergencies, cards, notices }: Clinical): string {
  const lines = [
    ...emergencies.map(
      ({ name, number, steps }) => `${m.clinical.emergency.title(name)} (${m.clinical.emergency.call} ${number}): ${steps.join(' ')}`,
    ),
    ...notices.map(
      ({ kind, medicine, other, action, text }) =>
        `${kind === 'interaction' ? m.clinical.notices.interaction(medicine, other) : m.clinical.notices.contraindication(medicine)}: ${action}. ${text}`,
    ),
    ...cards.flatMap(({ record, parts }) => [
      `${m.clinical.facts.version(record)} (${reviewWords(record)})`,
      ...parts.flatMap(({ asked, title, lines }) =>
        asked ? lines.map(({ lead, text, note }) => `${title}: ${[lead && `${lead}:`, text, note].filter(Boolean).join(' ')}`) : [],
      ),
    ]),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`
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
  // a copy goes where nobody can unfold anything: an answer that was withheld stays out of it
  const answer = turn.clinical?.checks?.withheld ? m.clinical.withheld : turn.answer.trim()
  return `${turn.question}\n\n${turn.clinical ? factsCopy(turn.clinical) : ''}${answer}\n\n${origin.join('\n')}\n`
}

const modelName = (p: Provenance) => (p.model.version === '' ? p.model.name : `${p.model.name} ${p.model.version}`)
