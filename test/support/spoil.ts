// Owns the ways in which tests spoil a folder: one JSON file, one tensor, one entry of a safetensors header.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withHeader, type FolderOptions } from './hf-folder.ts'

export type Json = Record<string, unknown>
export interface Case {
  what: string
  code: 'SOURCE_INVALID' | 'SOURCE_UNSUPPORTED' | 'WEIGHTS_NOT_FINITE' | 'ADAPTER_MISMATCH'
  says: string[]
  folder?: Partial<FolderOptions>
  /** Spoils the folder after it was written. */
  after?: (path: string) => void
  type?: string
}
export const invalid = (what: string, says: string | string[], rest: Omit<Case, 'what' | 'code' | 'says'>): Case => ({
  ...{ what, code: 'SOURCE_INVALID', says: [says].flat() },
  ...rest,
})
export const unsupported = (what: string, says: string | string[], rest: Omit<Case, 'what' | 'code' | 'says'>): Case => ({
  ...invalid(what, says, rest),
  code: 'SOURCE_UNSUPPORTED',
})

/** A JSON file of the folder, changed in place. */
export const edit = (name: string, change: (json: Json) => void) =>
  replace(name, (json) => {
    change(json)
    return json
  })
/** A JSON file of the folder, with another content that may be made of it. */
export const replace = (name: string, make: (json: Json) => Json) => (path: string) => {
  const json = JSON.parse(readFileSync(join(path, name), 'utf8')) as Json
  writeFileSync(join(path, name), JSON.stringify(make(json)))
}
export const inside = (json: Json, key: string) => json[key] as Json
export const remove = (name: string) => ({ after: (path: string) => rmSync(join(path, name)) })
export const raw = (name: string, text: string | Uint8Array) => ({ after: (path: string) => writeFileSync(join(path, name), text) })

export type Header = Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>
/** The header of a safetensors file, changed; the data stay. */
export const editHeader = (name: string, change: (header: Header) => void) => (path: string) => {
  const bytes = readFileSync(join(path, name))
  const length = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Header
  change(header)
  writeFileSync(join(path, name), withHeader(Buffer.from(JSON.stringify(header)), bytes.subarray(8 + length)))
}
