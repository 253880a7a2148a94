// Owns the phrases of all slots in one trie, and the search for the longest phrase at each place of a question.
import { standardWord } from './synonyms.ts'
import type { SlotName, SlotReader, Take, Token } from './slot.ts'
import { phraseTokens } from './tokens.ts'

interface Node {
  readonly next: Map<string, Node>
  fills?: { readonly slot: SlotName; readonly value: string }
}
export type Lexicon = Node

const node = (): Node => ({ next: new Map() })

/**
 * The phrases of `readers`, then `names` (slot and what is named: medicines, conditions), which fill only what no reader's phrase fills.
 * Throws Error where two readers claim one phrase.
 */
export function buildLexicon(readers: readonly SlotReader[], names: Iterable<readonly [slot: SlotName, name: string]>): Lexicon {
  const root = node()
  const place = (phrase: string): Node => {
    let at = root
    for (const word of phraseTokens(phrase).map(standardWord)) {
      let next = at.next.get(word)
      if (!next) at.next.set(word, (next = node()))
      at = next
    }
    return at
  }
  for (const { slot, phrases } of readers)
    for (const [value, ways] of Object.entries(phrases ?? {}))
      for (const way of ways.split('|')) {
        const at = place(way)
        if (at.fills && (at.fills.slot !== slot || at.fills.value !== value))
          throw new Error(`“${way}” is both ${at.fills.value} (${at.fills.slot}) and ${value} (${slot})`)
        at.fills = { slot, value }
      }
  for (const [slot, name] of names) {
    const at = place(name)
    if (at !== root) at.fills ??= { slot, value: phraseTokens(name).map(standardWord).join(' ') }
  }
  return root
}

/** Offers the longest phrase at each token that is free to `take`; a shorter one where a part of the longest is taken. */
export function findInLexicon(tokens: readonly Token[], taken: Uint8Array, lexicon: Lexicon, take: Take): void {
  for (let from = 0; from < tokens.length;) {
    let at: Node | undefined = lexicon
    let best: { to: number; slot: SlotName; value: string } | null = null
    for (let to = from; to < tokens.length && taken[to] === 0; to++) {
      at = at.next.get(tokens[to]!.text)
      if (!at) break
      if (at.fills) best = { to: to + 1, ...at.fills }
    }
    if (best && take(best.slot, best.value, from, best.to)) from = best.to
    else from++
  }
}
