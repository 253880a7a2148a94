// Owns the proof of `train`: every stage of a small plan, end to end; found again, changed, killed, and the same bytes each time.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectAdapter } from '../../../app/engine/adapter.ts'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { readManifest } from '../../../app/library/manifest.ts'
import { chat, Tokenizer, type Vocabulary } from '../../../models/workshop/corpus/bpe.ts'
import { folderQuestions } from '../../../models/workshop/eval/questions.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import type { Report } from '../../../models/workshop/report.ts'
import { AppError } from '../../../app/contract/errors.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { readPlan } from '../../../models/workshop/train/plan.ts'
import { trainAll } from '../../../models/workshop/train/run.ts'
import { parseEvent } from '../../../models/workshop/train/events.ts'
import { readFamilyCard } from '../../../app/library/family-card.ts'
import { familyVerb } from '../../../models/workshop/verbs/family.ts'
import { trainVerb } from '../../../models/workshop/verbs/train.ts'
import { WrongUse } from '../../../models/workshop/verb.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'
import { trainerMissing } from './train-missing.ts'

const missing = await trainerMissing()
const folder = mkdtempSync(join(tmpdir(), 'rushlight-train-test-'))
const at = (...names: string[]) => join(folder, ...names)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plan = {
  from: 'smoke',
  corpus: { records: 1, vocabulary: 400 },
  teacher: { shape: { width: 64, layers: 2, heads: 4, kvHeads: 2, ffn: 128, context: 256 } },
  adapters: { lora: { stableSvd: { every: 1 } } },
}
const file = (name: string, content: object) => (writeFileSync(at(name), JSON.stringify(content)), at(name))
const states = ({ rows }: Report) => Object.fromEntries(rows.map(({ stage, state }) => [String(stage), String(state)]))
/** What a run is for: every model, and what its stages left. */
const products = (name: string) =>
  [...readdirSync(at(name)), ...readdirSync(at(name, 'work')).map((one) => join('work', one))].filter((one) => /\.(gguf|cache)$/.test(one)).sort()
function expectSame(one: string, other: string) {
  expect(products(one)).toEqual(products(other))
  for (const name of products(one)) expect(readFileSync(at(one, name)).equals(readFileSync(at(other, name))), name).toBe(true)
}

describe.skipIf(missing !== null)(`train${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let report: Report
  beforeAll(async () => {
    report = await runVerb(trainVerb, [at('run')], { plan: file('plan.json', plan) })
  }, 180_000)

  test('makes base, merged model, adapters and exports', async () => {
    expect(new Set(Object.values(states(report)))).toEqual(new Set(['complete']))
    expect(report.targets.every(({ ok }) => ok)).toBe(true)
    const made = ['adapter-emergency', 'adapter-medication', 'base-q8', 'base', 'merged-q8', 'merged'].map((name) => `${name}.gguf`)
    expect(
      readdirSync(at('run'))
        .filter((name) => name.endsWith('.gguf'))
        .sort(),
    ).toEqual(made)

    const keys = async (name: string) => (await readGgufHeader(at('run', name), { values: 'all' })).metadata
    const [base, merged, quantised] = [await keys('base.gguf'), await keys('merged.gguf'), await keys('base-q8.gguf')]
    const id = base.get(KEYS.weightsId)!.value as string
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(quantised.get(KEYS.weightsId)!.value).toBe(id)
    expect((merged.get(KEYS.mergedFrom)!.value as string[])[0]).toBe(id)
    expect(merged.get(KEYS.weightsId)!.value).not.toBe(id)
    expect([base.get('general.name')!.value, merged.get('general.name')!.value]).toEqual(['Rushlight smoke', 'Rushlight smoke, merged'])
    for (const category of ['medication', 'emergency']) {
      const adapter = await inspectAdapter(at('run', `adapter-${category}.gguf`), at('run', 'base-q8.gguf'))
      expect(adapter).toMatchObject({ name: `Rushlight smoke, ${category}`, targets: 14 })
      expect((await keys(`adapter-${category}.gguf`)).get(KEYS.baseWeightsId)!.value).toBe(id)
    }
    const questions = folderQuestions(at('run', 'work', 'data'))
    expect(new Set(questions.map(({ split }) => split))).toEqual(new Set(['test-phrasing', 'test-kind', 'test-unknown']))
    expect((await readManifest(at('run', 'merged-q8.gguf')))?.weightsId).toBe(merged.get(KEYS.weightsId)!.value)
  })

  test('learns: held-out loss falls, and the adapters change the base', async () => {
    const events = (stage: string) =>
      readFileSync(at('run', 'work', 'stages', `${stage}.events.jsonl`), 'utf8')
        .split('\n')
        .flatMap((line) => parseEvent(line) ?? [])
    for (const stage of ['teacher', 'student']) {
      const losses = events(stage).flatMap((event) => (event.type === 'validation' ? [event.loss] : []))
      expect(losses.at(-1), stage).toBeLessThan(losses[0]!)
    }
    for (const stage of ['base', 'merged']) {
      const kl = events(stage).flatMap((event) => (event.type === 'progress' && typeof event['kl'] === 'number' ? [event['kl']] : []))
      expect(kl.length, stage).toBeGreaterThan(3)
    }
    expect(events('adapter-medication').map(({ type }) => type)).toContain('ranks')

    const vocabulary = JSON.parse(readFileSync(at('run', 'work', 'vocabulary.json'), 'utf8')) as Vocabulary
    const tokens = new Tokenizer(vocabulary).encode(chat('What is the adult dose?'), { special: true })
    const model = await Evaluator.open({ model: at('run', 'base.gguf') })
    try {
      const plain = await model.logits(tokens)
      await model.setAdapters([{ path: at('run', 'work', 'adapter-merged.gguf'), scale: 1 }])
      const adapted = await model.logits(tokens)
      const merged = await Evaluator.open({ model: at('run', 'merged.gguf') })
      const added = await merged.logits(tokens).finally(() => merged.close())
      const apart = (a: Float32Array, b: Float32Array) => a.reduce((most, value, n) => Math.max(most, Math.abs(value - b[n]!)), 0)
      expect(apart(plain, adapted)).toBeGreaterThan(1e-2)
      expect(apart(adapted, added)).toBeLessThan(1e-3)
    } finally {
      await model.close()
    }
  })

  test('its report shows every curve without a script and without a network', () => {
    const html = readFileSync(at('run', 'report.html'), 'utf8')
    for (const stage of ['teacher', 'student', 'base', 'adapter-medication', 'adapter-emergency', 'merged']) {
      const [, section = ''] = html.split(`<h2 id="${stage}">`)
      const own = section.split('<h2')[0]!
      for (const title of ['Terms of the loss', 'Cross-entropy on', 'Share of next tokens', 'Learning rate', 'Norm of the gradient', 'Speed'])
        expect(own, `${stage}: ${title}`).toMatch(new RegExp(`<figcaption>${title}[^]*?<path class="line line-0" d="M[\\d.]+ [\\d.]+L`))
    }
    expect(html).toMatch(/divergence from the teacher[^]*error on key entities/)
    expect(html).toContain('StableSVD')
    expect(html).toContain('prefers-color-scheme: dark')
    expect(html).not.toMatch(/<script|https?:|url\(|<link|<img|NaN|undefined|Infinity/)
    expect(html).toContain(readManifestHash('base-q8.gguf'))
  })
  const readManifestHash = (name: string) => (JSON.parse(readFileSync(at('run', `${name}.manifest.json`), 'utf8')) as { sha256: string }).sha256

  test('leaves a family: a card ties its files and says what each has right', async () => {
    const corpus = at('run', 'work', 'data')
    const report = await runVerb(familyVerb, [at('run', 'base.gguf')], { corpus, most: '6', name: 'A family' })
    const card = readFamilyCard(at('run', 'base.gguf'))!
    expect(card).toMatchObject({ name: 'A family', validation: expect.stringContaining('12 questions') as string })
    const total = (scores: object) => (Object.values(scores) as { right: number; total: number }[]).reduce((sum, one) => sum + one.total, 0)
    expect(total(card.base.scores)).toBe(12)
    expect(total(card.merged!.scores)).toBe(12)
    expect(card.adapters.map(({ file, categories }) => [file, categories])).toEqual([
      ['adapter-emergency.gguf', ['emergency']],
      ['adapter-medication.gguf', ['medication']],
    ])
    for (const { categories, scores } of card.adapters)
      expect(Object.keys(scores).every((category) => categories.includes(category as never))).toBe(true)
    expect(report.rows.reduce((sum, row) => sum + Number(row['questions']), 0)).toBe(
      24 + card.adapters.reduce((sum, one) => sum + total(one.scores), 0),
    )
    await expectRefusal(runVerb(familyVerb, [at('run', 'base.gguf')], { corpus, most: '6' }), 'OUTPUT_EXISTS', 'base.gguf.family.json')
    await expectRefusal(runVerb(familyVerb, [at('run', 'merged.gguf')], { corpus, most: '6' }), 'SOURCE_INVALID', 'merged form')
  }, 60_000)

  test('finds what is complete, and does anew only what a change concerns', async () => {
    await expectRefusal(runVerb(trainVerb, [at('run')], { plan: at('plan.json') }), 'OUTPUT_EXISTS', 'run', '--resume')
    const again = await runVerb(trainVerb, [at('run')], { plan: at('plan.json'), resume: true })
    expect(new Set(Object.values(states(again)))).toEqual(new Set(['found']))

    rmSync(at('run', 'adapter-emergency.gguf'))
    const changed = file('changed.json', { ...plan, merged: { loss: { retention: 0.1 } } })
    const third = await runVerb(trainVerb, [at('run')], { plan: changed, resume: true })
    expect(states(third)).toEqual({
      ...{ data: 'found', teacher: 'found', student: 'found', cache: 'found', base: 'found', 'adapter-medication': 'found' },
      ...{ 'adapter-emergency': 'complete', merged: 'complete', export: 'complete' },
    })
    // hours are not thrown away unasked: the same records as if they had taken long
    const [data, base] = ['data', 'base'].map((name) => at('run', 'work', 'stages', `${name}.json`)) as [string, string]
    const record = JSON.parse(readFileSync(base, 'utf8')) as object
    writeFileSync(base, JSON.stringify({ ...record, seconds: 7200 }))
    const before = readFileSync(data, 'utf8')
    const other = file('other.json', { ...plan, corpus: { ...plan.corpus, seed: 2 } })
    await expectRefusal(runVerb(trainVerb, [at('run')], { plan: other, resume: true }), 'OUTPUT_EXISTS', 'data', '2 h', '--anew')
    expect(readFileSync(data, 'utf8')).toBe(before)
    const anew = await runVerb(trainVerb, [at('run')], { plan: other, resume: true, anew: true })
    expect(new Set(Object.values(states(anew)))).toEqual(new Set(['complete']))
    // back to what it was, for the comparison below
    await runVerb(trainVerb, [at('run')], { plan: at('plan.json'), resume: true })
  }, 60_000)

  test('killed at any moment, goes on to the same bytes', async () => {
    const child = (args: string[]) => {
      const script = fileURLToPath(new URL('train-child.ts', import.meta.url))
      // a group of its own, so that trainer and command die in the same instant
      const process_ = spawn(process.execPath, [script, at('killed'), at('plan.json'), ...args], {
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return { kill: () => process.kill(-process_.pid!, 'SIGKILL'), ended: new Promise<number | null>((resolve) => process_.on('close', resolve)) }
    }
    const stages = at('killed', 'work', 'stages')
    const moments = [
      () => existsSync(join(stages, 'student.checkpoint')),
      () => existsSync(join(stages, 'base.checkpoint')),
      () => existsSync(at('killed', 'work', 'adapter-merged.gguf')),
    ]
    for (const [n, reached] of moments.entries()) {
      const run = child(n === 0 ? [] : ['--resume'])
      let over = false
      void run.ended.then(() => (over = true))
      while (!reached() && !over) await pause(2)
      expect(over, `ended before moment ${n}`).toBe(false)
      run.kill()
      await run.ended
    }
    const last = await runVerb(trainVerb, [at('killed')], { plan: at('plan.json'), resume: true })
    expect(states(last)).toMatchObject({ data: 'found', teacher: 'found', student: 'found', export: 'complete' })
    expectSame('killed', 'run')
    expect(readdirSync(stages).filter((name) => /checkpoint|part|tmp/.test(name))).toEqual([])
  }, 600_000)

  test('ends well when its time is up, and stopped by hand keeps what is learned', async () => {
    const context = (signal = new AbortController().signal) => ({ signal, progress: new Progress(null) })
    const request = { plan: readPlan(at('plan.json')), folder: at('stopped'), resume: true, only: ['student'], minutes: null }
    const late = await trainAll({ ...request, minutes: 1e-9 }, context())
    expect([late.complete, late.stages.map(({ stage, state }) => `${stage} ${state}`)]).toEqual([false, ['data waiting', 'student waiting']])

    const stopper = new AbortController()
    const run = trainAll(request, context(stopper.signal))
    const log = at('stopped', 'work', 'stages', 'student.events.jsonl')
    void (async () => {
      while (!existsSync(log)) await pause(2)
      stopper.abort(new AppError('CANCELLED'))
    })()
    await expectRefusal(run, 'CANCELLED')
    expect(existsSync(at('stopped', 'work', 'stages', 'student.checkpoint'))).toBe(true)

    const mark = at('stopped', 'work', 'running')
    expect(existsSync(mark)).toBe(false)
    writeFileSync(mark, String(process.ppid))
    await expectRefusal(trainAll(request, context()), 'OUTPUT_NOT_WRITABLE', 'Another run', String(process.ppid))
    // a number that no process has
    writeFileSync(mark, '4194305')
    const { complete, stages } = await trainAll(request, context())
    const start = stages[1]!.events.find(({ type }) => type === 'start')
    expect(complete && start?.type === 'start' && start.resumedFrom > 0).toBe(true)
    expect(readFileSync(at('stopped', 'work', 'student.gguf')).equals(readFileSync(at('run', 'work', 'student.gguf')))).toBe(true)
  }, 60_000)

  test('refuses what it cannot run', async () => {
    const fresh = (values: Record<string, string>) => runVerb(trainVerb, [at('fresh')], { plan: at('plan.json'), ...values })
    await expectRefusal(fresh({ plan: file('bad.json', { from: 'smoke', seed: -1 }) }), 'RECIPE_INVALID', 'bad.json', 'seed')
    await expect(fresh({ stage: 'polish' })).rejects.toThrow(WrongUse)
    await expect(fresh({ minutes: '0' })).rejects.toThrow(WrongUse)
    await expectRefusal(fresh({ plan: file('short.json', { ...plan, base: { context: 64 } }) }), 'RECIPE_INVALID', 'transfer', '64')
    rmSync(at('fresh'), { recursive: true })
    writeFileSync(at('own.jsonl'), '{"kind":"medicine"}\n')
    await expectRefusal(runVerb(trainVerb, [at('fresh')], { plan: at('plan.json'), records: at('own.jsonl') }), 'SOURCE_INVALID', 'own.jsonl, line 1')
    expect(existsSync(at('fresh', 'work', 'running'))).toBe(false)
    writeFileSync(at('a file'), '')
    await expectRefusal(runVerb(trainVerb, [join(at('a file'), 'inside')], { plan: at('plan.json') }), 'OUTPUT_NOT_WRITABLE', 'inside')
  }, 60_000)
})
