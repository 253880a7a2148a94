// Owns the way from what a person types into the search field to a query that FTS5 cannot misread, and to a match on a title.

const MOST_WORDS = 32

/** The words of a search, in order; quotes, operators and NUL are only text between them. */
export function searchWords(typed: string): string[] {
  return (typed.toWellFormed().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, MOST_WORDS)
}

/** Every word must occur, the last one may be unfinished. null when there is no word at all. */
export function ftsQuery(typed: string): string | null {
  const words = searchWords(typed)
  if (words.length === 0) return null
  return words.map((word, i) => `"${word}"${i === words.length - 1 ? '*' : ''}`).join(' ')
}

/** By the same rule as the index (whole words, the last one unfinished, no accents, no capitals), for titles that someone has given. */
export function titleMatcher(typed: string): (title: string) => boolean {
  const words = searchWords(plain(typed))
  const last = words.pop()
  if (last === undefined) return () => false
  return (title) => {
    const found = searchWords(plain(title))
    return words.every((word) => found.includes(word)) && found.some((word) => word.startsWith(last))
  }
}

const plain = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
