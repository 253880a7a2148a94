// Owns the one-file form of a bundle: a plain tar (POSIX ustar) with the manifest first, whose every header follows from the manifest.
import { MANIFEST_FILE, SIGNATURE_FILE, type BundleManifest } from './manifest.ts'

const BLOCK = 512
/** What eleven octal digits hold; a larger size is written in base 256, as GNU tar and bsdtar do. */
const OCTAL_LIMIT = 8 * 2 ** 30

/** The header of a regular file, to the byte: no owner, no time, so that equal bundles are equal files. `name` has at most 100 ASCII characters. */
export function tarHeader(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100, 'latin1')
  header.write('0000644\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  if (bytes < OCTAL_LIMIT) header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  else {
    header.writeUInt8(0x80, 124)
    header.writeBigUInt64BE(BigInt(bytes), 128)
  }
  header.write('00000000000\0', 136, 'latin1')
  header.write('        0', 148, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** Zeros that fill the last block of a file of this size. */
export const tarPadding = (bytes: number): number => (BLOCK - (bytes % BLOCK)) % BLOCK
/** The two empty blocks that end a tar. */
export const TAR_END = BLOCK * 2

/** The size that the header of a first file of this name states; null when it is another header than `tarHeader` writes. */
export function sizeInHeader(header: Buffer, name: string): number | null {
  const bytes = Number.parseInt(header.toString('latin1', 124, 135), 8)
  return Number.isSafeInteger(bytes) && header.equals(tarHeader(name, bytes)) ? bytes : null
}

/** Where each file's header begins. Nothing is read for it: a file that lies elsewhere is not of this bundle. */
export function tarLayout(
  manifest: BundleManifest,
  manifestBytes: number,
  signatureBytes: number,
): { name: string; header: number; bytes: number }[] {
  const all = [
    { name: MANIFEST_FILE, bytes: manifestBytes },
    { name: SIGNATURE_FILE, bytes: signatureBytes },
    ...manifest.files.map(({ path, bytes }) => ({ name: path, bytes })),
  ]
  let at = 0
  return all.map(({ name, bytes }) => {
    const header = at
    at += BLOCK + bytes + tarPadding(bytes)
    return { name, header, bytes }
  })
}
export { BLOCK as TAR_BLOCK }
