// Owns equation 1: C(q) = argmax_c Σ_{w∈q} I(w∈K_c), the category of a question from the keywords found in it. Pure.
import { categories, type Category, type Classification } from '../contract/entities.ts'
import type { KeywordTables, Keyword, Node, Spelling } from '../clinical/keywords.ts'
import { isNumber, words, type Word } from '../clinical/text.ts'

interface Hit {
  readonly from: number
  readonly to: number
  readonly spelling: Spelling
}
type Step = { readonly name: string; readonly length: number }

/**
 * The category whose table holds the most keywords of the question. Each keyword counts once, a phrase as much as a word; a word
 * inside a longer phrase that was found is part of that phrase and does not count by itself, whatever table the phrase is of ("drug of
 * choice" is a matter of treatment). Ties go to the safer category, the order of `categories`; nothing found is `general`.
 * Time is linear in the length of the question.
 */
export function classify(question: string, tables: KeywordTables): Classification {
  const text = words(question)
  const counted = new Map<Category, Map<Keyword, string>>()
  for (const { spelling, from, to } of outermost(findAll(text, tables))) {
    const { keyword } = spelling
    if (keyword.claim === 'none') continue
    let found = counted.get(keyword.claim)
    if (!found) counted.set(keyword.claim, (found = new Map()))
    if (!found.has(keyword)) found.set(keyword, spelling.text ?? show(text, from, to))
  }

  let category: Category = 'general'
  let best = 0
  const scores: Classification['scores'] = {}
  for (const candidate of categories) {
    const score = counted.get(candidate)?.size ?? 0
    if (score > 0) scores[candidate] = score
    if (score > best) [category, best] = [candidate, score]
  }
  return { category, decidedBy: 'rules', matched: [...(counted.get(category)?.values() ?? [])], scores }
}

/** The user's own choice; what the rules counted stays, `matched` is of the category chosen only when the rules chose it too. */
export function withUserCategory(found: Classification, category: Category): Classification {
  return { ...found, category, decidedBy: 'user', matched: found.category === category ? found.matched : [] }
}

/** Every keyword at every place, by start, then longest first. */
function findAll(text: readonly Word[], tables: KeywordTables): Hit[] {
  const steps = text.map((_, at) => classSteps(text, at, tables.classes))
  const hits: Hit[] = []
  for (let from = 0; from < text.length; from++) {
    const here: Hit[] = []
    walk(tables.keywords, from, from)
    hits.push(...here.sort((a, b) => b.to - a.to))

    function walk(node: Node<Spelling>, at: number, start: number): void {
      for (const spelling of node.ends) here.push({ from: start, to: at, spelling })
      const word = text[at]
      if (!word) return
      // a word can stand for itself, for a number or for a class; the depth is bounded by the longest phrase of the tables
      const literal = node.next.get(word.folded)
      if (literal) walk(literal, at + 1, start)
      for (const { name, length } of steps[at]!) {
        const next = node.next.get(name)
        if (next) walk(next, at + length, start)
      }
    }
  }
  return hits
}

/** The classes that the words from `at` on belong to, the longest reading of each. */
function classSteps(text: readonly Word[], at: number, classes: Node<string>): Step[] {
  const lengths = new Map<string, number>()
  if (isNumber(text[at]!.folded)) lengths.set('{n}', 1)
  let node: Node<string> | undefined = classes
  for (let to = at; to < text.length; to++) {
    node = node.next.get(text[to]!.folded)
    if (!node) break
    for (const name of node.ends) lengths.set(name, to - at + 1)
  }
  return [...lengths].map(([name, length]) => ({ name, length }))
}

/** Without the hits that lie inside a longer one. Hits that share a span, or overlap without one holding the other, all stay. */
function outermost(hits: readonly Hit[]): Hit[] {
  let reach = -1
  let widest: Hit | undefined
  return hits.filter((hit) => {
    if (hit.to <= reach && !(hit.from === widest?.from && hit.to === widest.to)) return false
    if (hit.to > reach) [reach, widest] = [hit.to, hit]
    return true
  })
}

const show = (text: readonly Word[], from: number, to: number): string =>
  text
    .slice(from, to)
    .map((word) => word.plain)
    .join(' ')
