// Owns the proof of the evaluator's numbers: tokens, logits, losses, importance and replaced weights, against each other and sums made by hand.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TensorFile } from '../../../models/workshop/convert.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { starter } from '../models.ts'
import { copies, header, ids, question } from './starter-copies.ts'

const { F16, Q8_0, IQ4_NL, Q4_K } = ids
const { at, written, remove } = copies()
afterAll(remove)

describe('a model that is open', () => {
  let model: Evaluator
  let tokens: number[]
  let answer: number[]
  beforeAll(async () => {
    model = await Evaluator.open({ model: starter })
    tokens = await model.tokenize(question, { special: true })
    answer = await model.generate(tokens, 60)
  })
  afterAll(() => model.close())

  it('reads and writes text, and answers as the starter does', async () => {
    expect(model.vocabulary).toBe(1344)
    expect(model.contextSize).toBe(1024)
    expect(await model.detokenize(tokens)).toBe(question)
    expect(await model.detokenize(answer)).toBe('The maximum dose of paracetamol is 4 g in 24 hours.')
    expect(await model.detokenize(await model.tokenize('5 µg — naïve 中文', { special: false }))).toBe('5 µg — naïve 中文')
    // a special token's text is a token only where it is asked for
    expect(await model.tokenize('<|im_end|>', { special: true })).toHaveLength(1)
    expect((await model.tokenize('<|im_end|>', { special: false })).length).toBeGreaterThan(1)
    expect(await model.generate(tokens, 5)).toEqual(answer.slice(0, 5))
    expect(await model.detokenize([])).toBe('')
  })

  it('gives losses that are those of its logits', async () => {
    const all = [...tokens, ...answer]
    const logits = await model.logits(all)
    expect(logits).toHaveLength(all.length * model.vocabulary)
    const losses = await model.losses(all)
    expect(losses).toHaveLength(all.length - 1)
    losses.forEach((loss, n) => {
      const row = [...logits.subarray(n * model.vocabulary, (n + 1) * model.vocabulary)]
      expect(loss).toBeCloseTo(Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[all[n + 1]!]!, 4)
    })
    // the greedy answer is the likeliest token each time
    answer.forEach((token, n) => {
      const row = logits.subarray((tokens.length + n - 1) * model.vocabulary, (tokens.length + n) * model.vocabulary)
      expect(row.indexOf(Math.max(...row))).toBe(token)
    })
    expect(await model.losses(all, tokens.length)).toEqual(losses.slice(tokens.length - 1))
    expect(await model.losses([5])).toHaveLength(0)
  })

  it('gives the same for a text however it is cut into batches', async () => {
    const long = await model.tokenize(question.repeat(20), { special: true })
    expect(long.length).toBeGreaterThan(300)
    const whole = await model.losses(long)
    const part = await model.losses(long.slice(0, 200))
    part.forEach((loss, n) => expect(Math.abs(loss - whole[n]!)).toBeLessThan(1e-3))
  })

  it('adds up the importance of each matrix as its input has it', async () => {
    const found = await model.importance([tokens, answer])
    const again = await model.importance([tokens])
    expect(found.size).toBe(4 * 7 + 1)
    const file = await TensorFile.open(header)
    const get = (name: string) =>
      file.floats(
        header.tensors.find((tensor) => tensor.name === name)!,
        0,
        1,
      )
    const embedding = header.tensors.find(({ name }) => name === 'token_embd.weight')!
    const norm = await get('blk.0.attn_norm.weight')
    // the input of the first layer's attention is the normed embedding: x / rms(x) · w
    const sums = new Float64Array(256)
    for (const token of [...tokens, ...answer]) {
      const x = await file.floats(embedding, token, 1)
      const rms = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / 256 + 1e-6)
      x.forEach((value, n) => (sums[n]! += ((value / rms) * norm[n]!) ** 2))
    }
    await file.close()
    const q = found.get('blk.0.attn_q.weight')!
    expect(q.rows).toBe(tokens.length + answer.length)
    q.sums.forEach((sum, n) => expect(sum / sums[n]!).toBeCloseTo(1, 4))
    expect(found.get('blk.3.ffn_down.weight')!.sums).toHaveLength(704)
    expect(again.get('blk.0.attn_q.weight')!.rows).toBe(tokens.length)
    // and evaluation goes on without it
    expect(await model.generate(tokens, 60)).toEqual(answer)
  })

  it('refuses tokens that the model does not have or hold, and stays open', async () => {
    const { length } = tokens
    for (const bad of [[], [-1], [1344], [1.5], [NaN], Array.from({ length: 1025 }, () => 1)])
      await expect(model.logits(bad)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(model.replaceTensor('token_embd.weight', Q8_0)).rejects.toMatchObject({ code: 'TOOL_CRASHED' })
    expect(await model.tokenize(question, { special: true })).toHaveLength(length)
  })
})

describe('weights replaced in memory', () => {
  it('give what a file with those weights gives, and come back bit for bit', async () => {
    const half = await written('half.gguf', { type: F16 })
    const model = await Evaluator.open({ model: half, writable: true })
    const rounded = await Evaluator.open({ model: await written('rounded.gguf', { type: F16, through: Q4_K }) })
    try {
      const tokens = await model.tokenize(question, { special: true })
      const before = await model.logits(tokens)
      const names = await model.matrices()
      expect(names.toSorted()).toEqual(
        header.tensors
          .filter(({ dims }) => dims.length > 1)
          .map(({ name }) => name)
          .toSorted(),
      )
      for (const name of names) await model.replaceTensor(name, name.includes('ffn_down') ? Q8_0 : Q4_K)
      const replaced = await model.logits(tokens)
      expect(replaced).not.toEqual(before)
      // the embedding is the output matrix too, and both uses see the change
      expect(replaced).toEqual(await rounded.logits(tokens))
      for (const name of names) await model.replaceTensor(name, F16)
      expect(await model.logits(tokens)).toEqual(before)
      for (const name of names) await model.replaceTensor(name, IQ4_NL)
      for (const name of names) await model.restoreTensor(name)
      expect(await model.logits(tokens)).toEqual(before)
      await expect(model.replaceTensor('blk.9.attn_q.weight', Q8_0)).rejects.toThrow('no matrix blk.9.attn_q.weight')
    } finally {
      await model.close()
      await rounded.close()
    }
  })

  it('give nearly what a file stored at that type gives: the rest is the rounding of the inputs', async () => {
    const model = await Evaluator.open({ model: at('half.gguf'), writable: true })
    const stored = await Evaluator.open({ model: await written('iq4.gguf', { type: IQ4_NL }) })
    try {
      const tokens = await model.tokenize(question, { special: true })
      const before = await model.logits(tokens)
      for (const name of await model.matrices()) await model.replaceTensor(name, IQ4_NL)
      const [here, there] = [await model.logits(tokens), await stored.logits(tokens)]
      const distance = (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, value, n) => sum + (value - b[n]!) ** 2, 0) / a.length)
      expect(distance(here, there)).toBeLessThan(distance(here, before) / 4)
      expect(distance(here, there)).toBeGreaterThan(0)
    } finally {
      await model.close()
      await stored.close()
    }
  })
})
