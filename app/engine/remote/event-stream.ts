// Owns the reading of a server's event stream (WHATWG HTML §9.2.6): bytes in, the data of each complete event out. Of fields only data counts here.

/** Characters of one event; a token with its probabilities has a few hundred. */
const LARGEST_EVENT = 1_000_000

export class EventStream {
  readonly #decoder = new TextDecoder('utf-8')
  /** What has come of the line that is not complete yet. */
  #line = ''
  #data: string[] = []
  #size = 0
  /** The text before ended with CR: an LF that follows belongs to it. */
  #afterReturn = false

  /** The data of the events that `bytes` complete. Characters may be cut anywhere between two pieces. Throws RangeError when one has no end. */
  push(bytes: Uint8Array): string[] {
    let text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return []
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1)
    this.#afterReturn = text.endsWith('\r')
    const lines = text.split(/\r\n|\n|\r/)
    lines[0] = this.#line + lines[0]!
    this.#line = lines.pop()!
    const events = lines.flatMap((line) => this.#take(line) ?? [])
    if (this.#size + this.#line.length > LARGEST_EVENT) throw new RangeError('an event without an end')
    return events
  }

  /** An empty line ends an event. A comment, and a field that is not data, is only a sign of life. */
  #take(line: string): string | null {
    if (line === '') {
      const data = this.#data
      this.#data = []
      this.#size = 0
      return data.length > 0 ? data.join('\n') : null
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    if (field !== 'data') return null
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    this.#data.push(value)
    this.#size += value.length
    return null
  }
}
