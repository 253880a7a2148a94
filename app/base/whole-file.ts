// Owns writing a small file as a whole or not at all: beside it, onto the disk, then renamed.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

/** Only this user may read the file. Whatever fails leaves the file as it was and nothing beside it, and is thrown as Node says it. */
export function writeWholeFile(path: string, text: string): void {
  const partial = `${path}.${process.pid}.partial`
  try {
    const file = openSync(partial, 'w', 0o600)
    try {
      writeSync(file, text)
      // a power cut must not leave an empty file that looks like a whole one
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(partial, path)
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}
