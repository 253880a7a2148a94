// Owns the pin of a server's key: SHA-256 over its SubjectPublicKeyInfo (RFC 7469 §2.4), how it may be written, and whether a connection has it.
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { guardedLookup, type AddressRules, type ServerAddress } from './address.ts'

/** Hexadecimal with or without colons, or base64 as "sha256/…" or alone. null where it is none of these. Returns hexadecimal in small letters. */
export function readPin(text: string): string | null {
  const bare = text.trim().replace(/^sha256[/:=-]\s*/i, '')
  const hex = bare.replace(/[:\s]/g, '')
  if (/^[0-9a-f]{64}$/i.test(hex)) return hex.toLowerCase()
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(bare)) return null
  return Buffer.from(bare, 'base64').toString('hex')
}

/** Of the key that the other end of `socket` has proved to hold; null before the handshake. */
export function pinOf(socket: TLSSocket): string | null {
  const key = socket.getPeerX509Certificate()?.publicKey
  return key
    ? createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('hex')
    : null
}

/** The pin of the key that a server shows, trusted or not, for a person to compare. Nothing is sent. '' where none is shown within `ms`. */
export function shownPin(address: ServerAddress, rules: AddressRules, ms: number): Promise<string> {
  if (!address.secure) return Promise.resolve('')
  const { hostname, port } = address
  return new Promise((resolve) => {
    const name = isIP(hostname) === 0 ? { servername: hostname } : {}
    const socket = tls.connect({ host: hostname, port, lookup: guardedLookup(address, rules), rejectUnauthorized: false, ...name })
    const end = (pin: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(pin)
    }
    const timer = setTimeout(() => end(''), ms)
    socket.on('error', () => end(''))
    socket.once('secureConnect', () => end(pinOf(socket) ?? ''))
  })
}
