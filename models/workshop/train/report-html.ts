// Owns the page that tells of a training run: one file with curves and tables, no script, nothing from a network, dark where the reader's screen is.
import { duration } from '../progress.ts'
import { machine } from '../report.ts'
import { chart, escaped, type Line } from './chart.ts'
import type { EventOf, TrainerEvent } from './events.ts'
import type { Plan } from './plan.ts'
import type { StageResult, TrainResult } from './run.ts'

const TERMS = ['loss', 'ce', 'kl', 'mse', 'entity', 'retention'] as const
const WORDS: Readonly<Record<(typeof TERMS)[number], string>> = {
  ...{
    loss: 'whole loss',
    ce: 'cross-entropy',
    kl: 'divergence from the teacher',
    mse: 'distance of hidden states',
    entity: 'error on key entities',
  },
  retention: 'distance from the base',
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5b646e; --rule: #d9dee3; --paper: #fff; --panel: #f6f7f9;
  --c0: #0b6e99; --c1: #b3541e; --c2: #3f7d20; --c3: #8a3b86; --c4: #a3262a; --c5: #5a5f00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a2acb6; --rule: #3a424b; --paper: #15181c; --panel: #1d2227;
  --c0: #6cc3ec; --c1: #f0a06c; --c2: #93d06f; --c3: #d99ad6; --c4: #f08a8d; --c5: #d3d676 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1180px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 19px; margin: 40px 0 8px; border-top: 1px solid var(--rule); padding-top: 20px }
p { max-width: 75ch; margin: 4px 0 12px } .soft, figcaption, .legend, svg text { color: var(--soft); fill: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
caption { text-align: left; color: var(--soft); padding-bottom: 4px } th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top }
th { font-weight: 600 } td.n, th.n { text-align: right } code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 20px } figure { margin: 0; background: var(--panel); border-radius: 8px; padding: 12px }
figure > svg { width: 100%; height: auto; display: block } svg text { font: 11px system-ui, sans-serif } .grid { stroke: var(--rule) }
.line { fill: none; stroke-width: 1.8 } .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 4px 0 0; padding: 0; list-style: none; font-size: 13px }
.line-0 { stroke: var(--c0) } .line-1 { stroke: var(--c1); stroke-dasharray: 7 3 } .line-2 { stroke: var(--c2); stroke-dasharray: 2 3 }
.line-3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3 } .line-4 { stroke: var(--c4); stroke-dasharray: 4 2 } .line-5 { stroke: var(--c5); stroke-dasharray: 1 3 }
@media print { body { max-width: none } figure { break-inside: avoid } }`

/** The whole page. */
export function reportHtml(plan: Plan, result: TrainResult): string {
  const { cpu, cores, memoryGiB, platform, node } = machine()
  const seconds = result.stages.reduce((sum, { record }) => sum + (record?.seconds ?? 0), 0)
  const title = `Training of ${plan.name}`
  const state = result.complete ? 'All stages asked for are complete.' : 'Not all stages are complete: go on with --resume.'
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escaped(title)}</title><style>${STYLE}</style></head>`,
    `<body><main><h1>${escaped(title)}</h1><p>${escaped(plan.about)}</p>`,
    `<p class="soft">${escaped(`${state} ${duration(seconds * 1000)} of work in all, on ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; ` + `trainers at once: ${plan.trainer.jobs}, threads of each: ${plan.trainer.threads}; seed ${plan.seed}. The same seed, threads, processor and build of the trainer give the same bytes.`)}</p>`,
    '<h2>Stages</h2>',
    table('What each stage learned from, and how it ended', stageRows(result.stages)),
    ...result.stages.filter(({ events }) => events.length > 0).map((stage) => section(stage, plan)),
    '<h2>Files</h2>',
    table('What this run has made', fileRows(result.stages)),
    `<p class="soft">Trainer: <code>${result.build}</code></p>`,
    '<h2>Plan</h2>',
    `<div class="scroll"><pre><code>${escaped(JSON.stringify(plan, null, 2))}</code></pre></div>`,
    '</main></body></html>\n',
  ].join('\n')
}

function section({ stage, about, events }: StageResult, { corpus }: Plan): string {
  const progress = of('progress', events)
  const validation = of('validation', events)
  const svd = of('svd', events)
  const line = (name: string, pick: (event: EventOf<'progress'>) => unknown): Line => ({
    name,
    points: progress.flatMap((event) => (typeof pick(event) === 'number' ? [[event.step, pick(event) as number] as const] : [])),
  })
  const terms = TERMS.map((term) => line(WORDS[term], (event) => event[term])).filter(({ points }) => points.length > 0)
  const own = (name: string, pick: (event: EventOf<'validation'>) => number): Line => ({
    name,
    points: validation.map((event) => [event.step, pick(event)] as const),
  })
  const charts = [
    chart(terms, { title: 'Terms of the loss (formula 6), means between two points', x: 'step', y: 'nats', logarithmic: true }),
    chart([own('held-out phrasings', ({ loss }) => loss)], {
      title: `Cross-entropy on ${corpus.validation} held-out samples at most`,
      x: 'step',
      y: 'nats a token',
      logarithmic: true,
    }),
    chart([own('next token right', ({ accuracy }) => accuracy)], { title: 'Share of next tokens that are right, held out', x: 'step', y: 'share' }),
    chart([line('η', ({ learningRate }) => learningRate)], { title: 'Learning rate (formula 5)', x: 'step', y: 'rate' }),
    chart([line('norm', ({ gradientNorm }) => gradientNorm)], {
      title: 'Norm of the gradient, before clipping',
      x: 'step',
      y: 'norm',
      logarithmic: true,
    }),
    chart([line('speed', ({ tokensPerSecond }) => tokensPerSecond)], { title: 'Speed', x: 'step', y: 'tokens a second' }),
    chart([{ name: 'greatest condition number', points: svd.map(({ step, condition }) => [step, condition] as const) }], {
      title: 'StableSVD (formula 4)',
      x: 'step',
      y: 'condition',
      logarithmic: true,
    }),
  ]
  const ranks = of('ranks', events).at(-1)
  const rankRows = ranks ? [['Weight', 'Rank'], ...Object.entries(ranks.ranks).map(([name, rank]) => [name, rank] as const)] : []
  return [
    `<h2 id="${escaped(stage)}">${escaped(stage)}</h2><p class="soft">${escaped(about)}</p>`,
    `<div class="charts">${charts.join('\n')}</div>`,
    rankRows.length > 1
      ? `<details><summary>Ranks by what each gradient was worth (${ranks!.parameters.toLocaleString('en-GB')} parameters)</summary>${table('Adaptive ranks', rankRows)}</details>`
      : '',
  ].join('\n')
}

type Cell = string | number | null | undefined
/** The first row is the head; numbers stand to the right. */
function table(caption: string, rows: readonly (readonly Cell[])[]): string {
  const [head = [], ...body] = rows
  const numeric = head.map((_, at) => body.length > 0 && body.every((row) => typeof row[at] === 'number' || row[at] == null))
  const cell = (value: Cell, tag: 'td' | 'th', at: number) =>
    `<${tag}${tag === 'th' ? ' scope="col"' : ''}${numeric[at] ? ' class="n"' : ''}>${value == null ? '–' : escaped(typeof value === 'number' ? figure(value) : value)}</${tag}>`
  const lines = rows.map((row, n) => `<tr>${row.map((value, at) => cell(value, n === 0 ? 'th' : 'td', at)).join('')}</tr>`)
  return `<div class="scroll"><table><caption>${escaped(caption)}</caption><thead>${lines[0] ?? ''}</thead><tbody>${lines.slice(1).join('\n')}</tbody></table></div>`
}
const figure = (value: number): string => (Number.isInteger(value) ? value.toLocaleString('en-GB') : String(Number(value.toPrecision(3))))

function stageRows(stages: readonly StageResult[]): Cell[][] {
  const head = [
    'Stage',
    'State',
    'Parameters',
    'Trained',
    'Samples',
    'Tokens',
    'Steps',
    'Time',
    'Tokens/s',
    'Last loss',
    'Held-out loss',
    'Held-out right',
  ]
  const rows = stages.map((stage): Cell[] => {
    const { parameters, trainable, samples, tokens, steps, tokensPerSecond, loss, heldOutLoss, heldOutRight } = figuresOf(stage)
    const time = stage.record ? duration(stage.record.seconds * 1000) : null
    return [stage.stage, stage.state, parameters, trainable, samples, tokens, steps, time, tokensPerSecond, loss, heldOutLoss, heldOutRight]
  })
  return [head, ...rows]
}

type Figure = 'parameters' | 'trainable' | 'samples' | 'tokens' | 'steps' | 'step' | 'tokensPerSecond' | 'loss' | 'heldOutLoss' | 'heldOutRight'
export type StageFigures = Readonly<Record<Figure, number | null>>
/** What the events of a stage come to; null where it has none. */
export function figuresOf({ events }: Pick<StageResult, 'events'>): StageFigures {
  const start = of('start', events).at(-1)
  const validation = of('validation', events).at(-1)
  const progress = of('progress', events)
  const speeds = progress.flatMap(({ tokensPerSecond }) => tokensPerSecond ?? [])
  const mean = speeds.length > 0 ? Math.round(speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length) : null
  return {
    ...{ parameters: start?.parameters ?? null, trainable: start?.trainable ?? null, samples: start?.samples ?? null, tokens: start?.tokens ?? null },
    ...{ steps: start?.steps ?? null, step: progress.at(-1)?.step ?? null, tokensPerSecond: mean },
    ...{ loss: progress.at(-1)?.loss ?? null, heldOutLoss: validation?.loss ?? null, heldOutRight: validation?.accuracy ?? null },
  }
}

function fileRows(stages: readonly StageResult[]): Cell[][] {
  const files = stages.flatMap(({ record }) => record?.files ?? []).filter(({ file }) => !/[\\/]/.test(file))
  return [['File', 'Bytes', 'SHA-256'], ...files.map(({ file, bytes, sha256 }): Cell[] => [file, bytes, sha256])]
}

const of = <Type extends TrainerEvent['type']>(type: Type, events: readonly TrainerEvent[]): EventOf<Type>[] =>
  events.filter((event): event is EventOf<Type> => event.type === type)
