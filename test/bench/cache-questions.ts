// Owns the questions that fill the answer cache for its bench: any number of different ones, of the medicines and conditions of the records.
import { readdirSync, readFileSync } from 'node:fs'
import { inModels } from '../../models/workshop/score/set.ts'
import { random } from '../../models/workshop/twin/random.ts'

const ASPECTS = (
  'dose|maximum dose|side effects|contraindications|monitoring|starting dose|tapering|missed dose|overdose|interactions|' +
  'onset of action|duration of treatment|safety|alternatives to|how to start|when to stop|blood tests with|weight gain with'
).split('|')
const PEOPLE =
  'adult|a child of 7|a child of 12 kg|an elderly woman|pregnancy|breastfeeding|eGFR of 28|liver disease|a man of 83|a newborn|a diabetic|a smoker'.split(
    '|',
  )

/** `count` questions, none twice, in an order that only the seed decides; `skip` leaves out as many first, so that they are others. */
export function questions(count: number, skip = 0): string[] {
  const folder = inModels('corpus')
  const names = (pattern: RegExp) =>
    readdirSync(folder)
      .filter((file) => pattern.test(file))
      .flatMap((file) =>
        readFileSync(`${folder}/${file}`, 'utf8')
          .split('\n')
          .filter((line) => line !== ''),
      )
      .map((line) => (JSON.parse(line) as { name: string }).name)
  const [medicines, conditions] = [names(/^medicines-/), names(/^conditions/)]
  const lists = [ASPECTS, medicines, PEOPLE, conditions] as const
  const all = lists.reduce((product, list) => product * list.length, 1)
  if (count + skip > all) throw new Error(`there are only ${all} questions`)
  // a step that shares no divisor with the number of all visits each once
  let step = Math.floor(all * 0.618) + random(1).below(1000)
  while (divisor(step, all) !== 1) step++
  return Array.from({ length: count }, (_, at) => {
    let place = ((at + skip) * step) % all
    const [aspect, medicine, person, condition] = lists.map((list) => {
      const one = list[place % list.length]!
      place = Math.floor(place / list.length)
      return one
    })
    return `${aspect} of ${medicine} in ${person} with ${condition}`
  })
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
