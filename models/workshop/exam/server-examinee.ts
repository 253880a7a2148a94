// Owns an OpenAI-compatible server as an examinee: it reasons, for a server gives no probabilities that could be relied on.
import { readAddress } from '../../../app/engine/remote/address.ts'
import { chat } from '../../../app/engine/remote/chat.ts'
import type { Access } from '../../../app/engine/remote/connect.ts'
import { lookAtServer } from '../../../app/engine/remote/facts.ts'
import { faultOf } from '../../../app/engine/remote/failure.ts'
import { letterIn, toldIn } from './prompt.ts'
import { tooLong, type Examinee } from './sheet.ts'

/** A server's model may think before it writes. */
const MOST_TOKENS = 1024

/**
 * The server at `address` (http://host:port on the clinic's own network, or https), greedy, with the first model that it lists. Throws the failures of
 * the remote engine, in words, and CANCELLED by way of `signal`; a question too long for it is counted and not asked again.
 */
export async function serverExaminee(address: string, signal: AbortSignal): Promise<Examinee> {
  const rules = { plainHttp: true, hosts: [] }
  const access: Access = { address: readAddress(address, rules), rules, key: null, pin: null, ca: null }
  const { model } = await lookAtServer(access, null, signal)
  const ask = async (text: string): Promise<string | null> => {
    let written = ''
    try {
      const input = { model, messages: [{ role: 'user' as const, text }], maxTokens: MOST_TOKENS, temperature: 0, seed: 1, promptTokens: 0 }
      for await (const event of chat(access, input, signal)) if (event.type === 'text') written += event.text
    } catch (error) {
      if (faultOf(error) === 'long') return null
      throw error
    }
    // a stopped answer ends without an error
    signal.throwIfAborted()
    return written.trim()
  }
  const name = `${model} on ${access.address.host}`
  return {
    ...{ name, identity: name, mode: 'reason' },
    asked: (question) => toldIn('reason', question),
    answer: async (question) => {
      const startedAt = performance.now()
      const written = await ask(toldIn('reason', question))
      const seconds = (performance.now() - startedAt) / 1000
      if (written === null) return tooLong(seconds)
      return { letter: letterIn(written, question.options), probabilities: null, mass: null, written, tooLong: false, seconds }
    },
    write: ({ question }) => ask(question),
    close: () => Promise.resolve(),
  }
}
