// Owns the tests of the page's small pure parts: keys, dates and sizes, the engine in words, the origin of an answer.
import { describe, expect, it } from 'vitest'
import { bytes, day, duration, engineFacts, estimate, percent, snippetParts } from '../../renderer/lib/format.ts'
import { keyAction, type KeyContext, type KeyPress } from '../../renderer/lib/keys.ts'
import { m } from '../../renderer/lib/messages.ts'
import { copyText, originFields, originLine, whyCategory } from '../../renderer/lib/origin.ts'
import { nextSize } from '../../renderer/lib/theme.ts'
import { turn } from '../flow/scripted-data.ts'

const press = (key: string, change: Partial<KeyPress> = {}): KeyPress => ({
  key,
  code: key.length === 1 ? `Key${key.toUpperCase()}` : key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...change,
})
const free: KeyContext = { typing: false, layer: false, letterKeys: true }
const ctrl = { ctrlKey: true }

describe('keys', () => {
  it('takes letters only outside a text field, and only when they are switched on', () => {
    expect(keyAction(press('c'), free)).toBe('copy')
    expect(keyAction(press('C'), free)).toBe('copy')
    expect(keyAction(press('/'), free)).toBe('search')
    expect(keyAction(press('c'), { ...free, typing: true })).toBeNull()
    expect(keyAction(press('c'), { ...free, letterKeys: false })).toBeNull()
    expect(keyAction(press('Escape'), { ...free, typing: true, letterKeys: false })).toBe('stop')
  })

  it('offers Alt N beside Ctrl N, which browsers keep for themselves', () => {
    expect(keyAction(press('n', ctrl), { ...free, typing: true })).toBe('new')
    expect(keyAction(press('ñ', { altKey: true, code: 'KeyN' }), { ...free, typing: true })).toBe('new')
    expect(keyAction(press('n', { altKey: true, ctrlKey: true, code: 'KeyN' }), { ...free, typing: true })).toBeNull()
  })

  it('leaves copying, printing and reloading to the browser', () => {
    for (const key of ['c', 'p', 'r', 'v', 'a']) expect(keyAction(press(key, ctrl), free)).toBeNull()
  })

  it('leaves all but the text size to an open dialog', () => {
    expect(keyAction(press('Escape'), { ...free, layer: true })).toBeNull()
    expect(keyAction(press('k', ctrl), { ...free, layer: true })).toBeNull()
    expect(keyAction(press('+', ctrl), { ...free, layer: true })).toBe('larger')
    expect(keyAction(press('-', { metaKey: true }), { ...free, typing: true })).toBe('smaller')
  })

  it('lists every key that does something', () => {
    expect(m.keys.list.flatMap(({ keys }) => keys)).toEqual(expect.arrayContaining(['F1', 'Ctrl K', 'Ctrl H', 'C', 'P', 'R', 'E']))
  })
})

describe('format', () => {
  const now = new Date(2026, 10, 24, 9, 0)
  const at = (...parts: [number, number, number, number?]) => new Date(...(parts as [number, number, number])).toISOString()
  it('names days as people do', () => {
    expect(day(at(2026, 10, 24), now)).toBe('Today')
    expect(day(new Date(2026, 10, 23, 23, 59).toISOString(), now)).toBe('Yesterday')
    expect(day(at(2026, 10, 19), now)).toBe('19 November')
    expect(day(at(2025, 10, 19), now)).toBe('19 November 2025')
  })

  it('keeps sizes and times short', () => {
    expect(bytes(999)).toBe('999 bytes')
    expect(bytes(4_840_000_000)).toBe('4.84 GB')
    expect(bytes(409_600_000)).toBe('410 MB')
    expect([duration(20), duration(310), duration(12_400), duration(240_000)]).toEqual(['under 0.1 s', '0.3 s', '12 s', '4 min'])
    expect(estimate(300)).toBe('1 s')
  })

  it('never shows 100 % before the end', () => {
    expect([percent(0), percent(0.999), percent(1)]).toEqual([0, 99, 100])
  })

  it('tells where the model runs', () => {
    expect(engineFacts({ backend: 'cpu', gpuLayers: 0, layers: 24, threads: 1 })).toBe('CPU · 1 thread')
    expect(engineFacts({ backend: 'cuda', gpuLayers: 28, layers: 28, threads: 4 })).toBe('CUDA · 28/28 layers')
    expect(engineFacts({ backend: null, gpuLayers: 0, layers: 0, threads: 0 })).toBe('')
  })

  it('parts a search hit at its marks', () => {
    expect(snippetParts('a \uE000dose\uE001 of\uE000x')).toEqual([
      { text: 'a ', hit: false },
      { text: 'dose', hit: true },
      { text: ' of', hit: false },
      { text: 'x', hit: true },
    ])
  })

  it('steps through the text sizes and stops at the ends', () => {
    expect([nextSize('m', 1), nextSize('xl', 1), nextSize('s', -1)]).toEqual(['l', 'xl', 's'])
  })
})

describe('the origin of an answer', () => {
  const own = turn('t', 'c', 'Amoxicillin dose?', 'One gram.')
  it('is told in a line, and in every field', () => {
    expect(originLine(own.provenance!, new Date())).toEqual(
      expect.arrayContaining(['Starter 0.1', 'Q8_0', 'llama.cpp CPU', 'prompt 3f9a', '24 tok/s']),
    )
    const fields = new Map(originFields(own, own.provenance!))
    expect(fields.get('Purpose')).toBe('Demonstration, not for patient care')
    expect(fields.get('Model file, SHA-256')).toHaveLength(64)
    expect(fields.size).toBe(Object.keys(m.origin.fields).length)
  })

  it('goes along with every copy', () => {
    const text = copyText({ ...own, status: 'partial', error: { code: 'ANSWER_CUT', message: 'It stops here.' } })
    for (const part of [own.question, own.answer, 'not for patient care', 'language model', 'It stops here.']) expect(text).toContain(part)
    expect(copyText({ ...own, provenance: null })).toContain('language model')
  })

  it('says why a category was given', () => {
    expect(whyCategory(own.classification)).toBe('matched: dose, amoxicillin')
    expect(whyCategory({ ...own.classification, decidedBy: 'user' })).toBe('chosen by you')
    expect(whyCategory({ ...own.classification, matched: [] })).toBe('no keyword matched')
  })
})
