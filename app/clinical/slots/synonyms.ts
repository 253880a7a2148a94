// Owns the words that the gate takes for one another beyond the term tables: each group is one thing in every question.
import { fold } from '../text.ts'

/** The first word of a group stands for all of it. */
const GROUPS = [
  ...['kidney renal', 'liver hepatic', 'heart cardiac', 'stomach gastric', 'medicine medication medicament', 'doctor physician'],
  ...['give administer', 'giving administering', 'given administered', 'tooth teeth', 'ok okay'],
]
const STANDARD: ReadonlyMap<string, string> = new Map(
  GROUPS.flatMap((group) => {
    const [first, ...others] = group.split(' ').map(fold)
    return others.map((other) => [other, first!] as const)
  }),
)

/** The word under which a folded word is compared. */
export const standardWord = (folded: string): string => STANDARD.get(folded) ?? folded
