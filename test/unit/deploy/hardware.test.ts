// Owns the tests of hardware profiles: that those of the tests are sound, and what a person reads when one is not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../app/contract/errors.ts'
import { parseHardware, readHardware, type HardwareProfile } from '../../../app/deploy/hardware.ts'
import { profiles } from '../../bench/placement-plans.ts'

const all = profiles()
const laptop = all.find(({ name }) => name === 'rtx-4060-8gb')!.profile

function refused(change: (profile: HardwareProfile & Record<string, unknown>) => void): AppError {
  const copy = structuredClone(laptop) as HardwareProfile & Record<string, unknown>
  change(copy)
  return refusedText(JSON.stringify(copy))
}
function refusedText(text: string): AppError {
  try {
    parseHardware(text, 'clinic.json')
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was accepted')
}

describe('the profiles of the tests', () => {
  it('are at least twelve, each with its source, memory in bytes and cores that add up', () => {
    expect(all.length).toBeGreaterThanOrEqual(12)
    for (const { profile } of all) {
      expect(profile.source).toMatch(/specification|Measured/)
      for (const { memoryTotal } of [profile.cpu, ...profile.devices]) expect(memoryTotal).toBeGreaterThan(3e9)
      for (const { bandwidth = 50e9 } of profile.devices) expect(bandwidth).toBeGreaterThan(20e9)
      expect(profile.cpu.bandwidth.all).toBeGreaterThanOrEqual(profile.cpu.bandwidth.oneThread)
    }
  })
})

describe('a profile that is wrong', () => {
  it('is refused with the field in words', () => {
    const { code, message } = refused((profile) => Object.assign(profile.devices[1]!, { memoryFree: '8 GB' }))
    expect(code).toBe('BAD_INPUT')
    expect(message).toMatch(/clinic\.json, memoryFree of devices, entry 2: .*number.*Correct it/)
  })
  it('says when a driver claims more free memory than there is', () => {
    expect(refused((profile) => (profile.devices[0]!.memoryFree = profile.devices[0]!.memoryTotal + 1)).message).toMatch(
      /entry 1: is more than memoryTotal/,
    )
    expect(refused((profile) => (profile.cpu.memoryFree = 1e12)).message).toMatch(/memoryFree of cpu: is more than memoryTotal/)
  })
  it('may not have two devices of one name, unknown fields, an unknown backend or negative numbers', () => {
    expect(refused((profile) => (profile.devices[1]!.id = 'cuda:0')).message).toMatch(/devices: has the same id twice/)
    expect(refused((profile) => (profile['gpus'] = [])).message).toMatch(/gpus/)
    expect(refused((profile) => Object.assign(profile.devices[0]!, { backend: 'rocm' })).message).toMatch(/backend of devices, entry 1/)
    expect(refused((profile) => (profile.cpu.physicalCores = 0)).message).toMatch(/physicalCores of cpu/)
    expect(refused((profile) => (profile.cpu.bandwidth.all = -1)).message).toMatch(/all of bandwidth of cpu/)
    expect(refused((profile) => (profile.load.busyCores = Number.NaN)).message).toMatch(/busyCores of load/)
  })
  it('says how much more is wrong', () => {
    const { message } = refused((profile) => Object.assign(profile.cpu, { physicalCores: 'six', logicalCores: 'twelve' }))
    expect(message).toMatch(/1 more fields? (is|are) wrong/)
  })
  it('that is no JSON, empty, huge or missing is refused as well', () => {
    for (const text of ['', '{', 'null', '[]', '"x"', '\u0000']) expect(refusedText(text).code).toBe('BAD_INPUT')
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-hardware-'))
    try {
      const huge = join(folder, 'huge.json')
      writeFileSync(huge, ' '.repeat(1_000_001))
      expect(() => readHardware(huge)).toThrow(/huge\.json is too large/)
      expect(() => readHardware(join(folder, 'none.json'))).toThrow(/none\.json cannot be read/)
      expect(() => readHardware(folder)).toThrow(/cannot be read/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
