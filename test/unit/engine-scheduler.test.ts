// Owns the tests of the engine's order of work: who runs at once, who is next, who gives way, and that nobody is lost however many stop.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scheduler, type Job, type Turn } from '../../app/engine/scheduler.ts'

const never = new AbortController().signal
const soon = () => new Promise((resolve) => setTimeout(resolve, 1))

/** A queue whose jobs are started by name and ended by name; `running` is who runs now, in order of their start. */
function namedQueue(options?: ConstructorParameters<typeof Scheduler>[0]) {
  const queue = new Scheduler(options)
  const running = new Map<string, Turn>()
  const begin = (name: string, job?: Job, signal = never) => {
    const turn = queue.turn(signal, job)
    turn.then(
      (got) => got && running.set(name, got),
      () => {},
    )
    return turn
  }
  const end = async (name: string) => {
    running.get(name)!.end()
    running.delete(name)
    await soon()
  }
  return {
    queue,
    begin,
    end,
    now: async () => (await soon(), [...running.keys()].join('')),
    way: (name: string) => running.get(name)!.giveWay.aborted,
  }
}

describe('the queue', () => {
  it('runs one job at a time, in order of arrival', async () => {
    const queue = new Scheduler()
    const log: string[] = []
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const turn = await queue.turn(never)
        log.push(`${name}+`)
        await soon()
        log.push(`${name}-`)
        turn!.end()
        turn!.end()
      }),
    )
    expect(log).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
    expect(queue.length).toBe(0)
  })

  it('lets one leave while it waits, and the next still waits for the first', async () => {
    const { queue, begin, end, now } = namedQueue()
    const stop = new AbortController()
    void begin('a')
    const second = begin('b', {}, stop.signal)
    void begin('c')
    stop.abort()
    expect(await second).toBeNull()
    expect(await now()).toBe('a')
    await end('a')
    expect(await now()).toBe('c')
    await end('c')
    expect(queue.length).toBe(0)
    expect(await queue.turn(AbortSignal.abort())).toBeNull()
  })

  it('runs as many at once as it has slots, of one group only, and no later one passes the first in line', async () => {
    const { begin, end, now } = namedQueue({ slots: 2 })
    for (const [name, group] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'x'],
      ['d', 'y'],
      ['e', 'x'],
    ] as const)
      void begin(name, { group })
    expect(await now()).toBe('ab')
    await end('a')
    expect(await now()).toBe('bc')
    await end('b')
    // e would fit beside c, but then d might wait for ever
    expect(await now()).toBe('c')
    await end('c')
    expect(await now()).toBe('d')
    await end('d')
    expect(await now()).toBe('e')
  })

  it('gives clients turns, however many questions one of them has', async () => {
    const { begin, end, now } = namedQueue()
    for (const name of ['a', 'b', 'c', 'd']) void begin(name, { client: 'one' })
    void begin('x', { client: 'two' })
    const order = []
    for (let n = 0; n < 5; n++) {
      order.push(await now())
      await end(order.at(-1)!)
    }
    expect(order).toEqual(['a', 'x', 'b', 'c', 'd'])
  })

  it('has work in the background give way at once, and go on when nobody is left', async () => {
    const { begin, end, now, way } = namedQueue({ slots: 2 })
    void begin('w', { background: true })
    void begin('v', { background: true })
    expect(await now()).toBe('w')
    expect(way('w')).toBe(false)
    void begin('a')
    expect(way('w')).toBe(true)
    // there is a second slot: the question does not even wait for the step
    expect(await now()).toBe('wa')
    await end('w')
    expect(await now()).toBe('a')
    void begin('b', { group: 'other' })
    await end('a')
    expect(await now()).toBe('b')
    await end('b')
    expect(await now()).toBe('v')
  })

  it('leaves alone who must be alone, in order of arrival', async () => {
    const { begin, end, now, way } = namedQueue({ slots: 3 })
    void begin('w', { background: true })
    void begin('l', { alone: true })
    void begin('a')
    expect(await now()).toBe('w')
    expect(way('w')).toBe(true)
    await end('w')
    expect(await now()).toBe('l')
    await end('l')
    expect(await now()).toBe('a')
  })

  it('refuses a job when too many wait, and never a load', async () => {
    const { queue, begin, now } = namedQueue({ limit: 2 })
    for (const name of ['a', 'b', 'c']) void begin(name)
    await expect(queue.turn(never)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    void begin('l', { alone: true })
    expect(await now()).toBe('a')
    expect(queue.length).toBe(4)
  })

  it('survives a storm of stops with nobody lost and nobody beside another', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ stop: fc.boolean(), background: fc.boolean(), alone: fc.boolean(), group: fc.constantFrom('x', 'y') }), {
          maxLength: 40,
        }),
        async (jobs) => {
          const queue = new Scheduler({ slots: 3, limit: 100 })
          const running = new Set<Job>()
          await Promise.all(
            jobs.map(async ({ stop, ...job }, n) => {
              const signal = new AbortController()
              const turn = queue.turn(signal.signal, { ...job, client: `${n % 3}` })
              if (stop) signal.abort()
              const got = await turn
              if (!got) return expect(stop).toBe(true)
              for (const other of running) {
                expect(job.alone || other.alone).toBe(false)
                expect(other.group).toBe(job.group)
              }
              running.add(job)
              expect(running.size).toBeLessThanOrEqual(3)
              await Promise.resolve()
              running.delete(job)
              got.end()
            }),
          )
          expect(queue.length).toBe(0)
        },
      ),
      { numRuns: 100 },
    )
  })
})
