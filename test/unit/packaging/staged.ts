// Owns the staged program that the packaging tests share: for linux-x64, without CUDA, from what the working copy has; no network.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planStage, stage, type Plan } from '../../../app/packaging/stage.ts'
import { targetOf, type Target } from '../../../app/packaging/target.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
const whole = targetOf('linux-x64')!
/** A working copy has no CUDA packages: package.json replaces them by an empty one. */
export const target: Target = { ...whole, engines: whole.engines.filter(({ backend }) => backend !== 'cuda') }

export interface Staged {
  readonly home: string
  readonly folder: string
  readonly plan: Plan
  remove(): void
}

/** @throws Error when the program is not built or a package is not installed */
export function stageHere(): Staged {
  const home = mkdtempSync(join(tmpdir(), 'rushlight-package-'))
  const folder = join(home, 'staged')
  const plan = planStage(root, target)
  const absent = stage(root, target, plan, folder)
  if (absent.length > 0) throw new Error(`not installed: ${absent.map(({ name }) => name).join(', ')}`)
  return { home, folder, plan, remove: () => rmSync(home, { recursive: true, force: true }) }
}
