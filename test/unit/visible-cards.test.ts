// Owns the tests of which cards an engine process may see: lists of the user's own, quotes that hide cards, and a real process that gets the result.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { visibleCards } from '../../app/host/visible-cards.ts'

it('changes nothing for a plan that names no card', () => {
  expect(visibleCards({}, { gpu: 'auto' })).toEqual({ changes: {}, repaired: [] })
  expect(visibleCards({ CUDA_VISIBLE_DEVICES: '1,0' }, { gpu: 'off' })).toEqual({ changes: {}, repaired: [] })
})

it('names cards to the driver of the backend alone, counted as other tools count them', () => {
  expect(visibleCards({}, { gpu: 'cuda', devices: [1] }).changes).toEqual({ CUDA_VISIBLE_DEVICES: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  expect(visibleCards({ CUDA_DEVICE_ORDER: 'FASTEST_FIRST' }, { gpu: 'cuda', devices: [0, 1] }).changes).toEqual({ CUDA_VISIBLE_DEVICES: '0,1' })
  expect(visibleCards({}, { gpu: 'vulkan', devices: [2, 0] }).changes).toEqual({ GGML_VK_VISIBLE_DEVICES: '2,0' })
  expect(visibleCards({}, { gpu: 'metal', devices: [0] }).changes).toEqual({})
})

it('chooses within a list that the user has made, identifiers included', () => {
  const env = { CUDA_VISIBLE_DEVICES: '3,GPU-8932f937', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
  expect(visibleCards(env, { gpu: 'cuda', devices: [1] }).changes).toEqual({ CUDA_VISIBLE_DEVICES: 'GPU-8932f937' })
  expect(visibleCards(env, { gpu: 'cuda', devices: [0, 1] }).changes).toEqual({ CUDA_VISIBLE_DEVICES: '3,GPU-8932f937' })
})

it.each([
  [`"0"`, '0'],
  [`'0, 1'`, '0,1'],
  [` 1 `, '1'],
  [`""`, ''],
])('takes the quotes and spaces off %s and says so', (given, clean) => {
  const { changes, repaired } = visibleCards({ CUDA_VISIBLE_DEVICES: given }, { gpu: 'auto' })
  expect(changes).toEqual({ CUDA_VISIBLE_DEVICES: clean })
  expect(repaired).toEqual([expect.stringContaining(`CUDA_VISIBLE_DEVICES had quotes or spaces in it`)])
})

it.skipIf(process.platform !== 'linux')('reaches a real process (read from /proc, which only Linux has)', async () => {
  const { changes } = visibleCards({ CUDA_VISIBLE_DEVICES: '"1,2"' }, { gpu: 'cuda', devices: [1] })
  const child = spawnNodeEngine(resolvePaths().engineEntry, changes)
  try {
    const environment = () => readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0')
    await expect.poll(environment).toContain('CUDA_VISIBLE_DEVICES=2')
    expect(environment()).toContain('CUDA_DEVICE_ORDER=PCI_BUS_ID')
    expect(environment()).toContain('MALLOC_ARENA_MAX=1')
  } finally {
    child.kill()
  }
})
