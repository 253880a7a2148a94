// Owns the finding of keys that stand twice in one object of a JSON text: JSON.parse keeps the last and says nothing.

export interface Repeated {
  readonly key: string
  /** Of the second one, from 1. */
  readonly line: number
}
interface Level {
  /** Null inside a list. */
  readonly keys: Set<string> | null
  expectsKey: boolean
}

/** Every key that its object already has. `text` must be valid JSON. One pass, linear in the length of the text. */
export function repeatedKeys(text: string): Repeated[] {
  const found: Repeated[] = []
  const levels: Level[] = []
  let line = 1
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    const level = levels.at(-1)
    if (char === '\n') line++
    else if (char === '{') levels.push({ keys: new Set(), expectsKey: true })
    else if (char === '[') levels.push({ keys: null, expectsKey: false })
    else if (char === '}' || char === ']') levels.pop()
    else if (char === ',' && level?.keys) level.expectsKey = true
    else if (char === '"') {
      const end = endOfString(text, at)
      if (level?.keys && level.expectsKey) {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        if (level.keys.has(key)) found.push({ key, line })
        level.keys.add(key)
        level.expectsKey = false
      }
      at = end
    }
  }
  return found
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"' || at >= text.length) return at
  }
}

/** The line, from 1, at which JSON.parse gave up on `text`; null where its message does not say. */
export function lineOfFault(error: unknown, text: string): number | null {
  const said = error instanceof Error ? error.message : ''
  const line = /\(line (\d+)/.exec(said)?.[1]
  if (line !== undefined) return Number(line)
  const position = /at position (\d+)/.exec(said)?.[1]
  if (position !== undefined) return text.slice(0, Number(position)).split('\n').length
  return /end of JSON input/.test(said) ? text.split('\n').length : null
}
