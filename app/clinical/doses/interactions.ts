// Owns which interactions of the formulary a text touches: two medicines named together, or a medicine and a substance.
import type { Medicine } from '../records.ts'
import { fold } from '../text.ts'
import type { Formulary } from './drug-names.ts'
import { findDrugs } from './drug-names.ts'
import { scan } from './scan.ts'

export interface InteractionFound {
  readonly medicine: Medicine
  /** The other medicine or substance, as the text names it. */
  readonly other: string
  /** As the record of `medicine` has it. */
  readonly with: string
  readonly effect: string
  readonly action: Medicine['interactions'][number]['action']
}
interface Group {
  readonly class?: RegExp
  readonly names?: readonly string[]
}
function alike(words: readonly string[], group: Group): Record<string, Group> {
  return Object.fromEntries(words.map((word) => [word, group]))
}

/**
 * Group words of interaction lists → what in a record's class (or name) belongs to them. Folded words; a group that is not here matches
 * only where the text itself says the word.
 */
const GROUPS: Readonly<Record<string, Group>> = {
  ...alike(['nsaid', 'nsaids'], { class: /non-steroidal|cox-2/ }),
  ...alike(['ace inhibitor'], { class: /^ace inhibitor/ }),
  ...alike(['arb', 'arbs', 'angiotensin receptor blocker'], { class: /angiotensin receptor blocker/ }),
  ...alike(['beta blocker'], { class: /beta blocker/ }),
  ...alike(['calcium channel blocker'], { class: /calcium channel blocker/ }),
  ...alike(['statin'], { class: /^statin/ }),
  ...alike(['ssri', 'ssris'], { class: /ssri/ }),
  ...alike(['snri', 'snris'], { class: /snri/ }),
  ...alike(['tricyclic antidepressant'], { class: /tricyclic/ }),
  ...alike(['benzodiazepine'], { class: /benzodiazepine/ }),
  ...alike(['opioid'], { class: /opioid analgesic/ }),
  ...alike(['diuretic'], { class: /diuretic/ }),
  ...alike(['thiazide'], { class: /thiazide(?:-like)? diuretic/ }),
  ...alike(['loop diuretic'], { class: /loop diuretic/ }),
  ...alike(['corticosteroid'], { class: /^(?:oral )?corticosteroid/ }),
  ...alike(['anticoagulant'], { class: /vitamin k antagonist|factor xa|heparin/ }),
  ...alike(['doac'], { class: /factor xa/ }),
  ...alike(['antipsychotic'], { class: /antipsychotic/ }),
  ...alike(['triptan'], { class: /^triptan/ }),
  ...alike(['nitrate'], { class: /^nitrate/ }),
  ...alike(['sulfonylurea'], { class: /^sulfonylurea/ }),
  ...alike(['gliptin'], { names: ['sitagliptin'] }),
  ...alike(['sglt2 inhibitor'], { class: /sglt2/ }),
  ...alike(['tetracycline'], { class: /^tetracycline/ }),
  ...alike(['penicillin'], { class: /penicillin/ }),
  ...alike(['quinolone'], { class: /quinolone/ }),
  ...alike(['aminoglycoside'], { names: ['gentamicin'] }),
  ...alike(['antimuscarinic'], { class: /antimuscarinic/, names: ['amitriptyline', 'hyoscine butylbromide'] }),
  ...alike(['ppi', 'ppis'], { class: /proton pump/ }),
  ...alike(['sedating antihistamine'], { class: /^sedating antihistamine/ }),
  ...alike(['alpha blocker'], { names: ['doxazosin', 'tamsulosin'] }),
  ...alike(['bisphosphonate'], { class: /bisphosphonate/ }),
  ...alike(['combined oral contraceptive', 'oral contraceptive'], { class: /oestrogen and progestogen contraceptive/ }),
  ...alike(['progestogen'], { class: /progestogen/ }),
  ...alike(['insulin'], { class: /insulin/ }),
  ...alike(['qt prolonging drug'], {
    names: ['amiodarone', 'citalopram', 'escitalopram', 'haloperidol', 'clarithromycin', 'erythromycin', 'domperidone', 'hydroxychloroquine'],
  }),
}

export const folded = (text: string): string[] => (scan(text).text.match(/[\p{L}\p{N}]+/gu) ?? []).map(fold)

/** The parts of "clarithromycin, itraconazole or other azoles, also oral gel", each a phrase of its own. */
const parts = (phrase: string): string[] =>
  phrase
    .replace(/\([^)]*\)/g, '')
    .split(/,|\bor\b|\band\b|\bsuch as\b/)
    .map((part) =>
      folded(part.replace(/\b(?:other|all|strong|oral|regular|in high dose|tablets|also)\b/g, ''))
        .join(' ')
        .trim(),
    )
    .filter((part) => part !== '')

interface FoldedForms {
  readonly names: readonly string[]
  readonly parts: readonly (readonly string[])[]
}
/** Folding the words of a record is most of the work, and records do not change. */
const forms = new WeakMap<Medicine, FoldedForms>()
function foldedForms(medicine: Medicine): FoldedForms {
  const known = forms.get(medicine)
  if (known) return known
  const names = [medicine.name, ...medicine.otherNames, ...medicine.brands].map((name) => folded(name).join(' '))
  const made = { names, parts: medicine.interactions.map((one) => parts(one.with)) }
  forms.set(medicine, made)
  return made
}

/**
 * Interactions between medicines that `text` names, and between one of them and a substance that it names ("alcohol", "grapefruit juice").
 * Each pair once, by the record with the stronger action. Pure; a phrase of a record that matches nothing in the text says nothing.
 */
export function findInteractions(text: string, formulary: Formulary): InteractionFound[] {
  const scanned = scan(text).text
  const mentions = findDrugs(scanned, formulary)
  const medicines = [...new Set(mentions.flatMap(({ medicine }) => medicine ?? []))]
  const plain = ` ${folded(text).join(' ')} `
  const found = new Map<string, InteractionFound>()
  for (const medicine of medicines) {
    const { names: ownNames, parts: phrases } = foldedForms(medicine)
    for (const [at, interaction] of medicine.interactions.entries()) {
      for (const part of phrases[at]!) {
        const other = medicines.find((one) => one !== medicine && belongs(one, part)) ?? (named(plain, part, ownNames) ? part : undefined)
        if (other === undefined) continue
        const name = typeof other === 'string' ? other : other.name
        const key = [medicine.name, name].sort().join('\u0000')
        const earlier = found.get(key)
        if (earlier && STRENGTH.indexOf(earlier.action) <= STRENGTH.indexOf(interaction.action)) continue
        found.set(key, { medicine, other: name, with: interaction.with, effect: interaction.effect, action: interaction.action })
      }
    }
  }
  return [...found.values()]
}

/** Strongest first. */
const STRENGTH: readonly InteractionFound['action'][] = ['do not combine', 'avoid if possible', 'adjust dose', 'separate doses', 'monitor']

function belongs(medicine: Medicine, part: string): boolean {
  if (foldedForms(medicine).names.includes(part)) return true
  if (medicine.name.startsWith(`${part} `)) return true
  const group = GROUPS[part]
  return group !== undefined && ((group.class?.test(medicine.class.toLowerCase()) ?? false) || (group.names?.includes(medicine.name) ?? false))
}

function named(plain: string, part: string, ownNames: readonly string[]): boolean {
  if (ownNames.includes(part) || part.length < 4) return false
  return plain.includes(` ${part} `)
}
