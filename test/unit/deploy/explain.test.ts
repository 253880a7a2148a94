// Owns the tests of a plan's reasons: each says what binds, and what it promises comes true when the limit is eased by as much.
import { describe, expect, it } from 'vitest'
import { choose, type Planning, type Wish } from '../../../app/deploy/choose.ts'
import { explain, type Reason } from '../../../app/deploy/explain.ts'
import type { HardwareProfile } from '../../../app/deploy/hardware.ts'
import { predictMemory } from '../../../app/deploy/memory.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const all = profiles()
const known = Object.fromEntries(all.map(({ name, profile }) => [name, profile]))
const seven = exportedShape('qwen2-7b')
const reasons = (profile: HardwareProfile, wish: Partial<Wish> = {}): { planning: Planning; reasons: Reason[] } => {
  const planning = choose(profile, seven, wish)
  return { planning, reasons: explain(profile, seven, planning, wish) }
}
const said = (list: readonly Reason[], about: Reason['about']) =>
  list
    .filter((reason) => reason.about === about)
    .map(({ text }) => text)
    .join(' ')
const withVram = (profile: HardwareProfile, memoryFree: number): HardwareProfile => ({
  ...profile,
  devices: profile.devices.map((device) => ({ ...device, memoryTotal: 12e9, memoryFree })),
})

describe('the reasons of a plan', () => {
  it('are whole sentences for every profile, with no number that is not one', () => {
    for (const { name, profile } of all)
      for (const { text } of reasons(profile).reasons) {
        expect(text, name).toMatch(/^[A-Z0-9].*\.$/)
        expect(text, name).not.toMatch(/NaN|undefined|Infinity|null|-\d/)
      }
  })
  it('say how much more graphics memory the next layers need, and with so much the plan has them', () => {
    const card = known['gtx-1650-4gb']!
    const { planning, reasons: list } = reasons(card)
    const text = said(list, 'memory')
    const [, needs, saves] = /One more layer would need (\d+\.\d) GB more graphics memory and save (\d+\.\d) s/.exec(text) ?? []
    const [, rest, whole] = /(\d+) more layers would need (\d+\.\d) GB more/.exec(text) ?? []
    expect(Number(rest)).toBe(29 - planning.plan!.gpuLayers)
    // usable memory is nine tenths of what is free, and the text is rounded to 0.1 GB
    const eased = (gb: number) => choose(withVram(card, card.devices[0]!.memoryFree + ((gb + 0.05) * 1e9) / 0.9), seven).plan!
    expect(eased(Number(needs)).gpuLayers).toBeGreaterThan(planning.plan!.gpuLayers)
    expect(planning.plan!.predicted.questionSeconds - eased(Number(needs)).predicted.questionSeconds).toBeGreaterThan(Number(saves) - 0.1)
    expect(eased(Number(whole)).gpuLayers).toBe(29)
    expect(eased(Number(whole) - 0.3).gpuLayers).toBeLessThan(29)
  })
  it('say where the layers are', () => {
    expect(said(reasons(known['rtx-4060-8gb']!).reasons, 'placement')).toMatch(/^All 28 layers and the output on NVIDIA GeForce RTX 4060/)
    expect(said(reasons(known['gtx-1650-4gb']!).reasons, 'placement')).toMatch(
      /^The last \d+ layers and the output on .* the first \d+ and the embedding in RAM/,
    )
    expect(said(reasons(known['xeon-no-gpu']!).reasons, 'placement')).toBe('The whole model is computed by the processor.')
    expect(said(reasons(known['two-gpus-1650-1650']!).reasons, 'division')).toMatch(/in proportion to their free memory/)
  })
  it('give the refusals of backends in the words of the profile', () => {
    const text = said(reasons(known['i5-laptop-no-avx2']!).reasons, 'backend')
    expect(text).toMatch(/CUDA: There is no NVIDIA graphics card\./)
    expect(text).toMatch(/Vulkan: Intel HD Graphics 4000 has no driver/)
    // nobody on Windows misses Metal
    expect(text).not.toMatch(/Metal/)
    expect(said(reasons(withVram(known['rtx-3050-8gb']!, 0.3e9)).reasons, 'backend')).toMatch(/RTX 3050 has 0\.3 GB free, too little/)
  })
  it('say what was given up, and that a model is too slow or too large', () => {
    const low = (memoryFree: number): HardwareProfile => ({ ...known['xeon-no-gpu']!, cpu: { ...known['xeon-no-gpu']!.cpu, memoryFree } })
    const f16 = predictMemory(seven, { contextSize: 4096, batchSize: 32, kvType: 'f16', mmap: true }).total
    expect(said(reasons(low((f16 - 135e6) / 0.9)).reasons, 'less')).toMatch(/^The context holds 3072 tokens instead of 4096/)
    expect(said(reasons(low((f16 - 50e6) / 0.9)).reasons, 'kv')).toMatch(/8 bits: at 16 it would take 0\.1 GB more, which are not there/)
    expect(said(reasons(low(f16 * 0.99)).reasons, 'less')).toMatch(/No memory is left as a margin/)
    expect(said(reasons(low(3e9)).reasons, 'less')).toMatch(
      /too large for this computer now: it needs 5\.\d GB, and 2\.7 GB may be used\. Close other programs/,
    )
    expect(said(reasons(known['i5-laptop-no-avx2']!).reasons, 'less')).toMatch(/first word would come after \d+ s\. Choose a smaller model/)
  })
  it('promise no context that would not fit', () => {
    for (const { name, profile } of all) {
      const longest = /up to (\d+) would fit/.exec(said(reasons(profile).reasons, 'context'))?.[1]
      if (longest) expect(choose(profile, seven, { contextSize: Number(longest) }).conceded, name).toEqual([])
    }
  })
  it('tell what quick stops cost, and a longer step gives it', () => {
    const profile = known['apple-m2-16gb']!
    const { planning, reasons: list } = reasons(profile)
    const [, tokens, sooner] = /with (\d+) the first word would come (\d+\.\d) s sooner/.exec(said(list, 'step')) ?? []
    const longer = choose(profile, seven, { stepSeconds: 60, steps: [Number(tokens)] }).plan!
    expect(planning.plan!.predicted.firstTokenSeconds - longer.predicted.firstTokenSeconds).toBeCloseTo(Number(sooner), 0)
  })
  it('name the cause of the number of threads', () => {
    expect(said(reasons(known['xeon-no-gpu']!).reasons, 'threads')).toBe('Seven threads on ten cores: other programs keep 2.6 busy.')
    expect(said(reasons(known['epyc-2-cores-measured']!).reasons, 'threads')).toBe(
      'One thread on two cores: one is left for the rest of the computer.',
    )
  })
})
