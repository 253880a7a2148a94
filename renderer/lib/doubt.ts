// Owns where the words that a model was unsure of are underlined: by the browser's own highlights, so that the text itself stays untouched.
const NAME = 'doubt'

/** Underlines each of `words` at its first place under `root`, in order. Returns the end of it; does nothing in a browser without highlights. */
export function markDoubt(root: HTMLElement, words: readonly string[]): () => void {
  if (words.length === 0 || !('highlights' in CSS)) return () => {}
  const highlight = CSS.highlights.get(NAME) ?? new Highlight()
  CSS.highlights.set(NAME, highlight)
  const ranges = find(root, words)
  for (const range of ranges) highlight.add(range)
  return () => {
    for (const range of ranges) highlight.delete(range)
  }
}

function find(root: HTMLElement, words: readonly string[]): Range[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  const ranges: Range[] = []
  let next = 0
  for (let node = walker.nextNode(); node && next < words.length; node = walker.nextNode()) {
    const text = node.textContent ?? ''
    for (let from = 0; next < words.length;) {
      const at = text.indexOf(words[next]!, from)
      if (at < 0) break
      const range = new Range()
      range.setStart(node, at)
      range.setEnd(node, at + words[next]!.length)
      ranges.push(range)
      from = at + words[next]!.length
      next++
    }
  }
  return ranges
}
