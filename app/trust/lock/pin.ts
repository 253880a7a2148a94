// Owns the PIN: which one is taken, its memory-hard hash, and the proof of a typed one.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { refusal } from '../refusal.ts'

/** scrypt, 64 MiB: a guess costs a tenth of a second here and no less on a thief's computer with 64 MiB a guess. */
const COST = { log2N: 16, r: 8, p: 1 }

export const PinHash = z.strictObject({
  salt: z.base64(),
  log2N: z.number().int().min(10).max(20),
  r: z.number().int().min(1).max(16),
  p: z.number().int().min(1).max(4),
  hash: z.base64(),
})
export type PinHash = z.infer<typeof PinHash>

/** `pepper` is a key of the vault: without it the hash of a PIN, which has few values, would fall to trying them all. Throws pin_form, pin_weak. */
export async function hashPin(pin: string, options: { least: number; pepper?: Buffer; cost?: typeof COST }): Promise<PinHash> {
  if (!/^\d{4,12}$/.test(pin) || pin.length < options.least) throw refusal('pin_form', { least: options.least })
  if (isWeak(pin)) throw refusal('pin_weak')
  const cost = options.cost ?? COST
  const salt = randomBytes(16)
  const hash = await stretched(pin, salt, cost, options.pepper)
  return { salt: salt.toString('base64'), ...cost, hash: hash.toString('base64') }
}

/** Compares in constant time. Anything that is no PIN is simply wrong. */
export async function isPin(pin: string, stored: PinHash, pepper?: Buffer): Promise<boolean> {
  if (!/^\d{4,12}$/.test(pin)) return false
  const wanted = Buffer.from(stored.hash, 'base64')
  const hash = await stretched(pin, Buffer.from(stored.salt, 'base64'), stored, pepper)
  return hash.length === wanted.length && timingSafeEqual(hash, wanted)
}

/** All digits the same, in a row up or down (also 7890), or a group of them repeated (1212). */
function isWeak(pin: string): boolean {
  const steps = Array.from(pin.slice(1), (digit, n) => (Number(digit) - Number(pin[n]) + 10) % 10)
  if (steps.every((step) => step === steps[0]) && [0, 1, 9].includes(steps[0]!)) return true
  return /^(\d{1,3})\1+$/.test(pin)
}

function stretched(pin: string, salt: Buffer, { log2N, r, p }: typeof COST, pepper: Buffer | undefined): Promise<Buffer> {
  const N = 2 ** log2N
  const secret = pepper ? createHmac('sha256', pepper).update(pin).digest() : Buffer.from(pin)
  return new Promise((resolve, reject) =>
    scrypt(secret, salt, 32, { N, r, p, maxmem: 128 * N * r + 128 * r * p + 2 ** 20 }, (error, hash) => (error ? reject(error) : resolve(hash))),
  )
}
