// Owns the tests of recipe: a valid data set without leaks, options that the named versions have, and the way back through import-peft.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { buildCorpus } from '../../../models/workshop/corpus/split.ts'
import { fileQuestions, ownRecords } from '../../../models/workshop/eval/questions.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import type { Report } from '../../../models/workshop/report.ts'
import { DEFAULT_NAMES, type LORA } from '../../../models/workshop/scale/settings.ts'
import { writeRecipe } from '../../../models/workshop/scale/write.ts'
import { WrongUse, type Verb } from '../../../models/workshop/verb.ts'
import { importHfVerb } from '../../../models/workshop/verbs/import-hf.ts'
import { importPeftVerb } from '../../../models/workshop/verbs/import-peft.ts'
import { recipeVerb } from '../../../models/workshop/verbs/recipe.ts'
import { makeFolder } from '../../support/hf-folder.ts'
import { makeAdapter } from '../../support/peft-folder.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight recipe '))
afterAll(() => rmSync(root, { recursive: true }))
const out = join(root, 'scale')
const read = (file: string) => readFileSync(join(out, file), 'utf8')
const json = (file: string) => JSON.parse(read(file)) as Record<string, never>
const lines = (file: string) =>
  read(file)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
let report: Report
beforeAll(async () => {
  report = await runVerb(recipeVerb, [out], { engine: 'trl', breadth: 'core', passes: '2', teacher: 'big/Teacher-70B', student: '/models/student' })
})
const without = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' }).status !== 0

const Line = z.strictObject({
  messages: z.tuple([
    z.strictObject({ role: z.literal('user'), content: z.string().min(1) }),
    z.strictObject({ role: z.literal('assistant'), content: z.string().min(1) }),
  ]),
  entities: z.array(z.tuple([z.number().int(), z.number().int(), z.number().positive()])),
  ...{ fact: z.string(), kind: z.string(), level: z.number().int().min(0).max(3), knowledge: z.enum(['basic', 'specialised']) },
  category: z.string(),
})

describe('the data set', () => {
  it('is chat lines whose entities are words of the answer', () => {
    const train = lines('data/train.jsonl').map((line) => Line.parse(line))
    expect(train.length).toBe(report.rows.find(({ file }) => file === 'data/train.jsonl')!['lines'])
    expect(train.length).toBeGreaterThan(20_000)
    const letter = /[\p{L}\p{N}]/u
    const cut = train.filter(({ messages: [, { content }], entities }) =>
      entities.some(
        ([from, to]) =>
          from >= to ||
          content.slice(from, to).trim() === '' ||
          (letter.test(content[from]!) && letter.test(content[from - 1] ?? '')) ||
          (letter.test(content[to - 1]!) && letter.test(content[to] ?? '')),
      ),
    )
    expect(cut.slice(0, 3)).toEqual([])
    const dosed = train.filter(({ kind }) => kind === 'medicine.adult-dose')
    expect(dosed.every(({ entities }) => entities.some(([, , weight]) => weight === 3))).toBe(true)
    expect(train.filter(({ kind }) => kind.startsWith('unknown.')).every(({ entities }) => entities.length === 0)).toBe(true)
  })
  it('begins with the basic and simple, and has every fact in each pass', () => {
    const train = lines('data/train.jsonl').map((line) => Line.parse(line))
    const stage = (line: (typeof train)[number]) => (line.knowledge === 'specialised' ? 4 : 0) + line.level
    const firstDrop = train.findIndex((line, at) => at > 0 && stage(line) < stage(train[at - 1]!))
    const first = train.slice(0, firstDrop)
    expect(new Set(first.map(stage)).size).toBeGreaterThanOrEqual(5)
    const facts = (part: typeof train) => new Set(part.filter(({ kind }) => !kind.startsWith('unknown.')).map(({ fact }) => fact))
    expect(facts(first).size).toBe(facts(train).size)
    expect(facts(train.slice(firstDrop)).size).toBe(facts(train).size)
  })
  it('shares no question with a held-out set, and those can be evaluated', () => {
    const form = (question: string) => question.toLowerCase().replace(/[^a-z0-9]/g, '')
    const asked = (file: string) => lines(file).map((line) => form(Line.parse(line).messages[0].content))
    const train = new Set(asked('data/train.jsonl'))
    const held = [...asked('data/validation.jsonl')]
    for (const split of ['test-phrasing', 'test-kind', 'test-unknown']) {
      const questions = fileQuestions(join(out, `data/${split}.jsonl`))
      expect(questions.length).toBeGreaterThan(500)
      expect(questions.every(({ asked: fact, category }) => fact !== null && category !== null)).toBe(true)
      expect(questions.every(({ asked: fact }) => fact!.unknown === (split === 'test-unknown'))).toBe(true)
      held.push(...questions.map(({ q }) => form(q)))
    }
    expect(held.filter((question) => train.has(question))).toEqual([])
  })
  it('is the same bytes from the same seed, and others from another', async () => {
    const some = ownRecords().filter((_, at) => at % 12 === 0)
    const hashes = async (name: string, seed: number) => {
      const corpus = buildCorpus(some, { seed, breadth: 'core' })
      const request = { folder: join(root, name), corpus, passes: 2, names: DEFAULT_NAMES, gpus: 8, force: false }
      const written = await writeRecipe(request, { signal: new AbortController().signal, progress: new Progress(null) })
      for (const { file, sha256 } of written)
        expect(
          createHash('sha256')
            .update(readFileSync(join(root, name, file)))
            .digest('hex'),
        ).toBe(sha256)
      return new Map(written.map(({ file, sha256 }) => [file, sha256]))
    }
    const [one, same, other] = [await hashes('one', 1), await hashes('same', 1), await hashes('other', 2)]
    expect([...same]).toEqual([...one])
    for (const file of ['data/train.jsonl', 'data/test-kind.jsonl', 'data/test-unknown.jsonl', 'config/student.json'])
      expect(other.get(file), file).not.toBe(one.get(file))
    expect(other.get('train.py')).toBe(one.get('train.py'))
  })
})

/** Options of the versions in requirements.txt, by their public documentation. */
const TRAINING = [
  ...['output_dir', 'deepspeed', 'num_train_epochs', 'per_device_train_batch_size', 'per_device_eval_batch_size', 'gradient_accumulation_steps'],
  ...['gradient_checkpointing', 'bf16', 'learning_rate', 'lr_scheduler_type', 'lr_scheduler_kwargs', 'warmup_ratio', 'weight_decay', 'adam_beta1'],
  ...[
    'adam_beta2',
    'max_grad_norm',
    'logging_steps',
    'eval_strategy',
    'eval_steps',
    'save_strategy',
    'save_steps',
    'save_total_limit',
    'report_to',
    'seed',
  ],
]
const SFT = ['max_length', 'completion_only_loss', 'packing']
const GKD = ['max_length', 'temperature', 'lmbda', 'beta', 'max_new_tokens', 'seq_kd', 'disable_dropout']
const LORA_OPTIONS = ['r', 'lora_alpha', 'lora_dropout', 'use_rslora', 'bias', 'task_type', 'target_modules']

describe('the configuration', () => {
  it('has only options that the versions have', () => {
    for (const stage of ['teacher', 'student', 'distil']) {
      const { arguments: given, lora } = json(`config/${stage}.json`) as Record<string, object | undefined>
      const known = new Set([...TRAINING, ...(stage === 'distil' ? GKD : SFT)])
      expect(Object.keys(given!).filter((option) => !known.has(option))).toEqual([])
      if (stage === 'distil') expect(lora).toBeUndefined()
      else expect(Object.keys(lora!).sort()).toEqual([...LORA_OPTIONS].sort())
      expect(given).toMatchObject({ output_dir: `out/${stage}`, deepspeed: 'config/deepspeed.json' })
    }
    expect(json('config/deepspeed.json')).toMatchObject({ zero_optimization: { stage: 3, stage3_gather_16bit_weights_on_model_save: true } })
    expect(json('config/distil.json')).toMatchObject({ student: '/models/student', teacher: 'big/Teacher-70B', arguments: { lmbda: 0, beta: 0 } })
    for (const line of read('requirements.txt').trimEnd().split('\n')) expect(line).toMatch(/^[a-z]+(\[train\])?==\d+\.\d+\.\d+$/)
  })
  it('comes with a README whose every command there is', async () => {
    const text = read('README.md')
    expect(text).not.toMatch(/\{\{/)
    const commands = [...text.matchAll(/^npm run model -- (\S+) (.*)$/gm)]
    expect(commands.map(([, name]) => name)).toEqual(expect.arrayContaining(['import-hf', 'import-peft', 'merge', 'export', 'verify', 'eval']))
    for (const [, name, rest] of commands) {
      const module = (await import(`../../../models/workshop/verbs/${name!}.ts`)) as Record<string, Verb>
      const verb = Object.values(module).find((one) => one.name === name)!
      for (const [, option] of rest!.matchAll(/--([a-z-]+)/g)) expect(Object.keys(verb.options), `${name!} --${option!}`).toContain(option)
      const words = rest!.split(' ').filter((word, at, all) => !word.startsWith('--') && !all[at - 1]?.startsWith('--'))
      expect(words.length, rest).toBeGreaterThanOrEqual(verb.positionals[0])
      expect(words.length, rest).toBeLessThanOrEqual(verb.positionals[1])
    }
    for (const [, file] of text.matchAll(/`((?:data|config)\/[a-z-]+\.jsonl?|[a-z_]+\.(?:py|txt)|recipe\.json)`/g))
      expect(existsSync(join(out, file!)), file).toBe(true)
  })
  it.skipIf(without('python3', '--version'))('comes with scripts that Python can read (needs python3)', () => {
    for (const script of readdirSync(out).filter((file) => file.endsWith('.py'))) {
      const made = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read())', join(out, script)], {
        encoding: 'utf8',
      })
      expect([script, made.status, made.stderr]).toEqual([script, 0, ''])
    }
  })

  it('makes adapters that import-peft brings back with the scale of training', async () => {
    const folder = makeFolder(join(root, 'student'), { style: 'qwen2', dtype: 'F32' })
    const model = `${folder.path}.gguf`
    await runVerb(importHfVerb, [folder.path, model], { type: 'f32' })
    const path = join(root, 'adapter')
    // what PEFT of that version writes besides
    const more = {
      ...{ auto_mapping: null, peft_version: '0.18.1', revision: null, exclude_modules: null, layers_pattern: null, layers_to_transform: null },
      ...{
        alora_invocation_tokens: null,
        arrow_config: null,
        corda_config: null,
        eva_config: null,
        ensure_weight_tying: false,
        target_parameters: null,
      },
      ...{
        megatron_config: null,
        megatron_core: 'megatron.core',
        qalora_group_size: 16,
        use_qalora: false,
        base_model_name_or_path: '/models/student',
      },
    }
    const { lora } = json('config/student.json') as unknown as { lora: typeof LORA }
    makeAdapter(path, {
      ...{ base: folder.config, rank: lora.r, alpha: lora.lora_alpha, rankStabilised: lora.use_rslora },
      targets: (module) => lora.target_modules.some((target) => module.endsWith(`.${target}`)),
      config: { ...lora, ...more },
    })
    const made = await runVerb(importPeftVerb, [path, `${path}.gguf`], { base: model })
    expect(made.rows.map(({ module, rank, scale }) => [module, rank, scale]).sort()).toEqual(
      ['attn_k', 'attn_output', 'attn_q', 'attn_v', 'ffn_down', 'ffn_gate', 'ffn_up'].map((module) => [
        module,
        lora.r,
        lora.lora_alpha / Math.sqrt(lora.r),
      ]),
    )
    const { metadata } = await readGgufHeader(`${path}.gguf`, { values: 'all' })
    expect(metadata.get('adapter.lora.alpha')!.value).toBeCloseTo(lora.lora_alpha * Math.sqrt(lora.r), 4)
  })
})

describe('recipe refuses', () => {
  it('another engine, a wrong name, a place that is taken; and leaves nothing when stopped', async () => {
    const to = join(root, 'refused')
    await expect(runVerb(recipeVerb, [to])).rejects.toThrow(WrongUse)
    await expect(runVerb(recipeVerb, [to], { engine: 'axolotl' })).rejects.toThrow(WrongUse)
    await expect(runVerb(recipeVerb, [to], { engine: 'trl', teacher: 'a "b"' })).rejects.toThrow(WrongUse)
    await expectRefusal(runVerb(recipeVerb, [out], { engine: 'trl', breadth: 'core', passes: '1' }), 'OUTPUT_EXISTS', 'train.jsonl')
    await expect(runVerb(recipeVerb, [to], { engine: 'trl', breadth: 'core', passes: '1' }, AbortSignal.abort())).rejects.toThrow()
    expect(existsSync(to)).toBe(false)
    writeFileSync(to, '')
    await expectRefusal(runVerb(recipeVerb, [to], { engine: 'trl', breadth: 'core', passes: '1' }), 'OUTPUT_NOT_WRITABLE')
  })
})
