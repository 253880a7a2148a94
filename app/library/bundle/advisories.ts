// Owns signed advisories: what a signer has declared unfit for use since it was released, and whether that meets a model, an adapter or an answer.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { refuseBundle } from './refusal.ts'
import { readInstalled } from './installed.ts'
import { readBundleManifest, MANIFEST_FILE } from './manifest.ts'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const MOST_BYTES = 1024 * 1024

/** The form of a file of kind `advisory`. */
export const Advisory = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/),
  issued: z.iso.datetime(),
  /** What is wrong and what to do instead, in the clinic's language. */
  says: z.string().min(1).max(2000),
  disables: z
    .array(
      z.discriminatedUnion('what', [
        z.strictObject({ what: z.literal('model'), sha256: Sha256 }),
        z.strictObject({ what: z.literal('adapter'), sha256: Sha256 }),
        /** Cached answers: by the model and adapter that wrote them, the prompt, and when; what is left out is any. */
        z.strictObject({
          what: z.literal('answers'),
          model: Sha256.optional(),
          adapter: Sha256.optional(),
          prompt: z.string().max(100).optional(),
          before: z.iso.datetime().optional(),
        }),
      ]),
    )
    .min(1)
    .max(1000),
})
export type Advisory = z.infer<typeof Advisory>

/** What an advisory may meet. Hashes are SHA-256 in hex; `at` is when the answer was written. */
export type Subject =
  | { readonly what: 'model' | 'adapter'; readonly sha256: string }
  | { readonly what: 'answers'; readonly model: string; readonly adapter: string; readonly prompt: string; readonly at: string }

/** Throws manifest: an advisory that cannot be read must not be passed over in silence. */
export function readAdvisory(text: string): Advisory {
  try {
    return Advisory.parse(JSON.parse(text))
  } catch (error) {
    throw refuseBundle('manifest', { why: 'advisory' }, error)
  }
}

/** The advisories of every bundle in use; a later version of a bundle replaces what the earlier one said. Throws state, manifest. */
export async function advisoriesIn(folder: string): Promise<Advisory[]> {
  const { bundles } = await readInstalled(folder)
  const found: Advisory[] = []
  for (const { active } of Object.values(bundles)) {
    const at = join(folder, active.folder)
    const manifest = readBundleManifest(await readFile(join(at, MANIFEST_FILE)))
    for (const { path, kind, bytes } of manifest.files) {
      if (kind !== 'advisory') continue
      if (bytes > MOST_BYTES) throw refuseBundle('too_large', { path })
      found.push(readAdvisory(await readFile(join(at, ...path.split('/')), 'utf8')))
    }
  }
  return found.sort((a, b) => (a.issued < b.issued ? 1 : -1))
}

/** The newest advisory that disables it; null for what may be used. An answer of a disabled model or adapter is disabled with it. */
export function disabledBy(advisories: readonly Advisory[], subject: Subject): Advisory | null {
  return advisories.find(({ disables }) => disables.some((one) => meets(one, subject))) ?? null
}

function meets(one: Advisory['disables'][number], subject: Subject): boolean {
  if (subject.what !== 'answers') return one.what === subject.what && one.sha256 === subject.sha256
  if (one.what === 'model') return one.sha256 === subject.model
  if (one.what === 'adapter') return one.sha256 === subject.adapter
  const fits = (wanted: string | undefined, given: string) => wanted === undefined || wanted === given
  const early = one.before === undefined || Date.parse(subject.at) < Date.parse(one.before)
  return fits(one.model, subject.model) && fits(one.adapter, subject.adapter) && fits(one.prompt, subject.prompt) && early
}
