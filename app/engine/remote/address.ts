// Owns which addresses a server may have: https, or http nearby where it is allowed; and only on the clinic's own network unless policy names the host.
import { lookup as resolve, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { serverFailure } from './failure.ts'

export interface AddressRules {
  /** http without TLS: what is asked can then be read by whoever is on the network. */
  plainHttp: boolean
  /** Hosts beyond the private ranges, by name or number, in small letters. */
  hosts: readonly string[]
}
export interface ServerAddress {
  secure: boolean
  /** Name or number, an IPv6 number without its brackets. */
  hostname: string
  port: number
  /** For a person and for provenance: no path, no key. */
  host: string
  /** Path before /v1, '' or '/prefix'. */
  root: string
}

const near = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  near.addSubnet(network, bits, 'ipv4')
near.addAddress('::1', 'ipv6')
near.addSubnet('fc00::', 7, 'ipv6')
near.addSubnet('fe80::', 10, 'ipv6')

/** Loopback, private (RFC 1918), unique local (RFC 4193) and link-local numbers: those that no router carries to the outside. */
export const isNear = (ip: string): boolean => near.check(ip.replace(/%.*$/, ''), isIP(ip.replace(/%.*$/, '')) === 6 ? 'ipv6' : 'ipv4')

/**
 * `text` as a person types it: "https://server:8443", with or without /v1. Throws BAD_INPUT in words: no URL, a name and password in it, a
 * query, http where it is not allowed, or a number outside. A name is judged when it is looked up, at every connection.
 */
export function readAddress(text: string, rules: AddressRules): ServerAddress {
  const wrong = (detail: string) => serverFailure('address', '', detail)
  const typed = text.trim()
  if (!/^https?:\/\//i.test(typed)) throw wrong('has to begin with https://')
  let url: URL
  try {
    url = new URL(typed)
  } catch {
    throw wrong('is not complete')
  }
  if (url.username !== '' || url.password !== '') throw wrong('must not hold a name or a password: the key has a field of its own')
  if (url.search !== '' || url.hash !== '') throw wrong('must end before the question mark')
  const secure = url.protocol === 'https:'
  if (!secure && !rules.plainHttp) throw wrong('has to begin with https://, as http can be read by everybody on the network')
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port) || (secure ? 443 : 80)
  const address = { secure, hostname, port, host: url.host, root: url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '') }
  if (isIP(hostname) !== 0) refuseFar(hostname, address, rules)
  return address
}

const isNamed = ({ hostname }: ServerAddress, { hosts }: AddressRules) => hosts.includes(hostname.toLowerCase())

/** Throws where `ip` lies outside and the host is not named. http stays inside even then. */
export function refuseFar(ip: string, address: ServerAddress, rules: AddressRules): void {
  if (!isNear(ip) && !(address.secure && isNamed(address, rules))) throw serverFailure('far', address.host)
}

/** For net.connect: a name that leads outside is no answer, whatever it led to a minute ago. */
export function guardedLookup(address: ServerAddress, rules: AddressRules): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return done(error, '')
      try {
        for (const { address: ip } of found) refuseFar(ip, address, rules)
      } catch (far) {
        return done(far as NodeJS.ErrnoException, '')
      }
      const [first] = found
      if (options.all) done(null, found)
      else done(null, first!.address, first!.family)
    })
  }
}
