// Owns the score of the dose checks: labelled answers, and generated slips beside their correct twins.
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { findAmounts } from '../../../app/clinical/doses/amounts.ts'
import { checkDoses, VERDICTS, type CheckedDose } from '../../../app/clinical/doses/check.ts'
import { createFormulary, type Formulary } from '../../../app/clinical/doses/drug-names.ts'
import { readFrequency } from '../../../app/clinical/doses/frequency.ts'
import { scan } from '../../../app/clinical/doses/scan.ts'
import type { Medicine } from '../../../app/clinical/records.ts'
import { readRecords, recordFiles } from '../corpus/records-file.ts'
import { atLeast, atMost, percent, wilson, type Report } from '../report.ts'
import { generateSlips } from './dose-slips.ts'
import { inModels, inTests, readLines, type ScoreSet } from './set.ts'

const figure = z.number().positive()
const VerdictWord = z.enum(VERDICTS)
const Statement = z.object({
  drug: z.string().nullish(),
  /** A number, a range as two numbers, or text as it was written. */
  amount: z.union([figure, z.tuple([figure, figure]), z.string()]).nullish(),
  unit: z.string().nullish(),
  frequency: z.string().nullish(),
  route: z.string().nullish(),
  verdict: VerdictWord,
  accept: z.array(VerdictWord).optional(),
})
const Line = z.object({ answer: z.string(), statements: z.array(Statement) })
const form =
  '{"answer": "Amoxicillin 5 g three times a day", "statements": [{"drug": "amoxicillin", "amount": 5, "unit": "g", "frequency": "three times a day", "route": null, "verdict": "tenfold", "accept": ["high"]}]}'
/** Percent of the lines that must be right in every statement. */
const TARGET = 95
/** The wording of the generated slips; any seed will do, none was tuned on. */
const SEED = 20_261_124

export function loadFormulary(): Formulary {
  const medicines = readRecords(recordFiles(inModels('corpus'))).filter((record): record is Medicine => record.kind === 'medicine')
  const known = readFileSync(inModels('terms/class-drug.tsv'), 'utf8').split(/\r?\n/)
  return createFormulary(
    medicines,
    known.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => line.split('\t')[0]!.trim()),
  )
}

export const dosesSet: ScoreSet = {
  about: 'the doses of an answer, read and compared with the formulary; without --file also slips made from every dose of it',
  line: form,
  run(options) {
    const formulary = loadFormulary()
    const lines = readLines(options.file ?? inTests('doses-test.jsonl'), Line, form)
    const rows = lines.map(({ answer, statements }) => {
      const found = checkDoses(answer, formulary)
      const faults = faultsOf(statements, found, formulary)
      const falselyOk = faults.some((fault) => fault.endsWith('→ ok'))
      return { answer, ok: faults.length === 0, falselyOk, faults: faults.join('; '), found: found.map(describe).join(' | ') }
    })
    const right = rows.filter(({ ok }) => ok).length
    const { low, high } = wilson(right, rows.length)
    const wrong = rows.filter(({ ok }) => !ok)
    const text = [
      `${right} of ${rows.length} lines right: ${percent(right / rows.length)} % (95 % interval ${percent(low)}–${percent(high)} %)`,
      ...(wrong.length === 0
        ? []
        : [`Wrong:\n\n${wrong.map((row) => `  ${row.answer}\n      ${row.faults}\n      found: ${row.found}`).join('\n')}`]),
    ]
    const slips = options.file === undefined ? scoreSlips(formulary) : null
    const targets = [
      atLeast('doses.lines', percent(right / rows.length), TARGET, '%'),
      atMost('doses.falsely-ok', rows.filter(({ falselyOk }) => falselyOk).length, 0, 'lines'),
      ...(slips?.targets ?? []),
    ]
    const report: Report = { name: 'score doses', rows, targets, text: [...text, ...(slips ? [slips.text] : [])].join('\n\n') }
    return Promise.resolve(report)
  },
}

const isAlarm = ({ verdict }: CheckedDose): boolean => verdict !== 'ok' && verdict !== 'unparsed'

/** Caught: an alarm on the medicine's own statement. Silent twins: the correct sentence gives no alarm, and its dose is ok. */
function scoreSlips(formulary: Formulary) {
  const { cases, invisible } = generateSlips(formulary.medicines, SEED)
  const missed: string[] = []
  const alarms: string[] = []
  let [kind, twinsOk] = [0, 0]
  for (const { twin, slipped, slip, medicine } of cases) {
    const own = (text: string) => checkDoses(text, formulary).filter(({ drug }) => drug === medicine)
    const [good, bad] = [own(twin), own(slipped)]
    if (!bad.some(isAlarm)) missed.push(slipped)
    if (bad.some(({ verdict }) => verdict === (slip === 'mg and micrograms' ? 'unit_error' : 'tenfold'))) kind++
    if (good.some(isAlarm)) alarms.push(twin)
    if (good.some(({ verdict }) => verdict === 'ok')) twinsOk++
  }
  const share = (part: number) => percent(part / cases.length)
  const text = [
    `${cases.length} slips made from ${formulary.medicines.length} medicines (seed ${SEED}); ${invisible} more could not be slips, since the changed figure is itself a dose of the record`,
    `caught ${share(cases.length - missed.length)} %, named as what it is ${share(kind)} %; twins without alarm ${share(cases.length - alarms.length)} %, twins ok ${share(twinsOk)} %`,
    ...[...new Set(missed)].map((line) => `  missed: ${line}`),
    ...[...new Set(alarms)].map((line) => `  false alarm: ${line}`),
  ].join('\n')
  return {
    text,
    targets: [
      atLeast('doses.slips', cases.length, 500, 'cases'),
      atLeast('doses.slips-caught', share(cases.length - missed.length), 100, '%'),
      atMost('doses.false-alarms', alarms.length, 0, 'twins'),
      atLeast('doses.twins-ok', share(twinsOk), 100, '%'),
    ],
  }
}

type Expected = z.infer<typeof Statement>

function faultsOf(expected: readonly Expected[], found: readonly CheckedDose[], formulary: Formulary): string[] {
  const left = [...found]
  const faults: string[] = []
  for (const one of expected) {
    const allowed = [one.verdict, ...(one.accept ?? [])]
    const fits = (got: CheckedDose) => sameDrug(one.drug, got, formulary) && sameAmount(one, got)
    const at = [
      left.findIndex((got) => fits(got) && allowed.includes(got.verdict)),
      left.findIndex(fits),
      left.findIndex((got) => sameDrug(one.drug, got, formulary)),
    ].find((index) => index >= 0)
    const name = `${one.drug ?? 'no drug'} ${JSON.stringify(one.amount ?? null)} ${one.unit ?? ''}`.trim()
    if (at === undefined) {
      // a dose that is not to be parsed may as well not be found
      if (!allowed.includes('unparsed')) faults.push(`${name}: ${one.verdict} → not found`)
      continue
    }
    const got = left.splice(at, 1)[0]!
    if (!allowed.includes(got.verdict)) faults.push(`${name}: ${one.verdict} → ${got.verdict}`)
    else if (got.verdict !== 'unparsed') {
      if (!sameAmount(one, got)) faults.push(`${name}: amount → ${describe(got)}`)
      if (!sameFrequency(one.frequency, got)) faults.push(`${name}: ${one.frequency} → ${got.frequency?.text ?? 'no frequency'}`)
      if (!sameRoute(one.route, got)) faults.push(`${name}: ${one.route} → ${got.routes.join(', ') || 'no route'}`)
    }
  }
  return [...faults, ...left.filter(({ verdict }) => verdict !== 'unparsed').map((got) => `not labelled: ${describe(got)} → ${got.verdict}`)]
}

const medicineOf = (name: string, { names }: Formulary): string => {
  const words = scan(name).text.match(/[\p{L}\p{N}]+/gu) ?? []
  return names.get(words[0] ?? '')?.find((one) => one.words.join(' ') === words.join(' '))?.medicine?.name ?? words.join(' ')
}
const sameDrug = (drug: string | null | undefined, got: CheckedDose, formulary: Formulary): boolean =>
  drug == null ? true : got.drug !== null && medicineOf(drug, formulary) === medicineOf(got.drug, formulary)

function sameAmount({ amount, unit }: Expected, got: CheckedDose): boolean {
  if (amount == null) return true
  const [low, high] = Array.isArray(amount) ? amount : [amount, amount]
  const wanted = findAmounts(scan(low === high ? `${low} ${unit ?? ''}` : `${low} to ${high} ${unit ?? ''}`).text)[0]
  if (!wanted || wanted.low === null || wanted.high === null) return true
  const near = (a: number, b: number) => Math.abs(a / b - 1) < 0.001
  const maximum = got.maximum && near(wanted.high * wanted.unit.size, got.maximum.amount * got.maximum.unit.size)
  if (got.low === null || got.high === null) return maximum ?? got.verdict === 'unparsed'
  if (wanted.unit.dimension !== got.unit.dimension) return got.unit.dimension === 'mass'
  return near(wanted.low * wanted.unit.size, got.low * got.unit.size) && near(wanted.high * wanted.unit.size, got.high * got.unit.size)
}

function sameFrequency(frequency: string | null | undefined, { frequency: got }: CheckedDose): boolean {
  const wanted = frequency == null ? null : readFrequency(scan(frequency).text)
  if (!wanted?.perDay || !got) return wanted === null || wanted.kind === 'once' || got !== null
  if (!got.perDay) return got.kind === 'repeat' || got.divided
  return Math.abs(wanted.perDay.high / got.perDay.high - 1) < 0.1
}

const sameRoute = (route: string | null | undefined, { routes, assumed }: CheckedDose): boolean =>
  route == null ||
  routes.some((one) => one === route) ||
  (routes.length === 0 && (assumed.includes(route) || (route === 'oral' && assumed.includes('by mouth'))))

const describe = ({ drug, low, high, unit, perKg, verdict, reason }: CheckedDose): string =>
  `${drug ?? 'no drug'} ${low === null ? 'nothing read' : `${low === high ? low : `${low}–${high}`} ${unit.shown}`}${perKg ? '/kg' : ''}: ${verdict}${reason === '' ? '' : ` (${reason})`}`
