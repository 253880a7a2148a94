// Owns the invented turns, models and answers of the scripted host. Demonstration text, not for patient care.
import type { Classification, Conversation, EngineStatus, ModelSummary, Turn } from '../../app/contract/entities.ts'
import { AppError } from '../../app/contract/errors.ts'
import type { ServerState } from '../../app/contract/hardware.ts'
import type { WireError } from '../../app/contract/define.ts'

export const engineReady: EngineStatus = {
  phase: 'ready',
  progress: 1,
  model: { id: 'starter', name: 'Starter', quantisation: 'Q8_0', demonstration: true },
  backend: 'cpu',
  device: 'CPU',
  gpuLayers: 0,
  layers: 24,
  threads: 1,
  contextSize: 1024,
  restarts: 0,
  error: null,
}

export const serverOff: ServerState = {
  ...{
    allowed: false,
    plainHttp: false,
    named: false,
    enabled: false,
    url: '',
    model: '',
    use: 'balance',
    hasKey: false,
    pin: '',
    hasAuthority: false,
  },
  problem: '',
}

export function classification(question: string): Classification {
  const tables = {
    medication: ['dose', 'ibuprofen', 'amoxicillin'],
    diagnosis: ['red eye', 'ferritin'],
    prevention: ['tetanus', 'booster'],
    treatment: ['fasciitis'],
    emergency: ['anaphylaxis'],
  } as const
  const lower = question.toLowerCase()
  for (const [category, keywords] of Object.entries(tables)) {
    const matched = keywords.filter((word) => lower.includes(word))
    if (matched.length > 0)
      return { category: category as Classification['category'], decidedBy: 'rules', matched, scores: { [category]: matched.length } }
  }
  return { category: 'general', decidedBy: 'rules', matched: [], scores: {} }
}

export function conversation(id: string, title: string, at: Date): Conversation {
  const iso = at.toISOString()
  return { id, title, createdAt: iso, updatedAt: iso, category: classification(title).category, turns: 1, lastStatus: 'complete' }
}

export function turn(id: string, conversation: string, question: string, answer: string): Turn {
  const at = new Date().toISOString()
  return {
    id,
    conversation,
    question,
    classification: classification(question),
    understood: [],
    clinical: null,
    status: 'complete',
    answer,
    reasoning: '',
    provenance: {
      model: { id: 'starter', name: 'Starter', version: '0.1', quantisation: 'Q8_0', demonstration: true, sha256: 'a3f0'.repeat(16) },
      mode: 'base',
      adapter: null,
      engine: { name: 'llama.cpp', backend: 'cpu', gpuLayers: 0, layers: 24, threads: 1 },
      prompt: { profile: 'full', hash: '3f9ac01d22', earlierTurns: 0, droppedTurns: 0 },
      cache: null,
      stop: 'end',
      promptTokens: 212,
      tokens: 148,
      firstTokenMs: 310,
      tokensPerSecond: 24.2,
      appVersion: '0.1.0',
      at,
    },
    error: null,
    supersededBy: null,
    createdAt: at,
    finishedAt: at,
  }
}

export function modelList(active: string | undefined): ModelSummary[] {
  const base = {
    version: '',
    licence: 'Apache-2.0',
    parameters: '0.5 billion',
    quantisation: 'Q8_0',
    state: 'installed' as const,
    demonstration: false,
  }
  return [
    {
      ...base,
      id: 'starter',
      name: 'Starter',
      version: '0.1',
      description: 'Inside the program; shows how it works. Not trained for clinical use.',
      bytes: 410_000_000,
      demonstration: true,
      fileName: 'starter.gguf',
    },
    {
      ...base,
      id: 'clinical',
      name: 'Clinical 7B',
      version: '1.2',
      description: 'General model for primary care.',
      parameters: '7.6 billion',
      quantisation: 'Q4_K_M',
      bytes: 4_840_000_000,
      fileName: 'clinical-7b-q4.gguf',
    },
    {
      ...base,
      id: 'listed',
      name: 'Clinical 14B',
      description: 'Larger and slower; needs 12 GB of memory.',
      parameters: '14.8 billion',
      quantisation: 'Q4_K_M',
      bytes: 8_900_000_000,
      state: 'listed' as const,
      fileName: 'clinical-14b-q4.gguf',
    },
  ].map((model) => ({ ...model, active: model.id === active }))
}

const short = `500 mg three times a day by mouth, for 5 days.

- Ask about **penicillin allergy** first. If it is a true allergy, choose another class.
- Review at 3 days, sooner if breathless, confused or not drinking.
- Repeat kidney function in 7 days if unwell.`
const long = `${short}
- If frail, very light or very heavy, work out creatinine clearance first.
- With an eGFR under 30 the dose is lower.
- Tell the patient what to expect and when to come back, and write both down.

## Why this dose

It covers the usual organisms with a margin for moderate kidney impairment.

| Clearance | Dose |
|---|---|
| above 30 | 500 mg 3 times a day |
| 10–30 | 500 mg twice a day |

## Red flags: when to admit

1. Breathing rate of 30 or more
2. New confusion
3. Blood pressure under 90 systolic

## For the patient

Finish the course, even if you feel better.`
const reasoning =
  `The question is about an adult dose. First the indication, then the usual range, then what changes it: kidney function, weight, allergy. `.repeat(
    3,
  )

/** The scripted answer by a word in the question. */
export function answers(question: string): { reasoning: string; answer: string; error: WireError | null } {
  const lower = question.toLowerCase()
  const thinks = lower.includes('reasoning') ? reasoning : ''
  if (lower.includes('fail')) return { reasoning: '', answer: '', error: AppError.wire(new AppError('ENGINE_TIMEOUT')) }
  if (lower.includes('lost')) return { reasoning: thinks, answer: short.slice(0, 120), error: AppError.wire(new AppError('ENGINE_LOST')) }
  if (lower.includes('cut')) return { reasoning: thinks, answer: long.slice(0, 600), error: AppError.wire(new AppError('ANSWER_CUT')) }
  return { reasoning: thinks, answer: lower.includes('long') ? long : short, error: null }
}
