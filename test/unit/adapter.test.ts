// Owns the test of adapters of rank 1, which ggml itself writes with their A as a vector.
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { inspectAdapter } from '../../app/engine/adapter.ts'
import { readGgufHeader } from '../../app/engine/gguf-header.ts'
import { Evaluator } from '../../models/workshop/ffi/evaluator.ts'
import { writeGguf } from '../../models/workshop/gguf/write.ts'
import { twinAdapter } from '../../models/workshop/twin/content.ts'
import { starter } from './models.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-adapter-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('an adapter of rank 1 fits its model, whether its A is a matrix or a vector, and does the same', async () => {
  const base = await readGgufHeader(starter, { values: 'facts' })
  const matrices = base.tensors.filter(({ name }) => name === 'blk.0.attn_q.weight')
  const logits: Float32Array[] = []
  for (const vector of [false, true]) {
    const content = twinAdapter({ architecture: 'qwen2', name: 'one', matrices, rank: 1, alpha: 1, type: 'F32', seed: 1 })
    const tensors = content.tensors.map((tensor) => (vector && tensor.dims[1] === 1 ? { ...tensor, dims: [tensor.dims[0]!] } : tensor))
    const path = join(folder, `${vector}.gguf`)
    const handle = await open(path, 'w')
    await writeGguf(handle, { ...content, tensors }).finally(() => handle.close())
    expect(await inspectAdapter(path, starter)).toMatchObject({ rank: 1, targets: 1 })
    const evaluator = await Evaluator.open({ model: starter, adapters: [{ path, scale: 1 }] })
    logits.push(await evaluator.logits([65, 66, 67]).finally(() => evaluator.close()))
  }
  expect(logits[0]).toEqual(logits[1])
})
