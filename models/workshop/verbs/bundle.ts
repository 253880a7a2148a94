// Owns `bundle`: one signed folder or file for the clinic, made from models, adapters, terms and advisories, and proved after it is written.
import { rm } from 'node:fs/promises'
import { openBundle } from '../../../app/library/bundle/source.ts'
import { bundleBytes } from '../../../app/library/bundle/manifest.ts'
import { signerId } from '../../../app/library/bundle/signature.ts'
import { version as program } from '../../../app/base/version.ts'
import { isOneFile, makeBundle, readPrivateKey, signerOf } from '../bundle/make.ts'
import type { Row } from '../report.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

const DAY_MS = 86_400_000

export const bundleVerb: Verb = {
  name: 'bundle',
  about: 'sign models, adapters, terms and advisories as one folder or file for the clinic’s stick',
  usage: 'OUT FILES… --key PRIVATE.pem --id ID --version N [--label TEXT] [--days N] [--least-program V] [--force]',
  positionals: [2, 2000],
  options: {
    key: { type: 'string' },
    id: { type: 'string' },
    version: { type: 'string' },
    label: { type: 'string' },
    days: { type: 'string' },
    'least-program': { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  OUT                  NAME.rlbundle makes one file (a plain tar); any other name makes a folder
  FILES                files and folders; a folder’s files keep their path below its name
  --key PRIVATE.pem    Ed25519 key: openssl genpkey -algorithm ed25519 -out PRIVATE.pem
                       a passphrase is taken from RUSHLIGHT_KEY_PASSPHRASE
  --id ID              the same for every version: rushlight-7b
  --version N          grows with every release; clinics refuse a lower one
  --label TEXT         what people read, "1.2 (May 2026)" (default: the version)
  --days N             valid for N days from now (default: for ever)
  --least-program V    the oldest Rushlight that can use it (default ${program})
  --force              replace OUT, if it is a file

The report prints the public key: the policy of the clinic’s computers names it under bundleSigners. Keep the private key off any
network. What a file is follows from the file: GGUF headers, *.manifest.json, *.advisory.json, *.tsv, *.md.`,
  async run(input, context) {
    const [out, ...inputs] = input.positionals as [string, ...string[]]
    const key = await readPrivateKey(needed(input, 'key'), process.env['RUSHLIGHT_KEY_PASSPHRASE'])
    const id = needed(input, 'id')
    const version = optionNumber(input, 'version', 1, 2 ** 31)
    if (version === undefined) throw new WrongUse('--version must be given.')
    const days = optionNumber(input, 'days', 1, 36_500)
    const made = new Date()
    const plan = {
      ...{ out, key, id, version, inputs, label: optionText(input, 'label') ?? String(version), force: input.values['force'] === true },
      expires: days === undefined ? null : new Date(made.getTime() + days * DAY_MS).toISOString(),
      leastProgram: optionText(input, 'least-program') ?? program,
      made: made.toISOString(),
    }
    const manifest = await makeBundle(plan, context)
    const signer = signerOf(key)
    try {
      await openBundle(out, [signer])
    } catch (error) {
      await rm(out, { recursive: true, force: true })
      throw error
    }
    return {
      ...{ name: 'bundle', targets: [] },
      rows: manifest.files.map(({ path, kind, bytes, chunks }): Row => ({ file: path, kind, MB: bytes / 1e6, pieces: chunks.length })),
      notes: [
        `${isOneFile(out) ? 'One file' : 'A folder'} of ${(bundleBytes(manifest) / 1e6).toFixed(1)} MB, ${id} version ${version}, ${plan.expires === null ? 'without expiry' : `valid until ${plan.expires}`}.`,
        `Signer for the policy (bundleSigners): ${signer}`,
      ],
      detail: { id, version, signer, signerId: signerId(signer), expires: plan.expires, bytes: bundleBytes(manifest) },
    }
  },
}

function needed(input: VerbInput, name: string): string {
  const value = optionText(input, name)
  if (value === undefined || value === '') throw new WrongUse(`--${name} must be given.`)
  return value
}
