// Owns the modes bench: base, adapter and merged mode side by side, what a change between them costs, and how far they agree.
import { join } from 'node:path'
import { interval } from '../../models/workshop/eval/score.ts'
import { atLeast, atMost, median, table, type Report, type Row, type Target } from '../../models/workshop/report.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'
import { accuracy, adapterChange, agreement, measureMode, modeNames, type Measured, type ModeName, type Question } from './modes-measure.ts'
import { familySubject, starterBase, twinSubject, type Subject } from './modes-subjects.ts'
import type { Bench } from './run.ts'
import { stoppable } from './stoppable.ts'

export interface Setting {
  question: Question
  /** Of the twin; null: all of them. undefined: no twin. */
  layers?: number | null
  /** Texts whose logits are compared, adapter changes that are timed, questions of each split that are judged. */
  texts: number
  changes: number
  judged: number
  rounds: number
  /** The script of the engine process. */
  entry: string
}
const STARTER = join(import.meta.dirname, '../../models/starter')
const full: Omit<Setting, 'rounds'> = {
  question: { promptTokens: 200, answerTokens: 64 },
  ...{ layers: null, texts: 8, changes: 200, judged: 120 },
  entry: join(import.meta.dirname, '../../out/app/engine.js'),
}
const TWIN = 'qwen2-0.5b'
/** Of the logits' own root mean square; both forms are rounded to 8 bits, the merged one after the adapter was added. */
const AGREEMENT = 0.2
/** What the prototype reached was 0.85. */
const SPEED = 0.8
const CHANGE_MS = 1

export const modes: Bench = {
  about: 'base, adapter and merged mode: first token, tokens/s, memory, changes between them, agreement of logits, accuracy by category',
  rounds: 3,
  run: (rounds) => stoppable((context) => measureModes({ ...full, rounds }, context)),
}

/** Rounds are interleaved: base, adapter and merged one after the other in each, every one in a fresh process; medians count. */
export async function measureModes(setting: Setting, context: VerbContext): Promise<Report> {
  const subjects = [await familySubject('starter', await starterBase(STARTER), context)]
  if (setting.layers !== undefined) subjects.push(await twinSubject(TWIN, { layers: setting.layers }, context))
  const parts = []
  for (const subject of subjects) parts.push(await measureSubject(subject, setting, context))
  context.progress.end()
  // the starter is all overhead: what an adapter costs shows only on a model with weights to read
  const twinRows = setting.layers === undefined ? [] : parts.at(-1)!.rows
  const speed = (mode: ModeName) => Number(twinRows.find((row) => row['mode'] === mode)?.['tokens/s'])
  return {
    name: 'bench modes',
    rows: parts.flatMap(({ rows }) => rows),
    text: parts.map(({ text }) => text).join('\n\n'),
    targets: [
      ...parts.flatMap(({ targets }) => targets),
      ...(twinRows.length > 0 ? [atLeast('modes.speed', speed('adapter') / speed('merged'), SPEED, '× of merged')] : []),
    ],
    notes: [
      `One question of ${setting.question.promptTokens} tokens and at most ${setting.question.answerTokens} of answer; ${setting.rounds} rounds, medians. GB are 10⁹ bytes resident in the engine process.`,
      'Change to next: in one process, from this mode to the next row’s, the last one’s to the first. Change of adapter: both are in memory; with a token: what the first evaluation after it takes longer.',
      ...subjects
        .filter(({ trained }) => !trained)
        .map(({ name }) => `The adapters of the ${name} are random, so its accuracy by category says nothing and is not measured.`),
    ],
    detail: { accuracy: parts.flatMap(({ judged }) => judged) },
  }
}

async function measureSubject(subject: Subject, setting: Setting, context: VerbContext) {
  const { rounds, question, entry } = setting
  const { signal, progress } = context
  const measured: Record<ModeName, Measured[]> = { base: [], adapter: [], merged: [] }
  progress.stage(`measuring ${subject.name}`, rounds * modeNames.length)
  for (let round = 0; round < rounds; round++)
    for (const [n, mode] of modeNames.entries()) {
      signal.throwIfAborted()
      progress.at(round * modeNames.length + n, mode)
      measured[mode].push(await measureMode(subject, mode, question, entry, signal))
    }
  const change = await adapterChange(subject, setting.changes, signal)
  const { rms, effect, top } = await agreement(subject, setting.texts, signal)
  const rows = modeNames.map((mode) => rowOf(subject, mode, measured[mode]))
  const judged: Row[] = subject.trained
    ? [...(await accuracy(subject, setting.judged, context))].map(([category, { base, adapter, merged }]) => ({
        ...{ subject: subject.name, category, questions: base.total },
        ...{ 'base %': interval(base), 'adapter %': interval(adapter), 'merged %': interval(merged) },
      }))
    : []
  const facts: Row = {
    ...{ subject: subject.name, 'change of adapter ms': change.callMs, 'with a token ms': change.withTokenMs },
    ...{ 'logits differ, share of RMS': rms, 'adapter moves them by': effect, 'same likeliest token': top },
  }
  const targets: Target[] = [
    atMost(`modes.change.${subject.name.split(/[ ,]/)[0]}`, change.callMs, CHANGE_MS, 'ms'),
    atMost(`modes.agreement.${subject.name.split(/[ ,]/)[0]}`, rms, AGREEMENT, 'of RMS'),
  ]
  const text = [
    table(rows),
    table([
      {
        ...facts,
        'logits differ, share of RMS': rms.toFixed(4),
        'adapter moves them by': effect.toFixed(4),
        'change of adapter ms': change.callMs.toFixed(4),
      },
    ]),
  ]
  return {
    rows: rows.map((row, n) => (n === 0 ? { ...row, ...facts } : row)),
    judged,
    targets,
    text: [...text, ...(judged.length > 0 ? [table(judged)] : [])].join('\n\n'),
  }
}

function rowOf({ name }: Subject, mode: ModeName, runs: readonly Measured[]): Row {
  const of = (pick: (one: Measured) => number) => median(runs.map(pick))
  const rss = runs.flatMap((one) => (one.rss === null ? [] : [one.rss]))
  return {
    ...{ subject: name, mode, 'first token ms': of(({ firstTokenMs }) => firstTokenMs), 'tokens/s': of(({ tokensPerSecond }) => tokensPerSecond) },
    ...{ GB: rss.length > 0 ? Math.round(Math.max(...rss) * 1000) / 1000 : null },
    ...{ 'load ms': of(({ loadMs }) => loadMs), 'change to next ms': of(({ switchMs }) => switchMs) },
  }
}
