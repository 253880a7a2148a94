// Owns the proof of how the trainer's process is driven: its events, its failures as errors, its stopping, and a machine that cannot build it.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { learnVocabulary, Tokenizer } from '../../../models/workshop/corpus/bpe.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { keysOf, writeKeys } from '../../../models/workshop/train/keys.ts'
import { parseEvent, type TrainerEvent } from '../../../models/workshop/train/events.ts'
import { rekey } from '../../../models/workshop/train/rekey.ts'
import { builtTrainer, runTrainer, SHIPPED, type Ending } from '../../../models/workshop/train/trainer.ts'
import { expectRefusal } from '../../support/run-verb.ts'
import { texts } from '../../support/texts.ts'
import { trainerMissing } from './train-missing.ts'

const missing = await trainerMissing()
const folder = mkdtempSync(join(tmpdir(), 'rushlight-trainer-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const VOCABULARY = 400
const arch = { vocab: VOCABULARY, width: 32, layers: 1, heads: 2, kvHeads: 1, ffn: 64, context: 64 }
function data(name: string, lines: readonly unknown[]): string {
  writeFileSync(at(name), lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)) + '\n').join(''))
  return at(name)
}
const samples = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ tokens: Array.from({ length: 16 }, (_, k) => (n * 31 + k * 7) % VOCABULARY), start: 4 }))
const config = (changes: object = {}) => ({
  ...{ out: { model: at('out.gguf') }, arch, data: data('data.jsonl', samples(40)), batch: 2, context: 64, steps: 6, logEvery: 1 },
  ...changes,
})

async function heard(events: AsyncGenerator<TrainerEvent, Ending>): Promise<{ events: TrainerEvent[]; ending: Ending }> {
  const all: TrainerEvent[] = []
  for (;;) {
    const next = await events.next()
    if (next.done) return { events: all, ending: next.value }
    all.push(next.value)
  }
}
/** A program in the trainer's place. */
function instead(name: string, script: string): string {
  writeFileSync(at(name), `#!/bin/sh\n${script}\n`)
  chmodSync(at(name), 0o755)
  return at(name)
}

describe.skipIf(missing !== null)(`the trainer${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let executable = ''
  beforeAll(async () => {
    executable = await builtTrainer(SHIPPED)
  }, 120_000)
  const train = (changes: object, signal?: AbortSignal) => heard(runTrainer('train', config(changes), { executable, ...(signal ? { signal } : {}) }))

  test('tells its start, every step, and its end; the folder of its JSON file is gone', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('rushlight-train-'))
    const { events, ending } = await train({})
    expect(ending).toBe('done')
    expect(events.map(({ type }) => type)).toEqual(['start', ...Array.from({ length: 6 }, () => 'progress'), 'done'])
    expect(events[0]).toMatchObject({ samples: 40, steps: 6, resumedFrom: 0 })
    const losses = events.flatMap((event) => (event.type === 'progress' ? [event.loss!] : []))
    expect(losses.at(-1)).toBeLessThan(losses[0]!)
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('rushlight-train-') && !before.includes(name))).toEqual([])
  })

  test('that fails is an error with code, file without folders, line and step', async () => {
    const first = samples(1)[0]!
    const faults = [
      [{ data: data('short.jsonl', [first, { tokens: [1] }]) }, 'SOURCE_INVALID', 'short.jsonl, line 2'],
      [{ data: data('strange.jsonl', [first, { tokens: [1, 9999] }]) }, 'SOURCE_INVALID', 'strange.jsonl, line 2'],
      [{ data: data('long.jsonl', [{ tokens: Array.from({ length: 65 }, () => 1) }]) }, 'SOURCE_INVALID', 'long.jsonl, line 1'],
      [{ data: data('text.jsonl', ['not JSON']) }, 'SOURCE_INVALID', 'text.jsonl, line 1'],
      [{ data: data('empty.jsonl', ['']) }, 'SOURCE_INVALID', 'empty.jsonl'],
      [{ data: at('absent.jsonl') }, 'SOURCE_INVALID', 'absent.jsonl'],
      [{ batch: 0 }, 'RECIPE_INVALID', 'batch'],
      [{ out: { model: join(at('nowhere'), 'x.gguf') } }, 'OUTPUT_NOT_WRITABLE', 'x.gguf'],
      [{ arch: { ...arch, width: 65_536, ffn: 262_144 } }, 'MODEL_TOO_LARGE', 'Lower batch'],
    ] as const
    for (const [changes, code, ...words] of faults) {
      const error: unknown = await train(changes).catch((reason: unknown) => reason)
      await expectRefusal(Promise.reject(error as Error), code, ...words)
      expect((error as AppError).message).not.toContain(folder)
    }
    const fault: unknown = await train({ data: at('short.jsonl') }).catch((reason: unknown) => reason)
    expect((fault as AppError).data).toMatchObject({ trainer: 'DATA_INVALID', file: 'short.jsonl', line: 2 })
  })

  test('that diverges says at which step, and leaves its last good checkpoint', async () => {
    const diverging = {
      steps: 400,
      schedule: { lrMax: 80, lrMin: 80 },
      optimiser: { clip: 0 },
      out: { model: at('far.gguf'), checkpoint: at('far.checkpoint') },
    }
    const error: unknown = await train({ ...diverging, checkpointEvery: 1 }).catch((reason: unknown) => reason)
    await expectRefusal(Promise.reject(error as Error), 'WEIGHTS_NOT_FINITE', 'diverged at step', 'lrMax')
    expect((error as AppError).data).toMatchObject({ trainer: 'DIVERGED', step: expect.any(Number) as number })
    expect(readdirSync(folder)).toContain('far.checkpoint')
    expect(readdirSync(folder)).not.toContain('far.gguf')
  })

  test('that finds the disk full says so', async () => {
    const limited = instead('limited', `ulimit -f 8; exec '${executable}' "$@"`)
    await expectRefusal(heard(runTrainer('train', config({ out: { model: at('large.gguf') } }), { executable: limited })), 'DISK_FULL', 'large.gguf')
    expect(readdirSync(folder).filter((name) => name.startsWith('large'))).toEqual([])
  })

  test('stops after its time with a checkpoint, and goes on to the same bytes', async () => {
    const out = { model: at('paused.gguf'), checkpoint: at('paused.checkpoint') }
    const stopped = await train({ out, steps: 60, maxMinutes: 1e-5 })
    expect(stopped.ending).toBe('stopped')
    const resumed = await train({ out, steps: 60, resume: true })
    expect(resumed.events[0]).toMatchObject({ type: 'start', resumedFrom: 1 })
    const whole = await train({ out: { model: at('whole.gguf') }, steps: 60 })
    expect(whole.ending).toBe('done')
    expect(readFileSync(at('paused.gguf')).equals(readFileSync(at('whole.gguf')))).toBe(true)
  })

  test('saves when it is stopped by hand, and the reason is what was given', async () => {
    const stopper = new AbortController()
    const out = { model: at('stopped.gguf'), checkpoint: at('stopped.checkpoint') }
    const events = runTrainer('train', config({ out, steps: 100_000 }), { executable, signal: stopper.signal })
    const run = (async () => {
      for await (const event of events) if (event.type === 'progress' && event.step === 5) stopper.abort(new AppError('CANCELLED'))
    })()
    await expectRefusal(run, 'CANCELLED')
    expect(readdirSync(folder)).toContain('stopped.checkpoint')
  })

  test('writes a model from keys that llama.cpp reads and tokenises as we do', async () => {
    const vocabulary = learnVocabulary(texts(200), VOCABULARY)
    await writeKeys(at('keys.gguf'), vocabulary, { name: 'Tiny', description: 'For a test.' })
    await train({ out: { model: at('raw.gguf') }, arch: { ...arch, vocab: vocabulary.tokens.length }, keys: at('keys.gguf') })
    const { weightsId } = await rekey(at('raw.gguf'), at('named.gguf'), { keys: new Map(), newWeights: true })
    const again = await rekey(at('named.gguf'), at('again.gguf'), { keys: new Map(), newWeights: true })
    expect(weightsId).toMatch(/^[0-9a-f]{64}$/)
    expect(again.weightsId).toBe(weightsId)
    const { metadata } = await readGgufHeader(at('named.gguf'), { values: 'all' })
    expect(metadata.get(KEYS.weightsId)).toEqual({ type: 'string', value: weightsId })
    for (const [key, value] of keysOf(vocabulary, 'Tiny', 'For a test.')) expect(metadata.get(key), key).toEqual(value)
    const model = await Evaluator.open({ model: at('named.gguf') })
    try {
      const ours = new Tokenizer(vocabulary)
      for (const text of texts(20)) expect(await model.tokenize(text, { special: true })).toEqual(ours.encode(text))
      expect((await model.logits([1, 2, 3])).every(Number.isFinite)).toBe(true)
    } finally {
      await model.close()
    }
  })

  test('cannot be built without a compiler, and the error says what to install', async () => {
    vi.stubEnv('CXX', '/nowhere/g++')
    await expectRefusal(builtTrainer(SHIPPED), 'LIBRARY_MISSING', 'compiler', 'Install')
    vi.unstubAllEnvs()
    await expectRefusal(builtTrainer({ ...SHIPPED, package: 'linux-x64-abacus' }), 'LIBRARY_MISSING', 'linux-x64-abacus')
  })
})
afterEach(() => vi.unstubAllEnvs())

describe('a process that is no trainer', () => {
  const run = (executable: string, options: { signal?: AbortSignal; graceMs?: number } = {}) =>
    heard(runTrainer('train', {}, { executable, ...options }))

  test('is an error with its last words', async () => {
    await expectRefusal(
      run(instead('killed', 'echo "GGML_ASSERT failed: a && b" >&2; kill -9 $$')),
      'TOOL_CRASHED',
      'SIGKILL',
      'GGML_ASSERT failed',
      '--resume',
    )
    await expectRefusal(run(instead('odd', 'exit 7')), 'TOOL_CRASHED', 'code 7')
    await expectRefusal(run(at('absent')), 'TOOL_CRASHED', 'ENOENT')
  })

  test('may say what is no event', async () => {
    const { events, ending } = await run(instead('chatty', `echo 'hello'; echo '{"type":"dance"}'; echo '{"type":"done","files":[]}'`))
    expect([events, ending]).toEqual([[{ type: 'done', files: [] }], 'done'])
    expect(parseEvent('{"type":"progress","step":1,"steps":2,"loss":null}')).toMatchObject({ step: 1, loss: null })
    expect(parseEvent('{"type":"progress","step":1,"st')).toBeNull()
  })

  test('that does not heed a request to stop is ended', async () => {
    const stopper = new AbortController()
    setTimeout(() => stopper.abort(new AppError('CANCELLED')), 200)
    const began = performance.now()
    await expectRefusal(run(instead('deaf', `trap '' TERM; while :; do sleep 0.05; done`), { signal: stopper.signal, graceMs: 300 }), 'CANCELLED')
    expect(performance.now() - began).toBeLessThan(5000)
    await expectRefusal(run(instead('never', 'exit 0'), { signal: stopper.signal }), 'CANCELLED')
  })
})
