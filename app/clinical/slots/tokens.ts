// Owns the tokens of a question for its slots: words in one form, numbers by value, the signs that carry meaning; courtesies are dropped.
import { readDigits, readWords, writesDecimalComma } from '../doses/numbers.ts'
import { scan } from '../doses/scan.ts'
import { fold } from '../text.ts'
import type { Token } from './slot.ts'

/** Tried in this order: a decimal that starts with its point, a number, a word, a sign. */
const TOKEN = /(?<![\d\p{L}])[.,]\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*|\p{L}[\p{L}\p{N}']*|\S/gu
/** Signs that only part words. Every other sign is a token, known or not. */
const PUNCTUATION = new Set([...'.,;:!()[]{}"\'`|_…•¿¡', '\\'])
const SIGNS: Readonly<Record<string, string>> = { '&': 'and', '≤': 'up to', '≥': 'at least', '<': 'less than', '>': 'more than', '→': 'to' }
/** Folding makes another thing of them: both eyes one eye, AIDS an aid, NEWS new, a shoe she. */
const NOT_FOLDED = new Set(
  'eyes ears hands feet legs arms knees hips breasts kidneys lungs ovaries testicles shoulders ankles wrists elbows nostrils sides fingers toes thighs calves cheeks eyelids buttocks aids news shoe shoes does'.split(
    ' ',
  ),
)
const CONTRACTIONS: Readonly<Record<string, string>> = {
  ...{ whats: 'what is', whens: 'when is', hows: 'how is', whos: 'who is', wheres: 'where is', thats: 'that is', theres: 'there is' },
  ...{ cannot: 'can not', cant: 'can not', dont: 'do not', doesnt: 'does not', didnt: 'did not', isnt: 'is not', arent: 'are not' },
  ...{ wasnt: 'was not', werent: 'were not', shouldnt: 'should not', wouldnt: 'would not', couldnt: 'could not', wont: 'will not' },
  ...{ hasnt: 'has not', havent: 'have not', hadnt: 'had not', mustnt: 'must not', ive: 'i have', youre: 'you are', theyre: 'they are' },
  ...{ pls: 'please', plz: 'please', percent: '%', vs: 'versus' },
}
/** "follow-up", "follow up" and "followup": the first part and the rest are one word. */
const PREFIXES = new Set('pre post anti non co sub self multi hyper hypo peri para semi inter intra micro macro x'.split(' '))
const BEFORE_UP = new Set('follow check work'.split(' '))
const TYPED = new Set('type grade stage class phase factor nyha degree category'.split(' '))
const ROMAN: Readonly<Record<string, string>> = { i: '1', ii: '2', iii: '3', iv: '4', v: '5' }
const ORDINALS: Readonly<Record<string, string>> = { 1: 'first', 2: 'second', 3: 'third' }

/** The tokens of a scanned text, in order. Time grows linearly with the text. */
export function tokensOf(scanned: string): Token[] {
  const decimalComma = writesDecimalComma(scanned)
  const found: Token[] = []
  const add = (text: string, start: number, end: number, isNumber = false) =>
    found.push({ text, start, end, isNumber, glued: found.length > 0 && found.at(-1)!.end === start })
  const matches = [...scanned.matchAll(TOKEN)]
  matches.forEach(({ 0: typed, index }, at) => {
    const end = index + typed.length
    const next = matches[at + 1]
    if (/^[.,]?\d/.test(typed)) return void add(numberText(typed, decimalComma), index, end, true)
    if (/^\p{L}/u.test(typed)) {
      const ordinal = found.at(-1)
      if (/^(?:st|nd|rd|th)$/.test(typed) && ordinal?.isNumber && ordinal.end === index) {
        found.pop()
        return void add(ORDINALS[ordinal.text] ?? `${ordinal.text}th`, ordinal.start, end)
      }
      const word = typed.replaceAll("'", '')
      const expanded = Object.hasOwn(CONTRACTIONS, word) ? CONTRACTIONS[word]! : null
      if (expanded !== null) return expanded.split(' ').forEach((part) => add(part, index, end))
      return void add(NOT_FOLDED.has(word) ? word : fold(word), index, end)
    }
    if (typed === '-') return sign(at, index, end)
    if (typed === '?')
      return next && /^\p{L}/u.test(next[0]) && next.index === end && !/\S/.test(scanned[index - 1] ?? '') ? void add('?', index, end) : undefined
    if (!PUNCTUATION.has(typed)) (SIGNS[typed] ?? typed).split(' ').forEach((part) => add(part, index, end))
  })
  return joined(spoken(found), scanned)

  /** A hyphen joins words; between numbers it is "to", and on its own side of a word or number it is a minus. */
  function sign(at: number, index: number, end: number) {
    const [before, after] = [scanned[index - 1] ?? ' ', scanned[end] ?? ' ']
    if (/\d/.test(before) && /\d/.test(after)) return void add('to', index, end)
    const next = matches[at + 1]?.[0] ?? ''
    // "5 - 10" is a range, "INR -2" is none
    if (/^[.,]?\d/.test(matches[at - 1]?.[0] ?? '') && /^[.,]?\d/.test(next)) return void add('to', index, end)
    if (/\s/.test(before) && /^[.,]?\d/.test(after)) return void add('minus', index, end)
    if ((/\p{L}/u.test(before) && /[\s.,;:?!)]/.test(after)) || /^ve$/.test(next)) add('minus', index, end)
  }
}

/** "0.50" and "0.5" are one number; one with two readings stays as typed. */
function numberText(typed: string, decimalComma: boolean): string {
  const { value } = readDigits(typed, decimalComma)
  return value === null ? typed : String(value)
}

/** Numbers in words become their values: "twenty-five" is 25. */
function spoken(tokens: readonly Token[]): Token[] {
  const texts = tokens.map(({ text }) => text)
  const result: Token[] = []
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at]!
    const number = token.isNumber || token.text === 'half' ? null : readWords(texts, at)
    if (!number || number.length === 0) {
      const typed = Object.hasOwn(ROMAN, token.text) && TYPED.has(texts[at - 1] ?? '')
      result.push(typed ? { ...token, text: ROMAN[token.text]!, isNumber: true } : token)
      at++
    } else {
      result.push({ ...token, text: String(number.value), end: tokens[at + number.length - 1]!.end, isNumber: true })
      at += number.length
    }
  }
  return result
}

function joined(tokens: readonly Token[], scanned: string): Token[] {
  const result: Token[] = []
  for (const token of tokens) {
    const before = result.at(-1)
    const prefixed = before !== undefined && PREFIXES.has(before.text) && /^\p{L}{2}/u.test(token.text) && token.text !== 'and' && token.text !== 'or'
    // "B-12" and "B12"; "COVID-19" and "COVID 19" are two words either way
    const lettered = before !== undefined && /^[a-z]$/.test(before.text) && token.isNumber && scanned.slice(before.end, token.start) === '-'
    if (before && (prefixed || lettered || (token.text === 'up' && BEFORE_UP.has(before.text))))
      result[result.length - 1] = { ...before, text: before.text + token.text, end: token.end }
    else result.push(token)
  }
  return result
}

const phrases = (list: string): string[][] => list.split('|').map((phrase) => phrase.split(' ').map(fold))
/** Said before a question without being part of it; longest first. */
const OPENINGS = phrases(
  'can you please tell me|could you please tell me|please could you tell me|please can you tell me|can you tell me|could you tell me|would you tell me|i would like to know|i want to know|i need to know|good morning|good afternoon|good evening|please tell me|please advise|tell me|quick question|may i ask|can i ask|dear doctor|hello|hi|hey|please|kindly|ok|okay',
)
const CLOSINGS = phrases('many thanks|thank you very much|thank you|thanks|please advise|please|cheers')
const GREETINGS = new Set(['hello', 'hi', 'hey'])

/** Without greetings, thanks and "please". A question of nothing else stays as it is. */
export function withoutCourtesies(tokens: readonly Token[]): Token[] {
  let [from, to] = [0, tokens.length]
  const starts = (phrase: readonly string[], at: number) => phrase.every((word, k) => tokens[at + k]?.text === word)
  for (let phrase; (phrase = OPENINGS.find((one) => starts(one, from)));) {
    from += phrase.length
    // "Hi there," but not "Hello. There is a lump"
    if (GREETINGS.has(phrase[0]!) && tokens[from]?.text === 'there' && !/^(?:is|are|was|were|has|have)$/.test(tokens[from + 1]?.text ?? 'is')) from++
  }
  for (let phrase; (phrase = CLOSINGS.find((one) => to - one.length >= from && starts(one, to - one.length)));) to -= phrase.length
  const rest = tokens.slice(from, to).filter(({ text }) => text !== 'please')
  return rest.length > 0 ? rest : [...tokens]
}

/** For phrases of the slots' own tables: the tokens that the same words give in a question. */
export const phraseTokens = (phrase: string): string[] => tokensOf(scan(phrase).text).map(({ text }) => text)
