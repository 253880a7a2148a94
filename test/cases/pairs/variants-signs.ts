// Owns the variants of questions in other case, spacing and punctuation, and with courtesies around them.
import type { Pair } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

/** Questions whose signs are changed; every third is kept for the test set. */
const QUESTIONS = p(`What is the dose of amoxicillin for a 5 year old?
  Can a patient with CKD stage 3 take naproxen 500 mg twice daily?
  side effects of ramipril in the elderly
  Is trimethoprim safe in the first trimester?
  COPD exacerbation: prednisolone 30 mg for 5 days?
  How is type 2 diabetes diagnosed in a 40-year-old woman?
  paracetamol 15 mg/kg every 6 hours for a child of 12 kg
  Warfarin with INR 8, no bleeding: what next?
  Penicillin allergy: what antibiotic for cellulitis?
  Adrenaline 500 micrograms IM for anaphylaxis?
  Left sided chest pain and breathlessness in a 60 year old man
  When should metformin be stopped before contrast?
  HbA1c target on insulin
  Hepatitis B vaccine schedule for a newborn
  Stop smoking: nicotine patch 21 mg/24 h or varenicline?
  Metoclopramide IV or PO?
  Is vitamin B12 deficiency caused by omeprazole?
  What does a BP of 150/95 at 32 weeks pregnant mean?`)

type Change = readonly [slot: string, change: (question: string) => string]
const SIGNS: readonly Change[] = [
  ['case', (question) => question.toUpperCase()],
  ['case', (question) => question.toLowerCase()],
  ['spacing', (question) => `  ${question.replaceAll(' ', '  ')} `],
  ['spacing', (question) => question.replace(/(\d) (mg|kg|micrograms)\b/g, '$1$2').replaceAll(' ', '\u00a0')],
  ['punctuation', (question) => question.replace(/[?:,]/g, '')],
  ['punctuation', (question) => `${question.replace(/\?$/, '')} ???`],
  ['punctuation', (question) => `“${question.replace(/(?<=\p{L}) (?=\p{L}+ )/u, ', ')}”!`],
  ['opening', (question) => `Please: ${question} Thanks!`],
]

/** Every question with every change of signs. */
export const sameInOtherSigns = (isKept: (at: number) => boolean, kept: boolean): Pair[] =>
  QUESTIONS.filter((_, at) => isKept(at) === kept).flatMap((question) =>
    SIGNS.flatMap(([slot, change]): Pair[] => (change(question) === question ? [] : [{ a: question, b: change(question), same: 1, slot }])),
  )
