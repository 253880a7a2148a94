// Owns what one pass of training sees: for every fact some of its phrasings, drawn anew for each pass, and the questions to be declined.
import { carried } from './carriers.ts'
import { chance, shuffled } from './chance.ts'
import { normalised, type Fact, type Pair } from './pair.ts'
import { roughened } from './phrasings.ts'
import { drawTable, pairOf, templatesBy, UNKNOWN_SHARE, type Corpus } from './split.ts'

/** Phrasings of each fact in a pass, drawn between these. */
export const PHRASINGS = { least: 4, most: 8 } as const
export interface Pass {
  /** In random order; `ordered` puts them into stages. */
  readonly pairs: readonly Pair[]
  /** Draws thrown away: the same question twice in the pass, one that is held out, one with two answers. */
  readonly dropped: { readonly repeated: number; readonly held: number; readonly ambiguous: number }
}

/**
 * The pairs of pass `number` (0, 1, …). The same corpus and number give the same pairs, whichever other passes were made; two passes share few
 * questions. No question stands in it twice, none is held out.
 */
export function trainingPass(corpus: Corpus, number: number): Pass {
  const { seed } = corpus.options
  const pairs: Pair[] = []
  const answers = new Map<string, string>()
  const dropped = { repeated: 0, held: 0, ambiguous: 0 }
  const keep = (pair: Pair): boolean => {
    const form = normalised(pair.q)
    const answer = answers.get(form)
    if (answer === undefined && form !== '' && !corpus.banned.has(form)) {
      answers.set(form, pair.a)
      pairs.push(pair)
      return true
    }
    dropped[answer === undefined ? 'held' : answer === pair.a ? 'repeated' : 'ambiguous']++
    return false
  }

  for (const fact of corpus.facts) {
    const draws = chance(seed, 'pass', number, fact.id)
    const wanted = PHRASINGS.least + draws.below(PHRASINGS.most - PHRASINGS.least + 1)
    for (let kept = 0, tries = 0; kept < wanted && tries < 4 * wanted; tries++) {
      const pair = drawn(corpus, fact, draws)
      if (pair && keep({ ...pair, q: roughened(carried(pair.q, draws), draws) })) kept++
    }
  }
  const draws = chance(seed, 'unknown of pass', number)
  const unknown = Math.round((pairs.length * UNKNOWN_SHARE) / (1 - UNKNOWN_SHARE))
  for (let kept = 0, tries = 0; kept < unknown && tries < 10 * unknown; tries++) {
    const pair = corpus.unknowns.draw(draws, false)
    if (pair && keep({ ...pair, q: roughened(carried(pair.q, draws), draws) })) kept++
  }
  return { pairs: shuffled(pairs, draws), dropped }
}

/** One phrasing of a fact that may be trained; null where the draw is held out or cannot ask it. */
function drawn(corpus: Corpus, fact: Fact, draws: ReturnType<typeof chance>): Pair | null {
  const table = tableOf(fact)
  const fate = draws.next() * table.at(-1)![0]
  const list = templatesBy(fact.kind, table.find(([upTo]) => fate < upTo)![1])
  const template = list[draws.below(list.length)]!
  const { test, validation } = corpus.held.get(fact.id)!
  return template.core === test.core || template.core === validation.core ? null : pairOf(fact, template, draws, corpus.names)
}

const tables = new WeakMap<Fact, ReturnType<typeof drawTable>>()
function tableOf(fact: Fact): ReturnType<typeof drawTable> {
  let table = tables.get(fact)
  if (!table) tables.set(fact, (table = drawTable(fact)))
  return table
}
