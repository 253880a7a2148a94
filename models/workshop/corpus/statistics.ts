// Owns the statistics of a corpus: what is printed and what statistics.json holds.
import type { Row } from '../report.ts'
import { chat, type Tokenizer } from './bpe.ts'
import { newPhrasings, trainedPhrasings } from './frames.ts'
import { factKinds, type Pair } from './pair.ts'
import type { Pass } from './passes.ts'
import { templateCount, templatesOf } from './phrasings.ts'
import { testNames, type Corpus } from './split.ts'

export interface Statistics {
  readonly records: number
  readonly facts: number
  readonly factsTooLong: number
  readonly templates: number
  readonly fewestTemplatesOfAKind: number
  readonly phrasings: { readonly trained: readonly string[]; readonly heldOut: readonly string[] }
  readonly vocabulary: number
  readonly train: SetStatistics
  readonly tests: Readonly<Record<string, number>>
  readonly duplicates: { readonly train: Pass['dropped']; readonly tests: number }
  readonly tokens: { readonly total: number; readonly question: number; readonly answer: number; readonly longest: number }
}
export interface SetStatistics {
  readonly pairs: number
  readonly unknown: number
  readonly byCategory: Readonly<Record<string, number>>
  readonly byKind: Readonly<Record<string, number>>
  readonly byLevel: Readonly<Record<string, number>>
  readonly byKnowledge: Readonly<Record<string, number>>
  readonly byPhrasing: Readonly<Record<string, number>>
}

/** Figures of a corpus and of its first pass. `tokens.question` and `.answer` are means, the marks of the turns with them. */
export function statisticsOf(records: number, corpus: Corpus, pass: Pass, tokenizer: Tokenizer): Statistics {
  const lengths = pass.pairs.map(({ q, a }) => [tokenizer.encode(chat(q), { special: true }).length, tokenizer.encode(a).length + 1] as const)
  const sum = (part: 0 | 1) => lengths.reduce((total, length) => total + length[part], 0)
  const mean = (part: 0 | 1) => Math.round((sum(part) / Math.max(1, lengths.length)) * 10) / 10
  return {
    ...{ records, facts: corpus.facts.length, factsTooLong: corpus.tooLong, templates: templateCount() },
    fewestTemplatesOfAKind: Math.min(...factKinds.map((kind) => templatesOf(kind).length)),
    phrasings: { trained: trainedPhrasings, heldOut: newPhrasings },
    vocabulary: tokenizer.vocabulary.tokens.length,
    train: setStatistics(pass.pairs),
    tests: Object.fromEntries(testNames.map((name) => [name, corpus.tests[name].length])),
    duplicates: { train: pass.dropped, tests: corpus.duplicates },
    tokens: { total: sum(0) + sum(1), question: mean(0), answer: mean(1), longest: lengths.reduce((most, [q, a]) => Math.max(most, q + a), 0) },
  }
}

export function setStatistics(pairs: readonly Pair[]): SetStatistics {
  const count = (of: (pair: Pair) => string | number) => {
    const counts = new Map<string, number>()
    for (const pair of pairs) counts.set(String(of(pair)), (counts.get(String(of(pair))) ?? 0) + 1)
    return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return {
    pairs: pairs.length,
    unknown: pairs.filter(({ kind }) => kind.startsWith('unknown.')).length,
    ...{ byCategory: count(({ category }) => category), byKind: count(({ kind }) => kind), byLevel: count(({ level }) => level) },
    ...{ byKnowledge: count(({ knowledge }) => knowledge), byPhrasing: count(({ phrasing }) => phrasing) },
  }
}

/** One row per kind: pairs of training and of each held-out set. */
export function rowsOf(pass: Pass, corpus: Corpus): Row[] {
  const of = (pairs: readonly Pair[], kind: string) => pairs.filter((pair) => pair.kind === kind).length
  const kinds = Object.keys(setStatistics(pass.pairs).byKind)
  return kinds.map((kind) => {
    const { category, level, knowledge } = pass.pairs.find((pair) => pair.kind === kind)!
    const declines = kind.startsWith('unknown.')
    return {
      ...{
        kind,
        category: declines ? 'all' : category,
        level: declines ? null : level,
        knowledge: declines ? 'all' : knowledge,
        train: of(pass.pairs, kind),
      },
      ...Object.fromEntries(testNames.map((name) => [name, of(corpus.tests[name], kind)])),
    }
  })
}
