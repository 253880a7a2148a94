// Owns the tests of speed predictions: against measured and published runs, and how threads, neighbours and batteries count.
import { describe, expect, it } from 'vitest'
import { affinity, passSeconds, TYPICAL } from '../../../app/deploy/affinity.ts'
import type { HardwareProfile } from '../../../app/deploy/hardware.ts'
import { layersOf } from '../../../app/deploy/layers.ts'
import { ofQuestion, predict } from '../../../app/deploy/performance.ts'
import { bandwidthOf, contention, cpuProcessor, gpuProcessor, threadsFor } from '../../../app/deploy/processors.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const known = Object.fromEntries(profiles().map(({ name, profile }) => [name, profile]))
const measured = known['epyc-2-cores-measured']!
const laptop = known['amd-780m-16gb']!
const half = exportedShape('qwen2-0.5b')
const seven = exportedShape('qwen2-7b')

const onOneThread = (shape: typeof half, step: number, prompt: number, kvType: 'f16' | 'q8_0' = 'f16') => {
  const layers = layersOf(shape)
  const question = { promptTokens: prompt, answerTokens: 64 }
  const quiet = { ...measured, load: { busyCores: 0 } }
  return predict(
    affinity(shape, layers, [cpuProcessor(quiet, 1)], { step, kvType, question }),
    layers.map(() => 0),
  )
}

describe('the layers of a model', () => {
  it('hold every byte of the file once, and a copy of a tied embedding only elsewhere', () => {
    for (const shape of [half, seven]) {
      const layers = layersOf(shape)
      expect(layers).toHaveLength(shape.layers + 2)
      expect(layers.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(shape.tensors.reduce((sum, { bytes }) => sum + bytes, 0))
    }
    expect(layersOf(seven).at(-1)!.copyOfEmbedding).toBe(0)
    expect(layersOf(half).at(-1)!.copyOfEmbedding).toBe(half.tensors.find(({ name }) => name === 'token_embd.weight')!.bytes)
  })
  it('have the sizes that were published for the 7B export: a block 146 MB, the output 447, 57,344 bytes of KV a token in all', () => {
    const layers = layersOf(seven)
    expect(layers[1]!.bytes / 1e6).toBeCloseTo(145.8, 0)
    expect(layers.at(-1)!.bytes / 1e6).toBeCloseTo(447.1, 0)
    expect(layers.reduce((sum, { kvValues }) => sum + kvValues, 0) * 2).toBe(57_344)
  })
})

describe('predicted speed', () => {
  it('is that of the measured 0.5B shape within 10 %: 35.1 tokens a second after a prompt of 512, read at 163 to 171; with 8-bit KV at 0.73 of that', () => {
    const { tokensPerSecond, readPerSecond } = onOneThread(half, 512, 512)
    expect(Math.abs(tokensPerSecond / 35.1 - 1)).toBeLessThan(0.1)
    expect(Math.abs(readPerSecond / 167 - 1)).toBeLessThan(0.1)
    expect(Math.abs(onOneThread(half, 512, 512, 'q8_0').readPerSecond / readPerSecond - 0.73)).toBeLessThan(0.05)
  })
  it('is that of the measured 7B shape: 4.2 to 4.3 tokens a second, 7.4 to 10.4 of prefill', () => {
    const { tokensPerSecond, readPerSecond } = onOneThread(seven, 256, 64)
    expect(Math.abs(tokensPerSecond / 4.25 - 1)).toBeLessThan(0.05)
    expect(readPerSecond).toBeGreaterThan(7.4)
    expect(readPerSecond).toBeLessThan(10.4)
  })
  it('is the sum of the matrix along the placement', () => {
    const layers = layersOf(seven)
    const { devices } = known['gtx-1650-4gb']!
    const processors = [cpuProcessor(laptop, 4, 'cuda'), gpuProcessor(known['gtx-1650-4gb']!, devices[0]!)]
    const matrix = affinity(seven, layers, processors, { step: 32, kvType: 'q8_0', question: TYPICAL })
    const device = layers.map((_, layer) => (layer > 10 ? 1 : 0))
    const seconds = ofQuestion(matrix.prefill, matrix.decode, TYPICAL.answerTokens)
    const along = device.reduce(
      (sum, d, layer) => sum + seconds[layer]![d]!,
      ofQuestion(matrix.crossing.prefill, matrix.crossing.decode, 250)[0]![1]!,
    )
    // 250 tokens are chosen, at 1.5 ms each
    expect(predict(matrix, device).questionSeconds).toBeCloseTo(along + 250 * 1.5e-3, 6)
  })
  it('of a pass is never less for more tokens, nor a token dearer in a larger batch', () => {
    const block = layersOf(seven)[1]!
    for (const on of [cpuProcessor(laptop, 4), gpuProcessor(laptop, laptop.devices[0]!)]) {
      const pass = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((tokens) => ({ tokens, time: passSeconds(block, on, tokens, 200, 'f16') }))
      for (const [n, { tokens, time }] of pass.entries()) {
        if (n === 0) continue
        expect(time).toBeGreaterThanOrEqual(pass[n - 1]!.time)
        expect(time / tokens).toBeLessThanOrEqual((pass[n - 1]!.time / pass[n - 1]!.tokens) * (1 + 1e-9))
      }
    }
  })
})

describe('threads', () => {
  const with_ = (change: Partial<HardwareProfile>, cpu: Partial<HardwareProfile['cpu']> = {}): HardwareProfile => ({
    ...{ ...laptop, power: { battery: false, percent: null }, load: { busyCores: 0 }, ...change },
    cpu: { ...laptop.cpu, ...cpu },
  })
  it('read with the measured bandwidth of one and of all, and ever less more in between', () => {
    const { oneThread, all } = laptop.cpu.bandwidth
    const reads = Array.from({ length: 8 }, (_, n) => bandwidthOf(laptop, n + 1))
    expect(reads[0]).toBe(oneThread)
    expect(reads[7]! / all).toBeCloseTo(1, 9)
    const gains = reads.slice(1).map((read, n) => read - reads[n]!)
    for (const [n, gain] of gains.entries()) {
      expect(gain).toBeGreaterThan(0)
      if (n > 0) expect(gain).toBeLessThan(gains[n - 1]!)
    }
    expect(bandwidthOf(measured, 2) / 20.8e9).toBeCloseTo(1, 9)
  })
  it('are never all cores, unless there is one', () => {
    for (const { profile } of profiles()) expect(threadsFor(profile)).toBeLessThan(Math.max(2, profile.cpu.physicalCores))
    expect(threadsFor(with_({}, { physicalCores: 8, logicalCores: 16 }))).toBe(7)
    expect(threadsFor(with_({}, { physicalCores: 2, logicalCores: 4 }))).toBe(1)
    expect(threadsFor(with_({}, { physicalCores: 1, logicalCores: 1 }))).toBe(1)
  })
  it('leave busy cores alone, run on the fast ones only, and rest on battery', () => {
    expect(threadsFor(with_({ load: { busyCores: 3.4 } }))).toBe(4)
    expect(threadsFor(with_({ load: { busyCores: 100 } }))).toBe(1)
    expect(threadsFor(with_({}, { physicalCores: 10, logicalCores: 16, performanceCores: 6 }))).toBe(6)
    expect(threadsFor(with_({ power: { battery: true, percent: 80 } }))).toBe(4)
  })
  it('that share a core collapse, as measured: two on two cores with a neighbour took 7 times as long at the median', () => {
    const busy = { ...measured, load: { busyCores: 1 } }
    expect(contention({ ...measured, load: { busyCores: 0 } }, 2)).toBe(1)
    expect(contention(busy, 1)).toBe(1)
    expect(contention(busy, 2)).toBeGreaterThan(5)
    expect(contention({ ...measured, load: { busyCores: 2 } }, 1)).toBe(4)
  })
})
