// Owns the split of a model's text into its reasoning (<think>…</think> at the start) and its answer, as the text streams in.

export type Piece = { kind: 'reasoning' | 'text'; text: string }
const OPEN = '<think>'
const CLOSE = '</think>'

/** Feed it every piece of text in order, then call `end` once. A tag may be cut anywhere between two pieces. */
export function createReasoningSplitter(): { push(text: string): Piece[]; end(): Piece[] } {
  let state: 'start' | 'reasoning' | 'text' = 'start'
  let held = ''

  const advance = (final: boolean): Piece[] => {
    const pieces: Piece[] = []
    if (state === 'start') {
      const rest = held.trimStart()
      if (rest.startsWith(OPEN)) {
        state = 'reasoning'
        held = rest.slice(OPEN.length)
      } else if (final || !OPEN.startsWith(rest)) {
        // leading blank lines of an answer carry nothing; blanks alone are held until more is known
        state = 'text'
        held = rest
      } else return pieces
    }
    if (state === 'reasoning') {
      const close = held.indexOf(CLOSE)
      // what could still become the closing tag stays held
      const safe = close >= 0 ? close : final ? held.length : held.length - partialTail(held)
      if (safe > 0) pieces.push({ kind: 'reasoning', text: held.slice(0, safe) })
      held = held.slice(safe)
      if (close < 0) return pieces
      held = held.slice(CLOSE.length)
      state = 'start'
      // a second <think> directly after the first belongs to the reasoning too
      return [...pieces, ...advance(final)]
    }
    if (held !== '') pieces.push({ kind: 'text', text: held })
    held = ''
    return pieces
  }

  return {
    push(text) {
      held += text
      return advance(false)
    },
    end: () => advance(true),
  }
}

/** Length of the longest end of `text` that is a beginning of the closing tag. */
function partialTail(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length--) if (CLOSE.startsWith(text.slice(-length))) return length
  return 0
}
