// Owns what can be wrong with a server on the clinic's network: each kind with its code and a sentence that says what to do. Never a word of the server's.
import { AppError, type Code } from '../../contract/errors.ts'

/** `host` as a person typed it, without path and key. */
type Say = (host: string, detail: string) => string

const kinds = {
  address: ['BAD_INPUT', (_, detail) => `The address of the server ${detail}. Correct it and try again.`],
  far: [
    'BAD_INPUT',
    (host) =>
      `${host} is not on the clinic’s own network, so nothing was sent to it. Use a server inside, or have it named in your organisation’s policy.`,
  ],
  name: [
    'ENGINE_FAILED',
    (host) => `No computer of the name ${host} is known on this network. Check the address, or ask who looks after the network.`,
  ],
  unreachable: ['ENGINE_FAILED', (host) => `The server ${host} cannot be reached. Check that it is switched on and on the same network.`],
  closed: ['ENGINE_FAILED', (host) => `The computer ${host} is there, but no model server answers at this port. Start it, or correct the port.`],
  tls: ['ENGINE_FAILED', (host) => `The server ${host} does not speak https at this port. Correct the port, or set up https on the server.`],
  certificate: [
    'UNTRUSTED',
    (host, detail) =>
      `The certificate of ${host} ${detail}, so nothing was sent to it. Give Rushlight the right authority or pin, or have the certificate corrected.`,
  ],
  pin: [
    'UNTRUSTED',
    (host) => `${host} shows another key than the one that is pinned, so nothing was sent to it. Find out why it changed before you pin the new one.`,
  ],
  key: ['UNTRUSTED', (host) => `The server ${host} refuses the key. Correct it, or ask who looks after the server for a new one.`],
  html: [
    'ENGINE_FAILED',
    (host) => `${host} answers with a web page instead of a model’s answer. A login page or another program is at this address: correct it.`,
  ],
  path: ['ENGINE_FAILED', (host) => `${host} does not know OpenAI’s calls at this address. Correct the address; it often ends in /v1.`],
  redirect: ['ENGINE_FAILED', (host) => `${host} sends on to another address, which Rushlight does not follow. Enter the final address.`],
  form: [
    'ENGINE_FAILED',
    (host) => `The server ${host} answers in a form that is not OpenAI’s. Use vLLM, llama-server or another compatible server.`,
  ],
  model: ['ENGINE_FAILED', (host, detail) => `The server ${host} does not offer ${detail}. Choose one of the models that it offers.`],
  busy: ['ENGINE_FAILED', (host) => `The server ${host} is too busy or still loading its model. Rushlight tries it again later.`],
  status: ['ENGINE_FAILED', (host, detail) => `The server ${host} reports an error of its own (${detail}). Look at its log.`],
  cut: ['ENGINE_LOST', (host) => `The connection to ${host} broke off. What was written so far is saved; ask again.`],
  slow: ['ENGINE_TIMEOUT', (host, detail) => `The server ${host} did not answer within ${detail}. Rushlight tries it again later.`],
  long: ['QUESTION_TOO_LONG', (host) => `The question is too long for the model on ${host}. Shorten it and ask again.`],
} satisfies Record<string, readonly [Code, Say]>
export type ServerFault = keyof typeof kinds

/** An AppError whose `data` is {fault, host}: what to do about a fault is decided by its kind, never by its words. */
export function serverFailure(fault: ServerFault, host: string, detail = '', cause?: unknown): AppError {
  const [code, say]: readonly [Code, Say] = kinds[fault]
  return new AppError(code, say(host, detail), { fault, host }, cause)
}

/** The kind of a failure that this file made, also after it crossed a boundary; null for any other. */
export function faultOf(error: unknown): ServerFault | null {
  const fault = error instanceof AppError ? (error.data as { fault?: unknown } | undefined)?.fault : null
  return typeof fault === 'string' && Object.hasOwn(kinds, fault) ? (fault as ServerFault) : null
}

const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet (look at the clocks of both computers)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself only',
  SELF_SIGNED_CERT_IN_CHAIN: 'comes from an authority that this computer does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes from an authority that this computer does not know',
  UNABLE_TO_GET_ISSUER_CERT: 'comes from an authority that this computer does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'comes from an authority that this computer does not know',
}
const CODES: Record<string, ServerFault> = {
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  ECONNREFUSED: 'closed',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EPROTO: 'tls',
}

/** A failure of the network or of TLS in words. `connected`: bytes had been sent before it happened. */
export function networkFailure(error: unknown, host: string, connected: boolean): AppError {
  if (error instanceof AppError) return error
  // several addresses tried in turn: the last one's failure stands for all
  const one = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error
  const code = String((one as NodeJS.ErrnoException | undefined)?.code ?? '')
  const certificate = CERTIFICATE[code] ?? (/^(CERT|CRL|ERR_TLS_CERT)_/.test(code) ? 'cannot be verified' : null)
  if (certificate !== null) return serverFailure('certificate', host, certificate, error)
  if (connected) return serverFailure('cut', host, '', error)
  return serverFailure(CODES[code] ?? (code.startsWith('ERR_SSL') ? 'tls' : 'unreachable'), host, '', error)
}
