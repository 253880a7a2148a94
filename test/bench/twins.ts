// Owns the twins that benches measure on: made once, kept in a folder under the system's temporary one, found again by what they were made from.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { twinVerb } from '../../models/workshop/verbs/twin.ts'
import { readRecipe } from '../../models/workshop/recipe.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'

const source = join(import.meta.dirname, '../../models/workshop/twin')
/** Bytes are random and take seconds to make, but gigabytes to keep: one copy of each on a machine. */
export const twinFolder = join(tmpdir(), 'rushlight-twins')

/**
 * The path of a file that `npm run model -- twin` writes with `options`, made now unless it is there. Another recipe, seed or generator
 * gives another file. Throws DISK_FULL with what is missing.
 */
export async function twin(options: Readonly<Record<string, string>>, context: VerbContext): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(options).sort()))
  if (options['recipe'] !== undefined) hash.update(readRecipe(options['recipe']).sha256)
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(join(source, file)))
  const name = Object.values(options).join('-')
  const path = join(twinFolder, `${name}-${hash.digest('hex').slice(0, 12)}.gguf`)
  if (existsSync(path)) return path
  mkdirSync(twinFolder, { recursive: true, mode: 0o700 })
  // what an older recipe or generator made is of no use any more
  const outdated = new RegExp(`^${name.replaceAll('.', '\\.')}-[0-9a-f]{12}\\.gguf$`)
  for (const file of readdirSync(twinFolder)) if (outdated.test(file)) rmSync(join(twinFolder, file))
  const { bavail, bsize } = statfsSync(twinFolder)
  process.stderr.write(
    `Making the twin ${name} in ${twinFolder}, where it is kept for the next time; ${((bavail * bsize) / 1e9).toFixed(1)} GB are free there.\n`,
  )
  const args = [path, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
  const { values, positionals } = parseArgs({ args, options: twinVerb.options, allowPositionals: true })
  const { notes } = await twinVerb.run({ values, positionals }, context)
  context.progress.end()
  process.stderr.write(`${notes?.[0] ?? ''}\n`)
  return path
}

/** The 0.5B model at 16 bits: small enough to be exported in a minute. */
export const smallTwin = (context: VerbContext): Promise<string> => twin({ shape: 'qwen2-0.5b', type: 'f16' }, context)
