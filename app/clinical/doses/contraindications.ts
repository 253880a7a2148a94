// Owns which contraindications of the formulary a question touches: a medicine of the answer and a state of the patient as described.
import type { Medicine } from '../records.ts'
import { findDrugs, type Formulary } from './drug-names.ts'
import { folded } from './interactions.ts'
import { readPeople } from './people.ts'
import { scan } from './scan.ts'

export interface ContraindicationFound {
  readonly medicine: Medicine
  /** The sentence of the record. */
  readonly sentence: string
  /** True when the question says all of it. False when a qualifier ("severe", "from aspirin") is not stated: then it is to be read, not to be believed. */
  readonly complete: boolean
}

const FUNCTION_WORDS = new Set(
  'a an any and or of the in with for not at by to on from is are be as other no if it use before after than over under above below between known history'.split(
    ' ',
  ),
)
/** How bad, how active: without it the state is touched, not proved. */
const QUALIFIERS = new Set(
  'severe moderate mild active acute untreated uncontrolled unstable serious recent immediate previous significant marked'.split(' '),
)
/** A negation right before a state takes it away: "no asthma", "not pregnant". */
const NEGATION = new Set(['no', 'not', 'without', 'denie', 'deny', 'never', 'non'])
/** The patient's word for a state of a record. Folded. */
const STATES: Readonly<Record<string, string>> = {
  ...{ pregnancy: 'pregnant', breastfeeding: 'breastfed', asthma: 'asthmatic', epilepsy: 'epileptic', children: 'child', allergy: 'allergic' },
}

/**
 * Contraindications of the medicines that `answer` names which `question` touches. States must be named and not negated; ages, weeks of
 * pregnancy and eGFR are compared as numbers, and a sentence with any other number says nothing. Pure. What the question leaves out is
 * never taken for absent or present.
 */
export function findContraindications(answer: string, question: string, formulary: Formulary): ContraindicationFound[] {
  const medicines = [...new Set(findDrugs(scan(answer).text, formulary).flatMap(({ medicine }) => medicine ?? []))]
  if (medicines.length === 0) return []
  const text = scan(question.slice(0, 20_000)).text
  const words = folded(text)
  const present = new Set(words.filter((_, at) => !NEGATION.has(words[at - 1] ?? '') && !NEGATION.has(words[at - 2] ?? '')))
  const has = (word: string) => present.has(word) || present.has(STATES[word] ?? word)
  return medicines.flatMap((medicine) =>
    medicine.contraindications.flatMap((sentence) => {
      const complete = /\d/.test(sentence) ? byNumber(sentence, text, has) : byWords(sentence, has)
      return complete === null ? [] : [{ medicine, sentence, complete }]
    }),
  )
}

/** null: not touched. */
function byWords(sentence: string, has: (word: string) => boolean): boolean | null {
  const allergy = /^allergy\b/i.test(sentence)
  if (allergy && !has('allergy') && !has('anaphylaxis')) return null
  const all = folded(sentence).filter((word) => !FUNCTION_WORDS.has(word))
  for (const part of sentence.split(/[,:;.]|\bor\b/)) {
    const wanted = folded(part).filter((word) => !FUNCTION_WORDS.has(word) && !QUALIFIERS.has(word) && word !== 'allergy')
    if (wanted.length === 0 || !wanted.every(has)) continue
    // "asthma, angioedema or urticaria from aspirin": the tail belongs to every part
    const tail = /\b(?:from|with|after|together|within|unless|except|during)\b(.*)$/.exec(sentence)?.[1] ?? ''
    const rest = [...folded(part), ...folded(tail)].filter(
      (word) => QUALIFIERS.has(word) || (!FUNCTION_WORDS.has(word) && folded(tail).includes(word)),
    )
    return all.every(has) || rest.every(has)
  }
  return null
}

function byNumber(sentence: string, text: string, has: (word: string) => boolean): boolean | null {
  const egfr = /eGFR below (\d+)/.exec(sentence)
  if (egfr) {
    const stated = /\begfr\D{0,12}(\d{1,3})\b/.exec(text)
    return stated && Number(stated[1]) < Number(egfr[1]) ? true : null
  }
  const weeks = /[Ff]rom (\d+) weeks of pregnancy/.exec(sentence)
  if (weeks) {
    const stated = /\b(\d{1,2}) ?(?:weeks|\/40)/.exec(text)
    return has('pregnancy') && stated ? (Number(stated[1]) >= Number(weeks[1]) ? true : null) : has('pregnancy') ? false : null
  }
  const age = /^(?:Children |Infants )?(?:[Uu]nder|[Bb]elow) (\d+) (year|month)s?\b/.exec(sentence)
  if (!age) return null
  const stated = readPeople(text.slice(0, 800))?.age
  return stated && stated.from < Number(age[1]) / (age[2] === 'year' ? 1 : 12) ? true : null
}
