// Owns the reasons of a plan in words: where the layers are and why not elsewhere, which limits bind and what easing each would give.
import type { ModelShape } from '../contract/shape.ts'
import { WISH, type Planning, type Shortage, type Wish } from './choose.ts'
import { solve } from './dp.ts'
import { readPlan } from './forecast.ts'
import type { HardwareProfile } from './hardware.ts'
import { kvBytesPerToken } from './memory.ts'
import { TOKEN_OVERHEAD } from './performance.ts'
import { divided, evaluate, type Plan, type PlacementProblem } from './plan.ts'
import { build, modelOf, type Configuration, type Model, type Selection } from './problem.ts'

export interface Reason {
  about: 'placement' | 'memory' | 'division' | 'context' | 'kv' | 'step' | 'threads' | 'mmap' | 'backend' | 'less'
  text: string
}
interface Case {
  profile: HardwareProfile
  model: Model
  plan: Plan
  wish: Wish
  selection: Selection
  configuration: Configuration
  problem: PlacementProblem
  device: readonly number[]
}

/** Of a plan that choose() made with the same arguments. A limit that does not bind is not mentioned. */
export function explain(profile: HardwareProfile, shape: ModelShape, planning: Planning, asked: Partial<Wish> = {}): Reason[] {
  const { plan, conceded, shortage } = planning
  if (!plan) return [{ about: 'less', text: tooLarge(shortage!) }]
  const wish = { ...WISH, ...asked }
  const model = modelOf(shape, wish.adapterBytes)
  const { selection, device, ...made } = readPlan(profile, plan)
  const configuration = { ...made.configuration, stepSeconds: wish.stepSeconds, margin: !conceded.includes('margin') }
  const { problem } = build(profile, model, selection, configuration, wish.question)
  const one: Case = { profile, model, plan, wish, selection, configuration, problem, device }
  const less = conceded.map((what): Reason => ({ about: 'less', text: what === 'margin' ? NO_MARGIN : lessContext(one) }))
  const parts = [
    placement(one),
    backends(one, planning),
    memory(one),
    division(one),
    context(one),
    kv(one),
    step(one),
    slow(one),
    threads(one),
    mmap(one),
  ]
  return [...less, ...parts.flatMap((part) => part ?? [])]
}

const NO_MARGIN = 'No memory is left as a margin. Close other programs, or choose a smaller model.'
const lessContext = ({ wish, plan }: Case) => `The context holds ${plan.contextSize} tokens instead of ${wish.contextSize}: more does not fit.`

const tooLarge = ({ needs, has, fitsWhenAlone, largestFile }: Shortage) =>
  `The model is too large for this computer now: it needs ${gb(needs)}, and ${gb(has)} may be used. ` +
  (fitsWhenAlone ? 'Close other programs, or choose' : 'Choose') +
  (largestFile > 0 ? ` a model file of up to ${gb(largestFile)}.` : ' another computer: no model fits here.')

function placement({ plan }: Case): Reason {
  const [cpu, ...cards] = plan.devices
  const used = cards.filter(({ blocks, output }) => blocks.count > 0 || output)
  if (used.length === 0) return { about: 'placement', text: 'The whole model is computed by the processor.' }
  const on = used.map(({ name, blocks, output }) => {
    const layers =
      blocks.count === 0
        ? ''
        : `${cpu!.blocks.count === 0 && used.length === 1 ? 'all' : used.length === 1 ? 'the last' : ''} ${count(blocks.count, 'layer')}`
    return `${[layers.trim(), output ? 'the output' : ''].filter(Boolean).join(' and ')} on ${name}`
  })
  const rest = cpu!.blocks.count > 0 ? `, the first ${cpu!.blocks.count} and the embedding in RAM` : ', the embedding in RAM'
  return { about: 'placement', text: capital(`${on.join(', ')}${rest}.`) }
}

/** Why not with another backend; and of those that cannot be used at all, why. */
function backends({ plan, profile }: Case, { others }: Planning): Reason[] {
  const slower = others.map(({ backend, predicted }) => {
    const longer = predicted.questionSeconds - plan.predicted.questionSeconds
    return `${NAMES[backend]} would take ${seconds(longer)} longer for a typical question`
  })
  const cramped = plan.backend === 'cpu' ? profile.devices.filter(({ backend }) => !others.some((other) => other.backend === backend)) : []
  const unused = cramped.map(({ name, memoryFree }) => `${name} has ${gb(memoryFree)} free, too little to hold a layer beside its own needs`)
  const refused = profile.rejected
    .filter(({ backend }) => backend !== 'metal' || profile.os.platform === 'darwin')
    .map(({ backend, why }) => `${NAMES[backend]}: ${why}`)
  return [...slower, ...unused, ...refused].map((text) => ({ about: 'backend', text: text.endsWith('.') ? text : `${text}.` }))
}

/** Whether more memory of a card would take more layers, how much for the next step, and how much for all that is worth it. */
function memory(one: Case): Reason | null {
  const { plan, problem, device } = one
  if (plan.gpuLayers === 0) return null
  const [, ...cards] = plan.devices
  const used = cards.map(
    ({ name, memory, usable, free }) => `${gb(memory.total)} of the ${gb(usable)} that may be used on ${name} (${gb(free)} free)`,
  )
  const fits: Reason = { about: 'memory', text: `The plan takes ${used.join(' and ')}.` }
  if (device[1] !== 0 || cards.length > 1) return fits
  const now = evaluate(problem, device)!
  const roomy = { ...problem, devices: problem.devices.map((at, d) => (d === 0 ? at : { ...at, capacity: Infinity })) }
  const layers = device.length
  const more = Array.from({ length: layers - 1 - plan.gpuLayers }, (_, n) => plan.gpuLayers + 1 + n).flatMap((gpuLayers) => {
    const placed = evaluate(roomy, divided(layers, gpuLayers, [1]))
    return placed && placed.seconds < now.seconds
      ? [{ layers: gpuLayers - plan.gpuLayers, saves: now.seconds - placed.seconds, needs: placed.bytes[1]! - problem.devices[1]!.capacity }]
      : []
  })
  const [next] = more.filter(({ needs }) => needs > 0)
  const best = more.reduce<(typeof more)[number] | null>((a, b) => (a && a.saves >= b.saves ? a : b), null)
  if (!next || !best) return fits
  const says = ({ layers, needs, saves }: typeof next) =>
    `${count(layers, 'more layer')} would need ${gb(needs)} more graphics memory and save ${seconds(saves)} of a typical question`
  return { about: 'memory', text: `${fits.text} ${capital(says(next))}${best === next ? '' : `; ${says(best)}`}.` }
}

/** What llama.cpp's own division among cards costs. */
function division({ profile, model, selection, configuration, wish, problem, device }: Case): Reason | null {
  if (!problem.split) return null
  const free = solve(build(profile, model, selection, configuration, wish.question, true).problem)
  const gain = free ? evaluate(problem, device)!.seconds - free.seconds : 0
  const text = 'The cards share the layers in proportion to their free memory, as llama.cpp divides them.'
  return { about: 'division', text: gain < 0.1 ? text : `${text} Divided freely, a typical question would take ${seconds(gain)} less.` }
}

/** The longest context that the same placement could hold. */
function context({ plan, model, wish }: Case): Reason | null {
  const { shape } = model
  const perLayer = kvBytesPerToken(shape, plan.kvType) / shape.layers
  const rooms = plan.devices
    .filter(({ blocks }) => blocks.count > 0)
    .map(({ usable, memory, blocks }) => (usable - memory.total) / (perLayer * blocks.count))
  const longest = Math.min(shape.trainContextSize, Math.floor((plan.contextSize + Math.min(...rooms)) / 1024) * 1024)
  if (longest <= plan.contextSize || plan.contextSize < wish.contextSize || plan.devices.some(({ shared }) => shared)) return null
  return { about: 'context', text: `The context holds ${plan.contextSize} tokens; up to ${longest} would fit with the layers where they are.` }
}

function kv({ profile, model, selection, configuration, wish, plan, problem, device }: Case): Reason | null {
  if (plan.kvType === 'f16' || !wish.kvTypes.includes('f16')) return null
  const exact = solve(build(profile, model, selection, { ...configuration, kvType: 'f16' }, wish.question).problem)
  const bytes = (kvBytesPerToken(model.shape, 'f16') - kvBytesPerToken(model.shape, 'q8_0')) * plan.contextSize
  const cost = exact ? `and a typical question ${seconds(exact.seconds - evaluate(problem, device)!.seconds)} longer` : 'which are not there'
  return { about: 'kv', text: `The context is kept in 8 bits: at 16 it would take ${gb(bytes)} more, ${cost}.` }
}

/** What the promise that a stop takes effect in time costs: the first token with longer steps. */
function step({ profile, model, selection, configuration, wish, plan, device }: Case): Reason | null {
  const { questionSeconds } = plan.predicted
  const found = wish.steps
    .filter((tokens) => tokens > plan.step)
    .flatMap((tokens) => {
      const { problem } = build(profile, model, selection, { ...configuration, step: tokens }, wish.question)
      const placed = evaluate({ ...problem, stepLimit: Infinity }, device)
      return placed ? [{ tokens, saves: questionSeconds - TOKEN_OVERHEAD * wish.question.answerTokens - placed.seconds }] : []
    })
    .reduce<{ tokens: number; saves: number } | null>((a, b) => (a && a.saves >= b.saves ? a : b), null)
  if (!found || found.saves < 0.1 * plan.predicted.firstTokenSeconds) return null
  const text = `Prompts are read ${plan.step} tokens at a time, so that a stop takes effect at once; with ${found.tokens} the first word would come ${seconds(found.saves)} sooner.`
  return { about: 'step', text }
}

/** Nobody waits that long in a consultation. */
const SLOW_SECONDS = 60
const slow = ({ plan }: Case): Reason | null =>
  plan.predicted.firstTokenSeconds < SLOW_SECONDS
    ? null
    : {
        about: 'less',
        text: `The first word would come after ${seconds(plan.predicted.firstTokenSeconds)}. Choose a smaller model for this computer.`,
      }

function threads({ profile, plan, model }: Case): Reason {
  const { cpu, load, power } = profile
  const why =
    plan.gpuLayers === model.layers.length - 1
      ? 'the graphics card does the rest'
      : power.battery
        ? 'on battery half of the cores rest'
        : load.busyCores >= 1
          ? `other programs keep ${load.busyCores.toFixed(1)} busy`
          : cpu.performanceCores !== undefined && cpu.performanceCores < cpu.physicalCores
            ? 'the slow ones would hold up the fast ones'
            : 'one is left for the rest of the computer'
  return { about: 'threads', text: `${capital(count(plan.threads, 'thread'))} on ${count(cpu.physicalCores, 'core')}: ${why}.` }
}

function mmap({ plan, profile }: Case): Reason | null {
  if (plan.mmap) return null
  const why = profile.os.platform === 'win32' ? 'Windows would keep what is no longer used of it' : 'much of it would be in memory twice'
  return { about: 'mmap', text: `The file is read, not mapped: ${why}.` }
}

const NAMES = { cpu: 'The processor alone', cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' } as const
const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
const count = (n: number, what: string) => `${WORDS[n] ?? n} ${what}${n === 1 ? '' : 's'}`
const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
const seconds = (time: number) => `${time.toFixed(time < 10 ? 1 : 0)} s`
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
