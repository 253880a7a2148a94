// Owns how a test proves that XML is well-formed: a strict reader of the part that our templates use; anything else is an error.

export interface Element {
  name: string
  attributes: Record<string, string>
}

/** Every element in order. Throws for what is not well-formed: unclosed or crossed elements, bare & or <, an attribute twice, two roots. */
export function elementsOf(text: string): Element[] {
  const found: Element[] = []
  const open: string[] = []
  let rest = text.replace(/^<\?xml version="1\.0" encoding="utf-8"\?>\n/, '')
  let roots = 0
  while (rest !== '') {
    const words = /^[^<]+/.exec(rest)?.[0]
    if (words !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(words)) throw new Error(`bare & in “${words}”`)
      if (open.length === 0 && words.trim() !== '') throw new Error(`text outside the root: “${words}”`)
      rest = rest.slice(words.length)
      continue
    }
    const [tag, end = '', name = '', list = '', empty = ''] =
      /^<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z][\w:]*="[^"<]*")*)\s*(\/?)>/.exec(rest) ?? []
    if (tag === undefined) throw new Error(`no element at “${rest.slice(0, 60)}”`)
    rest = rest.slice(tag.length)
    if (end !== '') {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`)
      continue
    }
    if (open.length === 0 && ++roots > 1) throw new Error('two roots')
    const attributes: Record<string, string> = {}
    for (const [, key, value] of list.matchAll(/([A-Za-z][\w:]*)="([^"]*)"/g)) {
      if (Object.hasOwn(attributes, key!)) throw new Error(`attribute ${key} twice`)
      if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(value!)) throw new Error(`bare & in ${key}`)
      attributes[key!] = value!
    }
    found.push({ name, attributes })
    if (empty === '') open.push(name)
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`)
  return found
}
