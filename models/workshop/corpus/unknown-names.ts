// Owns the names that must be declined: real ones outside our records, and a stream of made-up ones that sound like them.
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { hash, pick, type Random } from './chance.ts'
import { capital } from './sentences.ts'

export type NameKind = 'medicine' | 'condition' | 'emergency' | 'prevention'

/** Real medicines and conditions that primary care meets rarely or hospital treats. One that a record has is passed over. */
const REAL: Readonly<Record<'medicine' | 'condition', readonly string[]>> = {
  medicine: (
    'abatacept abiraterone acarbose acitretin adalimumab agomelatine alectinib aliskiren alteplase amisulpride anakinra anastrozole aprepitant aripiprazole ' +
    'asenapine atezolizumab atovaquone baricitinib bedaquiline belimumab bevacizumab bictegravir bleomycin bosentan brivaracetam busulfan cabergoline ' +
    'capecitabine carboplatin caspofungin cetuximab chlorambucil cinacalcet cisplatin cladribine clofazimine clozapine cyclophosphamide cytarabine ' +
    'dabigatran dalteparin danazol dapsone daptomycin darunavir dasatinib denosumab desmopressin dolutegravir doxorubicin dronedarone dupilumab efavirenz ' +
    'eculizumab eltrombopag entecavir epoetin erlotinib esketamine etanercept ethambutol etoricoxib everolimus exenatide felodipine fentanyl filgrastim ' +
    'fingolimod flecainide fluorouracil galantamine ganciclovir gefitinib glatiramer golimumab imatinib infliximab irinotecan isotretinoin itraconazole ' +
    'ketamine lacosamide lenalidomide letrozole leuprorelin linezolid liraglutide lurasidone meropenem mefloquine milrinone mitoxantrone modafinil ' +
    'mycophenolate natalizumab nivolumab octreotide omalizumab paclitaxel pembrolizumab pimozide pirfenidone posaconazole primaquine propofol quinine ' +
    'raloxifene remdesivir ribavirin rifampicin rituximab rocuronium secukinumab sirolimus sorafenib sunitinib tacrolimus tamoxifen tenofovir thalidomide ' +
    'ticagrelor tocilizumab tofacitinib topiramate trastuzumab vancomycin varenicline vigabatrin vincristine voriconazole zidovudine ziprasidone'
  ).split(' '),
  condition: [
    ...['acromegaly', 'achalasia', 'alkaptonuria', 'amyloidosis', 'ankylosing spondylitis', 'aplastic anaemia', 'arrhythmogenic cardiomyopathy'],
    ...['autoimmune hepatitis', 'Behçet’s disease', 'botulism', 'brucellosis', 'Brugada syndrome', 'bullous pemphigoid', 'carcinoid syndrome'],
    ...[
      'Chagas disease',
      'Churg-Strauss syndrome',
      'chronic myeloid leukaemia',
      'craniopharyngioma',
      'cryptococcal meningitis',
      'Cushing’s syndrome',
    ],
    ...['cystic fibrosis', 'cystinosis', 'dermatomyositis', 'diabetes insipidus', 'Ehlers-Danlos syndrome', 'Fabry disease', 'factor V Leiden'],
    ...['familial Mediterranean fever', 'Friedreich ataxia', 'Gaucher disease', 'glioblastoma', 'Goodpasture syndrome', 'Guillain-Barré syndrome'],
    ...['haemochromatosis', 'haemophilia A', 'hairy cell leukaemia', 'hereditary spherocytosis', 'Huntington’s disease', 'hydatid disease'],
    ...[
      'idiopathic pulmonary fibrosis',
      'IgA nephropathy',
      'insulinoma',
      'Klinefelter syndrome',
      'Lambert-Eaton syndrome',
      'leishmaniasis',
      'leprosy',
    ],
    ...['Marfan syndrome', 'mastocytosis', 'melioidosis', 'motor neurone disease', 'multiple myeloma', 'myasthenia gravis', 'myelofibrosis'],
    ...['narcolepsy', 'nephrotic syndrome', 'neuroblastoma', 'neurofibromatosis', 'osteogenesis imperfecta', 'Paget’s disease of bone'],
    ...[
      'pemphigus vulgaris',
      'phaeochromocytoma',
      'phenylketonuria',
      'polycythaemia vera',
      'Pompe disease',
      'porphyria',
      'primary biliary cholangitis',
    ],
    ...['progressive supranuclear palsy', 'Q fever', 'retinitis pigmentosa', 'sarcoidosis', 'scleroderma', 'Still’s disease', 'syringomyelia'],
    ...['systemic lupus erythematosus', 'Takayasu arteritis', 'tetralogy of Fallot', 'thalassaemia major', 'tuberous sclerosis', 'Turner syndrome'],
    ...[
      'von Willebrand disease',
      'Wegener’s granulomatosis',
      'Whipple’s disease',
      'Wilson’s disease',
      'xeroderma pigmentosum',
      'Zollinger-Ellison syndrome',
    ],
  ],
}
/**
 * Real names that no record has, and those of `untaught` records: half of each kind are never trained. A name that holds a known one, or is held by one,
 * is left out, for it may be asked about.
 */
export function realNames(kind: NameKind, known: ReadonlySet<string>, held: boolean, untaught: readonly ClinicalRecord[] = []): string[] {
  const others = untaught.filter((record) => record.kind === kind).flatMap(namesOf)
  const list = [...(kind === 'medicine' || kind === 'condition' ? REAL[kind] : []), ...others.filter((name) => name.length >= SHORTEST)]
  const near = (name: string) => [...known].some((other) => other.length >= SHORTEST && (other.includes(name) || name.includes(other)))
  return [...new Set(list)].filter(
    (name) => !known.has(name.toLowerCase()) && !near(name.toLowerCase()) && hash(`real ${name.toLowerCase()}`) % 2 === (held ? 1 : 0),
  )
}
const SHORTEST = 4
const namesOf = (record: ClinicalRecord): string[] =>
  [record.name, ...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])].map((name) => name.replaceAll('’', "'"))

const HELD_SHARE = 8
/** A made-up word belongs to the tests or to training by itself, so that no stream of training can reach one of the tests. */
const isHeld = (word: string): boolean => hash(`made up ${word.toLowerCase()}`) % HELD_SHARE === 0

const START =
  'ba be bi bo bra ca ce cla co cra da de di dro e fa fe flu fo ga ge gle ha i ja ke la le li lo lu ma me mi mo mu na ne ni no o pa pe pi ' +
  'pra pro qua ra re ri ro sa se si so ste su ta te ti to tra tri u va ve vi vo xa xe ya ze zi zo'
const MIDDLE =
  'ba bi bu ca ci co da di do fe fi ga go la li lo lu ma mi mo na ne ni no pa pe pi ra re ri ro sa se ta te ti to va ve vi xa xi za ze zo'
const DRUG_END =
  'azole oprazole mab limab ximab tinib ciclib parib pril sartan statin cillin floxacin cycline mycin vir navir buvir olol alol dipine gliptin gliflozin ' +
  'glutide tide caine pam zolam barbital setron triptan oxetine pramine azepam tidine amide zide semide one olone asone onide terol phylline idone apine ' +
  'azine fibrate grel xaban parin kinra cept stat mide formin lukast ase ine in ol ate en al'
const ILLNESS_END = 'itis osis emia pathy algia oma ectasia plegia uria penia dystrophy dermia megaly trophy sclerosis'
const SURNAME_END = 'berg mann sen son ley ton well stein ski ov ard ini aert quist ford man er'
const PARTS = 'renal spinal nasal pelvic thoracic ocular gastric facial vascular glandular cortical lumbar dental aural hepatic dermal'
const words = (text: string) => text.split(' ')
const [starts, middles, drugEnds, illnessEnds, surnameEnds, parts] = [START, MIDDLE, DRUG_END, ILLNESS_END, SURNAME_END, PARTS].map(words) as [
  ...[string[], string[], string[], string[], string[], string[]],
]

const stem = (chance: Random, most: number): string =>
  pick(starts, chance) + Array.from({ length: chance.below(most + 1) }, () => pick(middles, chance)).join('')
const surname = (chance: Random): string => capital(stem(chance, 1) + pick(surnameEnds, chance))
interface MadeUp {
  readonly name: string
  /** The one word in it that is made up. */
  readonly word: string
}
const illness = (chance: Random): MadeUp => {
  const fate = chance.below(5)
  if (fate === 0) {
    const word = surname(chance)
    return { word, name: `${word} ${pick(['syndrome', 'disease', 'anomaly', 'palsy', 'fever'], chance)}` }
  }
  if (fate === 2) {
    const word = stem(chance, 1) + pick(middles, chance)
    return { word, name: `${word} ${pick(['fever', 'disorder', 'pox', 'deficiency', 'infection'], chance)}` }
  }
  const word = stem(chance, fate === 1 ? 1 : 2) + pick(illnessEnds, chance)
  return { word, name: fate === 1 ? `${pick(parts, chance)} ${word}` : word }
}

/**
 * Makes names up. `known` are the real ones, small letters: no made-up name is one of them or within two letters of one that begins alike, for
 * a misspelt name is answered. With `held`, names for the tests; else names for training.
 */
export class NameMaker {
  readonly #known: ReadonlySet<string>
  readonly #byStart = new Map<string, string[]>()
  readonly #medicines: readonly string[]

  constructor(known: ReadonlySet<string>, medicines: readonly string[]) {
    this.#known = known
    this.#medicines = medicines.filter((name) => /^\p{L}{7,}$/u.test(name))
    for (const name of known) {
      const list = this.#byStart.get(name.slice(0, 2)) ?? []
      list.push(name)
      this.#byStart.set(name.slice(0, 2), list)
    }
  }

  make(kind: NameKind, chance: Random, held: boolean): string {
    for (;;) {
      // a word is held out with every illness, emergency and vaccine that is named after it
      const { name, word } = kind === 'medicine' ? this.#drug(chance) : dressed(kind, illness(chance), chance)
      if (isHeld(word) === held && !this.#near(name.toLowerCase())) return name
    }
  }

  #drug(chance: Random): MadeUp {
    // the head of one drug and the tail of another: parts that are known do not make a name known
    if (this.#medicines.length > 1 && chance.below(4) === 0) {
      const [head, tail] = [pick(this.#medicines, chance), pick(this.#medicines, chance)]
      const word = head.slice(0, 3 + chance.below(2)) + pick(middles, chance) + tail.slice(-4 - chance.below(2))
      return { name: word, word }
    }
    const word = stem(chance, 2) + pick(drugEnds, chance)
    return { name: word, word }
  }

  #near(name: string): boolean {
    return (
      this.#known.has(name) ||
      (this.#byStart.get(name.slice(0, 2)) ?? []).some((other) => Math.abs(other.length - name.length) <= 2 && distance(other, name) <= 2)
    )
  }
}

function dressed(kind: NameKind, { name, word }: MadeUp, chance: Random): MadeUp {
  if (kind === 'emergency')
    return { word, name: `${pick(['acute', 'severe', 'sudden', 'massive'], chance)} ${name}${pick(['', ' crisis', ' poisoning', ' shock'], chance)}` }
  if (kind === 'prevention') return { word, name: `${name} ${pick(['vaccination', 'screening', 'prevention', 'prophylaxis', 'testing'], chance)}` }
  return { word, name }
}

/** Levenshtein's edit distance. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
