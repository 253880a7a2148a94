// Owns where a sentence ends, for the first line of an answer and for what is read aloud. Pure.

/** Followed by a capital these still go on; "mg." and "t.d.s." then end a sentence far more often than not. */
const ABBREVIATIONS = new Set(['e.g', 'i.e', 'vs', 'cf', 'approx', 'ca', 'dr', 'mr', 'mrs', 'ms', 'prof'])
const END = /[.!?…]["”’')\]*_]*(?=\s+["“‘'([*_]*[\p{Lu}]|\s*\n)/gu

/**
 * Index just after the first sentence of `text`, or null while no end is certain: an end is certain when a capital or a new line
 * follows. A cut inside emphasis, code or brackets is no end, because the Markdown would come apart.
 */
export function firstSentenceEnd(text: string): number | null {
  for (const match of text.matchAll(END)) {
    const end = match.index + match[0].length
    const word = /([\p{L}.]+)$/u.exec(text.slice(0, match.index))?.[1]?.toLowerCase() ?? ''
    if (match[0].startsWith('.') && ABBREVIATIONS.has(word)) continue
    if (isBalanced(text.slice(0, end))) return end
  }
  return null
}

/** Splits off every finished sentence or line of `text` and returns them with what is left over. */
export function takeSentences(text: string): { sentences: string[]; rest: string } {
  const sentences: string[] = []
  let rest = text
  for (;;) {
    const line = rest.indexOf('\n')
    const end = firstSentenceEnd(line < 0 ? rest : rest.slice(0, line + 1)) ?? (line < 0 ? null : line + 1)
    if (end === null) return { sentences, rest }
    const sentence = rest.slice(0, end).trim()
    if (sentence !== '') sentences.push(sentence)
    rest = rest.slice(end)
  }
}

/** With a full stop where the writer left none, so that speech pauses between the lines of a list. '' stays ''. */
export function asSentence(text: string): string {
  const end = text.trim()
  return end === '' || /[.!?:…]$/.test(end) ? end : `${end}.`
}

function isBalanced(text: string): boolean {
  const count = (mark: string) => text.split(mark).length - 1
  return count('**') % 2 === 0 && count('`') % 2 === 0 && count('(') <= count(')')
}
