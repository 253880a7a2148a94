// Owns what the import of a bundle refuses: reason → code and the sentence for a person.
import { AppError, type Code } from '../../contract/errors.ts'

const reasons = {
  not_a_bundle: ['MANIFEST_INVALID', 'This is no Rushlight bundle. Choose the folder or the .rlbundle file that you were given.'],
  manifest: [
    'MANIFEST_INVALID',
    'The list of files in this bundle breaks the rules for bundles, so it was refused. Ask whoever made it for another.',
  ],
  name: ['MANIFEST_INVALID', 'This bundle names a file in a way that is not allowed, so it was refused. Ask whoever made it for another.'],
  too_large: ['MANIFEST_INVALID', 'This bundle claims to be larger than any bundle may be, so it was refused.'],
  no_signers: ['UNTRUSTED', 'This computer trusts nobody to sign bundles yet. Your IT department names the signers in the policy (bundleSigners).'],
  signer: ['UNTRUSTED', 'This bundle is signed by somebody whom this computer does not trust. Nothing was imported. Ask your IT department.'],
  signature: [
    'UNTRUSTED',
    'The signature does not fit this bundle: it was changed after it was signed. Nothing was imported. Get it again from its source.',
  ],
  expired: ['MANIFEST_MISMATCH', 'This bundle has expired. Ask whoever made it for a newer one. If the date of this computer is wrong, correct it.'],
  from_future: ['MANIFEST_MISMATCH', 'This bundle was made for a newer Rushlight. Install that version first.'],
  downgrade: ['MANIFEST_MISMATCH', 'A newer version of this bundle is installed already. Nothing was changed.'],
  tampered: ['MANIFEST_MISMATCH', 'A file of this bundle is not the one that was signed. Nothing was activated. Copy the bundle to the stick again.'],
  half_copied: ['MANIFEST_MISMATCH', 'This bundle is not complete on the stick. Nothing was activated. Copy it again and wait until it is finished.'],
  link: ['SOURCE_INVALID', 'This bundle holds a link in place of a file, so it was refused. Copy the real files.'],
  unreadable: ['SOURCE_INVALID', 'The bundle cannot be read to its end. Put the stick in again and import once more: what was copied is kept.'],
  disk_full: ['DISK_FULL', 'There is not enough free disk space for this bundle. Free some, then import again: what was copied is kept.'],
  not_writable: ['OUTPUT_NOT_WRITABLE', 'The model folder cannot be written to. Correct its permissions, then import again.'],
  self_test: ['MODEL_LOAD_FAILED', 'The new version did not pass its self-test. The version before it stays in use.'],
  state: ['MANIFEST_INVALID', 'The record of installed bundles is damaged. Import the newest bundle again.'],
  no_previous: ['MANIFEST_INVALID', 'There is no earlier version of this bundle to go back to.'],
} as const satisfies Record<string, readonly [Code, string]>
export type BundleReason = keyof typeof reasons

/** The error for `reason`; `data.reason` tells refusals of one code apart. */
export function refuseBundle(reason: BundleReason, data: Readonly<Record<string, unknown>> = {}, cause?: unknown): AppError {
  const [code, message] = reasons[reason]
  return new AppError(code, message, { reason, ...data }, cause)
}
