// Owns the tests of the engine's pure parts: the chunk size, the way from tokens to text, waits that end.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkSizer } from '../../app/engine/chunks.ts'
import { createDetokenizer } from '../../app/engine/detokenizer.ts'
import { untilStopped, watched, within } from '../../app/host/bounded.ts'
import { reasons } from '../../app/host/engine-spawn-node.ts'

describe('the chunk size', () => {
  it('is a power of two that keeps a chunk under 75 ms as measured, between 8 and the largest', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 200, noNaN: true }), { minLength: 1, maxLength: 20 }), (speeds) => {
        const sizer = new ChunkSizer(256)
        for (const ms of speeds) sizer.measured(sizer.size, ms * sizer.size)
        expect(Math.log2(sizer.size) % 1).toBe(0)
        expect(sizer.size).toBeGreaterThanOrEqual(8)
        expect(sizer.size).toBeLessThanOrEqual(256)
        const slowest = speeds.at(-1)!
        if (sizer.size > 8) expect(sizer.size * slowest).toBeLessThanOrEqual(75 / 0.3)
      }),
    )
  })

  it('follows the seconds that a plan allows for a step', () => {
    const sizer = new ChunkSizer(512, 0.3)
    sizer.measured(16, 16)
    expect(sizer.size).toBe(256)
  })

  it('shrinks at once when the machine gets slower and grows only slowly', () => {
    const sizer = new ChunkSizer(256)
    sizer.measured(16, 1.6)
    expect(sizer.size).toBe(256)
    sizer.measured(256, 256 * 4)
    expect(sizer.size).toBe(16)
    sizer.measured(16, 1.6)
    expect(sizer.size).toBeLessThan(64)
  })
})

/** Tokens are single bytes here: the hardest case for characters of several bytes. */
const bytes = (tokens: number[]) => new TextDecoder().decode(Uint8Array.from(tokens))

describe('text from tokens', () => {
  it('never shows half a character and loses none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const detokenizer = createDetokenizer<number>(bytes, [])
        const pieces = [...new TextEncoder().encode(text)].map((token) => detokenizer.push(token).text)
        const all = pieces.join('') + detokenizer.end()
        expect(all).toBe(text.replace(/\ufffd+$/, ''))
        expect(pieces.join('')).not.toContain('\ufffd')
      }),
      { examples: [['🏳️‍🌈 µg – 発熱']] },
    )
  })

  it('ends before a character whose rest never came', () => {
    const detokenizer = createDetokenizer<number>(bytes, [])
    const shown = [...new TextEncoder().encode('5 µ')].slice(0, -1).map((token) => detokenizer.push(token).text)
    expect(shown.join('') + detokenizer.end()).toBe('5 ')
  })

  it('shows nothing of a stop text and ends there', () => {
    const detokenizer = createDetokenizer<number>(bytes, ['\nUser:'])
    let shown = ''
    for (const token of new TextEncoder().encode('Dose.\nUse it well.\nUser: more')) {
      const { text, stopped } = detokenizer.push(token)
      shown += text
      if (stopped) break
    }
    expect(shown).toBe('Dose.\nUse it well.')
  })
})

describe('the last words of an engine', () => {
  it('are what says why it died, and never another line', () => {
    const tail = [
      'my patient took CUDA error and asked: out of memory?',
      '/src/ggml/src/ggml.c:1571: GGML_ASSERT(a->ne[2] == b->ne[0]) failed',
      "terminate called after throwing an instance of 'std::bad_alloc'",
      'engine.generate {"name":"Error"}',
    ].join('\n')
    expect(reasons(tail)).toMatch(/^\/src\/ggml.*failed \| terminate called.*bad_alloc'$/)
  })
})

describe('bounded waits', () => {
  it('end a promise and a silent stream, and leave others alone', async () => {
    await expect(within(new Promise(() => {}), 5)).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
    expect(await within(Promise.resolve(1), 1000)).toBe(1)
    async function* quiet() {
      yield 1
      await new Promise(() => {})
    }
    const seen: number[] = []
    const read = async () => {
      for await (const n of watched(quiet(), 10, () => new Error('silent'))) seen.push(n)
    }
    await expect(read()).rejects.toThrow('silent')
    expect(seen).toEqual([1])
  })

  it('do not take one who waits in a queue for dead', async () => {
    async function* queued() {
      await new Promise((resolve) => setTimeout(resolve, 60))
      yield 1
    }
    const seen: number[] = []
    // another answer gives signs of life all the while
    for await (const n of watched(
      queued(),
      20,
      () => new Error('silent'),
      () => performance.now(),
    ))
      seen.push(n)
    expect(seen).toEqual([1])
    const alone = watched(
      queued(),
      20,
      () => new Error('silent'),
      () => 0,
    )
    await expect(alone.next()).rejects.toThrow('silent')
  })

  it('free the reader soon after a stop, whatever the source still does', async () => {
    async function* deaf() {
      yield 1
      await new Promise(() => {})
    }
    const stop = new AbortController()
    const seen: number[] = []
    for await (const n of untilStopped(deaf(), stop.signal, 5)) {
      seen.push(n)
      stop.abort()
    }
    expect(seen).toEqual([1])
    async function* polite(signal: AbortSignal) {
      yield 1
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      yield 2
    }
    const again = new AbortController()
    setTimeout(() => again.abort(), 1)
    const all: number[] = []
    for await (const n of untilStopped(polite(again.signal), again.signal, 1000)) all.push(n)
    expect(all).toEqual([1, 2])
  })
})
