// Owns the tests of the memory prediction against shapes whose sizes are known and rules that any prediction must keep.
import { describe, expect, it } from 'vitest'
import type { ModelShape } from '../../app/contract/shape.ts'
import { kvBytesPerToken, predictMemory } from '../../app/deploy/memory.ts'

const matrix = (name: string, type: string, bytes: number) => ({ name, type, bytes, parameters: bytes })
const shape: ModelShape = {
  ...{ architecture: 'qwen2', layers: 28, embedding: 3584, feedForward: 18944, heads: 28, kvHeads: 4, keyLength: 128, valueLength: 128 },
  ...{ vocabulary: 152064, trainContextSize: 32768 },
  tensors: [
    matrix('token_embd.weight', 'Q4_K', 306.6e6),
    matrix('output.weight', 'Q6_K', 447.1e6),
    matrix('blk.0.attn_q.weight', 'Q8_0', 873.5e6),
    matrix('blk.0.ffn_up.weight', 'IQ4_NL', 3208.1e6),
  ],
}
const use = { contextSize: 4096, batchSize: 128, kvType: 'q8_0', mmap: true } as const

describe('the memory of a 7B model', () => {
  it('has the KV cache that was measured: 57,344 bytes a token at F16, 30,464 at 8 bits', () => {
    expect(kvBytesPerToken(shape, 'f16')).toBe(57_344)
    expect(kvBytesPerToken(shape, 'q8_0')).toBe(30_464)
  })
  it('is predicted within 1 % of what was measured for it: 5.167 GB', () => {
    expect(Math.abs(predictMemory(shape, { ...use, batchSize: 64 }).total / 5.167e9 - 1)).toBeLessThan(0.01)
  })
  it('grows with context and batch, and is the sum of its parts', () => {
    const small = predictMemory(shape, use)
    expect(predictMemory(shape, { ...use, contextSize: 8192 }).total - small.total).toBeCloseTo(4096 * 30_464)
    expect(predictMemory(shape, { ...use, batchSize: 256 }).compute).toBeCloseTo(2 * small.compute)
    expect(small.weights + small.twice + small.kv + small.compute + small.adapters + small.process).toBe(small.total)
    expect(predictMemory(shape, { ...use, adapterBytes: 81e6 }).total - small.total).toBeCloseTo(81e6)
  })
  it('has its feed-forward layers twice when they are mapped and something else lies behind them', () => {
    const other = { ...shape, tensors: [shape.tensors[0]!, shape.tensors[3]!, shape.tensors[2]!, shape.tensors[1]!] }
    expect(predictMemory(other, use).twice).toBe(3208.1e6)
    expect(predictMemory(other, { ...use, mmap: false }).twice).toBe(0)
    expect(predictMemory(shape, use).twice).toBe(0)
  })
})
