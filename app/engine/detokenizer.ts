// Owns the way from tokens to text while they arrive: no character is cut in two, and no stop text is shown, not even its beginning.

/** `detokenize(tokens, before)` gives the text of `tokens` as it reads after `before`. `stops` are texts that end the answer. */
export function createDetokenizer<T>(
  detokenize: (tokens: T[], before: T[]) => string,
  stops: readonly string[],
): { push(token: T): { text: string; stopped: boolean }; end(): string } {
  const shown: T[] = []
  let pending: T[] = []
  let held = ''

  const take = (final: boolean): string => {
    if (pending.length === 0) return ''
    const text = detokenize(pending, shown.slice(-8))
    // U+FFFD at the end: bytes of a character whose rest is still to come
    if (!final && text.endsWith('\ufffd') && pending.length < 8) return ''
    shown.push(...pending)
    pending = []
    // an answer cut in the middle of a character ends before it
    return final ? text.replace(/\ufffd+$/, '') : text
  }
  const release = (final: boolean): { text: string; stopped: boolean } => {
    for (const stop of stops) {
      const at = held.indexOf(stop)
      if (at < 0) continue
      const text = held.slice(0, at)
      held = ''
      return { text, stopped: true }
    }
    const keep = final ? 0 : Math.max(0, ...stops.map((stop) => overlap(held, stop)))
    const text = held.slice(0, held.length - keep)
    held = held.slice(held.length - keep)
    return { text, stopped: false }
  }

  return {
    push(token) {
      pending.push(token)
      held += take(false)
      return release(false)
    },
    end() {
      held += take(true)
      return release(true).text
    },
  }
}

/** Length of the longest end of `text` that is a beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) if (stop.startsWith(text.slice(-length))) return length
  return 0
}
