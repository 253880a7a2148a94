// Owns certificates for tests: an authority and servers signed by it, written as DER by hand (X.509 v3, RFC 5280), so that no tool has to be there.
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  cert: string
  key: string
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  pin: string
  readonly signer: { name: string; key: KeyObject }
}

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const length =
    body.length < 128
      ? Buffer.from([body.length])
      : body.length < 256
        ? Buffer.from([0x81, body.length])
        : Buffer.from([0x82, body.length >> 8, body.length & 255])
  return Buffer.concat([Buffer.from([tag]), length, body])
}
const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (date: Date) => der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')))
const nameOf = (text: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))))
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x01, Buffer.from([0xff])), der(0x04, value))
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))

/** A certificate for `name`, good for localhost and 127.0.0.1 unless `hosts` says otherwise; by itself, or by `by`. Days from now. */
export function certificate(
  name: string,
  options: { by?: Certificate; authority?: boolean; hosts?: string[]; from?: number; until?: number } = {},
): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const signer = options.by?.signer ?? { name, key: privateKey }
  const day = (days: number) => time(new Date(Date.now() + days * 86_400_000))
  const hosts = (options.hosts ?? ['localhost', '127.0.0.1']).map((host) =>
    /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  )
  const serial = Buffer.concat([Buffer.from([1]), createHash('sha256').update(spki).digest().subarray(0, 8)])
  const basic = extension('551d13', sequence(...(options.authority ? [der(0x01, Buffer.from([0xff]))] : [])))
  const extensions = options.authority ? [basic] : [basic, extension('551d11', sequence(...hosts))]
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_SHA256,
    nameOf(signer.name),
    sequence(day(options.from ?? -1), day(options.until ?? 30)),
    nameOf(name),
    spki,
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, signer.key)
  const whole = sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature))
  const lines = whole.toString('base64').replace(/.{1,64}/g, (line) => `${line}\n`)
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    pin: createHash('sha256').update(spki).digest('hex'),
    signer: { name, key: privateKey },
  }
}
