// Owns how many sequences the memory that is free has room for: each keeps a context of its own.
import type { LoadOptions } from '../contract/engine.ts'
import type { ModelShape } from '../contract/shape.ts'

/** Q8_0 keeps 32 values in 34 bytes. */
const BYTES_PER_VALUE = { f16: 2, q8_0: 34 / 32 } as const
/** The rest is for what is allocated beside the contexts, and for other programs. */
const SHARE = 0.8

/**
 * `asked` or as many as fit, at least one: whether that one fits is decided where it is allocated. `free` is in bytes, with the model loaded;
 * blocks on cards keep their part of the context there.
 */
export function affordableSequences(
  asked: number,
  { contextSize, kvType, gpuLayers }: Pick<LoadOptions, 'contextSize' | 'kvType'> & { gpuLayers: number },
  { layers, kvHeads, keyLength, valueLength }: Pick<ModelShape, 'layers' | 'kvHeads' | 'keyLength' | 'valueLength'>,
  free: { memory: number; graphics: number },
): number {
  const each = contextSize * layers * kvHeads * (keyLength + valueLength) * BYTES_PER_VALUE[kvType]
  const onCards = layers > 0 ? Math.min(1, gpuLayers / layers) : 0
  const fit = (bytes: number, room: number) => (bytes > 0 ? Math.floor((room * SHARE) / bytes) : asked)
  return Math.max(1, Math.min(asked, fit(each * onCards, free.graphics), fit(each * (1 - onCards), free.memory)))
}
