// Owns which parts an answer of each category should have, and which of them one answer leaves out. Pure.
import type { Category } from '../contract/entities.ts'

type Part = readonly [title: string, words: RegExp]

/** In the order in which they are read: a medication block as in a formulary, red flags first in a diagnosis, steps first in an emergency. */
const PARTS: Readonly<Record<Category, readonly Part[]>> = {
  medication: [
    ['dose', /\d ?(?:mg|g|mcg|micrograms?|µg|units?|ml|mmol|puffs?|drops|%|tablets?)\b|\bdos(?:e|es|age)\b/i],
    ['maximum', /\bmax(?:imum)?\b|\bat most\b|\bup to\b|\bnot (?:to )?exceed|\bno more than\b|\bceiling\b/i],
    ['contra-indications', /\bcontra-?indicat|\bmust not\b|\bdo not (?:use|give)\b|\bavoid\b|\ballerg/i],
    ['cautions', /\bcautions?\b|\bcareful|\bwatch for\b|\bmonitor/i],
    ['interactions', /\binteract|\bwith (?:warfarin|other medicines)\b|\bcombin/i],
    ['pregnancy', /\bpregnan|\bbreast-?feed/i],
    ['kidney function', /\brenal\b|\bkidney|\be?gfr\b|\bcreatinine\b/i],
  ],
  diagnosis: [
    ['red flags', /\bred flags?\b|\burgent|\bemergency\b|\bat once\b|\bsame day\b|\badmit/i],
    ['features', /\bsymptoms?\b|\bsigns?\b|\bfeatures?\b|\bpresent/i],
    ['tests', /\btests?\b|\bblood|\bscan\b|\bx-?ray\b|\becg\b|\bultrasound\b|\binvestigat|\bculture\b/i],
    ['other diagnoses', /\bdifferential|\bexclude\b|\brule out\b|\bother causes?\b|\bconsider\b|\bmimic/i],
  ],
  treatment: [
    ['first choice', /\bfirst[- ]line\b|\bfirst choice\b|\bstart\b|\bgive\b|\boffer\b|\btreat/i],
    ['alternatives', /\balternativ|\bsecond[- ]line\b|\bif (?:not|allerg|unsuitable)|\bor\b/i],
    ['when to refer', /\brefer\b|\badmit|\bspecialist\b|\bhospital\b|\bsame day\b/i],
    ['safety net', /\breturn\b|\bcome back\b|\breview\b|\bfollow[- ]up\b|\bworse/i],
  ],
  prevention: [
    ['for whom', /\bfor (?:all|every|people|adults|children|women|men|those)\b|\bwho\b|\baged?\b|\bat risk\b/i],
    ['what to do', /\boffer\b|\bgive\b|\bvaccin|\bscreen|\badvise|\bstop\b|\breduce\b/i],
    ['when', /\bevery\b|\bannual|\byears?\b|\bmonths?\b|\bweeks?\b|\bonce\b|\bbooster\b/i],
  ],
  emergency: [
    ['call for help', /\bcall\b|\bambulance\b|\b(?:999|112|911)\b|\bhelp\b/i],
    ['first steps', /\bgive\b|\bcheck\b|\bopen\b|\bstart\b|\bposition\b|\boxygen\b/i],
    ['what to avoid', /\bavoid\b|\bdo not\b|\bnot\b/i],
    ['hand over', /\bhand ?over\b|\btell\b|\bnote\b|\brecord\b/i],
  ],
  general: [],
}

/** Titles of the parts that no word of the answer touches, in their order; none for an empty answer, which states nothing at all. */
export function notStated(answer: string, category: Category): string[] {
  if (answer.trim() === '') return []
  return PARTS[category].filter(([, words]) => !words.test(answer)).map(([title]) => title)
}
