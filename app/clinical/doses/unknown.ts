// Owns which word beside an amount may be a medicine that nobody knows: a word that is no ordinary word of a prescription.
import type { Formulary } from './drug-names.ts'
import { UNIT_WORDS } from './units.ts'

/** Words that stand between a medicine and its dose, or before a dose whose medicine was named earlier. */
const ORDINARY = new Set(
  `a about above active acute added adequate adjust adjusted administer administered adolescent adolescents adult adults after again age aged ages
  all alone also alternative alternatively always amount an and another any are around as at available away based be because bed bedtime before
  begin below between body both breakfast bolus but by can capsule capsules case cases check child childhood children chronic clinic common
  consider continue continued continuing course cream daily day days deep depending deteriorates dispersible divided do dosage dose dosed doses
  dosing double doubled doubling drink drop drops due during each early effect eight either elderly evening every example exceed extended failing
  female first five fluid follow followed following food for four fourth from full gel give given gives giving gradually group guidance half have
  he her high higher his hour hourly hours if immediate immediately in increase increased increases increasing infant infants inhaled inhaler
  initial initially inject injected injection instead intramuscular intramuscularly intranasal intravenous intravenously into is it itself just
  kilogram last later least less level life liquid loading long low lower lowest maintain maintenance male man maximum may meal meals mean measured
  men mild milligram minimum minute minutes moderate modified month monthly months more morning most mouth must nasal nebulised nebulized neonate
  neonates needed newborn next night nightly nine no normal normally not now number of offer older on once one only opioid option or oral orally
  other otherwise over patient patients paediatric pediatric per person plus possible pregnancy pregnant prescribe prescribed prescribing prevent
  prevention prophylaxis puffs quantity range rate recommended rectal rectally reduce reduced reducing regimen regular regularly release repeat
  repeated required response review route same second sessile seven severe she short should single six slow slowly solution some spacer spray
  standard start started starting starts stat state step stop strength subcutaneous subcutaneously suggested suspension symptoms syrup tablet
  tablets take taken takes taking ten than that the their them then therapy there these they third this three time times titrate titrated titration
  to tolerated topical total treat treated treatment try twice two typical typically under until up upwards use used using usual usually via wait
  was water week weekly weeks weigh weighing weight well were when where which while who will with within without woman women would year years you
  young your plan advice dosages recommended daily: maintenance weekly: infusion vein muscle thigh outer skin rectum nostril tongue mouth dispersed
  chewed crushed mg dissolved stable hospital home community surgery child's initial: dose: renal hepatic impairment function kidney liver clearance
  infection infections fever pain asthma epilepsy attack anaphylaxis seizure seizures disease failure syndrome pneumonia sepsis hypertension diabetes
  thrush shingles gout migraine angina cystitis cellulitis tonsillitis otitis media sinusitis urinary tract chest throat acid reflux relief rescue
  iv im sc po pr prn mr xl sr od bd tds qds stat e.g i.e approx approximately roughly exactly nearly almost least further additional extra subsequent
  tapering taper reducing fixed flat combined combination equivalent`
    .split(/\s+/)
    .filter((word) => word !== ''),
)
/** Endings of medicines' names: such a word is a medicine wherever it stands. */
const DRUG_ENDING =
  /(?:cillin|mycin|micin|floxacin|cycline|oxaban|parin|statin|sartan|pril|olol|dipine|azole|idazole|prazole|tidine|triptan|setron|gliptin|gliflozin|glutide|formin|azepam|azolam|barbital|oxetine|apine|idone|peridol|mab|tinib|vir|zosin|terol|asone|olone|onide|tropium|kast|caine|codone|morphine|fentanil|thiazide|semide|actone|dronate|fibrate|profen|oxicam|coxib|triptyline|pramine|zine|lukast|ximab)$/
const CONNECTED = /(?:\band|\bplus|\bwith|\bor|\bthen|\bto|\bthan|\bby|\badd|,|;)\s*$/

/** The unknown medicine right before an amount; `named` when a known medicine stands before in the same sentence. */
export function unknownBefore(before: string, named: boolean, formulary: Formulary): string | null {
  // "glucose 10 % 200 ml"
  const bare = before.replace(/\d{1,3}(?:[.,]\d{1,3})? ?%\s*$/, '')
  const match = /(?:^|[^\p{L}\p{N}])(\p{L}[\p{L}\p{N}]*(?:-\p{L}[\p{L}\p{N}]*)?)[\s:,(-]*$/u.exec(bare)
  if (!match) return null
  const word = match[1]!
  if (!isUnknown(word, formulary)) return null
  const start = before.lastIndexOf(word)
  return !named || DRUG_ENDING.test(word) || CONNECTED.test(before.slice(0, start)) ? word : null
}

/** "50 mg of zimbutrol". */
export function unknownAfter(after: string, formulary: Formulary): string | null {
  const word = /^ (?:of )?(?:oral |intravenous |intramuscular |iv |im )?(\p{L}[\p{L}\p{N}]*(?:-\p{L}+)?)/u.exec(after)?.[1]
  if (word === undefined || !isUnknown(word, formulary)) return null
  return /^ of /.test(after) || DRUG_ENDING.test(word) ? word : null
}

function isUnknown(word: string, { familiar }: Formulary): boolean {
  if (word.length < 4 || Object.hasOwn(UNIT_WORDS, word)) return false
  const parts = word.split('-')
  return !parts.every(
    (part) =>
      ORDINARY.has(part.replace(/s$/, '')) ||
      ORDINARY.has(part) ||
      familiar.has(part) ||
      (part.endsWith('s') && familiar.has(part.slice(0, -1))) ||
      /ly$|ing$/.test(part),
  )
}
