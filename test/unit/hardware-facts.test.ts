// Owns the tests of gathering hardware facts: this computer, its probes in real processes, files that are damaged, and what is kept.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { HardwareProfile, readHardware } from '../../app/deploy/hardware.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'
import { Hardware } from '../../app/host/hardware.ts'
import { Load, power, processor, readCpuinfo, readSystemInfo } from '../../app/host/machine.ts'
import { look, type SpawnProbe } from '../../app/host/probes.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-hardware-'))
afterAll(() => rmSync(folder, { recursive: true }))
const lines: string[] = []
const note = (message: string) => void lines.push(message)
const log = { error: note, warn: note, info: note }
const spawnProbe: SpawnProbe = (changes) => spawnNodeEngine(resolvePaths().probeEntry, changes)
const probeOf = (script: string): SpawnProbe => {
  const entry = join(folder, `probe-${script.length}.mjs`)
  writeFileSync(entry, script)
  return (changes) => spawnNodeEngine(entry, changes)
}
const hardware = (options: Partial<ConstructorParameters<typeof Hardware>[0]> = {}) =>
  new Hardware({ path: join(folder, 'hardware.json'), spawnProbe, fixed: null, log, ...options })

describe('the processor', () => {
  it('is read from /proc/cpuinfo: cores of two packages, features by their short names', () => {
    const block = (pack: number, core: number) =>
      `processor\t: 0\nmodel name\t: X\nphysical id\t: ${pack}\ncore id\t\t: ${core}\nflags\t\t: fpu avx avx2 fma f16c avx512f avx512_vnni\n`
    const text = [block(0, 0), block(0, 0), block(0, 1), block(1, 0), block(1, 1)].join('\n')
    expect(readCpuinfo(text)).toEqual({ cores: 4, features: ['avx', 'avx2', 'fma', 'f16c', 'avx512', 'vnni'] })
    expect(readCpuinfo('processor : 0\nFeatures : fp asimd asimddp i8mm sve')).toEqual({ cores: 0, features: ['neon', 'dotprod', 'i8mm', 'sve'] })
    expect(readCpuinfo('')).toEqual({ cores: 0, features: [] })
  })

  it('is read from what llama.cpp says of itself', () => {
    expect(readSystemInfo('CPU : SSE3 = 1 | AVX = 1 | AVX2 = 0 | AVX512_VNNI = 1 | REPACK = 1 | ')).toEqual(['avx', 'vnni'])
    expect(readSystemInfo('CPU : NEON = 1 | ARM_FMA = 1 | DOTPROD = 1 | MATMUL_INT8 = 1')).toEqual(['neon', 'dotprod', 'i8mm'])
  })

  it('of this computer has cores and a load within them', async () => {
    const { physicalCores, logicalCores } = processor()
    expect(logicalCores).toBe(cpus().length)
    expect(physicalCores).toBeGreaterThanOrEqual(1)
    expect(physicalCores).toBeLessThanOrEqual(logicalCores)
    const load = new Load()
    const until = performance.now() + 600
    // this process alone keeps one core busy
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
    const busy = load.busyCores({ physicalCores, logicalCores })
    expect(busy).toBeGreaterThan(0.3 * (physicalCores / logicalCores))
    expect(busy).toBeLessThanOrEqual(physicalCores)
  })
})

it('a battery counts where it is the computer’s own and gives', () => {
  const supply = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, 'power', name), { recursive: true })
    for (const [key, value] of Object.entries(files)) writeFileSync(join(folder, 'power', name, key), `${value}\n`)
  }
  expect(power(join(folder, 'power'))).toEqual({ battery: false, percent: null })
  supply('hid-mouse', { type: 'Battery', scope: 'Device', status: 'Discharging', capacity: '7' })
  expect(power(join(folder, 'power'))).toEqual({ battery: false, percent: null })
  supply('BAT0', { type: 'Battery', status: 'Discharging', capacity: '63' })
  supply('AC', { type: 'Mains', online: '0' })
  expect(power(join(folder, 'power'))).toEqual({ battery: true, percent: 63 })
  supply('AC', { type: 'Mains', online: '1' })
  expect(power(join(folder, 'power'))).toEqual({ battery: false, percent: 63 })
})

describe('a look at the backends', () => {
  it('finds what is there, says why the rest is not, and is kept for the next start', async () => {
    const first = hardware()
    expect(first.known).toBe(false)
    expect(HardwareProfile.parse(first.profile()).cpu.memoryTotal).toBeLessThanOrEqual(totalmem())
    await Promise.all([first.look(), first.look()])
    const { devices, rejected, cpu } = HardwareProfile.parse(first.profile())
    for (const backend of ['cuda', 'vulkan', 'metal'] as const) {
      const found = devices.some((device) => device.backend === backend)
      const why = rejected.find((one) => one.backend === backend)?.why ?? ''
      if (!found) expect(why).toMatch(/^[A-Z].+\.$/)
    }
    expect(cpu.features.length).toBeGreaterThan(0)
    const second = hardware()
    expect(second.known).toBe(true)
    expect(second.profile().rejected).toEqual(rejected)
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('that hangs is ended after its time, one that dies is said to have died', async () => {
    const hangs = await look(probeOf(`setInterval(() => {}, 1000)`), ['cuda'], 400)
    expect(hangs).toMatchObject({
      devices: [],
      rejected: [{ backend: 'cuda', why: expect.stringContaining('did not answer within 0 seconds') as string }],
    })
    const dies = await look(probeOf(`process.on('message', () => process.kill(process.pid, 'SIGSEGV'))`), ['cuda', 'vulkan'])
    expect(dies.rejected.map(({ backend }) => backend)).toEqual(['cuda', 'vulkan'])
    expect(dies.rejected[0]!.why).toMatch(/^The driver ended the test program \((SIGSEGV|code \d+)\)\. .+\.$/)
  })

  it('takes several cards one by one, by the numbers that their driver gives them', async () => {
    // a probe that sees what its environment lets it see, as a driver does: card 1 is none for Vulkan
    const script = `
      const cards = { 0: ['Big', 12e9, 11e9], 1: null, 2: ['Small', 4e9, 3e9] }
      process.on('message', ({ id, name, input }) => {
        const list = process.env.GGML_VK_VISIBLE_DEVICES
        const seen = (list ? list.split(',').map(Number) : [0, 1, 2]).map((n) => cards[n]).filter(Boolean)
        if (list && Number(list) > 2) process.exit(1)
        const sum = (at) => seen.reduce((total, card) => total + card[at], 0)
        const data = { names: seen.map(([name]) => name), memoryTotal: sum(1), memoryFree: sum(2), unified: false, system: '' }
        process.send({ id, result: { ok: true, data: input.backend === 'cpu' ? { ...data, names: [] } : data } })
        process.send({ id, end: true })
      })`
    const { devices } = await look(probeOf(script), ['vulkan'])
    expect(devices).toEqual([
      { id: 'vulkan:0', backend: 'vulkan', name: 'Big', driver: null, memoryTotal: 12e9, memoryFree: 11e9, unified: false, integrated: false },
      { id: 'vulkan:2', backend: 'vulkan', name: 'Small', driver: null, memoryTotal: 4e9, memoryFree: 3e9, unified: false, integrated: false },
    ])
  })
})

describe('what is kept', () => {
  it('is measured bandwidth and failures; a new look by hand forgets the failures', async () => {
    const first = hardware()
    await first.measure()
    const { bandwidthOneThread, bandwidthAll } = first.profile().calibration!
    // no memory of any computer is slower or faster
    expect(bandwidthOneThread).toBeGreaterThan(1e9)
    expect(bandwidthAll).toBeGreaterThanOrEqual(bandwidthOneThread)
    expect(bandwidthAll).toBeLessThan(5e12)
    first.failed('cuda 29 layers', 'ENGINE_FAILED')
    expect(hardware().hasFailed('cuda 29 layers')).toBe(true)
    expect(hardware().profile().calibration).toEqual(first.profile().calibration)
    await hardware({ spawnProbe: null }).look({ forget: true })
    expect(hardware().hasFailed('cuda 29 layers')).toBe(false)
  })

  it('is found again where the file is damaged, of another computer or cannot be written', () => {
    const path = join(folder, 'other.json')
    for (const text of [
      '',
      '{',
      '[]',
      '{"version":1}',
      readFileSync(join(folder, 'hardware.json'), 'utf8').replace(/"machine": ".*"/, '"machine": "another"'),
    ]) {
      writeFileSync(path, text)
      expect(hardware({ path }).known).toBe(false)
    }
    const unwritable = hardware({ path: join(folder, 'absent', 'hardware.json') })
    unwritable.failed('a', 'ENGINE_FAILED')
    expect(unwritable.hasFailed('a')).toBe(true)
    expect(lines).toContain('hardware facts not kept')
  })
})

it('a profile from a file is taken as it stands', () => {
  const fixed = readHardware(join(import.meta.dirname, '../profiles/rtx-3060-12gb.json'))
  const given = hardware({ fixed, path: join(folder, 'fixed.json') })
  expect(given.known).toBe(true)
  expect(given.profile()).toEqual(fixed)
})
