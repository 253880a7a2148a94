// Owns the score of the clinical gate: pairs of questions that must never share an answer, and variants of one question that must.
import * as z from 'zod'
import { clinicalGate, inShort, type Difference } from '../../../app/clinical/gate.ts'
import { loadSlotTables } from '../../../app/clinical/slots/slots.ts'
import { atLeast, atMost, median, percent, table, wilson, type Row } from '../report.ts'
import { inModels, inTests, readLines, type ScoreSet } from './set.ts'

const Line = z.object({ a: z.string(), b: z.string(), same: z.union([z.literal(0), z.literal(1)]), slot: z.string().optional() })
type Line = z.infer<typeof Line>
const form = '{"a": "amoxicillin 250 mg tds", "b": "amoxicillin 500 mg tds", "same": 0, "slot": "amount"}'
const SETS = ['pairs-dev.jsonl', 'pairs-test.jsonl', 'pairs-stranger.jsonl']
/** Milliseconds a question. */
const MOST_MS = 1
const TIMED_ROUNDS = 5

export const pairsSet: ScoreSet = {
  about: 'the clinical gate of the answer cache: one detail differs, or the same question in other words',
  line: form,
  run(options) {
    const own = options.file !== undefined
    const lines = own
      ? readLines(options.file!, Line, form).map((line) => ({ ...line, set: 'own' }))
      : SETS.flatMap((name) => readLines(inTests(name), Line, form).map((line) => ({ ...line, set: name.replace(/^pairs-|\.jsonl$/g, '') })))
    const { slotsOf: read, gate } = clinicalGate(loadSlotTables(inModels('.')))
    const judged = lines.map((line) => {
      const [a, b] = [read(line.a), read(line.b)]
      const [verdict, back] = [gate(a, b), gate(b, a)]
      const differs: readonly Difference[] = verdict.same ? [] : verdict.differs
      return { ...line, served: verdict.same, ok: verdict.same === (line.same === 1), even: verdict.same === back.same, differs }
    })
    const group = (name: string, want: 0 | 1, rows: typeof judged) => {
      const hits = rows.filter(({ ok }) => ok).length
      const { low, high } = wilson(hits, rows.length)
      const share = rows.length === 0 ? 100 : percent(hits / rows.length)
      return {
        set: name,
        must: want === 0 ? 'differ' : 'be served',
        right: hits,
        of: rows.length,
        '%': share,
        'from %': percent(low),
        'to %': percent(high),
      }
    }
    const names = [...new Set(judged.map(({ set }) => set))]
    const figures = names.flatMap((name) =>
      ([0, 1] as const).map((want) =>
        group(
          name,
          want,
          judged.filter((row) => row.set === name && row.same === want),
        ),
      ),
    )
    const falseServes = judged.filter(({ same, served }) => same === 0 && served).length
    const variants = group(
      'all',
      1,
      judged.filter(({ same }) => same === 1),
    )
    const times = timesOf(lines, read)
    const targets = [
      atMost('pairs.false-serves', falseServes, 0, 'pairs'),
      // pairs of a stranger may be the same in sense and not in words: those are counted, and are no target
      ...(own || variants.of === 0 ? [] : [atLeast('pairs.variants-served', variants['%'], 100, '%')]),
      atMost('pairs.not-symmetric', judged.filter(({ even }) => !even).length, 0, 'pairs'),
      atMost('pairs.time', Math.round(median(times) * 1000) / 1000, MOST_MS, 'ms'),
    ]
    const named = judged.filter(({ same, slot, differs }) => same === 0 && slot !== undefined && differs.length > 0)
    const text = [
      table(figures),
      `${lines.length} pairs; median ${targets.at(-1)!.value} ms a question, longest ${Math.round(Math.max(...times) * 100) / 100} ms`,
      ...(named.length === 0
        ? []
        : [
            `The slot of the label is among those named in ${percent(named.filter(({ slot, differs }) => differs.some((one) => one.slot === slot)).length / named.length)} % of the pairs that differ.`,
          ]),
      ...wrongOf(judged),
    ].join('\n\n')
    const rows = judged.map(({ a, b, same, slot, served, ok, differs }): Row => ({
      a,
      b,
      same,
      slot: slot ?? null,
      served,
      ok,
      differs: inWords(differs),
    }))
    const notes = own ? ['Pairs with "same": 1 are counted, not required: the gate serves only what it is sure of.'] : []
    return Promise.resolve({ name: 'score pairs', rows, targets, text, notes, detail: { figures } })
  },
}

const inWords = (differs: readonly Difference[]): string => differs.map((one) => `${one.slot}: ${inShort(one)}`).join('; ')

/** Wrong lines: answers that would be served wrongly, then variants that would not be served. */
function wrongOf(judged: readonly (Line & { ok: boolean; served: boolean; differs: readonly Difference[] })[]): string[] {
  const list = (want: 0 | 1) =>
    judged
      .filter(({ same, ok }) => same === want && !ok)
      .map(({ a, b, slot, differs }) => `  ${slot ?? ''}: ${a}\n      ${b}${differs.length > 0 ? `\n      ${inWords(differs)}` : ''}`)
  const [served, missed] = [list(0), list(1)]
  return [
    ...(served.length > 0 ? [`Served and must not be:\n\n${served.join('\n')}`] : []),
    ...(missed.length > 0 ? [`Not served:\n\n${missed.join('\n')}`] : []),
  ]
}

/** Milliseconds of each first question, the median of its rounds; all of them have been read once before. */
function timesOf(lines: readonly Line[], read: (question: string) => unknown): number[] {
  return lines.map(({ a }) =>
    median(
      Array.from({ length: TIMED_ROUNDS }, () => {
        const start = performance.now()
        read(a)
        return performance.now() - start
      }),
    ),
  )
}
