// Owns what people write around a question without changing it: small talk, purposes, marks, typing noise; composed, so that no two passes look alike.
import { pick, type Random } from './chance.ts'
import { capital } from './sentences.ts'

const list = (words: string): readonly string[] => words.split('|')
const TIMES = list(
  'this morning|today|last night|an hour ago|on Monday|yesterday|just now|over lunch|this week|after the ward round|before surgery|at noon|in March|all day|since Friday|' +
    'during the storm|while it rained|on the way here|at the weekend|between two visits',
)
const PEOPLE = list(
  'the receptionist|our porter|the locum|a courier|the cleaner|my colleague|the trainee|a midwife|the caretaker|the driver|our manager|a visitor|the plumber|my neighbour|' +
    'the physiotherapist|a volunteer|the electrician|our cook|the gardener|a student nurse|the dentist next door|the computer|the printer|the lift|the heating',
)
const DEEDS = list(
  'lost|found|moved|painted|repaired|dropped|brought|borrowed|locked|cleaned|forgot|sold|ordered|blocked|measured|emptied|photographed|covered|counted|returned|hid|opened|' +
    'wrapped|posted|changed',
)
const THINGS = list(
  'the keys|a parcel|the blue folder|my bicycle|two chairs|the fridge|a window|the telephone|some flowers|the waiting room|the coffee machine|a box of gloves|the calendar|' +
    'the old scales|a lamp|the car park|three letters|the notice board|a ladder|the curtains|the front door|the laptop|a kettle|the radio|the bins',
)
const STATES = list(
  'The clinic is running late|It is a busy day|The line is bad|My screen is small|I am new here|I have two minutes|The waiting room is full|It has been a long week|' +
    'I am typing on a telephone|The power was off|We are short of staff|I am on call|It is late|The roads are icy|I am learning the system|My book is at home|' +
    'There is a queue outside|The internet is down|I am on a home visit|My glasses are broken',
)
const PURPOSES = list(
  'a leaflet|the audit|my notes|tomorrow|the practice meeting|a letter|the rota room|my own interest|the record|a talk|the guideline folder|a poster|an e-mail|the next visit|' +
    'teaching|our protocol|a summary|the care plan|a review|the file',
)
const LABELS = list('Note|Item|Page|Room|Bed|Line|Case|Part|Point|Slide|Row|Memo|Ticket|Task|Entry|Visit|Step|Number')
const OPENINGS = list(
  'Ah,|Hm,|Well,|OK so|Right,|Look,|Also,|And|But|Now then,|By the way,|One more thing:|To begin with,|Finally,|Again:|In short:|Seriously,|Honestly,|Actually,|Well then:|' +
    'I wonder:|I keep thinking:|It may be a silly thing, but|If you have a moment,|When you can:|Without much detail,|As simply as possible:|In your own words,|For once,|Once more,',
)
const CLOSINGS = list(
  'Thanks in advance.|Cheers.|No hurry.|It is urgent.|Be brief.|Just the facts.|In plain words.|That is all.|I will check it myself.|Please be exact.|Regards.|Much obliged.|' +
    'Only if you are sure.|I could not find it.|Nothing more.|Sorry for the trouble.|Take your time.|This is the last one.|I asked before.|Best wishes from the practice.',
)
const PAIRS: readonly (readonly [string, string])[] = [
  ...([
    ['* ', ''],
    ['- ', ''],
    ['-- ', ' --'],
    ['>> ', ''],
    ['"', '"'],
    ['(', ')'],
    ['... ', ''],
    ['', ' ...'],
  ] as const),
  ...([
    ['', ' !!'],
    ['', ' :)'],
    ['** ', ' **'],
    ['', ' (?)'],
    ['~ ', ''],
    ['', ' /'],
    ['“', '”'],
    ['', '\n'],
    ['', ' ?!'],
  ] as const),
]
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** A sentence of its own that has nothing to do with the question. */
function smallTalk(draws: Random): string {
  const fate = draws.below(3)
  if (fate === 0) return `${pick(STATES, draws)}.`
  const deed = `${pick(PEOPLE, draws)} ${pick(DEEDS, draws)} ${pick(THINGS, draws)}`
  const time = pick(TIMES, draws)
  return fate === 1 ? `${capital(time)} ${deed}.` : `${capital(deed)} ${time}.`
}
function label(draws: Random): string {
  const fate = draws.below(4)
  if (fate === 0) return `${1 + draws.below(40)}${pick(['.', ')', ':'], draws)}`
  if (fate === 1) return `${8 + draws.below(11)}:${String(draws.below(60)).padStart(2, '0')}`
  return `${pick(LABELS, draws)}${draws.below(2) === 0 ? '' : ` ${1 + draws.below(30)}`}:`
}
/** Letters that mean nothing, as a cat on the keyboard would leave them. */
function noise(draws: Random): string {
  return Array.from({ length: 1 + draws.below(5) }, () => LETTERS[draws.below(26)]!).join('')
}
const first = (question: string): string =>
  /^(What|Which|Who|When|Where|Why|How|Is|Are|Can|May|Does|Do|Should|Tell|Give|Explain|Say|Show|Name|State) /.test(question)
    ? question.slice(0, 1).toLowerCase() + question.slice(1)
    : question
const ended = (question: string): string => (/[.?!…]$/.test(question) ? question : `${question}.`)

/** Ways in which something is put around a question, each as likely as the next. */
const ways: readonly ((question: string, draws: Random) => string)[] = [
  (question, draws) => `${smallTalk(draws)} ${question}`,
  (question, draws) => `${ended(question)} ${smallTalk(draws)}`,
  (question, draws) => `${pick(OPENINGS, draws)} ${first(question)}`,
  (question, draws) => `${ended(question)} ${pick(CLOSINGS, draws)}`,
  (question, draws) => `${ended(question)} It is for ${pick(PURPOSES, draws)}.`,
  (question, draws) => `For ${pick(PURPOSES, draws)}: ${first(question)}`,
  (question, draws) => `${label(draws)} ${question}`,
  (question, draws) => pick(PAIRS, draws).join(question),
  (question, draws) => `${noise(draws)} ${question}`,
  (question, draws) => `${question} ${noise(draws)}`,
]

/** Of the questions of training, known and unknown alike: else what stands around one would tell whether it is to be declined. */
export const CARRIED_SHARE = 0.4
/** How many of these have something put around what is already around them. */
const TWICE = 0.25

/** The same question, for a share of the draws with something around it that does not change what is asked. */
export function carried(question: string, draws: Random): string {
  if (draws.next() >= CARRIED_SHARE) return question
  const once = pick(ways, draws)(question, draws)
  return draws.next() < TWICE ? pick(ways, draws)(once, draws) : once
}
