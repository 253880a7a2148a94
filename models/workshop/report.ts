// Owns how every command with a figure reports: machine facts, intervals, tables, targets, the JSON form and the exit code.
import { availableParallelism, cpus, totalmem } from 'node:os'

export interface Target {
  readonly id: string
  readonly value: number
  readonly unit: string
  /** What is asked for, in words: "≥ 92 %". */
  readonly target: string
  readonly ok: boolean
}
export type Row = Readonly<Record<string, string | number | boolean | null>>
export interface Report {
  readonly name: string
  readonly rows: readonly Row[]
  readonly targets: readonly Target[]
  /** What a person reads instead of the table of the rows. */
  readonly text?: string
  /** Sentences below the table: what a reader of the figures must know. */
  readonly notes?: readonly string[]
  /** Further facts of the JSON form. */
  readonly detail?: Readonly<Record<string, unknown>>
}
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly platform: string
  readonly node: string
}

/** What a figure depends on and nothing that names a person or a place: no host name, no user, no path. */
export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}

/** Wilson score interval of `hits` out of `total`, as shares 0…1; z 1.96 gives 95 %. Of nothing, nothing is known: 0…1. */
export function wilson(hits: number, total: number, z = 1.96): { low: number; high: number } {
  if (total === 0) return { low: 0, high: 1 }
  const share = hits / total
  const scale = 1 + z ** 2 / total
  const middle = (share + z ** 2 / (2 * total)) / scale
  const reach = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2))
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) }
}

/** The middle value; of an even number the mean of the two. Of nothing, NaN. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** A target that `value` reaches at or above `least`. */
export const atLeast = (id: string, value: number, least: number, unit: string): Target => ({
  id,
  value,
  unit,
  target: `≥ ${least} ${unit}`.trim(),
  ok: value >= least,
})
/** A target that `value` keeps at or below `most`. */
export const atMost = (id: string, value: number, most: number, unit: string): Target => ({
  id,
  value,
  unit,
  target: `≤ ${most} ${unit}`.trim(),
  ok: value <= most,
})

/** Rows as columns of text, numbers to the right. Keys of the first row are the headings; a cell is cut at 70 characters. */
export function table(rows: readonly Row[]): string {
  const first = rows[0]
  if (!first) return ''
  const heads = Object.keys(first)
  const cell = (value: Row[string] | undefined) => {
    const text = value === null || value === undefined ? '–' : typeof value === 'number' ? figure(value) : String(value)
    const flat = text.replace(/\s+/g, ' ')
    return flat.length > 70 ? `${flat.slice(0, 69).toWellFormed()}…` : flat
  }
  const cells = rows.map((row) => heads.map((head) => cell(row[head])))
  const width = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]!.length)))
  const right = heads.map((head) => rows.every((row) => typeof row[head] === 'number' || row[head] === null))
  const line = (row: readonly string[]) =>
    row
      .map((text, at) => (right[at] ? text.padStart(width[at]!) : text.padEnd(width[at]!)))
      .join('  ')
      .trimEnd()
  return [line(heads), width.map((n) => '─'.repeat(n)).join('  '), ...cells.map(line)].join('\n')
}

export const percent = (share: number): number => Math.round(share * 1000) / 10
const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1))

/**
 * Prints the report, as one JSON object with `json` and else as `text` (or a table of the rows) and its targets. Returns the exit
 * code: 1 when a target is missed, else 0.
 */
export function printReport(report: Report, options: { json: boolean }, write = (text: string): unknown => process.stdout.write(text)): number {
  const { name, rows, targets, notes = [], detail } = report
  if (options.json) write(JSON.stringify({ name, machine: machine(), ...detail, ...(notes.length > 0 ? { notes } : {}), rows, targets }) + '\n')
  else {
    const { cpu, cores, memoryGiB, platform, node } = machine()
    write(`${name} — ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}\n\n${report.text ?? table(rows)}\n`)
    if (notes.length > 0) write(`\n${notes.join('\n')}\n`)
    for (const { id, value, unit, target, ok } of targets) write(`\n${ok ? 'met   ' : 'MISSED'}  ${id}: ${figure(value)} ${unit} (target ${target})`)
    write('\n')
  }
  return targets.every(({ ok }) => ok) ? 0 : 1
}
