// Owns the proof that a run survives what happens to it: killed at any step, stopped, a full disk, bad input; each told by a code, nothing good lost.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawGguf } from '../support/raw-gguf.ts'
import { starter } from '../unit/models.ts'
import { builtTrainer, small, texts, tiny, Workplace, type TrainerEvent, type TrainerRun } from './trainer-run.ts'

const { executable, missing } = builtTrainer(false)
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe.skipIf(executable === null)(
  `trainer, when something happens${missing === null ? '' : ` (skipped: ${missing})`}`,
  { timeout: 60_000 },
  () => {
    const place = new Workplace(executable!)
    let base: string
    beforeAll(async () => void (base = await place.model('base.gguf')), 60_000)
    afterAll(() => place.remove())

    const data = place.data('data.jsonl', texts(16, 2))
    /** Everything that has a state: adapters with unequal ranks, moments, a projection, replay, two periods. */
    const config = (name: string, changes: object = {}) => ({
      ...{ base, data, out: { adapter: place.at(`${name}.gguf`), checkpoint: place.at(`${name}.checkpoint`) } },
      lora: { alpha: 8, budget: { parameters: 6000, maxRank: 8, probeBatches: 2 }, stableSvd: { every: 5, conditionLimit: 2 } },
      ...{ replay: { data: place.data('old.jsonl', texts(5, 3)) }, loss: { mse: 0.1, projection: true }, teacher: { model: base } },
      ...{ steps: 24, checkpointEvery: 3, accumulate: 2, schedule: { lrMax: 1e-2, periods: 2 }, ...small, resume: true, ...changes },
    })
    const failure = async (verb: string, config: object) => {
      const run = await place.run(verb, config)
      expect([run.code, run.signal, run.errors.includes('GGML_ASSERT')], JSON.stringify(run.events)).toEqual([1, null, false])
      return run.events.at(-1)!
    }
    const checkpoints = (run: TrainerRun) => run.events.filter(({ type }) => type === 'checkpoint').map(({ step }) => step)

    describe('the same bytes', () => {
      test('for the same seed, and for as many threads as told', async () => {
        const made = async (changes: object) => {
          let threads = 0
          const count = (_event: TrainerEvent, pid: number) => {
            const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
            threads = Math.max(threads, Number(/Threads:\s+(\d+)/.exec(status)?.[1] ?? 0))
          }
          const run = await place.run('train', config('same', { resume: false, steps: 8, ...changes }), (event, { pid }) => count(event, pid!))
          expect(run.code).toBe(0)
          return { hash: sha(place.bytes('same.gguf')), threads }
        }
        const first = await made({})
        expect(await made({})).toMatchObject({ hash: first.hash })
        expect((await made({ seed: 8 })).hash).not.toBe(first.hash)
        expect(first.threads).toBeLessThanOrEqual(1)
        // short: on a busy machine ggml's two threads wait for each other at every operation
        const pair = { threads: 2, steps: 2, accumulate: 1, lora: { rank: 4 }, teacher: null, loss: { ce: 1 } }
        const two = await made(pair)
        expect(await made(pair)).toMatchObject({ hash: two.hash })
        expect(two.threads).toBeLessThanOrEqual(2)
      })

      test('after kill -9 at any moment, again and again', async () => {
        expect((await place.run('train', config('whole'))).code).toBe(0)
        const expected = sha(place.bytes('whole.gguf'))
        let killed = 0
        let ended: TrainerRun
        do {
          // a little later each time after a checkpoint was begun: before, within and after the writing of the next
          let due = false
          ended = await place.run('train', config('killed'), (event, child) => {
            if (event.type === 'checkpoint') due = true
            if (due && event.type === 'progress') setTimeout(() => child.kill('SIGKILL'), killed * 3)
          })
          if (ended.signal === 'SIGKILL') killed++
          else expect(ended.code).toBe(0)
        } while (ended.code !== 0)
        expect(killed).toBeGreaterThanOrEqual(3)
        expect(ended.events.find(({ type }) => type === 'start')!['resumedFrom']).toBeGreaterThan(3)
        expect(sha(place.bytes('killed.gguf'))).toBe(expected)
        expect(existsSync(place.at('killed.checkpoint.tmp'))).toBe(false)
      })

      test('after a stop by signal, and from the checkpoint before a damaged one', async () => {
        const expected = sha(place.bytes('whole.gguf'))
        const stopped = await place.run('train', config('stopped', { checkpointEvery: 5 }), (event, child) => {
          if (event['step'] === 12) child.kill('SIGTERM')
        })
        expect([stopped.code, stopped.events.at(-1)]).toMatchObject([3, { type: 'stopped', reason: 'signal' }])
        const at = Number(stopped.events.at(-1)!['step'])
        expect(checkpoints(stopped)).toEqual([5, 10, at])
        expect(existsSync(place.at('stopped.gguf'))).toBe(false)

        writeFileSync(place.at('stopped.checkpoint'), place.bytes('stopped.checkpoint').fill(7, 5000, 5004))
        // as a kill within a write leaves it
        place.write('stopped.checkpoint.tmp', 'half a checkpoint')
        const resumed = await place.run('train', config('stopped', { checkpointEvery: 100 }))
        expect(resumed.events.find(({ type }) => type === 'start')).toMatchObject({ resumedFrom: 10 })
        expect(sha(place.bytes('stopped.gguf'))).toBe(expected)
        // as a kill between the two renames leaves it
        rmSync(place.at('stopped.checkpoint'))
        const before = await place.run('train', config('stopped'))
        expect(before.events.find(({ type }) => type === 'start')).toMatchObject({ resumedFrom: 10 })
        expect(sha(place.bytes('stopped.gguf'))).toBe(expected)
        // a run that is done only writes its results again
        const again = await place.run('train', config('stopped'))
        expect([again.code, again.events.map(({ type }) => type)]).toEqual([0, ['start', 'done']])
        expect(sha(place.bytes('stopped.gguf'))).toBe(expected)
      })

      test('a stop by time', async () => {
        const run = await place.run('train', config('timed', { maxMinutes: 0.0001, steps: 100 }))
        expect([run.code, run.events.at(-1)]).toMatchObject([3, { type: 'stopped', reason: 'time' }])
      })
    })

    describe('the last good checkpoint', () => {
      test('outlives a learning rate that is too high', async () => {
        const run = await place.run(
          'train',
          config('high', { schedule: { lrMax: 1000, warmup: 12 }, steps: 60, loss: { ce: 1 }, teacher: null, resume: false }),
        )
        const last = run.events.at(-1)!
        expect([run.code, last]).toMatchObject([1, { type: 'error', code: 'DIVERGED' }])
        expect(last['step']).toBeGreaterThan(3)
        expect(last['message']).toContain(`step ${String(last['step'])}`)
        expect(last['message']).toContain(`checkpoint of step ${String(checkpoints(run).at(-1))} is whole`)
      })
      test('outlives gradients that overflow, by a lower scale', async () => {
        // F32 overflows at this scale as F16 does at a smaller one
        const run = await place.run('train', config('scaled', { optimiser: { gradientScale: 1e20 }, steps: 12, resume: false }))
        const scales = run.events.filter(({ type }) => type === 'skipped').map((event) => event['gradientScale'])
        expect(run.code).toBe(0)
        expect(scales.length).toBeGreaterThan(1)
        expect(scales).toEqual(scales.map((_, n) => 1e20 / 2 ** (n + 1)))
        const losses = run.events.filter(({ type }) => type === 'progress').map((event) => Number(event['loss']))
        expect(losses.at(-1)).toBeLessThan(losses[0]!)
      })
      test('outlives a full disk', async () => {
        const free = await place.run('train', config('full', { steps: 6 }))
        expect(checkpoints(free)).toEqual([3, 6])
        const blocks = Math.floor(place.bytes('full.checkpoint').length / 512) - 1
        for (const file of ['full.checkpoint', 'full.checkpoint.previous']) rmSync(place.at(file))
        const full = await place.run('train', config('full', { steps: 6 }), undefined, blocks)
        expect([full.code, full.events.at(-1)]).toMatchObject([1, { type: 'error', code: 'DISK_FULL', step: 3 }])
        expect(existsSync(place.at('full.checkpoint.tmp'))).toBe(false)

        expect((await place.run('train', config('full', { steps: 6 }))).code).toBe(0)
        const kept = sha(place.bytes('full.checkpoint'))
        const later = await place.run('train', config('full', { steps: 6, resume: false }), undefined, blocks)
        expect(later.events.at(-1)).toMatchObject({ code: 'DISK_FULL' })
        expect(sha(place.bytes('full.checkpoint'))).toBe(kept)

        const whole = { data, arch: tiny, keys: starter, steps: 1, ...small }
        // too few for the tokenizer, then too few for the weights
        for (const room of [40, 200]) {
          const run = await place.run('train', { ...whole, out: { model: place.at('full.gguf') } }, undefined, room)
          expect([run.code, run.events.at(-1)]).toMatchObject([1, { code: 'DISK_FULL' }])
          expect(existsSync(place.at('full.gguf.tmp'))).toBe(false)
        }
      })
      test('is not continued by another run, and a damaged pair is said to be so', async () => {
        await place.run('train', config('other', { steps: 6 }))
        expect(await failure('train', config('other', { steps: 7 }))).toMatchObject({ code: 'CHECKPOINT_MISMATCH' })
        expect(await failure('train', config('other', { steps: 6, data: place.data('more.jsonl', texts(17, 2)) }))).toMatchObject({
          code: 'CHECKPOINT_MISMATCH',
        })
        for (const file of ['other.checkpoint', 'other.checkpoint.previous']) truncateSync(place.at(file), 4000)
        expect(await failure('train', config('other', { steps: 6 }))).toMatchObject({
          code: 'CHECKPOINT_DAMAGED',
          file: place.at('other.checkpoint'),
        })
      })
    })

    describe('bad input', () => {
      const plain = { data, arch: tiny, out: { model: place.at('bad.gguf') }, steps: 2, ...small }
      test.for<[string, object, string]>([
        ['an unknown field', { stepz: 3 }, '“stepz”'],
        ['a field of a part', { loss: { cee: 1 } }, '“loss.cee”'],
        ['a missing field', { data: null }, '“data”'],
        ['a value out of range', { threads: 0 }, '“threads”'],
        ['a word for a number', { batch: 'many' }, '“batch”'],
        ['no length of the run', { steps: 0 }, 'steps or epochs'],
        ['nothing to write', { out: {} }, 'out.model or out.adapter'],
        ['adapters of chance', { lora: {} }, 'lora needs a base'],
        ['a term without its teacher', { loss: { kl: 1 } }, 'need a teacher'],
        ['an impossible shape', { arch: { ...tiny, heads: 5 } }, 'no multiple of heads'],
      ])('configuration: %s', async ([, changes, words]) => {
        const event = await failure('train', { ...plain, ...changes })
        expect(event).toMatchObject({ code: 'CONFIG_INVALID' })
        expect(event['message']).toContain(words)
      })
      test('configuration: no JSON', async () => {
        const file = place.write('broken.json', '{"data": ')
        const run = await place.run('train', file)
        expect(run.events).toMatchObject([{ code: 'CONFIG_INVALID', file }])
      })

      const good = '{"tokens":[1,2,3,4]}\n'
      test.for<[string, string, string, number | undefined]>([
        ['empty', '\n\n', 'DATA_EMPTY', undefined],
        ['no JSON', `${good}\n{"tokens":[1,2`, 'DATA_INVALID', 3],
        ['no object', `${good}[1,2]`, 'DATA_INVALID', 2],
        ['an unknown field', '{"tokens":[1,2],"stat":1}', 'DATA_INVALID', 1],
        ['an unknown class', '{"tokens":[1,2],"class":"secret"}', 'DATA_INVALID', 1],
        ['one token', '{"tokens":[1]}', 'DATA_INVALID', 1],
        ['a fraction', '{"tokens":[1,2.5]}', 'DATA_INVALID', 1],
        ['a start at its end', '{"tokens":[1,2],"start":2}', 'DATA_INVALID', 1],
        ['an entity in the prompt', '{"tokens":[1,2,3],"start":2,"entities":[[1,1]]}', 'DATA_INVALID', 1],
        ['a weight of 0', '{"tokens":[1,2,3],"entities":[[1,0]]}', 'DATA_INVALID', 1],
        ['a token that the vocabulary lacks', `${good}{"tokens":[1,1344]}`, 'TOKEN_OUT_OF_RANGE', 2],
        ['a text longer than the context', `${good}{"tokens":[${Array(65).fill(1).join()}]}`, 'SAMPLE_TOO_LONG', 2],
      ])('data: %s', async ([name, content, code, line]) => {
        const file = place.write(`${name}.jsonl`, content)
        expect(await failure('train', { ...plain, data: file })).toMatchObject(line === undefined ? { code, file } : { code, file, line })
      })

      test('files that are missing, foreign, cut or spoilt', async () => {
        const cut = place.write('cut.gguf', '')
        writeFileSync(cut, place.bytes('base.gguf').subarray(0, -1000))
        const spoilt = place.bytes('base.gguf')
        spoilt.writeFloatLE(NaN, spoilt.length - 4096)
        writeFileSync(place.at('spoilt.gguf'), spoilt)
        writeFileSync(place.at('narrow.gguf'), rawGguf())
        const other = place.bytes('base.gguf').toString('latin1').replaceAll('qwen2', 'llama')
        writeFileSync(place.at('llama.gguf'), other, 'latin1')
        const from = (file: string) => failure('train', { ...plain, arch: null, base: file })
        expect(await from(place.at('none.gguf'))).toMatchObject({ code: 'FILE_UNREADABLE' })
        expect(await from(data)).toMatchObject({ code: 'MODEL_UNREADABLE', file: data })
        expect(await from(cut)).toMatchObject({ code: 'MODEL_UNREADABLE', file: cut })
        expect(await from(place.at('spoilt.gguf'))).toMatchObject({ code: 'MODEL_UNREADABLE' })
        expect(await from(place.at('narrow.gguf'))).toMatchObject({ code: 'MODEL_ARCHITECTURE' })
        expect(await from(place.at('llama.gguf'))).toMatchObject({ code: 'MODEL_ARCHITECTURE' })
      })
      test('an adapter, a teacher or a cache of another model', async () => {
        const out = { adapter: place.at('fits.gguf') }
        expect((await place.run('train', { ...plain, arch: null, base, lora: { rank: 2 }, out })).code).toBe(0)
        const lora = { init: place.at('fits.gguf') }
        expect(await failure('train', { ...plain, arch: null, base: starter, lora, out })).toMatchObject({ code: 'ADAPTER_MISMATCH' })
        expect(await failure('logits', { model: starter, adapter: lora.init, tokens: [1], out: place.at('x') })).toMatchObject({
          code: 'ADAPTER_MISMATCH',
        })
        expect(await failure('train', { ...plain, arch: null, base, lora: { rank: 100 }, out })).toMatchObject({ code: 'ADAPTER_MISMATCH' })
        expect(await failure('train', { ...plain, keys: starter, arch: { ...tiny, vocab: 1000 } })).toMatchObject({ code: 'VOCABULARY_MISMATCH' })
        const few = await place.run('train', {
          ...plain,
          arch: { ...tiny, vocab: 99 },
          data: place.write('few.jsonl', good),
          out: { model: place.at('few.gguf') },
        })
        expect(few.code).toBe(0)
        const loss = { kl: 1 }
        expect(await failure('train', { ...plain, loss, teacher: { model: place.at('few.gguf') } })).toMatchObject({ code: 'TEACHER_MISMATCH' })
        const cache = place.at('cache')
        expect((await place.run('cache', { teacher: base, data: place.data('part.jsonl', texts(15, 2)), out: cache, context: 64 })).code).toBe(0)
        expect(await failure('train', { ...plain, loss, teacher: { cache } })).toMatchObject({ code: 'CACHE_MISMATCH', file: cache })
      })
      test('more memory than there is, and a folder that is not there', async () => {
        const event = await failure('train', { ...plain, arch: { ...tiny, vocab: 4_000_000, width: 131_072 } })
        expect(event).toMatchObject({ code: 'OUT_OF_MEMORY' })
        expect(event['message']).toMatch(/needs \d+\.\d\d GB/)
        expect(
          await failure('train', {
            ...plain,
            context: 65_536,
            arch: { ...tiny, context: 65_536 },
            batch: 4000,
            data: place.data('long.jsonl', [{ tokens: Array(60_000).fill(1) as number[] }]),
          }),
        ).toMatchObject({ code: 'OUT_OF_MEMORY' })
        expect(await failure('train', { ...plain, out: { model: place.at('no/where.gguf') } })).toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
      })
    })
  },
)
