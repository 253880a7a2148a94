// Owns the model catalogue: reads models/catalog.json, checked by its schema.
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { AppError } from '../contract/errors.ts'

export const CatalogEntry = z.object({
  id: z.string().regex(/^[a-z0-9.-]+$/),
  name: z.string(),
  version: z.string(),
  description: z.string(),
  licence: z.string(),
  parameters: z.string(),
  /** Name of the file, in models/starter for what comes with the program, in the user's model folder for the rest. */
  file: z.string().regex(/^[^/\\]+\.gguf$/),
  quantisation: z.string(),
  /** null where the publisher's file was not at hand when this was written. */
  bytes: z.number().int().positive().nullable(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  demonstration: z.boolean(),
  /** question-only: trained on bare questions; a system prompt would only confuse it. */
  promptProfile: z.enum(['full', 'question-only']),
  contextSize: z.number().int().min(64),
  maxAnswerTokens: z.number().int().min(16),
  /** Where an IT department finds the file, in words. */
  source: z.string(),
})
export type CatalogEntry = z.infer<typeof CatalogEntry>
const unique = (key: 'id' | 'file') => (models: CatalogEntry[]) => new Set(models.map((entry) => entry[key].toLowerCase())).size === models.length
const Catalog = z.object({
  version: z.number().int(),
  // two entries of one name would make it chance which of them answers
  models: z.array(CatalogEntry).min(1).refine(unique('id'), 'an id occurs twice').refine(unique('file'), 'a file occurs twice'),
})

/** Throws CATALOG_INVALID; `data` says where. */
export function readCatalog(path: string): CatalogEntry[] {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new AppError('CATALOG_INVALID', undefined, undefined, error)
  }
  const parsed = Catalog.safeParse(raw)
  if (!parsed.success) throw new AppError('CATALOG_INVALID', undefined, { issues: parsed.error.issues.slice(0, 5) })
  return parsed.data.models
}
