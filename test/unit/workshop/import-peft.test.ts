// Owns the tests of import-peft: adapter mode against W + ΔW in float64, the scale for every kind of pattern, and every refusal.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readGgufHeader } from '../../../app/engine/gguf-header.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { importHfVerb } from '../../../models/workshop/verbs/import-hf.ts'
import { importPeftVerb } from '../../../models/workshop/verbs/import-peft.ts'
import { makeFolder, type Folder, type TensorToWrite } from '../../support/hf-folder.ts'
import { makeAdapter, type AdapterOptions } from '../../support/peft-folder.ts'
import { Reference } from '../../support/reference-forward.ts'
import { expectRefusal, relativeError, runVerb } from '../../support/run-verb.ts'
import { edit, editHeader, remove } from '../../support/spoil.ts'
import { gguf } from '../gguf-file.ts'

/** Largest difference of a logit as a share of their root mean square; base and adapter in F32, measured: 4e-6. */
const TOLERANCE = 2e-5
const TOKENS = [65, 66, 300, 310, 320, 72, 401, 402, 90, 91, 350, 12, 13, 280, 290, 500]

const root = mkdtempSync(join(tmpdir(), 'rushlight import peft '))
afterAll(() => rmSync(root, { recursive: true }))
const bases = {} as Record<'qwen2' | 'llama3' | 'llama2', { folder: Folder; model: string; id: string }>
beforeAll(async () => {
  for (const style of ['qwen2', 'llama3', 'llama2'] as const) {
    const folder = makeFolder(join(root, style), { style, dtype: 'F32' })
    const model = `${folder.path}.gguf`
    const { detail } = await runVerb(importHfVerb, [folder.path, model], { type: 'f32' })
    bases[style] = { folder, model, id: String(detail?.['weightsId']) }
  }
})
let count = 0

describe('an adapter in use', () => {
  type Kind = Omit<AdapterOptions, 'base'>
  const plain: Kind = { rank: 4, alpha: 8 }
  const patterned: Kind = {
    ...{ rank: 8, alpha: 16 },
    special: (module) => ({
      ...(module.endsWith('self_attn.q_proj') ? { rank: 2 } : module === 'model.layers.1.mlp.down_proj' ? { rank: 12 } : {}),
      ...(module.endsWith('gate_proj') ? { alpha: 3 } : {}),
    }),
    config: { rank_pattern: { q_proj: 2, '^model.layers.1.mlp.down_proj': 12 }, alpha_pattern: { 'layers\\.\\d+\\.mlp\\.gate_proj': 3 } },
  }
  const kinds: [what: string, style: keyof typeof bases, options: Kind][] = [
    ['plain, on Qwen2', 'qwen2', plain],
    ['plain, on Llama 3 with grouped heads', 'llama3', plain],
    ['plain, on Llama 2', 'llama2', plain],
    ['rank-stabilised, on Qwen2', 'qwen2', { ...plain, rankStabilised: true }],
    ['rank-stabilised, on Llama 3', 'llama3', { rank: 16, alpha: 4, rankStabilised: true }],
    ['with patterns of rank and alpha, on Llama 3', 'llama3', patterned],
    ['rank-stabilised with patterns, on Qwen2', 'qwen2', { ...patterned, rankStabilised: true }],
    ['in BF16, on some layers', 'llama2', { ...plain, dtype: 'BF16', targets: (module) => /[qk]_proj$/.test(module) }],
    ['in F16, output matrix too', 'qwen2', { ...plain, dtype: 'F16', targets: () => true }],
  ]
  it.each(kinds)('%s: logits of the base with ΔW added', async (_, style, options) => {
    const { folder, model } = bases[style]
    const path = join(root, `adapter ${++count}`)
    const deltas = makeAdapter(path, { ...options, base: folder.config })
    await runVerb(importPeftVerb, [path, `${path}.gguf`], { base: model })
    const reference = new Reference(folder.path)
    const without = reference.logits(TOKENS)
    for (const [name, delta] of deltas) reference.add(name, delta)
    const evaluator = await Evaluator.open({ model, threads: 1, adapters: [{ path: `${path}.gguf`, scale: 1 }] })
    try {
      const given = await evaluator.logits(TOKENS)
      expect(relativeError(given, reference.logits(TOKENS))).toBeLessThan(TOLERANCE)
      expect(relativeError(given, without)).toBeGreaterThan(1000 * TOLERANCE)
    } finally {
      await evaluator.close()
    }
  })

  it('states alpha as llama.cpp takes it, and which weights it was made for', async () => {
    const { folder, model, id } = bases.llama3
    const path = join(root, 'stated')
    makeAdapter(path, { base: folder.config, rank: 9, alpha: 16, rankStabilised: true })
    const report = await runVerb(importPeftVerb, [path, `${path}.gguf`], { base: model, name: 'dosing' })
    const { metadata, tensors } = await readGgufHeader(`${path}.gguf`, { values: 'all' })
    const value = (key: string) => metadata.get(key)?.value
    expect([value('general.type'), value('adapter.type'), value('general.architecture')]).toEqual(['adapter', 'lora', 'llama'])
    expect([value('adapter.lora.alpha'), value('rushlight.base_weights_id'), value('general.name')]).toEqual([48, id, 'dosing'])
    expect(tensors.find(({ name }) => name === 'blk.0.ffn_down.weight.lora_a')?.dims).toEqual([96, 9])
    expect(tensors.find(({ name }) => name === 'blk.0.ffn_down.weight.lora_b')?.dims).toEqual([9, 64])
    expect(report.rows.find(({ module }) => module === 'attn_q')).toMatchObject({ pairs: 2, rank: 9, scale: 16 / 3 })
  })
})

describe('import-peft refuses', () => {
  type Spoilt = Partial<AdapterOptions> & { after?: (path: string) => void; base?: never; on?: keyof typeof bases }
  const config = (keys: Record<string, unknown>): Spoilt => ({ config: keys })
  const with_ = (name: string, shape: number[]): Spoilt => ({
    change: (all) => [...all, { name, dtype: 'F32', shape, data: new Uint8Array(shape.reduce((product, extent) => product * extent, 4)) }],
  })
  const first = 'base_model.model.model.layers.0.self_attn.q_proj'
  const each = (change: (tensor: TensorToWrite) => TensorToWrite | null): Spoilt => ({
    change: (all) => all.flatMap((tensor) => change(tensor) ?? []),
  })
  const cases: [what: string, code: string, says: string[], spoilt: Spoilt][] = [
    ['DoRA', 'SOURCE_UNSUPPORTED', ['DoRA'], config({ use_dora: true })],
    ['the magnitudes of DoRA', 'SOURCE_UNSUPPORTED', ['DoRA'], with_(`${first}.lora_magnitude_vector`, [64])],
    ['lora_bias', 'SOURCE_UNSUPPORTED', ['lora_bias'], config({ lora_bias: true })],
    ['trained biases', 'SOURCE_UNSUPPORTED', ['bias: all'], config({ bias: 'all' })],
    ['a bias among the tensors', 'SOURCE_UNSUPPORTED', ['bias'], with_(`${first}.lora_B.bias`, [64])],
    ['modules trained whole', 'SOURCE_UNSUPPORTED', ['modules_to_save'], config({ modules_to_save: ['lm_head'] })],
    ['a whole module among the tensors', 'SOURCE_UNSUPPORTED', ['lm_head.weight'], with_('base_model.model.lm_head.weight', [8, 64])],
    ['transposed weights', 'SOURCE_UNSUPPORTED', ['fan_in_fan_out'], config({ fan_in_fan_out: true })],
    ['repeated layers', 'SOURCE_UNSUPPORTED', ['layer_replication'], config({ layer_replication: [[0, 2]] })],
    ['an adapted embedding', 'SOURCE_UNSUPPORTED', ['embedding'], with_('base_model.model.model.embed_tokens.lora_embedding_A', [4, 64])],
    [
      'an embedding as a linear layer',
      'SOURCE_UNSUPPORTED',
      ['embed_tokens'],
      {
        change: (all) => all.map((tensor) => ({ ...tensor, name: tensor.name.replace(/layers\.0\.self_attn\.q_proj/, 'embed_tokens') })),
      },
    ],
    ['trained tokens', 'SOURCE_UNSUPPORTED', ['trainable_token_indices'], config({ trainable_token_indices: [1, 2] })],
    ['activation by tokens', 'SOURCE_UNSUPPORTED', ['alora'], config({ alora_invocation_tokens: [5] })],
    ['a beginning that changes the base', 'SOURCE_UNSUPPORTED', ['pissa'], config({ init_lora_weights: 'pissa_niter_4' })],
    ['an option of a later version', 'SOURCE_UNSUPPORTED', ['use_quantum'], config({ use_quantum: true })],
    ['another kind of adapter', 'SOURCE_UNSUPPORTED', ['IA3'], config({ peft_type: 'IA3' })],
    ['an expression without end', 'SOURCE_UNSUPPORTED', ['rank_pattern'], config({ rank_pattern: { '(a+)+b': 2 } })],
    ['alpha 0, which llama.cpp takes for none', 'SOURCE_INVALID', ['lora_alpha'], config({ lora_alpha: 0 })],
    ['rank 0', 'SOURCE_INVALID', ['r:'], config({ r: 0 })],
    ['a rank that the config does not state', 'SOURCE_INVALID', ['has rank 4', 'says 8'], config({ r: 8 })],
    [
      'halves of different ranks',
      'SOURCE_INVALID',
      ['does not fit together'],
      {
        after: editHeader('adapter_model.safetensors', (header) => (header[`${first}.lora_B.weight`]!.shape = [32, 8])),
      },
    ],
    ['half a pair', 'SOURCE_INVALID', ['only one half'], each((tensor) => (tensor.name === `${first}.lora_B.weight` ? null : tensor))],
    ['no matrices', 'SOURCE_INVALID', ['no matrices'], each(() => null)],
    [
      'a header that lies',
      'SOURCE_INVALID',
      ['lora_A'],
      {
        after: editHeader('adapter_model.safetensors', (header) => (header[`${first}.lora_A.weight`]!.shape = [4, 65])),
      },
    ],
    ['no config', 'SOURCE_INVALID', ['adapter_config.json'], remove('adapter_config.json')],
    ['no weights', 'SOURCE_INVALID', ['adapter_model.safetensors'], remove('adapter_model.safetensors')],
    ['a config that is no JSON', 'SOURCE_INVALID', ['JSON'], { after: (path) => writeFileSync(join(path, 'adapter_config.json'), '{') }],
    ['a rank in words', 'SOURCE_INVALID', ['r:'], { after: edit('adapter_config.json', (json) => (json['r'] = 'eight')) }],
    ['integers', 'SOURCE_UNSUPPORTED', ['I32'], each((tensor) => ({ ...tensor, dtype: 'I32' }))],
    [
      'NaN',
      'WEIGHTS_NOT_FINITE',
      ['lora_B'],
      each((tensor) =>
        tensor.name.endsWith('B.weight')
          ? { ...tensor, data: new Uint8Array(Float32Array.from({ length: tensor.data.length / 4 }, () => NaN).buffer) }
          : tensor,
      ),
    ],
    ['a base of another width', 'ADAPTER_MISMATCH', ['q_proj', '128 × 64', '64 × 64'], { on: 'llama3' }],
    [
      'a layer that the base does not have',
      'ADAPTER_MISMATCH',
      ['layers.7'],
      {
        change: (all) => all.map((tensor) => ({ ...tensor, name: tensor.name.replace('layers.1.', 'layers.7.') })),
      },
    ],
    [
      'a module of another family',
      'SOURCE_UNSUPPORTED',
      ['attn.c_attn'],
      {
        change: (all) => all.map((tensor) => ({ ...tensor, name: tensor.name.replace('self_attn.q_proj', 'attn.c_attn') })),
      },
    ],
  ]
  it.each(cases)('%s', async (_, code, says, { after, on, ...options }) => {
    const path = join(root, `spoilt ${++count}`)
    // the config of another base, on the model of this one
    makeAdapter(path, { rank: 4, alpha: 8, ...options, base: bases[on ?? 'qwen2'].folder.config })
    after?.(path)
    await expectRefusal(runVerb(importPeftVerb, [path, join(root, 'out.gguf')], { base: bases.qwen2.model }), code, ...says)
    expect(readdirSync(root).filter((name) => name.includes('out.gguf'))).toEqual([])
  })

  it('an adapted output where the base has none of its own, a base of another kind, an adapter as base, and no base', async () => {
    const { folder, model } = bases.llama3
    const path = join(root, 'output')
    makeAdapter(path, { rank: 4, alpha: 8, base: { ...folder.config, tie_word_embeddings: false }, targets: (module) => module === 'lm_head' })
    const run = (base: string) => runVerb(importPeftVerb, [path, join(root, 'out.gguf')], { base })
    await expectRefusal(run(model), 'SOURCE_UNSUPPORTED', 'lm_head')
    writeFileSync(join(root, 'other.gguf'), gguf({ 'general.architecture': 'gpt2' }, [{ name: 'a', values: 32, type: 0 }]))
    await expectRefusal(run(join(root, 'other.gguf')), 'SOURCE_UNSUPPORTED', 'gpt2')
    writeFileSync(
      join(root, 'adapter.gguf'),
      gguf({ 'general.architecture': 'llama', 'general.type': 'adapter' }, [{ name: 'a', values: 32, type: 0 }]),
    )
    await expectRefusal(run(join(root, 'adapter.gguf')), 'SOURCE_UNSUPPORTED', 'adapter')
    await expectRefusal(run(join(root, 'nowhere.gguf')), 'MODEL_MISSING')
    await expect(runVerb(importPeftVerb, [path, join(root, 'out.gguf')])).rejects.toThrow('--base')
  })
})
