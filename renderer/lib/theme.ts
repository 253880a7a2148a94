// Owns the theme and the text size on the root element: the user's choice, or the system's.
import type { Settings } from '../../app/contract/entities.ts'

const dark = () => matchMedia('(prefers-color-scheme: dark)')

/** Follows the system until the returned function is called. */
export function applyTheme(theme: Settings['theme']): () => void {
  const set = () => (document.documentElement.dataset['theme'] = theme === 'auto' ? (dark().matches ? 'dark' : 'light') : theme)
  set()
  const system = dark()
  system.addEventListener('change', set)
  return () => system.removeEventListener('change', set)
}

export function applyTextSize(size: Settings['textSize']): void {
  document.documentElement.dataset['text'] = size
}

const sizes: Settings['textSize'][] = ['s', 'm', 'l', 'xl']
/** One step larger or smaller; the ends stay where they are. */
export const nextSize = (size: Settings['textSize'], step: 1 | -1): Settings['textSize'] => sizes[sizes.indexOf(size) + step] ?? size
