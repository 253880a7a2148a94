// Owns the trust bench: what sealing costs when a turn is saved and searched, and a bundle's import beside a plain copy with hashing.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { copyFileSync, createReadStream, mkdtempSync, openSync, closeSync, fsyncSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importBundle } from '../../app/library/bundle/import.ts'
import { publicKeyText } from '../../app/library/bundle/signature.ts'
import { BlindIndex } from '../../app/store/blind-index.ts'
import { Conversations } from '../../app/store/conversations.ts'
import { openStore, type Store } from '../../app/store/db.ts'
import { sealAll } from '../../app/store/sealing.ts'
import { Keyring } from '../../app/trust/vault/keyring.ts'
import { Vault } from '../../app/trust/vault/vault.ts'
import { keyFileWrapper } from '../../app/trust/vault/wrappers.ts'
import { makeBundle } from '../../models/workshop/bundle/make.ts'
import { Progress } from '../../models/workshop/progress.ts'
import { atLeast, atMost, median, type Report, type Row } from '../../models/workshop/report.ts'
import type { Bench } from './run.ts'

const log = { error() {}, warn() {}, info() {} }
/** A clinic's turns of a year; RUSHLIGHT_BENCH_TURNS and _MB make it small enough to try. */
const TURNS = Number(process.env['RUSHLIGHT_BENCH_TURNS'] ?? 10_000)
const BUNDLE_BYTES = Number(process.env['RUSHLIGHT_BENCH_MB'] ?? 512) * 2 ** 20
const AT_ONCE = 20
const classification = { category: 'general' as const, decidedBy: 'rules' as const, matched: [], scores: {} }
const place = (column: string, row: string) => ({ table: 'turns', column, row })

export const trust: Bench = {
  about: 'sealing: what it adds to saving and searching; import of a signed bundle beside a plain copy with hashing',
  async run(rounds) {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-trust-'))
    const progress = new Progress(process.stderr)
    try {
      const vault = new Vault(await Keyring.open(join(folder, 'vault.json'), keyFileWrapper(join(folder, 'key')), { sealed: false }))
      const plain = filled(join(folder, 'plain.db'))
      const sealed = filled(join(folder, 'sealed.db'))
      progress.stage('sealing', TURNS)
      await sealAll(sealed, vault, (done) => progress.at(done))
      const index = new BlindIndex(sealed, vault)
      await index.rebuild()
      const bundle = await bundleOf(folder, progress)
      const times: Record<string, number[]> = {}
      const note = async (name: string, work: () => unknown) => {
        const started = performance.now()
        await work()
        ;(times[name] ??= []).push(performance.now() - started)
      }
      for (let round = 0; round < rounds; round++) {
        const texts = Array.from({ length: AT_ONCE }, (_, n) => turnText(TURNS + round * AT_ONCE + n))
        await note('save plain', () => texts.forEach((text) => savePlain(plain, text)))
        await note('save sealed', () => texts.forEach((text) => saveSealed(sealed, vault, index, text)))
        const words = Array.from({ length: AT_ONCE }, (_, n) => `drug${(round * 31 + n * 7) % 400} dos`)
        const talks = new Conversations(plain)
        await note('search plain', () => words.forEach((search) => talks.list({ search, limit: 20 })))
        await note('search sealed', () => words.forEach((search) => index.find(search, 20)))
        await note('copy', () => copyHashed(bundle.payload, join(folder, `copy-${round}`)))
        await note('import', () => importBundle(bundle.out, { ...bundle.options, folder: join(folder, `bundles-${round}`) }))
      }
      for (const store of [plain, sealed]) store.close()
      progress.end()
      return reportOf(times)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Words with the frequencies of a language: few common ones, many rare. */
function turnText(n: number): { question: string; answer: string } {
  const word = (k: number) => (k % 3 === 0 ? 'the' : k % 3 === 1 ? `drug${(n * 7 + k * 13) % 400}` : `word${(n * 31 + k * k) % 4000}`)
  const text = (length: number) => Array.from({ length }, (_, k) => word(k)).join(' ')
  return { question: `What is the dose of ${text(9)}?`, answer: `${text(150)} ${n}.` }
}

function filled(path: string): Store {
  const store = openStore(path, { log })
  store.transaction(() => {
    for (let n = 0; n < TURNS; n++) savePlain(store, turnText(n))
  })
  return store
}

function savePlain(store: Store, { question, answer }: { question: string; answer: string }): string {
  const talks = new Conversations(store)
  const { turn } = talks.createTurn({ conversation: null, question, classification, understood: [], clinical: null })
  talks.finishTurn(turn.id, { status: 'complete', answer, reasoning: '', provenance: null, error: null, clinical: null })
  return turn.id
}

/** The same two transactions on the same tables; texts sealed, the blind index in the place of the plain one's triggers. */
function saveSealed(store: Store, vault: Vault, index: BlindIndex, { question, answer }: { question: string; answer: string }): void {
  const talks = new Conversations(store)
  const { turn } = store.transaction(() => {
    const made = talks.createTurn({
      conversation: null,
      question: vault.seal(place('question', 'new'), question),
      classification,
      understood: [],
      clinical: null,
    })
    index.add(rowOf(store, made.turn.id), question, '')
    return made
  })
  store.transaction(() => {
    const text = vault.seal(place('answer', turn.id), answer)
    talks.finishTurn(turn.id, { status: 'complete', answer: text, reasoning: '', provenance: null, error: null, clinical: null })
    index.put(rowOf(store, turn.id), question, answer)
  })
}
const rowOf = (store: Store, id: string) => Number(store.get('SELECT rowid AS n FROM turns WHERE id = ?', id)!['n'])

async function bundleOf(folder: string, progress: Progress) {
  const payload = join(folder, 'payload.bin')
  const block = Buffer.alloc(2 ** 20)
  for (let n = 0; n < block.length; n += 4) block.writeUInt32LE((n * 2654435761) >>> 0, n)
  for (let done = 0; done < BUNDLE_BYTES; done += block.length) writeFileSync(payload, block, { flag: 'a' })
  const { privateKey } = generateKeyPairSync('ed25519')
  const plan = { out: join(folder, 'stick.rlbundle'), key: privateKey, id: 'bench', version: 1, label: '1', expires: null, leastProgram: '0.1.0' }
  await makeBundle({ ...plan, made: new Date().toISOString(), force: true, inputs: [payload] }, { signal: new AbortController().signal, progress })
  return { payload, out: plan.out, options: { trusted: [publicKeyText(privateKey)], program: '0.1.0', selfTest: async () => {} } }
}

/** What a careful person does by hand: copy, flush, hash the copy. */
async function copyHashed(from: string, to: string): Promise<void> {
  copyFileSync(from, to)
  const file = openSync(to, 'r+')
  fsyncSync(file)
  closeSync(file)
  const hash = createHash('sha256')
  for await (const piece of createReadStream(to, { highWaterMark: 4 * 2 ** 20 })) hash.update(piece as Buffer)
  hash.digest()
  rmSync(to)
}

function reportOf(times: Readonly<Record<string, readonly number[]>>): Report {
  const at = (name: string) => median(times[name]!)
  const ratio = (ours: string, rival: string) => median(times[ours]!.map((ms, n) => ms / times[rival]![n]!))
  const row = (what: string, ours: string, rival: string, each: number): Row => ({
    ...{ what, 'ours ms': at(ours) / each, rival, 'rival ms': at(rival) / each, ratio: ratio(ours, rival) },
  })
  const speed = BUNDLE_BYTES / 1e6 / (at('import') / 1000)
  return {
    name: 'bench trust',
    rows: [
      row('save a turn, sealed', 'save sealed', 'save plain', AT_ONCE),
      row('search, sealed', 'search sealed', 'search plain', AT_ONCE),
      row('import a bundle', 'import', 'copy', 1),
    ],
    targets: [
      atMost('trust.save', (ratio('save sealed', 'save plain') - 1) * 100, 10, '% added'),
      atMost('trust.search', (ratio('search sealed', 'search plain') - 1) * 100, 10, '% added'),
      atLeast('trust.import', 1 / ratio('import', 'copy'), 0.9, '× the speed of copy and hash'),
    ],
    notes: [
      `${TURNS} turns of 160 words; ${AT_ONCE} saved and ${AT_ONCE} searched a round. Medians over rounds of paired ratios.`,
      `Bundle of ${Math.round(BUNDLE_BYTES / 2 ** 20)} MiB, imported at ${speed.toFixed(0)} MB/s.`,
    ],
  }
}
