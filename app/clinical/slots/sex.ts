// Owns the sex slot: men, women, boys, girls and the pronouns that say so; each word keeps what else it says.
import type { SlotReader } from './slot.ts'

export const sex: SlotReader = {
  slot: 'sex',
  phrases: {
    man: 'man|men|male|gentleman|gentlemen|male patient',
    woman: 'woman|women|female|lady|ladies|female patient',
    boy: 'boy|schoolboy',
    girl: 'girl|schoolgirl',
    he: 'he|him|himself',
    she: 'she|herself',
    his: 'his',
    her: 'her|hers',
    husband: 'husband',
    wife: 'wife',
    son: 'son',
    daughter: 'daughter',
    father: 'father|dad',
    mother: 'mother|mum|mom',
    brother: 'brother',
    sister: 'sister',
  },
  read({ tokens, texts }, take) {
    // "30F", "45 M"; in "5 m" it may be months or metres
    tokens.forEach((token, at) => {
      const letter = texts[at + 1]
      if (token.isNumber && Number(token.text) >= 12 && (letter === 'm' || letter === 'f'))
        take('sex', letter === 'm' ? 'man' : 'woman', at + 1, at + 2)
    })
  },
}
/** A standard term can swallow a pronoun ("blood in his urine"); the question as typed still holds it. */
export const SEXED = new Set(
  'man men male gentleman gentlemen woman women female lady ladies boy girl he him his himself she her hers herself'.split(' '),
)
