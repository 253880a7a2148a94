// Owns "once per picture": work that may be asked for a thousand times a second and is done at most once per frame.

// A window that is covered or minimised gets no frames, but its answer must go on.
const HIDDEN_MS = 250

/** Returns a function that runs `work` before the next picture, once, however often it is called. */
export function perFrame(work: () => void): { ask(): void; now(): void } {
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const now = () => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
    frame = 0
    work()
  }
  return {
    ask() {
      if (frame !== 0) return
      frame = requestAnimationFrame(now)
      timer = setTimeout(now, HIDDEN_MS)
    },
    now,
  }
}
