// Owns `--smoke`: what the first computer that has the Electron binary checks by itself, one JSON line, no window in sight.
import { createClient } from '../contract/client.ts'
import type { AppContract } from '../contract/contract.ts'
import type { Turn } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { localTransport } from '../base/local-transport.ts'
import type { RunningServices } from './services.ts'

export interface SmokeCheck {
  id: string
  ok: boolean
  detail: string
}
/** The hidden page: runs a script in the page's own world. */
export interface SmokePage {
  executeJavaScript(code: string): Promise<unknown>
}

const WAIT_MS = 120_000
// each must be true in the page: its sandbox, its isolation, its policy, its way out and no other
const inThePage = {
  sandboxed: `typeof require === 'undefined' && typeof process === 'undefined' && typeof module === 'undefined'`,
  secure: `self.isSecureContext && location.href.startsWith('app://rushlight/')`,
  bridge: `Object.keys(window.rushlight).sort().join() === 'listen,post'`,
  'no-network': `fetch('https://192.0.2.1/').then(() => false, () => true)`,
  'no-file': `fetch('file:///').then(() => false, () => true)`,
  'trusted-types': `(() => { try { document.createElement('p').innerHTML = '<b>'; return false } catch { return true } })()`,
  painted: `document.body.textContent.trim().length > 0`,
} as const

/** Runs every check within two minutes; never throws. `pageSpoke` resolves when the page's first request has come through the bridge. */
export async function smoke(services: Pick<RunningServices, 'router' | 'ready'>, page: SmokePage, pageSpoke: Promise<void>): Promise<SmokeCheck[]> {
  const limit = AbortSignal.timeout(WAIT_MS)
  const timeIsUp = new Promise<never>((_, reject) =>
    limit.addEventListener('abort', () => reject(new AppError('ENGINE_TIMEOUT', 'No answer in time.'))),
  )
  timeIsUp.catch(() => {})
  const check = async (id: string, run: () => Promise<string | boolean>): Promise<SmokeCheck> => {
    try {
      const found = await Promise.race([run(), timeIsUp])
      return { id, ok: found !== false, detail: typeof found === 'string' ? found : '' }
    } catch (error) {
      return { id, ok: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }

  const checks = [await check('page-speaks', () => pageSpoke.then(() => true))]
  for (const [id, code] of Object.entries(inThePage)) checks.push(await check(id, async () => (await page.executeJavaScript(code)) === true))
  checks.push(await check('engine', () => services.ready(limit).then(() => true)))
  checks.push(await check('answer', () => answer(services, limit)))
  return checks
}

/** One real question through the whole pipeline; the detail says who answered. */
async function answer(services: Pick<RunningServices, 'router'>, limit: AbortSignal): Promise<string | false> {
  const client = createClient<AppContract>(localTransport(services.router))
  let turn: Turn | undefined
  const input = { question: 'Which vaccines are given at one year of age?', conversation: null }
  for await (const event of client.stream('ask.run', input, limit)) if (event.type === 'done') turn = event.turn
  if (turn?.status !== 'complete' || !turn.provenance) return false
  const { model, engine } = turn.provenance
  return `${model.name} on ${engine.backend}`
}
