// Owns the tests of a server's parts by themselves: the event stream cut anywhere, the addresses that may be used, how a pin may be written.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isNear, readAddress } from '../../../app/engine/remote/address.ts'
import { EventStream } from '../../../app/engine/remote/event-stream.ts'
import { estimate } from '../../../app/engine/remote/facts.ts'
import { readPin } from '../../../app/engine/remote/pin.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const readAll = (text: string) => new EventStream().push(bytes(text))

describe('an event stream', () => {
  it('has the data of complete events, whatever ends its lines', () => {
    expect(readAll('data: one\n\ndata:two\r\n\r\ndata:  three\r\rdata: not complete')).toEqual(['one', 'two', ' three'])
    expect(readAll('\uFEFFdata: first\ndata: second\n\n: comment\n\nevent: x\nid: 4\nretry: 5\n\ndata\n\n')).toEqual(['first\nsecond', ''])
  })

  it('is the same in pieces cut anywhere, in the middle of characters too', () => {
    const line = fc.constantFrom('data: ä€😀', 'data:', 'data', ': note', 'event: x', 'id', '')
    const end = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end)), fc.array(fc.nat(400)), (lines, cuts) => {
        const whole = bytes(lines.map((parts) => parts.join('')).join(''))
        const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length]
        const stream = new EventStream()
        const pieces = at.slice(1).flatMap((to, n) => stream.push(whole.subarray(at[n], to)))
        expect(pieces).toEqual(new EventStream().push(whole))
      }),
    )
  })

  it('refuses an event without an end', () => {
    const stream = new EventStream()
    expect(() => {
      for (let n = 0; n < 40; n++) stream.push(bytes(`data: ${'x'.repeat(40_000)}\n`))
    }).toThrow(RangeError)
    expect(() => new EventStream().push(bytes('x'.repeat(1_100_000)))).toThrow(RangeError)
  })
})

describe('the address of a server', () => {
  const closed = { plainHttp: false, hosts: [] }
  const open = { plainHttp: true, hosts: ['models.example.org', '8.8.8.8'] }

  it('is read with or without /v1, and shown without path', () => {
    expect(readAddress(' https://10.0.0.7:8443/v1/ ', closed)).toEqual({
      secure: true,
      hostname: '10.0.0.7',
      port: 8443,
      host: '10.0.0.7:8443',
      root: '',
    })
    expect(readAddress('https://models.clinic/llm/v1', closed)).toMatchObject({
      hostname: 'models.clinic',
      port: 443,
      host: 'models.clinic',
      root: '/llm',
    })
    expect(readAddress('http://[fd00::7]:8000', open)).toMatchObject({ secure: false, hostname: 'fd00::7', port: 8000, host: '[fd00::7]:8000' })
  })

  it.each([
    ['models.clinic', closed, 'begin with https'],
    ['ftp://10.0.0.7', closed, 'begin with https'],
    ['https://', closed, 'not complete'],
    ['https://name:secret@10.0.0.7', closed, 'a field of its own'],
    ['https://10.0.0.7/v1?key=1', closed, 'question mark'],
    ['http://10.0.0.7', closed, 'can be read by everybody'],
    ['https://9.9.9.9', open, 'clinic’s own network'],
    ['http://8.8.8.8', open, 'clinic’s own network'],
  ])('%s is refused in words', (text, rules, words) => {
    expect(() => readAddress(text, rules)).toThrow(words)
    try {
      readAddress(text, rules)
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_INPUT' })
      expect((error as Error).message).not.toContain('secret')
    }
  })

  it('lies inside by its number', () => {
    for (const ip of ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.3.4', '::1', 'fd12::1', 'fe80::1%eth0', '::ffff:10.0.0.1'])
      expect(isNear(ip)).toBe(true)
    for (const ip of ['8.8.8.8', '172.32.0.1', '11.0.0.1', '0.0.0.0', '2001:4860::1', '::ffff:8.8.8.8', '::']) expect(isNear(ip)).toBe(false)
  })

  it('named by policy may lie outside, with https only', () => {
    expect(readAddress('https://8.8.8.8', open).host).toBe('8.8.8.8')
  })
})

it('a pin is the same in every way of writing it', () => {
  const hex = 'a1'.repeat(32)
  const base64 = Buffer.from(hex, 'hex').toString('base64')
  for (const text of [hex, hex.toUpperCase(), hex.replace(/(..)(?=.)/g, '$1:'), `sha256/${base64}`, base64, ` sha256:${hex} `])
    expect(readPin(text)).toBe(hex)
  for (const text of ['', 'abc', `${hex}0`, 'sha256/', 'x'.repeat(64)]) expect(readPin(text)).toBe(null)
})

it('an estimate of tokens errs on the long side and never at nothing', () => {
  const text = 'What is the maximum daily dose of paracetamol for an adult of 45 kg with hepatic impairment?'
  expect(estimate([{ role: 'user', text }])).toBeGreaterThan(24)
  expect(estimate([{ role: 'user', text: '' }])).toBeGreaterThan(0)
})
