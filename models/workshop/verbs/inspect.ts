// Owns `inspect`: what a GGUF file is, what it holds and what memory it will need, without loading it.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { predictMemory } from '../../../app/deploy/memory.ts'
import { factOf, readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import { mixture } from '../../../app/engine/ggml-types.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { shapeOf } from '../../../app/engine/shape.ts'
import { hashFile } from '../../../app/library/manifest.ts'
import { checkTensors } from '../convert.ts'
import { table, type Row } from '../report.ts'
import { sizeRows, sizesOf } from '../sizes.ts'
import type { Verb } from '../verb.ts'

const CONTEXTS = [2048, 4096, 8192]
/** What the memory rows assume: the batch that keeps a 7B model small. */
const BATCH = 64
const SHOWN = 300

export const inspectVerb: Verb = {
  name: 'inspect',
  about: 'what a model file holds: architecture, tensors by group and type, tokeniser, memory, hash',
  usage: 'FILE.gguf [--no-hash] [--template]',
  positionals: [1, 1],
  options: { 'no-hash': { type: 'boolean', default: false }, template: { type: 'boolean', default: false } },
  help: `
  --no-hash    leave out the sha-256, which reads the whole file
  --template   print the whole chat template

Only the header is read, within limits (${4096} keys, ${65_536} tensors, 512 MiB); a damaged or hostile file gets an error with a code.
Memory is predicted for the CPU with a KV cache of 8 bits and a batch of ${BATCH}; \`npm run bench -- memory\` measures it.`,
  async run({ positionals, values }, { signal, progress }) {
    const path = positionals[0]!
    const header = await readGgufHeader(path, { values: 'all' })
    checkTensors(header)
    const { size } = await stat(path)
    progress.stage('hashing', size)
    const sha256 =
      values['no-hash'] === true ? null : (await hashFile(path, { chunkBytes: Infinity, signal, onBytes: (done) => progress.at(done) })).sha256
    const groups = sizeRows(sizesOf(header.tensors))
    const facts = factsOf(header, size, sha256, values['template'] === true)
    const memory = factOf(header, 'general.type') === 'adapter' ? [] : memoryOf(header)
    const keys = Object.entries(facts).map(([name, value]) => `${name.padEnd(16)} ${value ?? '–'}`)
    const parts = [
      keys.join('\n'),
      table(groups),
      ...(memory.length > 0 ? [`memory on the CPU, KV cache at 8 bits, batch of ${BATCH}:\n${table(memory)}`] : []),
    ]
    return { name: 'inspect', rows: groups, targets: [], text: parts.join('\n\n'), detail: { facts, memory } }
  },
}

function factsOf(header: GgufHeader, size: number, sha256: string | null, whole: boolean): Record<string, string | number | null> {
  const shape = shapeOf(header)
  const text = (key: string) => {
    const value = factOf(header, key)
    return value === undefined ? null : printable(String(value), SHOWN)
  }
  const bytesByType = new Map<string, number>()
  for (const { type, bytes } of shape.tensors) bytesByType.set(type, (bytesByType.get(type) ?? 0) + bytes)
  const adapter = factOf(header, 'general.type') === 'adapter'
  const template = factOf(header, 'tokenizer.chat_template')
  return {
    file: basename(header.path),
    size: `${(size / 1e9).toFixed(3)} GB (${size} bytes)`,
    sha256,
    'GGUF version': header.version,
    kind: text('general.type') ?? 'model',
    name: text('general.name'),
    architecture: text('general.architecture'),
    quantisation: mixture(bytesByType),
    ...(adapter
      ? { alpha: text('adapter.lora.alpha'), 'base weights': text(KEYS.baseWeightsId) }
      : {
          layers: shape.layers,
          width: `${shape.embedding}, feed-forward ${shape.feedForward}`,
          heads: `${shape.heads}, of keys and values ${shape.kvHeads}`,
          context: `${shape.trainContextSize} tokens`,
          tokeniser: [text('tokenizer.ggml.model'), text('tokenizer.ggml.pre')].filter(Boolean).join(', '),
          vocabulary: shape.vocabulary,
          'chat template': typeof template === 'string' ? printable(template, whole ? Infinity : SHOWN) : 'none',
          recipe: text(KEYS.recipe),
          'weights id': text(KEYS.weightsId),
        }),
  }
}

function memoryOf(header: GgufHeader): Row[] {
  const shape = shapeOf(header)
  return CONTEXTS.map((contextSize) => {
    const { weights, twice, kv, compute, process, total } = predictMemory(shape, { contextSize, batchSize: BATCH, kvType: 'q8_0', mmap: true })
    const gb = (bytes: number) => Number((bytes / 1e9).toFixed(3))
    const parts = { 'weights GB': gb(weights), 'mapped twice GB': gb(twice), 'KV GB': gb(kv), 'compute GB': gb(compute), 'process GB': gb(process) }
    return { context: contextSize, ...parts, 'total GB': gb(total) }
  })
}

/** Text of a file that nobody vouches for: control and format characters could rewrite the terminal. Line breaks of a template stay visible. */
function printable(text: string, most: number): string {
  const flat = text.replace(/\n/g, '\\n').replace(/[\p{Cc}\p{Cf}]/gu, '')
  return flat.length > most ? `${flat.slice(0, most).toWellFormed()}… (${text.length} characters)` : flat
}
