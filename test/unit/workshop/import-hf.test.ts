// Owns the tests of import-hf on good folders: logits against an independent forward pass, tokens against Hugging Face's tokenizer, keys, bytes, id.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterAll, describe, expect, it } from 'vitest'
import { readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import { Evaluator } from '../../../models/workshop/ffi/evaluator.ts'
import { importHfVerb } from '../../../models/workshop/verbs/import-hf.ts'
import { encode, makeFolder, tokenizerOf, type Dtype, type FolderOptions } from '../../support/hf-folder.ts'
import { Reference } from '../../support/reference-forward.ts'
import { relativeError, runVerb } from '../../support/run-verb.ts'
import { texts } from '../../support/texts.ts'

/**
 * Largest difference of a logit, as a share of the logits' root mean square, from the same weights run in float64. With F32 weights llama.cpp
 * computes in F32 throughout (measured: 7e-6). With F16 and BF16 weights its CPU kernels round the activations to that type before each product,
 * 11 and 8 bits of mantissa (measured: 0.007 and 0.05 on these sharp random models): there the weights themselves are compared too, exactly.
 */
const TOLERANCE: Readonly<Record<Dtype, number>> = { F32: 2e-5, F16: 0.02, BF16: 0.15 }
const QUESTION = 'What is the maximum dose of paracetamol, 500 mg every 8 hours? 💊 Guillain–Barré\n\n  in 1,000 mL'

const root = mkdtempSync(join(tmpdir(), 'rushlight import hf '))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0
const place = () => join(root, String(++count))
const header = (path: string) => readGgufHeader(path, { values: 'all' })

async function importModel(options: FolderOptions, type?: string) {
  const folder = makeFolder(place(), options)
  const model = `${folder.path}.gguf`
  const report = await runVerb(importHfVerb, [folder.path, model], type === undefined ? {} : { type })
  return { folder, model, report }
}

async function logitError({ folder, model }: Awaited<ReturnType<typeof importModel>>): Promise<number> {
  const evaluator = await Evaluator.open({ model, threads: 1 })
  try {
    const tokens = await evaluator.tokenize(QUESTION, { special: true })
    return relativeError(await evaluator.logits(tokens), new Reference(folder.path).logits(tokens))
  } finally {
    await evaluator.close()
  }
}

describe('logits of the imported model', () => {
  const exact: [what: string, options: FolderOptions][] = [
    ['Qwen2 from F32', { style: 'qwen2', dtype: 'F32' }],
    ['Qwen2 from BF16 in three shards', { style: 'qwen2', dtype: 'BF16', shards: 3 }],
    ['Qwen2 with tied embeddings', { style: 'qwen2', dtype: 'F16', config: { tie_word_embeddings: true } }],
    ['Llama 3 (scaled rope, head length of its own, tied) from F32', { style: 'llama3', dtype: 'F32' }],
    ['Llama 3 from F16', { style: 'llama3', dtype: 'F16' }],
    [
      'Llama 3 as transformers 5 writes it',
      {
        ...{ style: 'llama3', dtype: 'BF16' },
        config: {
          ...{ rope_scaling: undefined, rope_theta: undefined, tie_word_embeddings: false },
          rope_parameters: {
            rope_type: 'llama3',
            rope_theta: 500_000,
            factor: 4,
            low_freq_factor: 1,
            high_freq_factor: 2,
            original_max_position_embeddings: 48,
          },
        },
      },
    ],
    ['Llama 2 (as many heads of keys as of queries) from BF16', { style: 'llama2', dtype: 'BF16' }],
    ['Llama with biases', { style: 'llama2', dtype: 'F32', config: { attention_bias: true, mlp_bias: true } }],
    ['Llama with linear rope', { style: 'llama2', dtype: 'F32', config: { rope_scaling: { type: 'linear', factor: 4 } } }],
    [
      'Mistral without a window',
      { style: 'llama2', dtype: 'F32', config: { architectures: ['MistralForCausalLM'], num_key_value_heads: 1, sliding_window: null } },
    ],
  ]
  it.each(exact)('%s are those of the weights, in F32', async (_, options) => {
    expect(await logitError(await importModel(options, 'f32'))).toBeLessThan(TOLERANCE.F32)
  })

  it.each([
    ['qwen2', 'F16'],
    ['llama3', 'F16'],
    ['llama2', 'F16'],
    ['qwen2', 'BF16'],
    ['llama3', 'BF16'],
  ] as const)('%s in %s, as the source is, agree within the rounding of activations', async (style, dtype) => {
    expect(await logitError(await importModel({ style, dtype }))).toBeLessThan(TOLERANCE[dtype])
  })

  it('would show a wrong order of rows, and a missing scale of positions', async () => {
    const made = await importModel({ style: 'llama3', dtype: 'F32' }, 'f32')
    const config = join(made.folder.path, 'config.json')
    writeFileSync(config, JSON.stringify({ ...made.folder.config, rope_scaling: null }))
    expect(await logitError(made)).toBeGreaterThan(100 * TOLERANCE.F32)
    const other = await importModel({ style: 'qwen2', dtype: 'F32' }, 'f32')
    const swapped = await importModel({ style: 'qwen2', dtype: 'F32', change: swapRows }, 'f32')
    expect(await logitError({ ...other, model: swapped.model })).toBeGreaterThan(100 * TOLERANCE.F32)
  })
})

const swapRows: NonNullable<FolderOptions['change']> = (tensors) =>
  tensors.map((tensor) => {
    if (!tensor.name.endsWith('1.self_attn.q_proj.weight')) return tensor
    const row = tensor.shape[1]! * 4
    return { ...tensor, data: Buffer.concat([tensor.data.subarray(row, 2 * row), tensor.data.subarray(0, row), tensor.data.subarray(2 * row)]) }
  })

describe('tokens', () => {
  const all = texts(260)
  it.each(['qwen2', 'llama3', 'llama2'] as const)(`of ${all.length} texts are those of Hugging Face's own tokenizer (%s)`, async (style) => {
    const { folder, model } = await importModel({ style, dtype: 'F16' })
    const read = (name: string) => JSON.parse(readFileSync(join(folder.path, name), 'utf8')) as Record<string, unknown>
    const oracle = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
    const specials = Object.keys(folder.tokenizer.special)
    const written = [...all, `${specials.join('')}${specials.join(' ')}`, `before ${specials.join(' middle ')} after`]
    const evaluator = await Evaluator.open({ model, threads: 1 })
    try {
      const different: string[] = []
      let tokens = 0
      for (const text of written) {
        const [given, wanted] = [await evaluator.tokenize(text, { special: true }), oracle.encode(text).ids]
        tokens += wanted.length
        if (given.join() !== wanted.join()) different.push(`${JSON.stringify(text)}: ${given.join(' ')} instead of ${wanted.join(' ')}`)
      }
      expect(different).toEqual([])
      // merges are really used: far fewer tokens than bytes
      expect(tokens).toBeLessThan(0.6 * Buffer.byteLength(written.join('')))
    } finally {
      await evaluator.close()
    }
  })
})

describe('what the file holds', () => {
  const bytesOf = ({ path, dataAt, tensors }: GgufHeader, name: string) => {
    const { offset, bytes } = tensors.find((tensor) => tensor.name === name)!
    return readFileSync(path).subarray(dataAt + offset, dataAt + offset + bytes)
  }
  const values = new Map<string, Float32Array>()
  const remember = (name: string, data: Float32Array) => values.set(name, data)

  it.each([
    ['F32', 'f16', 'F16'],
    ['F32', 'bf16', 'BF16'],
    ['F32', 'f32', 'F32'],
  ] as const)('weights of %s rounded to %s bit for bit, norms in F32', async (dtype, type, wanted) => {
    const { model } = await importModel({ style: 'qwen2', dtype, spoil: remember }, type)
    const file = await header(model)
    for (const [name, source] of [
      ['blk.1.attn_q.weight', 'model.layers.1.self_attn.q_proj.weight'],
      ['token_embd.weight', 'model.embed_tokens.weight'],
    ] as const)
      expect(bytesOf(file, name).equals(encode(values.get(source)!, wanted))).toBe(true)
    expect(bytesOf(file, 'blk.0.ffn_norm.weight').equals(encode(values.get('model.layers.0.post_attention_layernorm.weight')!, 'F32'))).toBe(true)
    expect(bytesOf(file, 'blk.0.attn_q.bias').equals(encode(values.get('model.layers.0.self_attn.q_proj.bias')!, 'F32'))).toBe(true)
  })

  it.each([
    ['F16', 'bf16', 'BF16'],
    ['BF16', 'f16', 'F16'],
    ['BF16', 'f32', 'F32'],
  ] as const)('weights of %s as %s: the source’s values, rounded once more', async (dtype, type, wanted) => {
    const { model } = await importModel({ style: 'llama2', dtype, spoil: remember }, type)
    const name = 'model.layers.0.mlp.down_proj.weight'
    const rounded = new Float32Array(values.get(name)!.length)
    const source = new DataView(encode(values.get(name)!, dtype).buffer)
    const word = new DataView(new ArrayBuffer(4))
    for (let n = 0; n < rounded.length; n++) {
      word.setUint16(0, source.getUint16(n * 2, true))
      rounded[n] = dtype === 'F16' ? source.getFloat16(n * 2, true) : word.getFloat32(0)
    }
    expect(bytesOf(await header(model), 'blk.0.ffn_down.weight').equals(encode(rounded, wanted))).toBe(true)
  })

  it('keys: shape, vocabulary with padding, special tokens, chat template', async () => {
    const { folder, model } = await importModel({ style: 'qwen2', dtype: 'BF16' })
    const { metadata, tensors } = await header(model)
    const { size, special } = folder.tokenizer
    const value = (key: string) => metadata.get(key)?.value
    expect([value('general.architecture'), value('general.type'), value('general.file_type')]).toEqual(['qwen2', 'model', 32])
    expect([value('qwen2.block_count'), value('qwen2.embedding_length'), value('qwen2.feed_forward_length')]).toEqual([2, 64, 96])
    expect([value('qwen2.attention.head_count'), value('qwen2.attention.head_count_kv'), value('qwen2.context_length')]).toEqual([4, 2, 512])
    const [tokens, types] = [value('tokenizer.ggml.tokens') as string[], value('tokenizer.ggml.token_type') as number[]]
    expect([tokens.length, types.length, tokens[size], types[size]]).toEqual([size + 8, size + 8, `[PAD${size}]`, 5])
    expect([types[special['<|im_end|>']!], types[special['<think>']!], types[65]]).toEqual([3, 4, 1])
    expect([value('tokenizer.ggml.pre'), value('tokenizer.ggml.add_bos_token')]).toEqual(['qwen2', false])
    expect([value('tokenizer.ggml.eos_token_id'), value('tokenizer.ggml.padding_token_id')]).toEqual([
      special['<|im_end|>'],
      special['<|endoftext|>'],
    ])
    expect(value('tokenizer.chat_template')).toContain('<|im_start|>')
    expect(tensors.map(({ name }) => name)).toContain('output.weight')
  })

  it('several ends of an answer, a chat template in its own file, and rope factors', async () => {
    const folder = makeFolder(place(), { style: 'llama3', dtype: 'F16' })
    writeFileSync(join(folder.path, 'chat_template.jinja'), '{{ messages }}')
    await runVerb(importHfVerb, [folder.path, `${folder.path}.gguf`], { name: 'A name' })
    const { metadata, tensors } = await header(`${folder.path}.gguf`)
    const value = (key: string) => metadata.get(key)?.value
    const { special } = folder.tokenizer
    expect([value('tokenizer.ggml.eos_token_id'), value('tokenizer.ggml.eot_token_id')]).toEqual([special['<|eot_id|>'], special['<|end_of_text|>']])
    expect([value('tokenizer.ggml.add_bos_token'), value('tokenizer.ggml.pre'), value('general.name')]).toEqual([true, 'llama-bpe', 'A name'])
    expect([value('tokenizer.chat_template'), value('llama.vocab_size')]).toEqual(['{{ messages }}', tokenizerOf('llama3').size + 8])
    expect(tensors.find(({ name }) => name === 'rope_freqs.weight')?.dims).toEqual([16])
    expect(tensors.some(({ name }) => name === 'output.weight')).toBe(false)
  })

  it('an id that follows from the weights of the source, and from nothing else', async () => {
    const made = await importModel({ style: 'llama3', dtype: 'BF16', spoil: remember })
    const file = await header(made.model)
    const hash = createHash('sha256')
    for (const { name, dims } of file.tensors) {
      const source = Object.entries(ORIGINS)
        .find(([ours]) => name.endsWith(ours))?.[1]
        .replace('N', /\d+/.exec(name)?.[0] ?? '')
      const bytes = source === undefined ? bytesOf(file, name) : encode(values.get(source)!, 'BF16')
      hash.update(`${name}\0${dims.join('x')}\0${source === undefined ? 'F32' : 'BF16'}\0`).update(bytes)
    }
    const id = hash.digest('hex')
    expect(file.metadata.get('rushlight.weights_id')?.value).toBe(id)
    const idOf = async (options: Partial<FolderOptions>, type?: string) =>
      (await importModel({ style: 'llama3', dtype: 'BF16', ...options }, type)).report.detail?.['weightsId']
    expect([await idOf({ shards: 4 }), await idOf({}, 'f16'), await idOf({}, 'f32')]).toEqual([id, id, id])
    expect(await idOf({ seed: 2 })).not.toBe(id)
  })
})

/** End of a name in the file → name in the source. */
const ORIGINS: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'attn_norm.weight': 'model.layers.N.input_layernorm.weight',
  'ffn_norm.weight': 'model.layers.N.post_attention_layernorm.weight',
  ...Object.fromEntries(['q', 'k', 'v'].map((one) => [`attn_${one}.weight`, `model.layers.N.self_attn.${one}_proj.weight`])),
  'attn_output.weight': 'model.layers.N.self_attn.o_proj.weight',
  ...Object.fromEntries(['gate', 'up', 'down'].map((one) => [`ffn_${one}.weight`, `model.layers.N.mlp.${one}_proj.weight`])),
}

describe('the run', () => {
  it('accepts a tied model that carries its output matrix too, and counts weights that vanish', async () => {
    const { report } = await importModel(
      {
        ...{ style: 'llama3', dtype: 'BF16', spoil: (name, data) => void (name.endsWith('up_proj.weight') && data.fill(1e-9, 0, 5)) },
        change: (tensors) => [...tensors, { ...tensors[0]!, name: 'lm_head.weight' }],
      },
      'f16',
    )
    expect(report.detail).toMatchObject({ vanished: 10, type: 'F16' })
  })

  it('leaves nothing behind when it is stopped, and replaces a file only when told to', async () => {
    const { folder, model } = await importModel({ style: 'qwen2', dtype: 'F32' })
    const before = readFileSync(model)
    const stopper = new AbortController()
    stopper.abort(new Error('stop'))
    await expect(runVerb(importHfVerb, [folder.path, model], { force: true }, stopper.signal)).rejects.toThrow('stop')
    await expect(runVerb(importHfVerb, [folder.path, model])).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    await expect(runVerb(importHfVerb, [folder.path, join(folder.path, 'model.safetensors')], { force: true })).rejects.toMatchObject({
      code: 'OUTPUT_IS_INPUT',
    })
    expect(readFileSync(model).equals(before)).toBe(true)
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
    expect(existsSync(join(folder.path, 'model.safetensors'))).toBe(true)
  })

  it('reads a safetensors file whose header is padded with spaces, as the reference writer pads it', async () => {
    const folder = makeFolder(place(), { style: 'qwen2', dtype: 'F32' })
    const path = join(folder.path, 'model.safetensors')
    const bytes = readFileSync(path)
    const length = Number(bytes.readBigUInt64LE())
    const padded = Buffer.concat([bytes.subarray(0, 8 + length), Buffer.from('     '), bytes.subarray(8 + length)])
    padded.writeBigUInt64LE(BigInt(length + 5))
    writeFileSync(path, padded)
    await runVerb(importHfVerb, [folder.path, `${folder.path}.gguf`])
  })
})
