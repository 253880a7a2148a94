// Owns which key does what. Pure: a key press and what is on the page go in, the name of an action comes out.
export type KeyAction =
  'new' | 'search' | 'history' | 'category' | 'copy' | 'print' | 'again' | 'edit' | 'report' | 'larger' | 'smaller' | 'normal' | 'help' | 'stop'

export interface KeyPress {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}
export interface KeyContext {
  /** The focus is where a letter is a letter. */
  typing: boolean
  /** A dialog or a menu is open: it has the keys. */
  layer: boolean
  letterKeys: boolean
}

const letters: Record<string, KeyAction> = { '/': 'search', c: 'copy', p: 'print', r: 'again', e: 'edit', '!': 'report' }
const withControl: Record<string, KeyAction> = {
  n: 'new',
  h: 'history',
  k: 'category',
  '+': 'larger',
  '=': 'larger',
  '-': 'smaller',
  '−': 'smaller',
  '0': 'normal',
}

/** The action for a key press, or null when the key means nothing here and the browser may have it. */
export function keyAction(press: KeyPress, context: KeyContext): KeyAction | null {
  const { key, ctrlKey, metaKey, altKey } = press
  const lower = key.toLowerCase()
  const control = (ctrlKey || metaKey) && !altKey
  // text size works everywhere, as in a browser
  if (control && ['larger', 'smaller', 'normal'].includes(withControl[lower] ?? '')) return withControl[lower]!
  if (context.layer) return null
  if (key === 'F1') return 'help'
  if (control) return withControl[lower] ?? null
  // AltGr on some layouts is Ctrl + Alt and writes a letter; Alt alone with N may too, so the key itself counts
  if (altKey) return !ctrlKey && !metaKey && press.code === 'KeyN' ? 'new' : null
  if (key === 'Escape') return 'stop'
  if (context.typing || !context.letterKeys) return null
  return letters[lower] ?? null
}

/** True where typing a letter writes it. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true
  return target instanceof HTMLInputElement && !['radio', 'checkbox', 'button'].includes(target.type)
}
