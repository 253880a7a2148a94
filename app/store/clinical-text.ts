// Owns the plain text of what rules and tables said about a turn, for the export and the terminal: the same content as the page, in lines.
import type { Clinical, FactCard, FactLine, RecordRef } from '../contract/clinical.ts'

/** What stood there before the model answered: emergencies with their steps, interactions, and of each card what was asked for. */
export function factsText({ emergencies, cards, notices, missing, unclear }: Clinical): string[] {
  return [
    ...emergencies.flatMap(({ name, number, steps, because, words, rule, record }) => [
      `POSSIBLE ${name.toUpperCase()}. Emergency number ${number}.`,
      ...steps.map((step, at) => `${at + 1}. ${step}`),
      `Because of “${words.join('”, “')}”. ${because} Rule ${rule}, ${refText(record)}.`,
    ]),
    ...notices.map(({ kind, medicine, other, action, text, record }) =>
      kind === 'interaction'
        ? `Interaction of ${medicine} with ${other}: ${action}. ${text} (${refText(record)})`
        : `Contra-indication of ${medicine}: ${text} (${refText(record)})`,
    ),
    ...cards.flatMap(cardText),
    ...missing.map((name) => `There are no reference facts about ${name}.`),
    ...unclear.map(({ typed, couldBe }) => `Not clear: ${typed} (${couldBe.join(', or ')}).`),
  ]
}

function cardText({ record, parts }: FactCard): string[] {
  const asked = parts.filter((part) => part.asked)
  return [
    `${record.name.charAt(0).toUpperCase()}${record.name.slice(1)} (${refText(record)})`,
    ...asked.flatMap(({ title, lines }) => [
      `${title}:`,
      ...(lines.length === 0 ? ['Not stated in this table.'] : lines.map((line) => `- ${lineText(line)}`)),
    ]),
  ]
}

const lineText = ({ lead, text, note, applies }: FactLine): string =>
  [lead === '' ? '' : `${lead}:`, text, note, applies === '' ? '' : `[because ${applies}]`].filter((part) => part !== '').join(' ')

const refText = ({ id, version, review, source }: RecordRef): string =>
  `record ${id} version ${version}${source === 'clinic' ? ' of this clinic' : ''}, ${review.state === 'reviewed' ? `reviewed by ${review.role}, ${review.date}` : 'not reviewed by a clinician'}`

/** What the comparison of the answer found; empty while there was none. */
export function checksText({ checks }: Clinical): string[] {
  if (!checks) return []
  return [
    ...(checks.withheld ? ['The answer differs from the reference facts and was not shown.'] : []),
    ...checks.differences,
    ...checks.doses.map(({ drug, text, agreement, reason, record }) => {
      const words = record?.review.state === 'reviewed' && agreement === 'agrees' ? 'checked: within range' : WORDS[agreement]
      return `${drug} ${text}: ${words}${reason === '' ? '' : ` (${reason})`}`.trim()
    }),
    ...checks.notices.map(({ medicine, other, action, text }) => `${medicine}${other === '' ? '' : ` with ${other}`}: ${action}. ${text}`),
    ...(checks.notStated.length > 0 ? [`Not stated in this answer: ${checks.notStated.join(', ')}.`] : []),
    ...(checks.uncertainty ? [`Confidence band: ${checks.uncertainty.band}.`] : []),
  ]
}
const WORDS = { agrees: 'agrees with the table', differs: 'differs from the table', 'not checked': 'not checked' } as const
