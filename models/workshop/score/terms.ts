// Owns the score of term standardisation: the share of the terms found that a person found too, the share of a person's that were found, and the time.
import * as z from 'zod'
import { loadTermTables, readMedicineNames, type TermTables } from '../../../app/clinical/term-tables.ts'
import { standardise, type Change } from '../../../app/clinical/terms.ts'
import { words } from '../../../app/clinical/text.ts'
import { atLeast, atMost, median, percent, wilson, type Row } from '../report.ts'
import { inModels, inTests, readLines, type ScoreSet } from './set.ts'

const Line = z.object({
  text: z.string(),
  expect: z.array(z.tuple([z.string(), z.string()])),
  not: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
})
type Line = z.infer<typeof Line>
const form = '{"text": "MI in 2015, MS 10 mg", "expect": [["MI", "myocardial infarction"]], "not": ["multiple sclerosis"]}'
/** Percent of the terms found. */
const TARGET = 99
/** Milliseconds a question. */
const MOST_MS = 1
const TIMED_ROUNDS = 20

interface Found {
  readonly typed: string
  readonly means: string
  readonly verdict: 'right' | 'wrong' | 'unlisted'
}

export const termsSet: ScoreSet = {
  about: 'the standardisation of terms: abbreviations, lay words, spellings, brands, units',
  line: form,
  run(options) {
    const own = options.file !== undefined
    const lines = readLines(options.file ?? inTests('terms-test.jsonl'), Line, form)
    const tables = loadTermTables(inModels('terms'), readMedicineNames(inModels('corpus')))
    const scored = lines.map((line) => ({ line, ...score(line, tables) }))
    const found = scored.flatMap((row) => row.found)
    const count = (verdict: Found['verdict']) => found.filter((one) => one.verdict === verdict).length
    const [right, wrong, unlisted] = [count('right'), count('wrong'), count('unlisted')]
    const asked = scored.reduce((sum, { line }) => sum + line.expect.length, 0)
    const missed = scored.reduce((sum, row) => sum + row.missed.length, 0)
    const judged = own ? right + wrong : right + wrong + unlisted
    const times = timesOf(lines, tables)
    const targets = [
      atLeast('terms.precision', judged === 0 ? 100 : percent(right / judged), TARGET, '%'),
      atMost('terms.time', Math.round(median(times) * 1000) / 1000, MOST_MS, 'ms'),
    ]
    const interval = ({ low, high }: { low: number; high: number }) => `95 % interval ${percent(low)}–${percent(high)} %`
    const faults = scored.filter((row) => row.missed.length > 0 || row.found.some((one) => one.verdict !== 'right'))
    const text = [
      `${right} of ${judged} found are right: precision ${percent(judged === 0 ? 1 : right / judged)} % (${interval(wilson(right, judged))})`,
      `${asked - missed} of ${asked} asked for are found: recall ${percent(asked === 0 ? 1 : (asked - missed) / asked)} % (${interval(wilson(asked - missed, asked))})`,
      `${tables.entries} entries; ${lines.length} lines; median ${targets[1]!.value} ms a question, longest ${Math.round(Math.max(...times) * 1000) / 1000} ms`,
      ...(faults.length === 0 ? [] : [`Wrong or missed:\n\n${faults.map(describe).join('\n')}`]),
    ].join('\n\n')
    const notes = own
      ? ['A term that a line does not mention is listed, not counted: a set of your own need not name every term of its texts.']
      : ['The set names every term of its texts: one that a line does not mention counts as wrong.']
    const rows = scored.map(({ line, found: terms, missed: lost }): Row => ({
      text: line.text,
      found: terms.map(({ typed, means, verdict }) => `${typed} → ${means} (${verdict})`).join('; '),
      missed: lost.map(([short, long]) => `${short} → ${long}`).join('; '),
      ok: lost.length === 0 && terms.every(({ verdict }) => verdict === 'right'),
    }))
    return Promise.resolve({
      name: 'score terms',
      rows,
      targets,
      text,
      notes,
      detail: { right, wrong, unlisted, asked, missed, entries: tables.entries },
    })
  },
}

/** One line: what was found, each with its verdict, and what was asked for and not found. */
function score(line: Line, tables: TermTables): { found: Found[]; missed: [string, string][] } {
  const same = (a: string, b: string) => fold(a) === fold(b)
  // a meaning may be given in other words: it is the same when it becomes the same
  const meaning = (text: string) => fold(standardise(text, tables).text)
  const once = new Map<string, Change>()
  for (const change of standardise(line.text, tables).changes) once.set(`${fold(change.typed)} ${change.means}`, change)
  const got = [...once.values()]
  const agrees = (change: Change, [short, long]: readonly [string, string]) =>
    same(change.typed, short) && (same(change.means, long) || meaning(change.means) === meaning(long))
  const barred = ({ typed, means }: Change) =>
    (line.not ?? []).some((no) => (typeof no === 'string' ? same(typed, no) || same(means, no) : same(typed, no[0]) && same(means, no[1])))
  const found = got.map((change): Found => {
    const { typed, means } = change
    if (barred(change)) return { typed, means, verdict: 'wrong' }
    if (line.expect.some((pair) => agrees(change, pair))) return { typed, means, verdict: 'right' }
    return { typed, means, verdict: line.expect.some(([short]) => same(typed, short)) ? 'wrong' : 'unlisted' }
  })
  return { found, missed: line.expect.filter((pair) => !got.some((change) => agrees(change, pair))) }
}

/** A dot at the end belongs to the sentence as much as to "b.d.". */
const fold = (text: string): string =>
  words(text.replace(/\.$/, ''))
    .map((word) => word.folded)
    .join(' ')

/** Milliseconds of each line, the median of its rounds; the first round warms up and is not counted. */
function timesOf(lines: readonly Line[], tables: TermTables): number[] {
  for (const { text } of lines) standardise(text, tables)
  return lines.map(({ text }) =>
    median(
      Array.from({ length: TIMED_ROUNDS }, () => {
        const start = performance.now()
        standardise(text, tables)
        return performance.now() - start
      }),
    ),
  )
}

function describe({ line, found, missed }: { line: Line; found: readonly Found[]; missed: readonly (readonly [string, string])[] }): string {
  const faults = [
    ...found.filter(({ verdict }) => verdict !== 'right').map(({ typed, means, verdict }) => `${verdict}: ${typed} → ${means}`),
    ...missed.map(([short, long]) => `missed: ${short} → ${long}`),
  ]
  return `  ${line.text.replace(/\s+/g, ' ')}\n      ${faults.join('\n      ')}`
}
