// Owns the way in that a text names: words and abbreviations turned into the routes of records.
import type { Dose } from '../records.ts'

export type Route = Dose['route']
export const INJECTED: readonly Route[] = ['intramuscular', 'intravenous', 'subcutaneous']

const WAYS: readonly (readonly [RegExp, readonly Route[]])[] = [
  [
    /\bby mouth\b|\borally\b|\boral\b(?! (?:thrush|candid|contracept|rehydrat|herpes|ulcer|anticoag|iron|infect))|\bper os\b|\bp\.?o\b|\bswallowed\b/g,
    ['oral'],
  ],
  [/\bunder the tongue\b|\bsublingual(?:ly)?\b|\bs\/l\b/g, ['sublingual']],
  [/\bbuccal(?:ly)?\b|\binside the cheek\b|\boromucosal(?:ly)?\b/g, ['buccal']],
  [/\bnebuli[sz]\w*|\bnebs?\b/g, ['nebulised']],
  [/\binhal(?:ed|er|ers|ation)\b|\bspacer\b/g, ['inhaled']],
  [/\bintranasal(?:ly)?\b|\bnasally\b|\bnasal (?:spray|powder|drops|route)|\binto (?:the|each|one) nos(?:e|tril)\b|\bnostrils?\b/g, ['intranasal']],
  [
    /\bintramuscular(?:ly)?\b|\bi\.?m\b|\bi\/m\b|\b(?:into|in|or) (?:(?:a|the|thigh|outer) ){0,3}muscle\b|\b(?:outer thigh|into the thigh)\b/g,
    ['intramuscular'],
  ],
  [/\bintravenous(?:ly)?\b|\bi\.?v\b|\bi\/v\b|\binto (?:a|the) vein\b|\binfusion\b/g, ['intravenous']],
  [/\bsub-?cutaneous(?:ly)?\b|\bsub-?cut\b|\bs\.?c\b|\bs\/c\b|\bunder the skin\b/g, ['subcutaneous']],
  [/\bintraosseous(?:ly)?\b|\bi\.o\b|\binto the bone\b/g, ['intraosseous']],
  [/\brectally\b|\brectal\b(?! (?:bleed|pain|cancer|symptom))|\bper rectum\b|\bp\.?r\b|\bsuppositor(?:y|ies)\b/g, ['rectal']],
  [/\bvaginally\b|\bvaginal (?:tablet|pessar|cream|gel|ring|route)|\bper vaginam\b|\bp\.?v\b|\bpessar(?:y|ies)\b/g, ['vaginal']],
  [/\beye ?(?:drops?|ointment)\b|\binto (?:the|each) eyes?\b/g, ['eye']],
  [/\bear ?drops?\b|\binto (?:the|each) ears?\b/g, ['ear']],
  [/\b(?:to|on) the scalp\b/g, ['scalp']],
  [/\btransdermal(?:ly)?\b|\bthrough the skin\b/g, ['transdermal']],
  [/\btopical(?:ly)?\b|\bon the (?:affected area|skin)\b/g, ['topical']],
  [/\b(?:by )?injection\b/g, INJECTED],
]

/** The routes that `text` names, in order of appearance; "by injection" stands for the three of them only where none of them is named. */
export function readRoutes(text: string): Route[] {
  const found: { at: number; routes: readonly Route[] }[] = []
  for (const [pattern, routes] of WAYS) for (const match of text.matchAll(pattern)) found.push({ at: match.index, routes })
  found.sort((a, b) => a.at - b.at)
  const named = found.filter(({ routes }) => routes.length === 1)
  return [...new Set((named.length > 0 ? named : found).flatMap(({ routes }) => routes))]
}

/** Where no route is named, a tablet or a capsule says it. */
export function impliedRoutes(text: string): Route[] {
  if (/\b(?:tablets?|tabs?|capsules?|caps|syrup|suspension|sachets?)\b/.test(text)) return ['oral']
  if (/\bpatch(?:es)?\b/.test(text)) return ['transdermal']
  return /\b(?:cream|ointment|gel|lotion)\b/.test(text) ? ['topical'] : []
}
