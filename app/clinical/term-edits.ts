// Owns the changes made to a text so far: the places of each in the text as typed and in the text as it now reads.
import type { TermKind } from './term-tables.ts'

export interface Edit {
  /** In the text as typed. */
  readonly start: number
  readonly end: number
  /** What stands there instead; spaces that keep it apart from a number are part of it. */
  readonly text: string
  readonly kind: TermKind
  readonly undo: readonly string[]
}
/** What is to stand at a place of the current text instead. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly means: string
  readonly kind: TermKind
  readonly key: string
}

export class Edits {
  readonly #typed: string
  #edits: readonly Edit[] = []
  /** Where each edit starts in the current text. */
  #starts: readonly number[] = []
  text: string

  constructor(typed: string) {
    this.#typed = typed
    this.text = typed
  }

  get all(): readonly Edit[] {
    return this.#edits
  }

  /** Applies replacements of the current text, by place and without overlap. One that touches an earlier edit takes it in. */
  apply(replacements: readonly Replacement[]): void {
    const before = this.text
    const taken = new Set<Edit>()
    const added = replacements.map(({ start, end, means, kind, key }): Edit => {
      const [first, behind] = this.#overlapping(start, end)
      const inside = this.#edits.slice(first, behind)
      for (const edit of inside) taken.add(edit)
      const last = inside.at(-1)
      const head = inside[0] ? inside[0].text.slice(0, Math.max(0, start - this.#starts[first]!)) : ''
      const tail = last ? last.text.slice(Math.max(0, end - this.#starts[behind - 1]!)) : ''
      // "45yo" and "5mcg" are two words each
      const left = head === '' && /[\p{L}\p{N}]$/u.test(before.slice(Math.max(0, start - 2), start)) ? ' ' : ''
      const right = tail === '' && /^[\p{L}\p{N}]/u.test(before.slice(end, end + 2)) ? ' ' : ''
      return { ...this.origin(start, end), text: head + left + means + right + tail, kind, undo: [...inside.flatMap((edit) => edit.undo), key] }
    })
    this.#edits = [...this.#edits.filter((edit) => !taken.has(edit)), ...added].sort((a, b) => a.start - b.start)
    this.#write()
  }

  /** A place of the current text in the text as typed; inside an edit it is the whole of what the edit replaced. */
  origin(start: number, end: number): { start: number; end: number } {
    const [first, behind] = this.#overlapping(start, end)
    const [from, to] = [this.#edits[first], this.#edits[behind - 1]]
    const some = behind > first
    return {
      start: some && this.#starts[first]! <= start ? from!.start : start - this.#grown(first),
      end: some && this.#starts[behind - 1]! + to!.text.length >= end ? to!.end : end - this.#grown(behind),
    }
  }

  /** Index of the first edit that a place of the current text overlaps, and of the first behind it. */
  #overlapping(start: number, end: number): [number, number] {
    const first = this.#count((at) => this.#starts[at]! + this.#edits[at]!.text.length <= start)
    return [
      first,
      Math.max(
        first,
        this.#count((at) => this.#starts[at]! < end),
      ),
    ]
  }

  /** How many edits from the first on fulfil `test`; found by halving. */
  #count(test: (at: number) => boolean): number {
    let [low, high] = [0, this.#edits.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (test(middle)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** By how much the text has grown in front of the edit with this index. */
  #grown(index: number): number {
    const before = this.#edits[index - 1]
    return before ? this.#starts[index - 1]! + before.text.length - before.end : 0
  }

  #write(): void {
    const parts: string[] = []
    const starts: number[] = []
    let [at, length] = [0, 0]
    for (const edit of this.#edits) {
      const between = this.#typed.slice(at, edit.start)
      length += between.length
      starts.push(length)
      parts.push(between, edit.text)
      length += edit.text.length
      at = edit.end
    }
    parts.push(this.#typed.slice(at))
    this.text = parts.join('')
    this.#starts = starts
  }
}
