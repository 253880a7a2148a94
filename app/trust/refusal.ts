// Owns what the trust layer refuses: reason → code and the sentence for a person.
import { AppError, type Code } from '../contract/errors.ts'

const reasons = {
  key_lost: [
    'STORE_CORRUPT',
    'The key to the stored conversations cannot be opened, so they cannot be read. Nothing was deleted. Restore the key from its recovery file, or sign in as the user who stored them.',
  ],
  key_damaged: [
    'STORE_CORRUPT',
    'The key file vault.json is damaged, so stored conversations cannot be read. Nothing was deleted. Restore the key from its recovery file.',
  ],
  locked: ['UNTRUSTED', 'Rushlight is locked. Unlock it with the PIN first.'],
  key_file_open: [
    'UNTRUSTED',
    'The key file can be read by other users of this computer and was not used. Make it readable by its owner only (chmod 600).',
  ],
  passphrase_wrong: ['BAD_INPUT', 'That passphrase does not open the stored conversations. Try again; nothing was changed.'],
  passphrase_short: ['BAD_INPUT', 'The passphrase is too short. Use at least 12 characters.'],
  keeper_missing: [
    'UNTRUSTED',
    'This system offers no protected place for a key. Give a passphrase, or allow a key file that only this user can read.',
  ],
  value_damaged: ['STORE_CORRUPT', 'A stored text was changed or damaged outside Rushlight and is not shown. Restore the newest snapshot.'],
  pin_weak: ['BAD_INPUT', 'That PIN is too easy to guess. Use other digits: not all the same, and not in a row.'],
  pin_form: ['BAD_INPUT', 'A PIN has 4 to 12 digits. Type it again.'],
} as const satisfies Record<string, readonly [Code, string]>
export type TrustReason = keyof typeof reasons

/** The error for `reason`; `data.reason` tells refusals of one code apart. */
export function refusal(reason: TrustReason, data: Readonly<Record<string, unknown>> = {}, cause?: unknown): AppError {
  const [code, message] = reasons[reason]
  return new AppError(code, message, { reason, ...data }, cause)
}
