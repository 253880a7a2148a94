// Owns the tests of import-hf on folders that lie, are damaged, or ask for what cannot be stated: each refused with a code and the place, nothing written.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Weights } from '../../../models/workshop/hf/shards.ts'
import { importHfVerb } from '../../../models/workshop/verbs/import-hf.ts'
import { encode, makeFolder, withHeader, type FolderOptions, type TensorToWrite } from '../../support/hf-folder.ts'
import { edit, editHeader, invalid, raw, remove, replace, unsupported, type Case, type Header, type Json } from '../../support/spoil.ts'
import { expectRefusal, runVerb } from '../../support/run-verb.ts'

const root = mkdtempSync(join(tmpdir(), 'rushlight refusals '))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

const config = (keys: Json) => ({ after: replace('config.json', (json) => ({ ...json, ...keys })) })
const change = (name: string, with_: (tensor: TensorToWrite) => TensorToWrite | null) => ({
  folder: { change: (all: TensorToWrite[]) => all.flatMap((tensor) => (tensor.name === name ? (with_(tensor) ?? []) : tensor)) },
})
const more = (tensor: TensorToWrite) => ({ folder: { change: (all: TensorToWrite[]) => [...all, tensor] } })
const safetensors = (edited: (header: Header) => void) => ({ after: editHeader('model.safetensors', edited) })
const stated = (length: bigint) => ({
  after: (path: string) => {
    const bytes = readFileSync(join(path, 'model.safetensors'))
    bytes.writeBigUInt64LE(length)
    writeFileSync(join(path, 'model.safetensors'), bytes)
  },
})
const index = (edited: (map: Record<string, string>) => void) => ({
  folder: { shards: 2 },
  after: edit('model.safetensors.index.json', (json) => edited(json['weight_map'] as Record<string, string>)),
})
const spoiled = (value: number, at = 'up_proj.weight', rest: Partial<FolderOptions> = {}) => ({
  folder: { ...rest, spoil: (name: string, values: Float32Array) => void (name.endsWith(at) && (values[7] = value)) },
})
const NORM = 'model.norm.weight'
const UP = 'model.layers.0.mlp.up_proj.weight'

const cases: Case[] = [
  // the folder
  invalid('no config', ['has no config.json'], remove('config.json')),
  invalid('no tokenizer', ['has no tokenizer.json'], remove('tokenizer.json')),
  invalid('no weights', ['has neither model.safetensors'], remove('model.safetensors')),
  unsupported('weights as a pickle', ['pickle'], { after: (path) => renameSync(join(path, 'model.safetensors'), join(path, 'pytorch_model.bin')) }),
  invalid('a config that is no JSON', ['config.json', 'JSON'], raw('config.json', '{"hidden_size": 64,')),
  invalid('a config that is a list', ['config.json', 'wrong'], raw('config.json', '[]')),
  invalid('a config of 5 MB', ['config.json', 'larger'], raw('config.json', `{"a":"${'x'.repeat(5_000_000)}"}`)),
  invalid('a config that is a folder', ['config.json', 'no file'], {
    after: (path) => {
      rmSync(join(path, 'config.json'))
      mkdirSync(join(path, 'config.json'))
    },
  }),
  invalid('an absurd width', ['hidden_size'], config({ hidden_size: 2 ** 40 })),
  invalid('no layers', ['num_hidden_layers'], config({ num_hidden_layers: 0 })),
  invalid('a width in words', ['hidden_size'], config({ hidden_size: '64' })),
  invalid('heads that do not share keys evenly', ['evenly'], config({ num_key_value_heads: 3 })),
  invalid('no count of key heads', ['num_key_value_heads'], config({ num_key_value_heads: null })),
  // what would change the mathematics
  unsupported('another architecture', ['GPTNeoXForCausalLM'], config({ architectures: ['GPTNeoXForCausalLM'] })),
  unsupported('an architecture called like a property of every object', ['constructor'], config({ architectures: ['constructor'] })),
  unsupported('Qwen2 with a window', ['window'], config({ use_sliding_window: true, sliding_window: 64 })),
  unsupported('Mistral with a window', ['window'], config({ architectures: ['MistralForCausalLM'], sliding_window: 64 })),
  unsupported('layers of another kind', ['layers'], config({ layer_types: ['full_attention', 'sliding_attention'] })),
  unsupported('weights quantised already', ['quantised'], config({ quantization_config: { quant_method: 'gptq' } })),
  unsupported('another activation', ['gelu'], config({ hidden_act: 'gelu' })),
  unsupported('yarn', ['yarn'], config({ rope_scaling: { type: 'yarn', factor: 4 } })),
  unsupported('dynamic rope', ['dynamic'], config({ rope_scaling: { rope_type: 'dynamic', factor: 2 } })),
  unsupported('rope by kind of layer', ['different layers'], config({ rope_parameters: { full_attention: { rope_theta: 1 } } })),
  unsupported('rope on half of a head', ['partial_rotary_factor'], config({ partial_rotary_factor: 0.5 })),
  unsupported('heads of Qwen2 wider than the model', ['head_dim'], config({ head_dim: 32 })),
  invalid(
    'Llama 3 rope without its context',
    ['original_max_position_embeddings'],
    config({ rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 } }),
  ),
  // safetensors
  invalid('an empty weight file', ['too short'], raw('model.safetensors', '')),
  invalid('a header longer than the file', ['states a header'], stated(50_000_000n)),
  invalid('a header of 2⁶³ bytes', ['more than any real file'], stated(2n ** 63n)),
  invalid('a header that is no JSON', ['not JSON'], raw('model.safetensors', withHeader(Buffer.from('{"a":')))),
  invalid('a header that is no UTF-8', ['not JSON'], raw('model.safetensors', withHeader(Buffer.from([0x22, 0xff, 0x22])))),
  invalid('a header that is a list', ['not an object'], raw('model.safetensors', withHeader(Buffer.from('[1]')))),
  invalid('a cut file', ['model.safetensors', 'lm_head.weight', 'behind the end'], {
    after: (path) => writeFileSync(join(path, 'model.safetensors'), readFileSync(join(path, 'model.safetensors')).subarray(0, -100)),
  }),
  invalid('bytes behind the last tensor', ['belong to no tensor'], {
    after: (path) => writeFileSync(join(path, 'model.safetensors'), Buffer.concat([readFileSync(join(path, 'model.safetensors')), Buffer.alloc(8)])),
  }),
  invalid(
    'overlapping tensors',
    ['on top of another'],
    safetensors((header) => (header[NORM]!.data_offsets = header[UP]!.data_offsets.slice(0, 1).flatMap((at) => [at, at + 256]))),
  ),
  invalid(
    'a gap',
    ['belong to no tensor'],
    safetensors((header) => delete header[UP]),
  ),
  invalid('a tensor twice', ['belong to no tensor'], {
    after: (path) => {
      const bytes = readFileSync(join(path, 'model.safetensors'))
      const length = Number(bytes.readBigUInt64LE())
      const text = bytes.toString('utf8', 8, 8 + length).replace(`"${UP}"`, `"${NORM}"`)
      writeFileSync(join(path, 'model.safetensors'), withHeader(Buffer.from(text), bytes.subarray(8 + length)))
    },
  }),
  invalid(
    'a shape that needs more bytes',
    [NORM, 'takes'],
    safetensors((header) => (header[NORM]!.shape = [65])),
  ),
  invalid(
    'a shape whose product overflows',
    [NORM],
    safetensors((header) => (header[NORM]!.shape = [2 ** 52, 2 ** 52])),
  ),
  invalid(
    'a negative extent',
    [NORM, 'impossible shape'],
    safetensors((header) => (header[NORM]!.shape = [-64])),
  ),
  invalid(
    'a fractional offset',
    [NORM, 'impossible offsets'],
    safetensors((header) => (header[NORM]!.data_offsets = [0.5, 256.5])),
  ),
  invalid(
    'offsets the wrong way round',
    [NORM],
    safetensors((header) => header[NORM]!.data_offsets.reverse()),
  ),
  invalid(
    'an unknown type',
    [NORM, 'F128'],
    safetensors((header) => (header[NORM]!.dtype = 'F128')),
  ),
  invalid(
    'a type called like a property of every object',
    [NORM],
    safetensors((header) => (header[NORM]!.dtype = 'toString')),
  ),
  invalid(
    'metadata that are numbers',
    ['metadata'],
    safetensors((header) => Object.assign(header, { __metadata__: { format: 1 } })),
  ),
  // shards
  invalid(
    'a shard outside of the folder',
    ['../model-00001', 'no file of this folder'],
    index((map) => (map[NORM] = '../model-00001-of-00002.safetensors')),
  ),
  invalid(
    'a shard at an absolute path',
    ['no file of this folder'],
    index((map) => (map[NORM] = '/etc/secret.safetensors')),
  ),
  invalid(
    'a shard on another drive',
    ['no file of this folder'],
    index((map) => (map[NORM] = 'C:\\secret.safetensors')),
  ),
  invalid(
    'a shard that is a number',
    ['no file of this folder'],
    index((map) => Object.assign(map, { [NORM]: 7 })),
  ),
  invalid(
    'a shard that is not there',
    ['has no gone.safetensors'],
    index((map) => (map[NORM] = 'gone.safetensors')),
  ),
  invalid(
    'a tensor in another shard than the index says',
    [NORM],
    index(
      (map) => (map[NORM] = map[NORM]!.includes('-00001-') ? map[NORM]!.replace('-00001-', '-00002-') : map[NORM]!.replace('-00002-', '-00001-')),
    ),
  ),
  invalid(
    'a tensor that only the index knows',
    ['does not hold'],
    index((map) => (map['made.up'] = map[NORM]!)),
  ),
  invalid('an index without a map', ['does not say'], { folder: { shards: 2 }, after: replace('model.safetensors.index.json', () => ({})) }),
  // tensors
  invalid(
    'a missing tensor',
    [UP],
    change(UP, () => null),
  ),
  invalid(
    'a tensor of another shape',
    [UP, '48 × 128', '96 × 64'],
    change(UP, (tensor) => ({ ...tensor, shape: [48, 128] })),
  ),
  unsupported(
    'a tensor without a place',
    ['self_attn.q_norm.weight'],
    more({ name: 'model.layers.0.self_attn.q_norm.weight', dtype: 'F32', shape: [1], data: new Uint8Array(4) }),
  ),
  unsupported(
    'weights in 8 bits',
    [UP, 'F8_E4M3'],
    change(UP, (tensor) => ({ ...tensor, dtype: 'F8_E4M3', data: tensor.data.subarray(0, 96 * 64) })),
  ),
  unsupported(
    'weights in F64',
    [UP, 'F64'],
    change(UP, (tensor) => ({ ...tensor, dtype: 'F64', data: new Uint8Array(96 * 64 * 8) })),
  ),
  invalid(
    'an output matrix that is not the embedding it should be',
    ['lm_head.weight', 'tie_word_embeddings'],
    config({ tie_word_embeddings: true }),
  ),
  // weights
  { what: 'NaN in F32', code: 'WEIGHTS_NOT_FINITE', says: [UP, 'not numbers'], ...spoiled(NaN) },
  { what: 'infinity in BF16', code: 'WEIGHTS_NOT_FINITE', says: ['up_proj'], ...spoiled(Infinity, 'up_proj.weight', { dtype: 'BF16' }) },
  { what: 'NaN in F16', code: 'WEIGHTS_NOT_FINITE', says: ['up_proj'], ...spoiled(NaN, 'up_proj.weight', { dtype: 'F16' }) },
  { what: 'NaN in a norm', code: 'WEIGHTS_NOT_FINITE', says: [NORM], ...spoiled(NaN, NORM, { dtype: 'BF16' }) },
  { what: 'an F32 too large for F16', code: 'WEIGHTS_NOT_FINITE', says: ['too large for F16'], ...spoiled(70_000) },
  {
    what: 'a BF16 too large for F16',
    code: 'WEIGHTS_NOT_FINITE',
    says: ['too large for F16'],
    type: 'f16',
    ...spoiled(-1e6, 'up_proj.weight', { dtype: 'BF16' }),
  },
  { what: 'an F32 too large for BF16', code: 'WEIGHTS_NOT_FINITE', says: ['too large for BF16'], type: 'bf16', ...spoiled(3.4e38) },
]

describe('import-hf refuses', () => {
  it.each(cases)('$what', async ({ code, says, folder, after, type }) => {
    const path = join(root, `model ${++count}`)
    makeFolder(path, { style: 'qwen2', dtype: 'F32', ...folder })
    after?.(path)
    await expectRefusal(runVerb(importHfVerb, [path, join(root, 'out.gguf')], type === undefined ? {} : { type }), code, ...says)
    expect(readdirSync(root).filter((name) => name.includes('out.gguf'))).toEqual([])
    rmSync(path, { recursive: true })
  })

  it('a folder that is none, a name that llama.cpp takes for a hint, and an unknown type', async () => {
    await expectRefusal(runVerb(importHfVerb, [join(root, 'nowhere'), join(root, 'out.gguf')]), 'SOURCE_INVALID', 'nowhere')
    const path = join(root, 'named')
    makeFolder(path, { style: 'qwen2', dtype: 'F16' })
    await expectRefusal(runVerb(importHfVerb, [path, join(root, 'out.gguf')], { name: 'Phi-3 mini' }), 'SOURCE_INVALID', '--name')
    await expect(runVerb(importHfVerb, [path, join(root, 'out.gguf')], { type: 'q4' })).rejects.toThrow('--type takes')
  })

  it('whatever bytes of a header are changed, with a code and never otherwise', async () => {
    const path = join(root, 'flipped')
    makeFolder(path, { style: 'qwen2', dtype: 'F16' })
    const sound = readFileSync(join(path, 'model.safetensors'))
    const header = 8 + Number(sound.readBigUInt64LE())
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(header - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (flips) => {
        const bytes = Buffer.from(sound)
        for (const [at, value] of flips) bytes[at] = value
        writeFileSync(join(path, 'model.safetensors'), bytes)
        const weights = await Weights.open(path).catch((error: unknown) => error)
        if (weights instanceof Weights) return weights.close()
        expect(weights).toMatchObject({ name: 'AppError', code: 'SOURCE_INVALID' })
        refused++
      }),
      { numRuns: 300, seed: 3 },
    )
    expect(refused).toBeGreaterThan(150)
  })

  it('its own kind of values when they are sound: the largest F16 passes', async () => {
    const path = join(root, 'large')
    makeFolder(path, { style: 'qwen2', dtype: 'F32', ...spoiled(65_519).folder })
    await runVerb(importHfVerb, [path, join(root, 'large.gguf')])
    expect(encode(Float32Array.of(65_519), 'F16')).toEqual(encode(Float32Array.of(65_504), 'F16'))
  })
})
