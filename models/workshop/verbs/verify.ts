// Owns `verify`: proves a model file against its manifest, its tensors against nonsense, and that it writes.
import { factOf, readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import { judgeModel } from '../../../app/engine/gguf.ts'
import { compareWithManifest, hashFile, readManifest } from '../../../app/library/manifest.ts'
import { checkTensors, convert, TensorFile } from '../convert.ts'
import { chat, TURN_START } from '../corpus/bpe.ts'
import { Evaluator } from '../ffi/evaluator.ts'
import type { Row } from '../report.ts'
import type { Verb } from '../verb.ts'

const TOKENS = 10
const QUESTION = 'What is the adult dose of paracetamol?'

export const verifyVerb: Verb = {
  name: 'verify',
  about: 'prove a model file: manifest, hashes, every tensor, ten tokens written',
  usage: 'FILE.gguf [--no-run]',
  positionals: [1, 1],
  options: { 'no-run': { type: 'boolean', default: false } },
  help: `
  --no-run   do not load the model: only manifest, hashes and tensors

Reads the whole file twice (hashes; every weight for NaN and infinity), then loads it and writes ${TOKENS} tokens. A file without a
manifest is still checked for all that can be known of it, and the report says that nothing vouches for its origin.`,
  async run({ positionals, values }, { signal, progress }) {
    const path = positionals[0]!
    const rows: Row[] = []
    const header = await readGgufHeader(path, { values: 'all' })
    checkTensors(header)
    const adapter = factOf(header, 'general.type') === 'adapter'
    if (!adapter) judgeModel(header)
    rows.push({ check: 'header', result: `sound: ${header.tensors.length} tensors, ${header.metadata.size} keys` })

    const manifest = await readManifest(path)
    if (manifest) {
      progress.stage('hashing', header.size)
      const hashes = await hashFile(path, { chunkBytes: manifest.chunkBytes, signal, onBytes: (done) => progress.at(done) })
      compareWithManifest(manifest, hashes)
      rows.push({ check: 'manifest', result: `the file it describes: ${hashes.chunks.length} pieces, sha-256 ${hashes.sha256.slice(0, 16)}…` })
    } else rows.push({ check: 'manifest', result: 'none: nothing vouches for where this file comes from' })

    const file = await TensorFile.open(header)
    try {
      progress.stage('checking tensors', header.size)
      let done = 0
      for (const source of header.tensors)
        for await (const bytes of convert(file, { ...source, source }, { signal })) progress.at((done += bytes.length), source.name)
    } finally {
      await file.close()
    }
    rows.push({ check: 'tensors', result: 'every weight is a finite number' })

    if (adapter) rows.push({ check: 'run', result: 'an adapter writes only with its base: not run' })
    else if (values['no-run'] === true) rows.push({ check: 'run', result: 'not asked for' })
    else rows.push({ check: 'run', result: await run(header, signal) })
    return { name: 'verify', rows, targets: [], detail: { ok: true, manifest: manifest !== null } }
  },
}

async function run(header: GgufHeader, signal: AbortSignal): Promise<string> {
  // a model trained on turns may have nothing to say to a bare text
  const turns = String(factOf(header, 'tokenizer.chat_template') ?? '').includes(TURN_START)
  const evaluator = await Evaluator.open({ model: header.path, contextSize: 256, signal })
  try {
    const prompt = turns ? chat(QUESTION) : QUESTION
    const written = await evaluator.generate(await evaluator.tokenize(prompt, { special: true }), TOKENS)
    return written.length === 0
      ? 'loaded, and ended its answer at once'
      : `${written.length} tokens: ${JSON.stringify(await evaluator.detokenize(written))}`
  } finally {
    await evaluator.close()
  }
}
