// Owns the hostile score: each text goes through the program's own services and must end in a coded refusal or in a stored, finished turn.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { resolvePaths } from '../../../app/base/paths.ts'
import { version } from '../../../app/base/version.ts'
import { localTransport } from '../../../app/base/local-transport.ts'
import { cleanQuestion } from '../../../app/clinical/text.ts'
import { createClient, type Client } from '../../../app/contract/client.ts'
import type { AppContract } from '../../../app/contract/contract.ts'
import type { Turn } from '../../../app/contract/entities.ts'
import { AppError, type Code } from '../../../app/contract/errors.ts'
import { atLeast, percent, table } from '../report.ts'
import { hostileTexts, type HostileText } from './hostile-texts.ts'
import { readLines, type ScoreSet } from './set.ts'

const REPEAT_CHARACTERS = 5_000_000
const Line = z.union([
  z.object({ q: z.string() }),
  z.object({ repeat: z.tuple([z.string(), z.number().int().min(0)]) }).refine(({ repeat: [text, n] }) => text.length * n <= REPEAT_CHARACTERS, {
    error: `repeats to more than ${REPEAT_CHARACTERS} characters`,
  }),
])
const form = '{"q": "any text"} or {"repeat": ["a", 200000]}'

const ALLOWED: readonly Code[] = ['BAD_INPUT', 'QUESTION_EMPTY', 'QUESTION_TOO_LONG']
const NORMAL = 'What is the first-line treatment of impetigo?'
/** A model on a slow processor may read for long; a text that is not through by then has hung. */
const PATIENCE_MS = 180_000

export const hostileSet: ScoreSet = {
  about: 'whether hostile texts are refused or answered, and the program lives on',
  line: form,
  async run(options) {
    const texts = options.file === undefined ? hostileTexts : readLines(options.file, Line, form).map(fromLine)
    const data = mkdtempSync(join(tmpdir(), 'rushlight-hostile-'))
    try {
      const rows = await withServices(data, async (client) => {
        const rows = []
        for (const text of texts) rows.push(await tryOne(client, text))
        rows.push({ ...(await tryOne(client, { name: 'a normal question afterwards', text: NORMAL })), last: true })
        return rows
      })
      const tried = rows.filter((row) => !('last' in row))
      const targets = [
        atLeast('hostile.safe', percent(tried.filter((row) => row.ok).length / tried.length), 100, '%'),
        atLeast('hostile.alive', rows.at(-1)!.outcome === 'complete' ? 1 : 0, 1, ''),
      ]
      return {
        name: 'score hostile',
        rows,
        targets,
        text: table(rows.map(({ name, characters, outcome, ok, ms }) => ({ name, characters, outcome, ok, ms }))),
      }
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  },
}

const fromLine = (line: z.infer<typeof Line>, at: number): HostileText =>
  'q' in line ? { name: `line ${at + 1}`, text: line.q } : { name: `line ${at + 1}`, text: line.repeat[0].repeat(line.repeat[1]) }

async function withServices<T>(data: string, use: (client: Client<AppContract>) => Promise<T>): Promise<T> {
  // only here: the other sets need neither a database nor an engine
  const [{ createServices }, { spawnNodeEngine }] = await Promise.all([
    import('../../../app/host/services.ts'),
    import('../../../app/host/engine-spawn-node.ts'),
  ])
  const paths = resolvePaths({ data })
  const services = await createServices({ paths, host: 'loopback', version, spawnEngine: () => spawnNodeEngine(paths.engineEntry) })
  try {
    await services.ready(AbortSignal.timeout(PATIENCE_MS))
    return await use(createClient<AppContract>(localTransport(services.router)))
  } finally {
    await services.close()
  }
}

/** `outcome` is the code of the refusal, the status of the turn, or what went wrong. */
async function tryOne(client: Client<AppContract>, { name, text, expect }: HostileText) {
  const start = performance.now()
  let outcome: string
  let ok: boolean
  try {
    const turn = await lastTurn(client, text)
    const fault = turn === null ? 'ended without a turn' : await faultOf(client, turn, text)
    outcome = fault ?? turn!.status
    ok = fault === null && expect === undefined
  } catch (error) {
    const { code } = AppError.wire(error)
    outcome = code
    ok = expect === undefined ? ALLOWED.some((allowed) => allowed === code) : code === expect
  }
  return { name, characters: text.length, outcome, ok, ms: Math.round(performance.now() - start) }
}

async function lastTurn(client: Client<AppContract>, question: string): Promise<Turn | null> {
  let turn: Turn | null = null
  for await (const event of client.stream('ask.run', { question, conversation: null }, AbortSignal.timeout(PATIENCE_MS)))
    if (event.type === 'done') turn = event.turn
  return turn
}

/** What is wrong with a turn that the stream called done; null when nothing is. */
async function faultOf(client: Client<AppContract>, turn: Turn, text: string): Promise<string | null> {
  if (turn.error && turn.error.code !== 'ANSWER_CUT') return `${turn.status}: ${turn.error.code}`
  if (turn.status !== 'complete' && turn.status !== 'partial') return turn.status
  const { turns } = await client.call('conversation.open', { id: turn.conversation })
  const stored = turns.find(({ id }) => id === turn.id)
  if (!stored) return 'not stored'
  if (stored.question !== cleanQuestion(text)) return 'stored with another question'
  return stored.status === turn.status && stored.answer === turn.answer ? null : 'stored otherwise than sent'
}
