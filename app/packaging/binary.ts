// Owns what kind of machine code a file holds, told from its first bytes and never from its name.
import { closeSync, openSync, readSync } from 'node:fs'
import type { Target } from './target.ts'

export interface BinaryKind {
  readonly format: 'elf' | 'pe' | 'mach-o'
  /** x64 or what the header says in numbers. */
  readonly machine: string
}

const ELF_MACHINE_AT = 18
const PE_OFFSET_AT = 0x3c
const X64 = { elf: 62, pe: 0x8664 }
// thin and fat, both byte orders; a Java class shares the fat magic, and none of those belongs here either
const MACH_O = [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe, 0xbebafeca]

/** The kind of a program or library, or null for any other file. Reads at most 4 KiB. Throws what the file system throws. */
export function binaryKind(path: string): BinaryKind | null {
  const head = Buffer.alloc(4096)
  const file = openSync(path, 'r')
  let length: number
  try {
    length = readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  if (length < 4) return null
  if (head.readUInt32BE(0) === 0x7f454c46 && length >= ELF_MACHINE_AT + 2) {
    const machine = head.readUInt16LE(ELF_MACHINE_AT)
    return { format: 'elf', machine: machine === X64.elf ? 'x64' : `machine ${machine}` }
  }
  if (head.readUInt16LE(0) === 0x5a4d && length >= PE_OFFSET_AT + 4) {
    const at = head.readUInt32LE(PE_OFFSET_AT)
    if (at + 6 > length || head.readUInt32LE(at) !== 0x00004550) return { format: 'pe', machine: 'unknown' }
    const machine = head.readUInt16LE(at + 4)
    return { format: 'pe', machine: machine === X64.pe ? 'x64' : `machine ${machine}` }
  }
  return MACH_O.includes(head.readUInt32BE(0)) ? { format: 'mach-o', machine: 'unknown' } : null
}

/** True for machine code that this target can run, whatever the file is called. */
export function runsOn(kind: BinaryKind, target: Target): boolean {
  return kind.machine === target.cpu && kind.format === (target.os === 'win32' ? 'pe' : 'elf')
}
