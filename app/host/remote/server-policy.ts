// Owns what the organisation allows of servers: without a word of it nothing leaves the computer.
import { AppError } from '../../contract/errors.ts'
import type { AddressRules } from '../../engine/remote/address.ts'

export interface ServerPolicy extends AddressRules {
  /** A server on the clinic's own network may be set up. */
  allowed: boolean
  /** The one that may be asked, where the organisation names it; null lets a person enter one. */
  url: string | null
}
export const NO_SERVER: ServerPolicy = { allowed: false, plainHttp: false, hosts: [], url: null }

/** Of the address that a policy names ('' for none): this server and no other, wherever it is. An address that is no URL allows nothing. */
export function serverPolicyFor(address: string): ServerPolicy {
  const url = URL.parse(address)
  if (!url) return NO_SERVER
  return { allowed: true, plainHttp: url.protocol === 'http:', hosts: [url.hostname.toLowerCase()], url: address }
}

/** Of `--allow-server`, for a computer without a policy: https, or http as well on a network that is trusted. Throws BAD_INPUT. */
export function serverPolicyOf(value: string | undefined): ServerPolicy {
  if (value === undefined) return NO_SERVER
  if (value !== 'https' && value !== 'http')
    throw new AppError('BAD_INPUT', `--allow-server takes https or http, not “${value}”. Correct it and start again.`)
  return { allowed: true, plainHttp: value === 'http', hosts: [], url: null }
}
