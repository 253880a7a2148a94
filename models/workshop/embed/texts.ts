// Owns what `embed` reads: sentences and groups of synonyms out of records, question sets, term tables and plain text.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { tokensOf, wordsOf } from '../../../app/ask/answer-cache/form.ts'
import { WrongUse } from '../verb.ts'

export interface Texts {
  /** Words of each sentence, folded as the cache folds them. */
  readonly sentences: (readonly string[])[]
  /** Forms of one thing: what stands for it, then the other names. */
  readonly synonyms: (readonly (readonly string[])[])[]
  /** A sentence of a record with the name of what the record is about, which the record itself seldom repeats. */
  readonly topics: { readonly name: readonly string[]; readonly sentence: readonly string[] }[]
}

/** Fields that name or place a record and say nothing of medicine. */
const NOT_TEXT = new Set(['id', 'qid', 'url', 'source', 'kind', 'type', 'cui', 'review', 'version', 'category'])
const SENTENCE = /(?<=[.!?;])\s+|\s-\s/
/** Unpacked; a compressed file can claim any size. */
const MOST_BYTES = 512 * 1024 * 1024

/**
 * Reads `files` in order. By the ending: .jsonl, .jsonl.gz — every text in every record; .json — {topic: {synonyms: [name, …]}}; .tsv — a term table,
 * forms with | between, a tab, the meaning; .txt — a sentence a line. Throws WrongUse naming the file and what is wrong with it.
 */
export function readTexts(files: readonly string[]): Texts {
  const texts: Texts = { sentences: [], synonyms: [], topics: [] }
  for (const file of files) {
    const name = basename(file)
    const content = read(file)
    if (/\.jsonl(\.gz)?$/.test(name)) linesOf(content).forEach((line, at) => addRecord(parsed(line, `${name}:${at + 1}`), texts))
    else if (name.endsWith('.json')) addTopics(parsed(content, name), name, texts)
    else if (name.endsWith('.tsv')) linesOf(content).forEach((line) => addForms(line, texts))
    else if (name.endsWith('.txt')) linesOf(content).forEach((line) => addText(line, texts))
    else throw new WrongUse(`${name}: only .jsonl, .jsonl.gz, .json, .tsv and .txt can be read.`)
  }
  return texts
}

function read(file: string): string {
  try {
    const bytes = readFileSync(file)
    return (file.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes).toString('utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new WrongUse(`${basename(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'damaged'}).`)
  }
}

const linesOf = (content: string) => content.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('# '))

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new WrongUse(`${place}: not JSON.`)
  }
}

const wordsIn = (text: string) => wordsOf(tokensOf(text))

function addText(text: string, { sentences, topics }: Texts, topic: readonly string[] = []): void {
  for (const part of text.split(SENTENCE)) {
    const words = wordsIn(part)
    if (topic.length > 0 && words.length > 0) topics.push({ name: topic, sentence: words })
    // a single word keeps company with none
    if (words.length > 1) sentences.push(words)
  }
}

function addRecord(value: unknown, texts: Texts, topic: readonly string[] = []): void {
  if (typeof value === 'string') addText(value, texts, topic)
  else if (Array.isArray(value)) for (const one of value) addRecord(one, texts, topic)
  else if (value !== null && typeof value === 'object') {
    const record = value as Record<string, unknown>
    const name = record['name'] ?? record['focus']
    const about = typeof name === 'string' ? wordsIn(name) : topic
    for (const [key, one] of Object.entries(record)) if (!NOT_TEXT.has(key)) addRecord(one, texts, about)
    if (typeof name === 'string') addNames(name, [record['otherNames'], record['brands'], record['synonyms']].flat(), texts)
  }
}

function addTopics(value: unknown, file: string, texts: Texts): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new WrongUse(`${file}: not an object of topics.`)
  for (const [topic, entry] of Object.entries(value)) {
    const names = (entry as { synonyms?: unknown } | null)?.synonyms
    if (!Array.isArray(names)) throw new WrongUse(`${file}: the topic “${topic}” has no list of synonyms.`)
    addNames(topic, names, texts)
  }
}

function addForms(line: string, texts: Texts): void {
  const [forms, meaning] = line.split('\t')
  if (forms !== undefined && meaning !== undefined) addNames(meaning, forms.split('|'), texts)
}

function addNames(name: string, others: readonly unknown[], { synonyms }: Texts): void {
  const group = [name, ...others].filter((one) => typeof one === 'string').map(wordsIn)
  if (group.length > 1) synonyms.push(group)
}
