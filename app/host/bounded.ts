// Owns the rule that no wait is without end: a promise within a time, a stream without a silence.
import { AppError } from '../contract/errors.ts'

/** `work`, or a throw of what `late` returns after `ms`. */
export async function within<T>(work: Promise<T>, ms: number, late: () => Error = () => new AppError('ENGINE_TIMEOUT')): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)))
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The events of `source`; a silence of `ms` before the next one throws what `late` returns. `lastSign` is the time (performance.now)
 * of the last sign of life from elsewhere: an answer that waits behind another one is silent and yet well.
 */
export async function* watched<T>(source: AsyncGenerator<T>, ms: number, late: () => Error, lastSign: () => number = () => 0): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await beforeSilence(source.next(), ms, late, lastSign)
      if (next.done) return
      yield next.value
    }
  } finally {
    // not awaited: a source that has fallen silent would not end either
    void source.return(undefined).catch(() => {})
  }
}

async function beforeSilence<T>(work: Promise<T>, ms: number, late: () => Error, lastSign: () => number): Promise<T> {
  const from = performance.now()
  const quiet = new Error('quiet')
  for (;;) {
    const left = ms - (performance.now() - Math.max(from, lastSign()))
    if (left <= 0) throw late()
    try {
      return await within(work, left, () => quiet)
    } catch (error) {
      if (error !== quiet) throw error
    }
  }
}

/** The events of `source`, which an abort of `signal` ends by its own word or, `ms` later, without it. */
export async function* untilStopped<T>(source: AsyncGenerator<T>, signal: AbortSignal, ms: number): AsyncGenerator<T> {
  let leave!: () => void
  const left = new Promise<'left'>((resolve) => (leave = () => resolve('left')))
  let timer: NodeJS.Timeout | undefined
  const stop = () => (timer = setTimeout(leave, ms))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    for (;;) {
      const next = await Promise.race([source.next(), left])
      if (next === 'left' || next.done) return
      yield next.value
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    void source.return(undefined).catch(() => {})
  }
}
