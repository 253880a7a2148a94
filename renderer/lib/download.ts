// Owns the saving of a file that the page made itself.

/** Offers `text` as a file in the browser's or Electron's usual way of saving. */
export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // the download has its own hold on the data once it has begun
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
