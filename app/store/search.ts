// Owns the way from what a person types into the search field to a query that FTS5 cannot misread.

/** Every word must occur, the last one may be unfinished. null when there is no word at all. Quotes, operators and NUL are only text. */
export function ftsQuery(typed: string): string | null {
  const words = typed.toWellFormed().match(/[\p{L}\p{N}\p{M}]+/gu)
  if (!words) return null
  return words
    .slice(0, 32)
    .map((word, i) => `"${word}"${i === words.length - 1 ? '*' : ''}`)
    .join(' ')
}
