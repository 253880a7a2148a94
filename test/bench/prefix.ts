// Owns the prefix bench: the first token after a long system prompt, cold, warm in this process, and after a restart from disk, beside rivals.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Progress } from '../../models/workshop/progress.ts'
import { atLeast, atMost, median, type Report, type Row } from '../../models/workshop/report.ts'
import { ratioOf } from './engine.ts'
import { BareLlama, BenchEngine, textOf } from './engine-client.ts'
import { LlamaServer, llamaServerPath } from './llama-server.ts'
import type { Bench } from './run.ts'
import { twin } from './twins.ts'

export interface PrefixSettings {
  model: string
  threads: number
  /** Tokens of the system prompt and of the question after it. */
  prefix: number
  question: number
  batchSize: number
}

export const prefix: Bench = {
  about: 'first token after a 400-token system prompt: cold, warm, after a restart from disk; RUSHLIGHT_LLAMA_SERVER names a rival',
  async run(rounds) {
    const context = { signal: new AbortController().signal, progress: new Progress(process.stderr) }
    const model = await twin({ shape: 'qwen2-0.5b', recipe: 'rushlight-7b' }, context)
    return measurePrefix({ model, threads: 1, prefix: 400, question: 30, batchSize: 256 }, rounds)
  },
}

/** Rounds in turn. Two categories are asked in turn, so that what is warm comes from a stored state and not from the question before. */
export async function measurePrefix({ model, threads, prefix, question, batchSize }: PrefixSettings, rounds: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-bench-prefix-'))
  const contextSize = prefix + question + 128
  const request = { modelPath: model, gpu: 'off', threads, contextSize, batchSize } as const
  const states = { folder: join(folder, 'states'), bytes: 1e9 }
  const bare = new BareLlama({ model, threads, contextSize, batchSize })
  const [cold, warm] = [new BenchEngine(), new BenchEngine()]
  const times = new Map<string, number[]>()
  const note = (what: string, ms: number) => void times.set(what, [...(times.get(what) ?? []), ms])
  let server: LlamaServer | null = null
  try {
    await cold.load(request)
    await warm.load({ ...request, states })
    server = llamaServerPath === null ? null : await LlamaServer.start(llamaServerPath, { model, threads, contextSize, batchSize })
    const systems = [await textOf(cold, 'system', prefix, 'About medicines:'), await textOf(cold, 'system', prefix, 'About diagnosis:')]
    const prefixes = systems.map((system, n) => ({ id: `${n}`, messages: [system] }))
    const read = (await warm.warm({ prefixes, shapes: false })).flatMap((event) => (event.type === 'warm' ? [event] : []))
    if (read.some(({ from }) => from !== 'read')) throw new Error('the states were not stored')
    const tokens = read[0]!.tokens
    for (let round = -1; round < rounds; round++) {
      const asked = await textOf(cold, 'user', question, `${round}`)
      const keep = (what: string, ms: number) => round >= 0 && note(what, ms)
      for (const system of systems) {
        const messages = [system, asked]
        const one = { maxTokens: 1 }
        // the other category was asked last: nothing of this one is held
        keep(COLD, (await cold.ask(messages, one)).totalMs)
        const fromState = await warm.ask(messages, one)
        if (fromState.done.restored !== tokens) throw new Error(`${fromState.done.restored ?? 0} tokens came from the state, not ${tokens}`)
        keep(WARM, fromState.totalMs)
        const more = fromState.done.promptTokens - tokens
        keep(HELD, (await warm.ask([system, { ...asked, text: `${asked.text} more` }], one)).totalMs)
        keep(BARE, (await bare.run({ hold: tokens, read: more })).readMs)
        if (server) {
          // its cache holds what it was asked last: the question before this one has the same system prompt
          await server.firstToken([system, { role: 'user', text: 'first' }])
          keep(SERVER, await server.firstToken(messages))
        }
      }
      const after = new BenchEngine()
      await after.load({ ...request, states })
      // as the product does while nobody asks: the files are checked and the batch shapes run once
      await after.warm({ prefixes, shapes: true })
      const restarted = await after.ask([systems[0]!, asked], { maxTokens: 1 })
      if (restarted.done.restored !== tokens) throw new Error('nothing came back after the restart')
      keep(RESTARTED, restarted.totalMs)
      await after.close()
    }
  } finally {
    bare.close()
    server?.close()
    await cold.close()
    await warm.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const at = (what: string) => times.get(what)!
  const rows: Row[] = [...times].map(([what, ms]) => ({
    what,
    'first token ms': median(ms),
    'of warm': median(ms) / median(at(WARM)),
    'of cold': median(ms) / median(at(COLD)),
  }))
  return {
    name: 'bench prefix',
    rows,
    targets: [
      atLeast('prefix.speedup', 1 / ratioOf(at(WARM), at(COLD)), 6, '×'),
      atMost('prefix.restart', median(at(RESTARTED)) / median(at(WARM)), 1.1, '×'),
      ...(times.has(SERVER) ? [atMost('prefix.server', ratioOf(at(WARM), at(SERVER)), 1, '×')] : []),
    ],
    notes: [
      `${prefix} tokens of system prompt and ${question} of question, ${threads} thread${threads === 1 ? '' : 's'}; medians of ${rounds} rounds in turn, from the call on the host’s side to the end of an answer of one token.`,
      'Warm: the state is a file that was used before in this process. Held: the question before had the same system prompt. Restarted: the first question of a new process, which has checked the files and computed nothing.',
      ...(times.has(SERVER) ? [] : ['No llama-server was named, so that llama.cpp alone is the only rival: it neither tokenises nor samples.']),
    ],
  }
}
const [COLD, WARM, HELD, RESTARTED] = ['cold', 'warm', 'held', 'restarted'] as const
const [BARE, SERVER] = ['llama.cpp alone, prefix held', 'llama-server, prompt cache'] as const
