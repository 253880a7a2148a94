// Owns which value counts: machine policy over the user's settings over what the organisation recommends over the default.
import {
  policyEntries,
  policyKeys,
  type EffectiveSetting,
  type PolicyEntry,
  type PolicyKey,
  type PolicyProblem,
  type PolicyValue,
} from '../../contract/policy.ts'

/** What a policy file or a registry holds, before anybody has looked at it. */
export interface RawPolicy {
  readonly mandatory: Readonly<Record<string, unknown>>
  readonly recommended: Readonly<Record<string, unknown>>
}
export interface Policy {
  readonly mandatory: ReadonlyMap<PolicyKey, unknown>
  readonly recommended: ReadonlyMap<PolicyKey, unknown>
  readonly problems: readonly PolicyProblem[]
}
export type Effective = {
  readonly [K in PolicyKey]: {
    readonly value: PolicyValue<K>
    readonly setBy: 'policy' | 'user' | 'recommended' | 'default'
    readonly locked: boolean
  }
}
export const noPolicy: RawPolicy = { mandatory: {}, recommended: {} }

/** Further apart, it is another word and not a slip. */
const MOST_EDITS = 3

/**
 * Judges every key. A value that cannot be understood counts as the key's safe value, and so does the key that a mistyped one is nearest to:
 * the organisation wanted to decide it, and until it is corrected nobody else shall. Never throws.
 */
export function judgePolicy(raw: RawPolicy): Policy {
  const problems: PolicyProblem[] = []
  const read = (values: Readonly<Record<string, unknown>>, binding: boolean) => {
    const known = new Map<PolicyKey, unknown>()
    const guessed = new Set<PolicyKey>()
    for (const [name, value] of Object.entries(values)) {
      const key = policyKeys.find((one) => one.toLowerCase() === name.toLowerCase())
      if (key === undefined) {
        const nearest = nearestKey(name)
        const meant = nearest === null ? '' : ` Did you mean “${nearest}”?${binding ? ' Until this is corrected, its safe value counts.' : ''}`
        problems.push({ key: name.slice(0, 100), says: `There is no setting of this name.${meant}`, nearest })
        if (nearest !== null && binding) guessed.add(nearest)
        continue
      }
      const entry: PolicyEntry = policyEntries[key]
      const parsed = judged(entry, value)
      if (parsed.success) known.set(key, parsed.data)
      else {
        problems.push({
          key,
          says: `${wrongIn(entry, parsed.says)}${binding ? ' Until this is corrected, the safe value counts.' : ''}`,
          nearest: null,
        })
        if (binding) known.set(key, entry.safe)
      }
    }
    for (const key of guessed) if (!known.has(key)) known.set(key, policyEntries[key].safe)
    return known
  }
  return { mandatory: read(raw.mandatory, true), recommended: read(raw.recommended, false), problems }
}

/** zod compares the length of what only looks like a list, and throws where that length is no number. */
function judged({ schema }: PolicyEntry, value: unknown): { success: true; data: unknown } | { success: false; says: string | undefined } {
  try {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed : { success: false, says: parsed.error.issues[0]?.message }
  } catch {
    return { success: false, says: undefined }
  }
}

/** A policy that is there and cannot be read at all: every setting has its safe value and nobody can change it. */
export function unreadablePolicy(says: string): Policy {
  const mandatory = new Map(policyKeys.map((key) => [key, policyEntries[key].safe] as const))
  return { mandatory, recommended: new Map(), problems: [{ key: '', says, nearest: null }] }
}

/** `user` may hold anything: what does not fit, or what a user may not decide, is passed over. */
export function effective(policy: Policy, user: Readonly<Record<string, unknown>>): Effective {
  const decide = (key: PolicyKey) => {
    const entry: PolicyEntry = policyEntries[key]
    if (policy.mandatory.has(key)) return { value: policy.mandatory.get(key), setBy: 'policy', locked: true }
    const own = entry.user && Object.hasOwn(user, key) ? judged(entry, user[key]) : null
    if (own?.success) return { value: own.data, setBy: 'user', locked: false }
    if (policy.recommended.has(key)) return { value: policy.recommended.get(key), setBy: 'recommended', locked: !entry.user }
    return { value: entry.default, setBy: 'default', locked: !entry.user }
  }
  return Object.fromEntries(policyKeys.map((key) => [key, decide(key)])) as unknown as Effective
}

/** Every setting with its words, for the page that says who has set what. */
export function settingRows(now: Effective): EffectiveSetting[] {
  return policyKeys.map((key) => {
    const { title, help } = policyEntries[key]
    return { key, title, help, ...now[key] }
  })
}

/** The known key with the fewest edits to `name`, capitals aside; null when none is near. */
export function nearestKey(name: string): PolicyKey | null {
  if (name.length > 60) return null
  const distances = policyKeys.map((key) => [key, edits(key.toLowerCase(), name.toLowerCase())] as const)
  const [key, distance] = distances.reduce((best, one) => (one[1] < best[1] ? one : best))
  return distance <= Math.min(MOST_EDITS, Math.floor(key.length / 2)) ? key : null
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function edits(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, n) => n)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), swap))
    }
    ;[before, row] = [row, next]
  }
  return row[b.length]!
}

function wrongIn({ form }: PolicyEntry, detail: string | undefined): string {
  switch (form.kind) {
    case 'switch':
      return 'This is neither true nor false.'
    case 'number':
      return `This is no whole number from ${form.least} to ${form.most} (${form.unit}).`
    case 'choice':
      return `This is none of ${Object.keys(form.options).join(', ')}.`
    case 'text':
      return `This text is not understood: ${detail ?? 'wrong form'}.`
    case 'list':
      return `This is no list of at most ${form.most} texts of the right form.`
  }
}
