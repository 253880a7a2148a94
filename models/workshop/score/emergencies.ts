// Owns the score of the emergency rules: emergencies whose record is shown, and banners that are deserved.
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { findEmergencies } from '../../../app/clinical/emergency.ts'
import { loadEmergencyTables } from '../../../app/clinical/emergency-rules.ts'
import { atLeast, percent, table, wilson } from '../report.ts'
import { BadLines, inModels, inTests, readLines, type ScoreSet } from './set.ts'

const Line = z.object({ text: z.string(), emergency: z.string().nullable(), accept: z.array(z.string().nullable()).optional() })
const form = '{"text": "58M crushing chest pain, sweaty", "emergency": "acute-coronary-syndrome", "accept": ["acute-aortic-dissection"]}'
/** Percent. */
const TARGETS = { recall: 99, precision: 90 }

export const emergenciesSet: ScoreSet = {
  about: 'the emergency that a text describes, or none',
  line: form,
  run(options) {
    const file = options.file ?? inTests('emergencies-test.jsonl')
    const lines = readLines(file, Line, form)
    const known = recordNames()
    const resolve = (name: string | null, at: number): (string | null)[] => {
      if (name === null) return [null]
      const ids = known(name)
      if (ids.length === 0)
        throw new BadLines(`${file}:${at + 1}: no emergency record is called “${name}”. Use an id or name of models/corpus/emergencies.jsonl.`)
      return ids
    }
    const tables = loadEmergencyTables(inModels('terms'))
    const rows = lines.map(({ text, emergency, accept = [] }, at) => {
      const wanted = [emergency, ...accept].flatMap((name) => resolve(name, at))
      const found = findEmergencies(text, tables)
      const got = found.map(({ id }) => id)
      const hit = got.some((id) => wanted.includes(id))
      const ok = emergency === null ? got.length === 0 || hit : hit || (got.length === 0 && wanted.includes(null))
      const why = found.map(({ id, reasons }) => `${id} (${reasons.map(({ finding, words }) => `${finding}: ${words}`).join('; ')})`).join(', ')
      return { text, emergency: emergency ?? 'none', got: got.join(', ') || 'none', first: wanted.includes(got[0] ?? null), ok, why }
    })
    const shown = rows.filter((row) => row.got !== 'none')
    const emergencies = rows.filter((row) => row.emergency !== 'none')
    const all = lines.flatMap(({ text, emergency, accept = [] }, at) => {
      const wanted = [emergency, ...accept].flatMap((name) => resolve(name, at))
      return findEmergencies(text, tables).map(({ id }) => wanted.includes(id))
    })
    const figures = [
      figure('recall: the right record is shown', emergencies.filter((row) => row.ok).length, emergencies.length),
      figure('recall: the right record is shown first', emergencies.filter((row) => row.first).length, emergencies.length),
      figure('recall: any banner', emergencies.filter((row) => row.got !== 'none').length, emergencies.length),
      figure('precision: banners that were right', shown.filter((row) => row.ok).length, shown.length),
      figure('precision: of all records shown', all.filter(Boolean).length, all.length),
      figure('no emergency: no banner', rows.filter((row) => row.emergency === 'none' && row.ok).length, rows.length - emergencies.length),
    ]
    const share = (name: string) => figures.find((row) => row.figure.startsWith(name))?.['%'] ?? 0
    const wrong = rows.filter((row) => !row.ok)
    const text = [
      table(figures),
      ...(wrong.length === 0
        ? []
        : [`Wrong:\n\n${wrong.map((row) => `  ${row.emergency} → ${row.got}: ${row.text.replace(/\s+/g, ' ')}\n      ${row.why}`).join('\n')}`]),
    ].join('\n\n')
    const targets = [
      atLeast('emergencies.recall', share('recall: the right record is shown'), TARGETS.recall, '%'),
      atLeast('emergencies.precision', share('precision: banners'), TARGETS.precision, '%'),
    ]
    return Promise.resolve({ name: 'score emergencies', rows: rows.map(({ why, ...row }) => ({ ...row, why })), targets, text, detail: { figures } })
  },
}

function figure(name: string, hits: number, total: number) {
  const { low, high } = wilson(hits, total)
  return { figure: name, hits, of: total, '%': total === 0 ? 0 : percent(hits / total), 'from %': percent(low), 'to %': percent(high) }
}

/** Ids for a label of a set: an id, a name or other name of a record, or the common start of several ids ("sepsis", "choking"). */
function recordNames(): (name: string) => string[] {
  const Names = z.object({ id: z.string(), name: z.string(), otherNames: z.array(z.string()) })
  const records = readFileSync(inModels('corpus/emergencies.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => Names.parse(JSON.parse(line)))
  return (label) => {
    const key = label.toLowerCase().replace(/[\s_]+/g, '-')
    const same = (name: string) => name.toLowerCase().replace(/[\s_]+/g, '-') === key
    const exact = records.filter((record) => [record.id, record.name, ...record.otherNames].some(same))
    return (exact.length > 0 ? exact : records.filter(({ id }) => id.startsWith(`${key}-`))).map(({ id }) => id)
  }
}
