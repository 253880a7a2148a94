// Owns server.json in the data folder: the clinic's server as it was entered, its key included, for this user only.
import * as z from 'zod'
import { X509Certificate } from 'node:crypto'
import { ServerUse, type ServerInput } from '../../contract/hardware.ts'
import { serverFailure } from '../../engine/remote/failure.ts'
import { readPin } from '../../engine/remote/pin.ts'

export const KeptServer = z.strictObject({
  version: z.literal(1),
  enabled: z.boolean(),
  url: z.string().max(500),
  /** '' takes the first that the server offers. */
  model: z.string().max(300),
  use: ServerUse,
  /** '' for none, as the two below. */
  key: z.string().max(1000),
  /** Hexadecimal. */
  pin: z.string().max(64),
  /** PEM. */
  authority: z.string().max(200_000),
})
export type KeptServer = z.infer<typeof KeptServer>
export const noServer: KeptServer = { version: 1, enabled: false, url: '', model: '', use: 'balance', key: '', pin: '', authority: '' }

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** `before` with what was entered. Throws BAD_INPUT in words for a pin, a key or an authority that is none. */
export function entered(before: KeptServer, { enabled, url, model, use, key, pin, authority }: ServerInput): KeptServer {
  // a header cannot carry other characters, and Node would say so with the key in its words
  if (key !== undefined && !/^[\x21-\x7e]*$/.test(key)) throw serverFailure('address', '', 'is fine, but the key holds characters that no key has')
  const pinned = pin === undefined || pin === '' ? pin : readPin(pin)
  if (pinned === null) throw serverFailure('address', '', 'is fine, but the pin is no SHA-256 of a key (64 hexadecimal digits, or base64)')
  return {
    ...{ version: 1, enabled, url, model, use },
    key: key ?? before.key,
    pin: pinned ?? before.pin,
    authority: authority === undefined ? before.authority : readAuthority(authority),
  }
}

function readAuthority(text: string): string {
  if (text.trim() === '') return ''
  const found = text.match(CERTIFICATES) ?? []
  try {
    if (found.length === 0) throw new Error('none')
    for (const one of found) new X509Certificate(one)
  } catch (error) {
    throw serverFailure('address', '', 'is fine, but the authority is no certificate in PEM form', error)
  }
  return found.join('\n')
}
