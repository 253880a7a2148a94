// Owns where the sentences of a scanned text end, as far as a dose may reach: full stops that end abbreviations do not count.

export interface Part {
  readonly start: number
  readonly end: number
  /** A line of its own that ends in a colon, or is short: what it says holds for the lines below it. */
  readonly heading: boolean
  readonly newParagraph: boolean
}

/** A text without full stops is cut here at the next space: no dose reaches further, and no pattern has more to read. */
const LONGEST = 800
const END = /[.!?;](?=\s|$)|\n/g
const ABBREVIATION = /(?:\b(?:max|min|approx|tab|tabs|cap|caps|vs|no|incl|e\.g|i\.e|dr|st|[a-z](?:\.[a-z])+))$/

/** In order, without gaps. Linear in the length of the text. */
export function sentencesOf(text: string): Part[] {
  const parts: Part[] = []
  let start = 0
  let newParagraph = false
  const push = (end: number) => {
    for (let space = text.indexOf(' ', start + LONGEST); space > 0 && space < end; space = text.indexOf(' ', start + LONGEST)) pushPart(space)
    pushPart(end)
  }
  const pushPart = (end: number) => {
    const line = text.slice(start, end).trim()
    if (line !== '') {
      const heading = /:$/.test(line) || (line.length < 60 && text[end - 1] === '\n' && !/[.!?;]$/.test(line))
      parts.push({ start, end, heading, newParagraph })
      newParagraph = false
    } else if (end - start > 0 && text[end - 1] === '\n') newParagraph = true
    start = end
  }
  for (const { 0: mark, index } of text.matchAll(END)) {
    if (mark === '.' && ABBREVIATION.test(text.slice(Math.max(start, index - 12), index))) continue
    push(index + 1)
  }
  push(text.length)
  return parts
}
