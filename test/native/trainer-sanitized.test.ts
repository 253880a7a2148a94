// Owns the proof that the trainer touches no memory that is not its own and keeps none: every verb and every part once, under the sanitizers.
import { afterAll, describe, expect, test } from 'vitest'
import { starter } from '../unit/models.ts'
import { builtTrainer, small, texts, tiny, Workplace } from './trainer-run.ts'

const { executable, missing } = builtTrainer(true)

describe.skipIf(executable === null)(`trainer under the sanitizers${missing === null ? '' : ` (skipped: ${missing})`}`, { timeout: 60_000 }, () => {
  const place = new Workplace(executable!)
  afterAll(() => place.remove())
  const data = place.data('data.jsonl', texts(12, 2))
  /** Ends as it should. A sanitizer that finds something ends the process by itself; ggml's own words are no finding. */
  const clean = async (verb: string, config: object, code = 0) => {
    const run = await place.run(verb, config)
    expect([run.code, run.errors.split('\n').filter((line) => /Sanitizer|runtime error/.test(line))], run.errors).toEqual([code, []])
  }

  test('training with all terms, adaptive ranks, StableSVD, replay, validation, checkpoints and resuming', async () => {
    const base = await place.model('base.gguf', { steps: 3 })
    const teacher = await place.model('teacher.gguf', { arch: { ...tiny, width: 96 }, steps: 2 })
    const config = {
      ...{ base, data, out: { adapter: place.at('a.gguf'), model: place.at('m.gguf'), type: 'f16', checkpoint: place.at('c') } },
      ...{ teacher: { model: teacher }, replay: { data: place.data('old.jsonl', texts(5, 3)) }, validation: { data, every: 2 } },
      lora: { budget: { parameters: 6000, maxRank: 8, probeBatches: 2 }, stableSvd: { every: 2, conditionLimit: 2 } },
      loss: { ce: 0.5, kl: 0.5, mse: 0.1, entity: 0.5, retention: 0.1, retentionForm: 'kl', retentionRows: 'replay', temperature: 2 },
      ...{ order: { progressive: true, basicFirst: true }, accumulate: 2, steps: 4, checkpointEvery: 1, ...small, resume: true },
    }
    await clean('train', config)
    await clean('train', config)
    await clean('train', { ...config, steps: 5 }, 1)
  })
  test('all weights against their base, and adapters on a quantised base after a cache', async () => {
    const base = await place.model('all.gguf', { steps: 2 })
    await clean('train', { base, data, out: { model: place.at('m.gguf') }, loss: { retention: 1 }, steps: 2, ...small })
    const cache = place.at('cache')
    await clean('cache', { teacher: base, data, out: cache, k: 8, batch: 2, context: 64 })
    const lora = { rank: 2, targets: ['q', 'v'] }
    const out = { adapter: place.at('a.gguf') }
    await clean('train', { base: starter, data, out, lora, teacher: { cache }, loss: { kl: 1, entity: 1 }, steps: 1, ...small })
    await clean('logits', { model: starter, adapter: out.adapter, tokens: [1, 2, 3], out: place.at('logits') })
  })
  test('the gradient check, and bad input', async () => {
    await clean('gradcheck', {})
    const config = { arch: tiny, out: { model: place.at('m.gguf') }, steps: 1, ...small }
    await clean('train', { ...config, data: place.write('bad.jsonl', '{"tokens":[1,2],"start":[[[[]]]]}') }, 1)
    await clean('train', { ...config, data: place.write('deep.jsonl', '['.repeat(1e5)) }, 1)
    await clean('train', { ...config, data: place.write('odd.jsonl', '{"tokens":[1,99999999999999999999]}') }, 1)
    await clean('train', { ...config, base: place.write('no.gguf', 'GGUF no'), arch: null, data }, 1)
  })
})
