// Owns the proof that the trainer computes what it should: gradients, llama.cpp's logits, adapters, order, packing, and the terms of the loss.
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Evaluator } from '../../models/workshop/ffi/evaluator.ts'
import { starter } from '../unit/models.ts'
import { builtTrainer, greatestDifference, small, texts, tiny, Workplace, type Sample, type TrainerRun } from './trainer-run.ts'

const { executable, missing } = builtTrainer(false)
const script = fileURLToPath(new URL('../../native/build.mjs', import.meta.url))
const text = texts(1, 5)[0]!.tokens

describe.skipIf(executable === null)(`trainer${missing === null ? '' : ` (skipped: ${missing})`}`, { timeout: 60_000 }, () => {
  const place = new Workplace(executable!)
  let base: string
  let teacher: string
  beforeAll(async () => {
    base = await place.model('base.gguf', { steps: 40 })
    teacher = await place.model('teacher.gguf', { arch: { ...tiny, width: 96, layers: 3 }, steps: 60, seed: 8 })
  }, 60_000)
  afterAll(() => place.remove())

  const data = place.data('data.jsonl', texts(16, 2))
  const adapter = (changes: object = {}) => ({
    ...{ base, data, out: { adapter: place.at('adapter.gguf') }, lora: { rank: 4, alpha: 8 }, steps: 12, schedule: { lrMax: 1e-2 }, ...small },
    ...changes,
  })
  const train = async (config: object): Promise<TrainerRun> => {
    const run = await place.run('train', config)
    expect(run.code, JSON.stringify(run.events.at(-1)) + run.errors).toBe(0)
    return run
  }
  const series = (run: TrainerRun, field: string) => run.events.filter(({ type }) => type === 'progress').map((event) => Number(event[field]))
  const llama = async (model: string, path?: string) => {
    const evaluator = await Evaluator.open({ model, adapters: path === undefined ? [] : [{ path, scale: 1 }] })
    try {
      return await evaluator.logits(text)
    } finally {
      await evaluator.close()
    }
  }

  describe('build', () => {
    const build = (env: Record<string, string>) =>
      spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8', env: { ...process.env, ...env } })
    test('nothing is built again', () => {
      expect(JSON.parse(build({}).stdout)).toMatchObject({ built: false, executable })
    })
    test('says what is missing', () => {
      const none = build({ CXX: 'no-such-compiler' })
      expect([none.status, JSON.parse(none.stdout)]).toMatchObject([1, { code: 'NO_COMPILER' }])
      const compiler = spawnSync('sh', ['-c', 'command -v g++ || command -v clang++'], { encoding: 'utf8' }).stdout.trim()
      mkdirSync(place.at('bin'))
      symlinkSync(compiler, place.at('bin/g++'))
      const noGit = build({ PATH: place.at('bin') })
      expect([noGit.status, JSON.parse(noGit.stdout)]).toMatchObject([1, { code: 'NO_GIT' }])
    })
  })

  describe('gradients', () => {
    test('of every term, with adapters and with all weights, against finite differences', async () => {
      const run = await place.run('gradcheck', {})
      const checks = run.events.filter(({ type }) => type === 'gradcheck')
      expect(checks).toHaveLength(16)
      for (const check of checks) {
        expect(check['worst'], JSON.stringify(check)).toBeLessThanOrEqual(1e-2)
        expect(check['tensors'], JSON.stringify(check)).toBeGreaterThanOrEqual(26)
      }
      expect(run.code).toBe(0)
    })
    test('a difference is found where there is one', async () => {
      // so far from the point the loss is no straight line, which no gradient predicts
      const run = await place.run('gradcheck', { step: 0.3 })
      expect([run.code, run.events.at(-1)]).toMatchObject([1, { type: 'error', code: 'GRADIENT_WRONG' }])
    })
  })

  describe('logits', () => {
    test('are llama.cpp’s for a Q8_0 model, an F32 model and an F16 one', async () => {
      const half = await place.model('half.gguf', { out: { model: place.at('half.gguf'), type: 'f16' } })
      for (const model of [starter, base, half]) {
        const theirs = await llama(model)
        expect(greatestDifference(await place.logits(model, text), theirs)).toBeLessThanOrEqual(1e-3)
        expect(greatestDifference(theirs, new Float32Array(theirs.length))).toBeGreaterThan(0.5)
      }
    })
    test('of an adapter are those of the merged model, in llama.cpp too, also with unequal ranks', async () => {
      const budget = { parameters: 6000, minRank: 1, maxRank: 16, probeBatches: 2 }
      for (const lora of [
        { rank: 4, alpha: 8 },
        { alpha: 8, budget },
      ]) {
        const out = { adapter: place.at('adapter.gguf'), model: place.at('merged.gguf') }
        const run = await train(adapter({ lora, out }))
        const ranks = Object.values((run.events.find(({ type }) => type === 'ranks')?.['ranks'] ?? {}) as Record<string, number>)
        const plain = await place.logits(base, text)
        const ours = await place.logits(base, text, out.adapter)
        expect(greatestDifference(ours, plain)).toBeGreaterThan(0.1)
        expect(greatestDifference(ours, await place.logits(out.model, text))).toBeLessThanOrEqual(1e-3)
        expect(greatestDifference(ours, await llama(base, out.adapter))).toBeLessThanOrEqual(1e-3)
        expect(greatestDifference(ours, await llama(out.model))).toBeLessThanOrEqual(1e-3)
        if (!('budget' in lora)) continue
        expect(new Set(ranks).size).toBeGreaterThan(2)
        const start = run.events.find(({ type }) => type === 'start')!
        expect(start['trainable']).toBeLessThanOrEqual(budget.parameters)
        expect(start['trainable']).toBeGreaterThan(budget.parameters - 200)
      }
    })
    test('of an adapter on a quantised base are llama.cpp’s', async () => {
      const out = { adapter: place.at('quantised.gguf') }
      const run = await train(adapter({ base: starter, out, steps: 4 }))
      expect(series(run, 'loss').at(-1)).toBeLessThan(series(run, 'loss')[0]!)
      expect(greatestDifference(await place.logits(starter, text, out.adapter), await llama(starter, out.adapter))).toBeLessThanOrEqual(1e-3)
    })
  })

  test('a frozen base may be F32, F16 or quantised: the gradients of its adapters are the same', async () => {
    const still = { lora: null, schedule: { lrMax: 0, lrMin: 0 }, optimiser: { weightDecay: 0 }, steps: 1, base: starter }
    const norms = new Map<string, number>()
    for (const type of ['q8_0', 'f16', 'f32']) {
      const model = type === 'q8_0' ? starter : place.at(`starter-${type}.gguf`)
      if (type !== 'q8_0') await train(adapter({ ...still, out: { model, type } }))
      norms.set(type, series(await train(adapter({ base: model, steps: 1, lora: { rank: 4, alpha: 8 } })), 'gradientNorm')[0]!)
    }
    expect(norms.get('f32')).toBeGreaterThan(1)
    expect(Math.abs(norms.get('f16')! / norms.get('f32')! - 1)).toBeLessThan(0.002)
    // products of Q8_0 round the other factor to 8 bits too
    expect(Math.abs(norms.get('q8_0')! / norms.get('f32')! - 1)).toBeLessThan(0.02)
  })

  describe('data', () => {
    // with a learning rate of 0 a loss tells which samples a batch held
    const still = { schedule: { lrMax: 0, lrMin: 0 }, batch: 1, optimiser: { weightDecay: 0 } }
    const losses = async (samples: Sample[], changes: object) =>
      series(await train(adapter({ ...still, data: place.data('still.jsonl', samples), ...changes })), 'loss').map((loss) => loss.toFixed(4))

    test('packed together, samples do not see each other', async () => {
      const [a, b] = texts(2, 9) as [Sample, Sample]
      const alone = { steps: 1, context: 20 }
      const [first, second] = [await losses([a], alone), await losses([b], alone)].map(([loss]) => Number(loss)) as [number, number]
      const rows = ({ tokens, start }: Sample) => tokens.length - start!
      const expected = (first * rows(a) + second * rows(b)) / (rows(a) + rows(b))
      expect(Number((await losses([a, b], { steps: 1, context: 40 }))[0])).toBeCloseTo(expected, 3)
    })
    test('order: simple first, general first, then shuffled; replay among it', async () => {
      const samples = texts(12, 10)
      const one = { context: 20, steps: 24 }
      const of = async (chosen: Sample[], seed = 7) => new Set(await losses(chosen, { context: 20, steps: chosen.length, seed }))
      const simple = await of(samples.filter(({ level }) => level === 0))
      const general = await of(samples.filter((sample) => sample.class === 'general'))
      const progressive = await losses(samples, { ...one, order: { progressive: true } })
      expect(new Set(progressive.slice(0, 4))).toEqual(simple)
      expect(new Set(progressive.slice(12, 16))).not.toEqual(simple)
      expect(new Set(progressive.slice(12))).toEqual(new Set(progressive.slice(0, 12)))
      const basic = await losses(samples, { ...one, order: { basicFirst: true } })
      expect(new Set(basic.slice(0, 6))).toEqual(general)

      const old = texts(3, 11)
      const replayed = await of(old)
      const mixed = await losses(samples, { context: 20, steps: 16, replay: { data: place.data('old.jsonl', old), share: 0.25 } })
      expect(mixed.filter((loss) => replayed.has(loss))).toHaveLength(4)
      expect(mixed.slice(0, 8).filter((loss) => replayed.has(loss))).toHaveLength(2)
    })
  })

  describe('learning', () => {
    test('a model of chance learns its samples, and says so on held-out ones', async () => {
      const samples = place.data('few.jsonl', texts(8, 12))
      const run = await train({
        ...{ arch: { ...tiny, vocab: 1344 }, data: samples, validation: { data: samples, every: 1000 }, out: { model: place.at('few.gguf') } },
        ...{ ...small, batch: 4, steps: 150, schedule: { lrMax: 5e-3, lrMin: 1e-4, warmup: 5 } },
      })
      const validation = run.events.find(({ type }) => type === 'validation')!
      expect(validation).toMatchObject({ accuracy: 1, step: 150 })
      expect(validation['loss']).toBeLessThan(0.05)
    })
    test('a teacher’s cache stands for the teacher, and its student comes nearer to it', async () => {
      const cache = place.at('teacher.cache')
      const made = await place.run('cache', { teacher, data, out: cache, k: 1344, batch: 2, context: 64 })
      expect(made.code).toBe(0)
      const loss = { ce: 0, kl: 1, entity: 0.5, temperature: 2 }
      const [whole, cached] = [await train(adapter({ loss, teacher: { model: teacher } })), await train(adapter({ loss, teacher: { cache } }))]
      for (const term of ['kl', 'entity'])
        for (const [n, value] of series(whole, term).entries()) expect(series(cached, term)[n]).toBeCloseTo(value, 3)
      const kl = series(await train(adapter({ loss, teacher: { model: teacher }, steps: 40 })), 'kl')
      expect(kl.at(-1)).toBeLessThan(0.5 * kl[0]!)
    })
    test('hidden states come nearer to a wider teacher’s, through a learned projection', async () => {
      const mse = series(await train(adapter({ loss: { ce: 0, mse: 1 }, teacher: { model: teacher }, steps: 40 })), 'mse')
      expect(mse.at(-1)).toBeLessThan(0.7 * mse[0]!)
    })
    test('retention keeps the model nearer to its base', async () => {
      // a weight of next to nothing only measures
      const distance = async (retention: number, retentionForm: string) =>
        series(await train(adapter({ steps: 30, loss: { retention, retentionForm } })), 'retention').at(-1)!
      for (const [form, weight] of [
        ['hidden', 5],
        ['kl', 5],
      ] as const)
        expect(await distance(weight, form)).toBeLessThan(0.5 * (await distance(1e-9, form)))
      // with all weights trained, the base is a second copy
      const run = await train(adapter({ lora: null, out: { model: place.at('all.gguf') }, loss: { retention: 1 }, optimiser: { weightDecay: 0 } }))
      expect(series(run, 'retention')[0]).toBeLessThan(1e-9)
      expect(series(run, 'retention').at(-1)).toBeGreaterThan(0)
    })
    test('StableSVD leaves the product where it may, and brings the condition number down where it must', async () => {
      const made = async (name: string, stableSvd: object | null) => {
        const out = { adapter: place.at(name) }
        const run = await train(adapter({ out, lora: { rank: 4, alpha: 8, ...(stableSvd ? { stableSvd } : {}) } }))
        return { logits: await place.logits(base, text, out.adapter), reports: run.events.filter(({ type }) => type === 'svd') }
      }
      const plain = await made('plain.gguf', null)
      const same = await made('same.gguf', { every: 12, truncate: 0, conditionLimit: 1e12 })
      expect(same.reports).toMatchObject([{ step: 12, lambda: 0, truncated: 0 }])
      expect(greatestDifference(plain.logits, same.logits)).toBeLessThan(1e-4)
      const limited = await made('limited.gguf', { every: 12, truncate: 0, conditionLimit: 1.5 })
      expect(limited.reports[0]!['lambda']).toBeGreaterThan(0)
      expect(limited.reports[0]!['condition']).toBe(same.reports[0]!['condition'])
      const cut = await made('cut.gguf', { every: 12, truncate: 0.99 })
      expect(cut.reports[0]!['truncated']).toBe(14 * 3)
    })
  })
})
