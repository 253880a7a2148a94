// Owns a line chart as SVG text: axes with round numbers, lines told apart by colour and by dash, readable without a script and in the dark.

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}
export interface ChartOptions {
  readonly title: string
  readonly x: string
  readonly y: string
  /** Equal ratios are equal heights; values of 0 and below are left out. */
  readonly logarithmic?: boolean
}
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [520, 260, 58, 14, 14, 40]
/** More points than pixels say nothing more. */
const MOST_POINTS = 400

/** The chart, or an empty text when no line has two points. Colours are the page's: classes line-0, line-1, … */
export function chart(lines: readonly Line[], options: ChartOptions): string {
  const { title, x, y, logarithmic = false } = options
  const drawn = lines
    .map(({ name, points }) => ({
      name,
      points: thinned(points.filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value) && (!logarithmic || value > 0))),
    }))
    .filter(({ points }) => points.length > 1)
  if (drawn.length === 0) return ''
  const all = drawn.flatMap(({ points }) => points)
  const across = linear(all.map(([at]) => at))
  const heights = all.map(([, value]) => value)
  const [least, most] = extremes(heights)
  // within a factor of three a logarithm has too few round numbers to read from
  const up = logarithmic && most > 3 * least ? decades(heights) : linear(heights)
  const px = (value: number) => round(LEFT + across.place(value) * (WIDTH - LEFT - RIGHT))
  const py = (value: number) => round(HEIGHT - BOTTOM - up.place(value) * (HEIGHT - TOP - BOTTOM))
  const grid = up.ticks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(tick)}" y2="${py(tick)}"/><text x="${LEFT - 6}" y="${py(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
  )
  const feet = across.ticks.map((tick) => `<text x="${px(tick)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${label(tick)}</text>`)
  const paths = drawn.map(({ points }, at) => `<path class="line line-${at}" d="M${points.map(([a, b]) => `${px(a)} ${py(b)}`).join('L')}"/>`)
  const first = drawn.map(({ name, points }) => `${name} from ${label(points[0]![1])} to ${label(points.at(-1)![1])}`).join(', ')
  const legend = drawn.map(
    ({ name }, at) => `<li><svg width="26" height="8" aria-hidden="true"><path class="line line-${at}" d="M0 4L26 4"/></svg> ${escaped(name)}</li>`,
  )
  return [
    `<figure><figcaption>${escaped(title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${title}: ${first}`)}">`,
    ...grid,
    ...feet,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(x)}</text>`,
    `<text transform="translate(12 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
    ...paths,
    '</svg>',
    `<ul class="legend">${legend.join('')}</ul></figure>`,
  ].join('\n')
}

interface Axis {
  /** 0 at the axis's low end, 1 at its high end. */
  place(value: number): number
  readonly ticks: readonly number[]
}

/** From 0, or from near the least value where that is far from 0, to a round number above the greatest. */
function linear(values: readonly number[]): Axis {
  const [least, most] = extremes(values)
  const from = least > 0 && least > 0.6 * most ? least : Math.min(0, least)
  const span = most - from || 1
  const magnitude = 10 ** Math.floor(Math.log10(span / 4))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((one) => span / one <= 5)!
  const low = Math.floor(from / step + 1e-9) * step
  const high = Math.max(low + step, Math.ceil(most / step - 1e-9) * step)
  const count = Math.round((high - low) / step)
  return { place: (value) => (value - low) / (high - low), ticks: Array.from({ length: count + 1 }, (_, at) => low + at * step) }
}

/** 1, 2 and 5 of every decade, or the decades alone where there are many. */
function decades(values: readonly number[]): Axis {
  const [least, most] = extremes(values)
  const [low, high] = [Math.log10(least), Math.log10(most)]
  const factors = high - low > 2 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) for (const factor of factors) ticks.push(factor * 10 ** power)
  return { place: (value) => (Math.log10(value) - low) / (high - low), ticks: ticks.filter((tick) => tick >= least && tick <= most) }
}

function extremes(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity])
}

function thinned(points: Line['points']): Line['points'] {
  const every = Math.ceil(points.length / MOST_POINTS)
  return points.filter((_, at) => at % every === 0 || at === points.length - 1)
}

const round = (value: number) => Math.round(value * 10) / 10
function label(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3) return value.toExponential(1).replace('.0e', 'e')
  return size >= 10_000 ? `${round(value / 1000)}k` : String(Number(value.toPrecision(3)))
}
/** For the text and the attributes of a page. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
