// Owns the score of equation 1: the share of questions that get the category a person gave them.
import * as z from 'zod'
import { classify } from '../../../app/ask/classify.ts'
import { loadKeywordTables } from '../../../app/clinical/keywords.ts'
import { categories, Category } from '../../../app/contract/entities.ts'
import { atLeast, percent, table, wilson } from '../report.ts'
import { inModels, inTests, readLines, type ScoreSet } from './set.ts'

const Line = z.object({ q: z.string(), category: Category })
const form = '{"q": "amoxicillin dose 16 kg", "category": "medication"}'
/** Percent of the questions. */
const TARGET = 92

export const classifySet: ScoreSet = {
  about: 'the category of a question (equation 1)',
  line: form,
  run(options) {
    const lines = readLines(options.file ?? inTests('classify-test.jsonl'), Line, form)
    const tables = loadKeywordTables(inModels('terms'))
    const rows = lines.map(({ q, category: expected }) => {
      const { category: got, matched, scores } = classify(q, tables)
      return { q, expected, got, ok: got === expected, matched: matched.join(', '), scores: JSON.stringify(scores) }
    })
    const right = rows.filter((row) => row.ok).length
    const share = right / rows.length
    const targets = [atLeast('classify.accuracy', percent(share), TARGET, '%')]

    const { low, high } = wilson(right, rows.length)
    const wrong = rows.filter((row) => !row.ok)
    const text = [
      `${right} of ${rows.length} right: ${percent(share)} % (95 % interval ${percent(low)}–${percent(high)} %)`,
      `Expected (rows) against got (columns):\n\n${table(confusion(rows))}`,
      ...(wrong.length === 0 ? [] : [`Wrong:\n\n${wrong.map(describe).join('\n')}`]),
    ].join('\n\n')
    return Promise.resolve({ name: 'score classify', rows, targets, text })
  },
}

interface Scored {
  q: string
  expected: Category
  got: Category
  matched: string
  scores: string
}

function confusion(rows: readonly Scored[]) {
  const count = (expected: Category | null, got: Category | null) =>
    rows.filter((row) => (expected === null || row.expected === expected) && (got === null || row.got === got)).length
  const share = (part: number, whole: number) => (whole === 0 ? null : percent(part / whole))
  return categories.map((category) => ({
    expected: category,
    ...Object.fromEntries(categories.map((got) => [got, count(category, got)])),
    'recall %': share(count(category, category), count(category, null)),
    'precision %': share(count(category, category), count(null, category)),
  }))
}

const describe = ({ q, expected, got, matched, scores }: Scored): string =>
  `  ${expected} → ${got}: ${q.replace(/\s+/g, ' ')}\n      matched: ${matched || 'nothing'}   ${scores}`
