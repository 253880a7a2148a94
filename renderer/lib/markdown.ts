// Owns how a model's Markdown becomes units that the page can place: one per line, list item, table or block. Nothing the model writes is trusted.
import DOMPurify, { type Config } from 'dompurify'
import { Marked, type Token, type Tokens } from 'marked'

/** What an answer is made of. Once another unit follows, a unit never changes. */
export interface Unit {
  readonly kind: 'text' | 'item' | 'heading' | 'block'
  /** For an item of a numbered list, the number that stands before it. */
  readonly number: number | null
  /** Markdown as the model wrote it. */
  readonly raw: string
  /** Of a text or a heading: the Markdown inside, on one or more lines. */
  readonly text: string
  readonly words: number
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const marked = new Marked({
  gfm: true,
  // a small model ends its lines with one newline and means it
  breaks: true,
  renderer: {
    // escaped here and not by DOMPurify, which would parse it first
    html: ({ text }) => (/^<br\s*\/?>$/i.test(text.trim()) ? '<br>' : escape(text)),
    // a model's address may lead anywhere: it is shown and never followed
    link(token) {
      const words = this.parser.parseInline(token.tokens)
      return token.autolink || token.text === token.href ? words : `${words} (${escape(token.href)})`
    },
    image: ({ text, href }) => escape(`${text} (${href})`),
    // a heading inside an answer must not compete with the page's own
    heading({ tokens }) {
      return `<p><strong>${this.parser.parseInline(tokens)}</strong></p>`
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
  tokenizer: {
    // "[1]: text" would vanish as a link definition
    def: () => undefined,
    // a line of dashes under a paragraph is the start of a list far more often than a heading
    lheading: () => undefined,
  },
})

const clean: Config & { RETURN_TRUSTED_TYPE: true } = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'hr', 'ul', 'ol', 'li'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['start'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_TRUSTED_TYPE: true,
}

/** Blocks of Markdown as safe HTML, to be given to `innerHTML`. */
export const blockHtml = (markdown: string): TrustedHTML => DOMPurify.sanitize(marked.parse(markdown, { async: false }), clean)
/** The Markdown of one line as safe HTML without a surrounding paragraph. */
export const inlineHtml = (markdown: string): TrustedHTML => DOMPurify.sanitize(marked.parseInline(markdown, { async: false }), clean)

/** The words without the Markdown around them, for speech, for counting and for short names. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d{1,3}[.)])\s+/gm, '')
    .replace(/^\s*\|?(?:\s*:?-{2,}:?\s*\|)+.*$/gm, '')
    .replace(/[*_`~|]+/g, (run, at: number, all: string) => (/\w/.test(all[at - 1] ?? '') && /\w/.test(all[at + run.length] ?? '') ? run : ''))
    .replace(/[ \t]+/g, ' ')
    .trim()
}

export const countWords = (text: string): number => text.match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0

/**
 * Markdown that grows. `push` looks only at what may still change (the last item, paragraph or table), so that its cost does not
 * grow with the answer; what has been followed by something else is never looked at again.
 */
export class GrowingMarkdown {
  readonly #done: Unit[] = []
  #open = ''
  /** The number of the open list item, which its own text does not tell: many models write 1. before each. */
  #number: number | null = null
  #last: Unit[] = []

  push(text: string): void {
    this.#open += text.replaceAll('\r', '')
    const tokens = marked.lexer(this.#open)
    const last = tokens.findLastIndex((token) => token.type !== 'space')
    if (last < 0) return
    const units = tokens.map((token, index) => unitsOf(token, index === 0 ? this.#number : null))
    for (const earlier of units.slice(0, last)) this.#done.push(...earlier)
    const open = units[last]!
    this.#done.push(...open.slice(0, -1))
    this.#last = open.slice(-1)
    this.#number = this.#last[0]?.number ?? null
    // cut by length and not rebuilt from tokens: a list at the end of a text has lost its last spaces
    const closed = [...tokens.slice(0, last), ...open.slice(0, -1)]
    this.#open = this.#open.slice(closed.reduce((length, { raw }) => length + raw.length, 0))
  }

  get units(): readonly Unit[] {
    return [...this.#done, ...this.#last]
  }
}

/** All units of a finished text. */
export function unitsIn(markdown: string): readonly Unit[] {
  return marked.lexer(markdown).flatMap((token) => unitsOf(token, null))
}

function unitsOf(token: Token, firstNumber: number | null): Unit[] {
  const unit = (kind: Unit['kind'], raw: string, text: string, number: number | null = null): Unit => ({
    kind,
    number,
    raw,
    text,
    words: countWords(text),
  })
  switch (token.type) {
    case 'space':
      return []
    case 'paragraph':
    case 'text':
      return [unit('text', token.raw, token.raw.trim())]
    case 'heading':
      return [unit('heading', token.raw, (token as Tokens.Heading).text)]
    case 'list': {
      const { ordered, start, items } = token as Tokens.List
      return items.map((item, index) => unit('item', item.raw, item.text, ordered ? (firstNumber ?? Number(start || 1)) + index : null))
    }
    default:
      return [unit('block', token.raw, token.raw)]
  }
}
