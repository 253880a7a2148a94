// Owns the names that the drug and subject slots know: medicines of the records and tables, conditions, parts of the body, tests.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { MedicineNames } from '../term-tables.ts'
import type { SlotName } from './slot.ts'

/** Tables of models/terms whose first column is a name, or with `means` the second; a column may hold alternatives parted by |. */
const FILES: readonly (readonly [file: string, slot: SlotName, columns: readonly number[]])[] = [
  ['class-drug', 'drug', [0]],
  ['class-vaccine', 'drug', [0]],
  ['terms-brands', 'drug', [1, 0]],
  ['terms-medicines', 'drug', [1]],
  ['class-problem', 'subject', [0]],
  ['class-critical', 'subject', [0]],
  ['class-body', 'subject', [0]],
  ['terms-synonyms', 'subject', [1]],
  ['terms-abbreviations-body', 'subject', [1]],
  ['terms-abbreviations-life', 'subject', [1]],
  ['terms-abbreviations-tests', 'subject', [1]],
]
/** Letters that are a part of a name. */
const LETTERED: readonly (readonly [SlotName, readonly string[]])[] = [
  ['drug', ['a', 'b', 'b1', 'b2', 'b3', 'b6', 'b9', 'b12', 'c', 'd', 'd2', 'd3', 'e', 'k', 'k1', 'k2'].map((letter) => `vitamin ${letter}`)],
  ['subject', ['hepatitis a', 'hepatitis b', 'hepatitis c', 'hepatitis d', 'hepatitis e', 'influenza a', 'influenza b', 'influenza c']],
  [
    'subject',
    ['eyes', 'ears', 'hands', 'feet', 'legs', 'arms', 'knees', 'hips', 'breasts', 'kidneys', 'lungs', 'shoulders', 'ankles', 'wrists', 'elbows'],
  ],
  ['subject', ['haemophilia a', 'haemophilia b', 'group a', 'group b', 'group o', 'group ab', 'type 1 diabetes', 'type 2 diabetes']],
]
/** "diclofenac gel" is diclofenac and a form. */
const WITH_FORM =
  /. (?:inhaler|nebuliser|cream|ointment|gel|tablets?|capsules?|injection|nasal spray|ear spray|spray|eye drops|ear drops|drops|patch|ring|implant|mouthwash|lozenges|suppositor(?:y|ies)|suspension)$/i
/** Words of the drug tables that are words of every question as well. */
const TOO_COMMON = new Set([
  'drug',
  'medicine',
  'medication',
  'tablet',
  'antibiotic course',
  'pill',
  'inhaler',
  'cream',
  'injection',
  'steroid cream',
])

/** Reads `folder` (models/terms). Throws RESOURCE_MISSING naming the file. */
export function readSlotNames(folder: string, medicines: readonly MedicineNames[]): (readonly [SlotName, string])[] {
  const named: (readonly [SlotName, string])[] = medicines.flatMap(({ name, brands }) => [name, ...brands].map((one) => ['drug', one] as const))
  for (const [slot, names] of LETTERED) named.push(...names.map((name) => [slot, name] as const))
  for (const [file, slot, columns] of FILES)
    for (const cells of rows(folder, file))
      for (const column of columns)
        for (const name of (cells[column] ?? '').split('|')) {
          // a short brand is a word as well ("Nix")
          const short = file === 'terms-brands' && column === 0 && name.length <= 4
          if (name !== '' && !short && !(slot === 'drug' && WITH_FORM.test(name)) && !TOO_COMMON.has(name.toLowerCase())) named.push([slot, name])
        }
  return named
}

function rows(folder: string, file: string): string[][] {
  try {
    return readFileSync(join(folder, `${file}.tsv`), 'utf8')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !line.startsWith('# '))
      .map((line) => line.split('\t').map((cell) => cell.trim()))
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', `The file terms/${file}.tsv of the program is missing. Reinstall Rushlight.`, undefined, cause)
  }
}
