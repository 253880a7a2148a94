// Owns the comparison of an answer with the facts: its doses, its subject, what it leaves out, and whether the card stands in its place.
import type { Agreement, AnswerChecks, Clinical, ClinicalNotice, DoseMark, FactCard, Uncertainty } from '../contract/clinical.ts'
import type { Category } from '../contract/entities.ts'
import { refOf } from '../clinical/cards.ts'
import { mentioned } from '../clinical/calculators/all.ts'
import { checkDoses, type CheckedDose } from '../clinical/doses/check.ts'
import { findContraindications } from '../clinical/doses/contraindications.ts'
import { findInteractions } from '../clinical/doses/interactions.ts'
import { findNamed, type Facts } from '../clinical/facts.ts'
import { noticesOf } from './facts.ts'
import { notStated } from './shape.ts'

/** `question` in standard words. `demonstration`: of the model that wrote the answer. */
export interface Answered {
  readonly question: string
  readonly answer: string
  readonly category: Category
  readonly clinical: Clinical
  readonly demonstration: boolean
  readonly uncertainty: Uncertainty | null
}

/** Everything that can be said of an answer without a model. Pure; linear in the length of the answer. An empty answer agrees with nothing. */
export function checkAnswer({ question, answer, category, clinical, demonstration, uncertainty }: Answered, facts: Facts): AnswerChecks {
  const doses = checkDoses(answer, facts.formulary, { question }).map((dose) => markOf(dose, facts))
  const { subject, names } = subjectOf(answer, clinical.cards, facts)
  // what was never written contradicts nothing
  const silent = answer.trim() === ''
  const differences = [
    ...doses.flatMap(({ agreement, text, drug, reason, line }) =>
      agreement === 'differs' ? [`“${text}”${drug === '' ? '' : ` for ${drug}`}: ${reason}.${line === '' ? '' : ` The table has: ${line}.`}`] : [],
    ),
    ...opposed(answer, clinical.cards),
    ...(!silent && (subject === 'other' || (demonstration && subject === 'missing'))
      ? [`It does not speak of ${names}, which the question is about.`]
      : []),
  ]
  const agreement: Agreement =
    differences.length > 0 ? 'differs' : doses.length > 0 && doses.every((dose) => dose.agreement === 'agrees') ? 'agrees' : 'not checked'
  return {
    agreement,
    differences,
    subject,
    // the card is there at once and is what the clinician can rely on; a demonstration that contradicts it is only in the way
    withheld: demonstration && clinical.cards.length > 0 && differences.length > 0,
    doses,
    notices: newNotices(question, answer, clinical.notices, facts),
    notStated: notStated(answer, category),
    calculators: mentioned(`${question}\n${answer}`).map(({ id }) => id),
    uncertainty,
  }
}

function markOf({ start, end, text, verdict, reason, lineText, assumed, drug, medicine }: CheckedDose, { medicines }: Facts): DoseMark {
  const known = medicine ? medicines.get(medicine) : undefined
  const agreement = verdict === 'ok' ? 'agrees' : verdict === 'unparsed' ? 'not checked' : 'differs'
  const why = agreement === 'agrees' ? '' : agreement === 'differs' ? WHY[verdict as keyof typeof WHY](reason) : reason
  return { start, end, text, drug: drug ?? '', agreement, reason: why, line: lineText, assumed: [...assumed], record: known ? refOf(known) : null }
}
const WHY = {
  high: (reason: string) => `above the table (${reason})`,
  low: (reason: string) => `below the table (${reason})`,
  unit_error: (reason: string) => `the unit differs from the table (${reason})`,
  tenfold: () => 'ten times the dose of the table, or a tenth of it',
} as const

/** What was asked about: the first card, and others of its kind. */
function subjectOf(answer: string, cards: readonly FactCard[], facts: Facts): { subject: AnswerChecks['subject']; names: string } {
  const first = cards[0]
  if (!first) return { subject: 'none', names: '' }
  const wanted = cards.filter(({ record }) => record.kind === first.record.kind)
  const found = findNamed(answer, facts).found.map(({ known }) => known.record)
  const named = wanted.some(({ record }) => found.some(({ id }) => id === record.id))
  const names = wanted.map(({ record }) => record.name).join(' or ')
  if (named) return { subject: 'named', names }
  // "Give adrenaline" in answer to anaphylaxis is no other subject: only one of the same kind is
  return { subject: found.some(({ kind }) => kind === first.record.kind) ? 'other' : 'missing', names }
}

const ALLOWS = /\b(?:can|may) be (?:used|taken|given)\b|\b(?:is|are) (?:considered )?safe\b|\bno (?:known )?risk\b/i
const FORBIDS = /\b(?:avoid(?:ed)?|contra-?indicated|must not|should not|do not use|not (?:be )?(?:recommended|used|safe))\b/i

/** "can be used" where the record says avoid, or the other way round; only for the parts of the card that were asked for. */
function opposed(answer: string, cards: readonly FactCard[]): string[] {
  return cards.slice(0, 1).flatMap(({ record, parts }) =>
    parts.flatMap(({ id, title, asked, lines: [advice] }) => {
      if (!asked || (id !== 'pregnancy' && id !== 'breastfeeding') || !advice) return []
      const forbidden = FORBIDS.test(answer)
      const allowed = ALLOWS.test(answer) && !forbidden
      const differs = advice.lead === 'avoid' ? allowed : (advice.lead === 'can be used' || advice.lead === 'usual choice') && forbidden
      return differs ? [`${title}: the table says “${advice.lead}” of ${record.name}. ${advice.text}`] : []
    }),
  )
}

/** Of medicines that the answer brings in; those of the question are shown already. */
function newNotices(question: string, answer: string, shown: readonly ClinicalNotice[], facts: Facts): ClinicalNotice[] {
  const both = `${question}\n${answer}`
  const all = noticesOf(findInteractions(both, facts.formulary), findContraindications(answer, question, facts.formulary), facts)
  const key = ({ kind, medicine, other, text }: ClinicalNotice) => [kind, medicine, other, text].join('\u0000')
  const known = new Set(shown.map(key))
  // both medicines from the answer alone are its alternatives, not a combination
  const asked = ` ${question.toLowerCase()} `
  return all
    .filter((one) => !known.has(key(one)))
    .filter(({ kind, medicine, other }) => kind === 'contraindication' || [medicine, other].some((name) => asked.includes(name.toLowerCase())))
    .slice(0, 6)
}
