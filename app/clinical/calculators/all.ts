// Owns the list of calculators, and which of them an answer mentions.
import { centor, curb65, news2 } from './acute.ts'
import type { Calculator } from './calculator.ts'
import { cha2ds2vasc, wellsDvt, wellsPe } from './clots.ts'
import { bmi, egfr } from './kidney-body.ts'

export const calculators = [egfr, bmi, cha2ds2vasc, wellsPe, wellsDvt, curb65, news2, centor] as const

/** The calculators whose name stands in `text`, in the order of the list. Linear in the length of the text. */
export function mentioned(text: string): Calculator[] {
  const plain = text.toLowerCase().normalize('NFKC').replace(/[‐‑–]/g, '-')
  return (calculators as readonly Calculator[]).filter(({ mentions }) =>
    mentions.some((words) => {
      const at = plain.indexOf(words.normalize('NFKC'))
      return at >= 0 && !/\p{L}/u.test(plain[at - 1] ?? ' ')
    }),
  )
}
