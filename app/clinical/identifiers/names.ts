// Owns names of persons: after a title, after "my patient", after "name:", a given name with a surname or an age; never an eponym or a medicine.

export interface NameTables {
  /** Given names, lower case. */
  readonly given: ReadonlySet<string>
  /** Words that are no surname: eponyms of medicine, medicines, months; lower case. */
  readonly notNames: ReadonlySet<string>
}
export interface NameHit {
  readonly start: number
  readonly end: number
  /** What stands in its place: "the patient", "the doctor"; '' where the words around it say who. */
  readonly role: 'her name' | 'his name' | 'patient' | 'woman' | 'man' | 'doctor' | 'nurse' | 'baby' | ''
}

const PART = `(?:(?:van|von|der|den|de|del|di|da|dos|la|le|al|bin|ibn|abu|O|Mac|Mc|D)[ '’-]?){0,2}\\p{Lu}[\\p{L}\\p{M}]*(?:['’-]\\p{Lu}?[\\p{L}\\p{M}]+)*\\.?`
const FULL = `${PART}(?: ${PART}){0,3}`
const TITLES: readonly (readonly [string, NameHit['role']])[] = [
  ['Mr|Sir|Lord|Herr|Señor|Monsieur|Master', 'man'],
  ['Mrs|Ms|Miss|Dame|Lady|Frau|Señora|Madame', 'woman'],
  ['Mx', 'patient'],
  ['Dr|Doctor|Prof|Professor', 'doctor'],
  ['Sister|Nurse', 'nurse'],
  ['Baby', 'baby'],
]
const TITLED = TITLES.map(
  ([titles, role]) => [new RegExp(`(?<![\\p{L}\\d])(?:${titles})\\.?(?: and (?:Mrs|Mr|Ms|Dr))? (${FULL})`, 'gu'), role] as const,
)
/** Lower case only where no abbreviation is spelled so: mr is a valve, ms a disease. */
const LOWER_TITLED = /(?<![\p{L}\d])mrs\.? (\p{Ll}{2,}(?:['’-]\p{Ll}+)?)/gu
const PATIENT = new RegExp(
  `(?<![\\p{L}])(?:(?:[Mm]y|[Oo]ur|[Tt]he|[Aa]|[Tt]his) (?:patient|client|lady|gentleman|man|woman|boy|girl),? (?:is )?(?:called |named )?|(?:[Pp]t|PT|[Pp]atient|PATIENT):? |[Nn]amed |[Cc]alled |[Nn]ame is )(${FULL})`,
  'gu',
)
const LABELLED = new RegExp(`(?:(?:[Pp]atient |PATIENT )?(?:[Nn]ame|NAME)|[Pp]atient|PATIENT|\\bRe|\\bRE):? (${FULL})`, 'gu')
const RELATION = new RegExp(
  `(?<![\\p{L}])(?:husband|wife|partner|son|daughter|mother|father|mum|Mum|dad|Dad|brother|sister|aunt|uncle|carer|friend),? (${FULL})`,
  'gu',
)
const LOWER_PATIENT = /(?<![\p{L}])(?:my|our) patient,? (?:called |named )?(\p{Ll}{2,})(?: (\p{Ll}{2,}))?/gu
const CAPITALISED = new RegExp(`(?<![\\p{L}'’-])(\\p{Lu}[\\p{Ll}\\p{M}]+) (${PART})`, 'gu')
const WITH_AGE = /(?<![\p{L}'’-])(\p{Lu}[\p{Ll}\p{M}]+),? \(?(?:aged )?\d{1,3}(?=[,)]| ?(?:y|yo|yrs?|years?|[fFmM])\b)/gu
/** After a name it makes an eponym. */
const EPONYM_AFTER =
  /^(?:['’]s?)? (?:disease|syndrome|sign|signs|test|palsy|score|criteria|scale|triad|reflex|phenomenon|thyroiditis|lymphoma|purpura|murmur|body|bodies|virus|fever|wort|tear|point|gait|fracture|hernia|law|stage|staging|classification|rash|contracture|cyst|oesophagus|encephalopathy|stain|node|disorder|crisis|breathing|position|cramp|registry|coma|ulcers?|dementia|bengal)/i
/** Words that begin a sentence or a field and are never a part of a name. */
const LEAD = /(?:,? ?\b(?:called|named) |\b(?:[Hh]er|[Hh]is) name is )$/
const ORDINARY = new Set(
  `name a an the is has had was were are will would should can could may might do does did not no yes with without and or of for from to in on at by as if when what which who whose
  how why where after before since this that these those he she they it his her their its my our your needs wants takes took presents presented complains complaining aged age
  year years month months week weeks day old man woman boy girl male female child infant query dose patient doctor nurse sister mother father baby mum dad gp hospital clinic
  please thanks thank dear monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december nhs nice
  bnf dob mrn ssn uti copd af dvt pe mi tia ckd htn dm hiv icu type blood high low new all any only both also very acute chronic severe left right said asked missed doses`.split(
    /\s+/,
  ),
)

/** In the text as typed. Time grows linearly with the text. */
export function findNames(text: string, { given, notNames }: NameTables): NameHit[] {
  const hits: NameHit[] = []
  // a title says that it is a person, whatever disease bears the name too
  const usable = (name: string, after: string, titled: boolean): string => {
    if (EPONYM_AFTER.test(after)) return ''
    const words = name.split(' ')
    const eponym = (word: string, at: number) => notNames.has(plain(word)) && !given.has(plain(word)) && (at === 0 || /['’]s$/.test(word))
    const end = words.findIndex((word, at) => (ORDINARY.has(plain(word)) && !/^\p{Lu}\.?$/u.test(word)) || (!titled && eponym(word, at)))
    return (end < 0 ? words : words.slice(0, end)).join(' ')
  }
  const add = (match: RegExpExecArray | RegExpMatchArray, group: string, role: NameHit['role'], whole = false) => {
    const at = match.index! + match[0].lastIndexOf(group)
    const name = usable(group, text.slice(at + group.length, at + group.length + 24), whole).replace(/\.$|['’]s$/, '')
    if (name === '') return
    // "called Peter" goes with the name; "her name is Priya" says only that she is a woman
    const lead = whole ? match[0].length - group.length : (LEAD.exec(text.slice(Math.max(0, at - 14), at))?.[0].length ?? 0)
    const says = /\b(her|his) name is $/i.exec(text.slice(Math.max(0, at - 14), at))?.[1]?.toLowerCase()
    const meant = / and (?:Mrs|Mr|Ms|Dr)/.test(match[0]) ? 'patient' : role
    hits.push({ start: at - lead, end: at + name.length, role: says === undefined ? meant : says === 'her' ? 'her name' : 'his name' })
  }
  for (const [pattern, role] of TITLED) for (const match of text.matchAll(pattern)) if (titleFits(match, given)) add(match, match[1]!, role, true)
  for (const match of text.matchAll(LOWER_TITLED)) if (!ORDINARY.has(match[1]!)) add(match, match[1]!, 'woman', true)
  for (const match of text.matchAll(PATIENT)) if (personal(match[0], match[1]!, given)) add(match, match[1]!, '')
  for (const match of text.matchAll(LABELLED)) if (/name/i.test(match[0]) || isGiven(match[1]!, given)) add(match, match[1]!, 'patient')
  for (const match of text.matchAll(RELATION)) if (isGiven(match[1]!, given) || /^\p{Lu}\p{Ll}{2,}$/u.test(match[1]!)) add(match, match[1]!, '')
  for (const match of text.matchAll(LOWER_PATIENT)) {
    if (!given.has(match[1]!)) continue
    const surname = match[2] !== undefined && !ORDINARY.has(match[2]) ? ` ${match[2]}` : ''
    const start = match.index + match[0].indexOf(match[1]!, match[0].indexOf('patient') + 7)
    hits.push({ start, end: start + match[1]!.length + surname.length, role: '' })
  }
  for (const match of text.matchAll(CAPITALISED)) {
    const surname = plain(match[2]!)
    const saint = /\b(?:St|Saint)\.? $/.test(text.slice(Math.max(0, match.index - 7), match.index))
    if (given.has(plain(match[1]!)) && !saint && !notNames.has(`${plain(match[1]!)} ${surname}`)) add(match, `${match[1]} ${match[2]}`, 'patient')
  }
  for (const match of text.matchAll(WITH_AGE)) if (given.has(plain(match[1]!))) add(match, match[1]!, 'patient')
  return hits
}

const plain = (word: string): string =>
  word
    .toLowerCase()
    .replace(/['’]s$/, '')
    .replace(/[.,]$/, '')
const isGiven = (name: string, given: ReadonlySet<string>): boolean => given.has(plain(name.split(' ')[0]!))

/** "Baby", "Sister" and "Miss" are words as well as titles. */
function titleFits(match: RegExpMatchArray, given: ReadonlySet<string>): boolean {
  const title = match[0].split(/[ .]/)[0]!
  if (title === 'Sister' || title === 'Nurse' || title === 'Doctor' || title === 'Baby' || title === 'Master') {
    const name = match[1]!.split(' ')[0]!
    return isGiven(name, given) || /^\p{Lu}\p{Ll}+$/u.test(name)
  }
  return true
}

/** "my patient Connor" is a name; after "called" or a bare "patient" only a known given name or two capitalised words are one. */
function personal(phrase: string, name: string, given: ReadonlySet<string>): boolean {
  if (isGiven(name, given)) return true
  if (/^(?:called|named)/i.test(phrase)) return name.includes(' ')
  return /^(?:my|our) (?:patient|client)/i.test(phrase) || /name is/i.test(phrase) || (/^pt|^patient/i.test(phrase) && / \p{Lu}/u.test(name))
}
