// Owns the card of a model family: the file beside a base model that names its adapters and merged form and says how each did on validation.
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'
import { Category } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in small letters')
const FileName = z.string().regex(/^[^/\\\p{Cc}]{1,250}\.gguf$/iu, 'is no name of a .gguf file in the same folder')

/** Held-out questions answered right, of so many: counts, so that a share of 4 out of 5 is not taken for one of 400 out of 500. */
export const Score = z
  .strictObject({ right: z.number().int().min(0), total: z.number().int().min(0).max(10_000_000) })
  .refine(({ right, total }) => right <= total, { path: ['right'], error: 'is more than total' })
export type Score = z.infer<typeof Score>
export const Scores = z.partialRecord(Category, Score)
export type Scores = z.infer<typeof Scores>

const Adapter = z.strictObject({
  file: FileName,
  sha256: Sha256,
  /** Whose questions it answers. */
  categories: z.array(Category).min(1),
  scale: z.number().min(-10).max(10).default(1),
  scores: Scores,
})
const categoriesOnce = (adapters: readonly { categories: readonly Category[] }[]) => {
  const all = adapters.flatMap(({ categories }) => categories)
  return new Set(all).size === all.length
}

/** The form of `BASE.gguf.family.json`. Models are named by the id of their weights, which a header states; adapters, being small, by their hash. */
export const FamilyCard = z.strictObject({
  format: z.literal(1),
  name: z.string().min(1).max(200),
  /** What the scores were counted on, in words. */
  validation: z.string().max(500),
  base: z.strictObject({ weightsId: Sha256, scores: Scores }),
  adapters: z.array(Adapter).max(8).refine(categoriesOnce, 'a category has two adapters'),
  merged: z
    .strictObject({
      file: FileName,
      weightsId: Sha256,
      /** Of the adapter that it was merged from, which need not be one of `adapters`. */
      adapterSha256: Sha256,
      scores: Scores,
    })
    .nullable(),
})
export type FamilyCard = z.infer<typeof FamilyCard>

export const familyCardPath = (base: string): string => `${base}.family.json`

// a card has a few kilobytes
const LARGEST = 1_000_000

/** The card beside the base model at path `base`; null when there is none. Throws MANIFEST_INVALID, which says the field. */
export function readFamilyCard(base: string): FamilyCard | null {
  const path = familyCardPath(base)
  const file = basename(path)
  const refuse = (what: string, cause?: unknown) => new AppError('MANIFEST_INVALID', `${file} ${what}`, { file }, cause)
  let text: string
  try {
    if (statSync(path).size > LARGEST) throw refuse('is far too large for a family card. Copy it again from its source.')
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if (error instanceof AppError) throw error
    throw refuse('cannot be read. Check its permissions.', error)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('is not JSON. Copy it again from its source.')
  }
  const parsed = FamilyCard.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw refuse(`is damaged at ${issue.path.join('.') || 'its top'}: ${issue.message}. Correct it, or copy it again from its source.`)
}
