// Owns the language slot: told by the small words of a question, and by its script. English where nothing says otherwise.
const set = (list: string): ReadonlySet<string> => new Set(list.split(' '))
const ENGLISH = set('the of is are what how in for with can and to my which when should does do a an no on at i')
const OTHERS: readonly (readonly [language: string, small: ReadonlySet<string>])[] = Object.entries({
  French: 'le la les des du une est sont quelle quel quels quelles pour avec chez dans comment quand puis-je et peut',
  German: 'der die das ist sind wie welche welches fur mit bei und kann wann eine einen ein von zu ich darf',
  Spanish: 'el los las es son cual cuales para con como cuando puedo una del y que en por',
  Italian: 'il lo gli e sono quale quali per con come quando posso una della del che nel di',
  Portuguese: 'os as sao qual quais para com como quando posso uma do da que em no',
  Dutch: 'de het een is zijn wat hoe welke voor met bij en kan wanneer mag ik van',
  Polish: 'jak jaka jaki jest sa czy dla przy kiedy moge i w na do',
}).map(([language, list]) => [language, set(list)])
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Cyrillic}/gu, 'Cyrillic'],
  [/\p{Script=Arabic}/gu, 'Arabic'],
  [/\p{Script=Devanagari}/gu, 'Devanagari'],
  [/\p{Script=Hiragana}|\p{Script=Katakana}/gu, 'Japanese'],
  [/\p{Script=Han}/gu, 'Chinese'],
  [/\p{Script=Hangul}/gu, 'Korean'],
  [/\p{Script=Greek}/gu, 'Greek'],
  [/\p{Script=Hebrew}/gu, 'Hebrew'],
]

/** Fewer small words than this prove nothing: "no" and "do" are words of several languages. */
const ENOUGH = 2

/** The language that most of the small words belong to, if it has more of them than English; a script of its own decides with two letters. */
export function languageOf(scanned: string): string {
  for (const [script, name] of SCRIPTS) if ((scanned.match(script)?.length ?? 0) >= ENOUGH) return name
  const said = scanned.match(/\p{L}+(?:-\p{L}+)*/gu) ?? []
  const count = (small: ReadonlySet<string>) => said.reduce((sum, word) => sum + (small.has(word) ? 1 : 0), 0)
  const english = count(ENGLISH)
  let [best, most] = ['English', Math.max(english, ENOUGH - 1)]
  for (const [language, small] of OTHERS) {
    const found = count(small)
    if (found > most) [best, most] = [language, found]
  }
  return best
}
