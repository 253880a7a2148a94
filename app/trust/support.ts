// Owns the support bundle: one text that a person reads before sending it, with nothing in it that names a patient, a user or a folder.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Effective } from './policy/effective.ts'

const LINES = 400
const TAIL_BYTES = 256 * 1024
const LINE_LENGTH = 1000

export interface SupportFacts {
  version: string
  host: 'electron' | 'loopback'
  /** Facts of the machine as the program found them. */
  hardware: unknown
  /** How the model is placed, and what was tried. */
  plan: unknown
  /** Ids, hashes and sizes of models. */
  models: unknown
  settings: Effective
  /** Rows, bytes, schema version, last check. */
  database: unknown
  /** The audit log's proof: numbers, no rows. */
  audit: unknown
  logFolder: string
  now?: Date
}

/** Keys whose value is a place on the clinic's network or a list that names it. */
const WITHHELD: readonly string[] = ['remoteServer']

/** The text: a sentence that says what it is, then one JSON object, indented. It is only shown and saved: nothing sends it. */
export function supportText(facts: SupportFacts): string {
  const settings = Object.fromEntries(
    Object.entries(facts.settings).map(([key, { value, setBy, locked }]) => [
      key,
      { value: WITHHELD.includes(key) && value !== '' ? '(set)' : value, setBy, locked },
    ]),
  )
  const { version, host, hardware, plan, models, database, audit, logFolder } = facts
  const content = {
    ...{ made: (facts.now ?? new Date()).toISOString(), version, host, node: process.versions.node, platform: `${process.platform} ${process.arch}` },
    ...{ hardware, plan, models, settings, database, audit, log: logTail(logFolder) },
  }
  return `Rushlight support file. It holds no question, no answer and no name of a patient. Read it before you send it.\n\n${withoutNames(JSON.stringify(content, null, 2))}\n`
}

/** The last lines of the log, oldest first; of the file before it too when this one has just begun. */
export function logTail(folder: string, most = LINES): string[] {
  const lines = [...tailOf(join(folder, 'rushlight.old.log')), ...tailOf(join(folder, 'rushlight.log'))]
  return lines.slice(-most).map((line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH).toWellFormed()}…` : line))
}

function tailOf(path: string): string[] {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return []
  }
  try {
    const { size } = fstatSync(file)
    const from = Math.max(0, size - TAIL_BYTES)
    const bytes = Buffer.alloc(size - from)
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from))
    const lines = text.split(/\r?\n/).filter((line) => line !== '')
    // the first line of a tail may be half of one
    return from > 0 ? lines.slice(1) : lines
  } catch {
    return []
  } finally {
    closeSync(file)
  }
}

/** Home folders and the user's name become signs: a path often names a person. */
export function withoutNames(text: string, home = homedir(), user = userInfo().username): string {
  const forms = [home, home.replaceAll('\\', '\\\\'), home.replaceAll('\\', '/')].filter((form) => form.length > 1)
  let clean = forms.reduce((all, form) => all.replaceAll(form, '~'), text)
  clean = clean.replace(/((?:[A-Za-z]:)?(?:\\\\|\\|\/)(?:Users|home)(?:\\\\|\\|\/))[^\\/"\s]+/g, '$1USER')
  // shorter than three letters it would hit words
  return user.length < 3 || user === 'root' ? clean : clean.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escape(user)}(?![\\p{L}\\p{N}])`, 'giu'), 'USER')
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
