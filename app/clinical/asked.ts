// Owns which part of a record a question asks for: "side effects of" and "in pregnancy" name a row of the card. Pure, words only.
import type { PartId, RecordKind } from '../contract/clinical.ts'
import type { Category } from '../contract/entities.ts'
import { readPeople } from './doses/people.ts'
import { scan } from './doses/scan.ts'

type Rule = readonly [part: PartId, words: RegExp]

const MEDICINE: readonly Rule[] = [
  ['maximum', /\b(?:max(?:imum)?|ceiling|most)\b.{0,20}\b(?:dose|daily|day|amount|much)|\bmaximum\b/],
  [
    'interactions',
    /\binteract|\b(?:together|combin\w+|concurrent\w*|concomitant\w*|alongside)\b|\b(?:safe|take|taken|given|start|add)\b.{0,30}\bwith\b|\bwhile (?:on|taking)\b/,
  ],
  [
    'contraindications',
    /\bcontra-? ?indicat|\bwho (?:should|must) not\b|\b(?:allerg|hypersensitiv)\w*|\bwhen (?:not to|should .{0,20} not)\b|\bavoid(?:ed)? in\b/,
  ],
  ['cautions', /\bcautions?\b|\bprecautions?\b|\bcareful\b|\bwarnings?\b/],
  ['sideEffects', /\bside[- ]?effects?\b|\badverse\b|\bundesirable\b|\breactions? to\b|\btolerab/],
  ['pregnancy', /\bpregnan\w*|\btrimester\b|\bgestation\w*|\bconceiv\w*/],
  ['breastfeeding', /\bbreast-? ?f(?:eed|ed)\w*|\blactat\w*|\bnursing mother/],
  ['renal', /\be?gfr\b|\brenal\b|\bkidneys?\b|\bckd\b|\bglomerular\b|\bcreatinine\b|\bdialysis\b/],
  ['hepatic', /\bhepatic\b|\bliver\b|\bcirrhos\w*|\blfts?\b/],
  ['monitoring', /\bmonitor\w*|\bblood tests?\b|\bcheck(?:s|ed)? (?:before|after|during|while|bloods)\b|\bbaseline\b/],
  ['uses', /\bindicat(?:ed|ions?)\b|\bused? for\b|\bwhat (?:is|are) [\p{L} -]{2,30} (?:good )?for\?|\buses of\b/u],
]
const DOSE =
  /\bdos(?:e|es|ed|ing|age)\b|\bhow (?:much|often|many|long)\b|\bposology\b|\bregimen\b|\btitrat\w*|\bstart(?:ing)? (?:dose|at|on|with)\b|\bcourse\b/
const CONDITION: readonly Rule[] = [
  ['redFlags', /\bred flags?\b|\bdanger(?:ous)?\b|\balarm\b|\bwarning signs?\b|\bworr(?:y|ying)\b|\bserious\b|\brule out\b/],
  ['features', /\bsymptoms?\b|\bsigns?\b|\bfeatures?\b|\bpresent(?:s|ation|ing)?\b|\blook like\b|\brecogni[sz]\w*|\bclinical picture\b/],
  [
    'investigations',
    /\binvestigat\w*|\btests?\b|\btesting\b|\bbloods?\b|\bx-?ray\b|\bscan\b|\bimaging\b|\bultrasound\b|\bdiagnos\w+|\bconfirm\w*|\bworkup\b|\bwork up\b/,
  ],
  ['differentials', /\bdifferentials?\b|\bcauses?\b|\bmimics?\b|\belse could\b|\bcould it be\b|\bdistinguish\w*|\bversus\b/],
  [
    'treatment',
    /\btreat\w*|\bmanag\w+|\btherap\w+|\bfirst[- ]line\b|\bantibiotics?\b|\bdrugs? (?:of choice|for)\b|\bwhat (?:to|should i) (?:give|prescribe|use)\b|\bprescri\w+|\bsecond[- ]line\b|\bplan\b/,
  ],
  ['refer', /\brefer\w*|\badmit|\badmission\b|\bhospital\b|\bspecialist\b|\bsame day\b|\bwhen to send\b|\burgent\w*/],
  ['safetyNet', /\bsafety[- ]?net\w*|\bcome back\b|\breturn\b|\badvice (?:for|to)\b|\btell the patient\b|\bfollow[- ]?up\b/],
]
const EMERGENCY: readonly Rule[] = [
  ['drugs', /\bdos(?:e|es|age)\b|\bhow much\b|\bmg\b|\bmicrograms?\b|\bgive how\b/],
  ['recognise', /\brecogni[sz]\w*|\bsigns?\b|\bsymptoms?\b|\bfeatures?\b|\bdiagnos\w+|\bcriteria\b/],
  ['avoid', /\bavoid\b|\bnot (?:to )?(?:do|give)\b|\bcontra-?indicat\w*/],
  ['handOver', /\bhand ?over\b|\bambulance crew\b|\btell the\b/],
]
const PREVENTION: readonly Rule[] = [
  ['schedule', /\bwhen\b|\bhow often\b|\bschedule\b|\binterval\b|\bage\b|\bbooster\b|\bevery\b|\bhow many doses\b|\bcatch[- ]?up\b/],
  ['notFor', /\bcontra-?indicat\w*|\bwho (?:should|must) not\b|\bnot be (?:given|offered)\b|\ballerg\w*|\bpregnan\w*|\bimmunosuppress\w*/],
  ['who', /\bwho\b|\beligib\w*|\boffered\b|\bfor whom\b/],
]
const DEFAULT: Readonly<Record<Exclude<RecordKind, 'medicine' | 'condition'>, PartId>> = { emergency: 'steps', prevention: 'measures' }

/** The parts of a record of `kind` that the question asks for, never none. `category` decides where no word does. */
export function partsAsked(question: string, kind: RecordKind, category: Category): PartId[] {
  const text = scan(question.slice(0, 4000)).text
  const by = (rules: readonly Rule[]) => rules.filter(([, words]) => words.test(text)).map(([part]) => part)
  switch (kind) {
    case 'medicine': {
      const parts = by(MEDICINE)
      return DOSE.test(text) || parts.length === 0 ? [...dosesFor(text), ...parts.slice(0, 2)] : parts.slice(0, 3)
    }
    case 'condition': {
      const parts = by(CONDITION)
      return parts.length > 0 ? parts.slice(0, 2) : [category === 'treatment' || category === 'medication' ? 'treatment' : 'features']
    }
    case 'emergency':
    case 'prevention': {
      const parts = by(kind === 'emergency' ? EMERGENCY : PREVENTION)
      return [...new Set<PartId>([...(kind === 'emergency' ? [DEFAULT.emergency] : []), ...parts.slice(0, 1), DEFAULT[kind]])].slice(0, 2)
    }
  }
}

function dosesFor(text: string): PartId[] {
  const group = readPeople(text)?.group
  if (group === 'child' || group === 'neonate') return ['dose-child']
  return group === 'everyone' ? ['dose-adult', 'dose-child'] : ['dose-adult']
}
