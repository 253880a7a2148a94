// Owns the measurement of memory bandwidth: how many bytes a second are read by one thread and by several at once.
import { freemem } from 'node:os'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** Beyond any cache that a core may use, both buffers together, and little enough for a small computer. */
const LARGEST = 96e6
/** Of all threads together, and of the free memory. */
const ALL = 1e9
const SHARE_OF_FREE = 1 / 8

/**
 * Bytes a second. The C library's comparison of two equal buffers reads both once and writes nothing, as fast as a thread can. One thread: the
 * best pass, as every other was disturbed; all: the sum of their medians in the same seconds. `entry` is a script whose worker threads call
 * readForever(). About 2 × `seconds` and the time to fill the buffers.
 */
export async function measureBandwidth(entry: URL, threads: number, seconds: number): Promise<{ oneThread: number; all: number }> {
  const bytes = Math.floor(Math.min(LARGEST, ALL / threads / 2, (freemem() * SHARE_OF_FREE) / threads / 2))
  const workers = Array.from({ length: threads }, () => new Worker(entry, { workerData: { bytes } }))
  try {
    await Promise.all(workers.map((worker) => next(worker)))
    const alone = await reading([workers[0]!], seconds)
    const together = threads === 1 ? alone : await reading(workers, seconds)
    const median = (rates: readonly number[]) => [...rates].sort((a, b) => a - b)[Math.floor(rates.length / 2)]!
    return { oneThread: Math.max(...alone[0]!), all: together.reduce((sum, rates) => sum + median(rates), 0) }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** Rates of the passes of each worker, all of them started at once. */
async function reading(workers: readonly Worker[], seconds: number): Promise<number[][]> {
  for (const worker of workers) worker.postMessage(seconds)
  return (await Promise.all(workers.map((worker) => next(worker)))) as number[][]
}

const next = (worker: Worker) =>
  new Promise<unknown>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

/** What a worker thread of measureBandwidth() does: for each message, passes over its buffers for so many seconds. */
export function readForever(): void {
  const { bytes } = workerData as { bytes: number }
  // filled, or every page would be the same page of zeros
  const [a, b] = [Buffer.alloc(bytes, 1), Buffer.alloc(bytes, 1)]
  parentPort!.on('message', (seconds: number) => {
    const rates: number[] = []
    const from = performance.now()
    do {
      const at = performance.now()
      a.equals(b)
      rates.push((2 * bytes) / ((performance.now() - at) / 1000))
    } while (performance.now() - from < seconds * 1000)
    parentPort!.postMessage(rates)
  })
  parentPort!.postMessage('filled')
}
