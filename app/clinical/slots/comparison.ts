// Owns the comparison slot: more and less, limits, better and worse, first and last choices.
import { TIME } from './duration.ts'
import type { SlotReader } from './slot.ts'

const BEFORE_NUMBER: Readonly<Record<string, string>> = { under: 'less than', below: 'less than', over: 'more than', above: 'more than' }

export const comparison: SlotReader = {
  slot: 'comparison',
  phrases: {
    'less than': 'less than|fewer than|lower than',
    'more than': 'more than|greater than|higher than|exceeding',
    under: 'under',
    below: 'below',
    over: 'over',
    above: 'above',
    'at least': 'at least|no less than|not less than',
    'up to': 'up to|at most|no more than|not more than',
    'or more': 'or more|or over|or above|and over|and above|or older|and older',
    'or less': 'or less|or under|or below|and under|or younger|and younger',
    'older than': 'older than',
    'younger than': 'younger than',
    more: 'more',
    less: 'less',
    most: 'most',
    least: 'least',
    better: 'better',
    worse: 'worse',
    best: 'best',
    worst: 'worst',
    higher: 'higher',
    longer: 'longer',
    shorter: 'shorter',
    faster: 'faster',
    slower: 'slower',
    stronger: 'stronger',
    weaker: 'weaker',
    safer: 'safer',
    versus: 'versus|compared with|compared to|in comparison with|as opposed to',
    than: 'than',
    between: 'between',
    difference: 'difference between|difference',
    same: 'same',
    different: 'different',
    instead: 'instead of|rather than|in place of',
    equivalent: 'equivalent|equivalence',
    only: 'only',
    always: 'always',
    sometimes: 'sometimes',
    about: 'about|approximately|around|roughly|~|approx',
    within: 'within',
  },
  read({ tokens, texts }, take) {
    // "above 5" is more than 5; "above the knee" is a place, and "over 30 minutes" a speed
    tokens.forEach((token, at) => {
      const value = Object.hasOwn(BEFORE_NUMBER, token.text) ? BEFORE_NUMBER[token.text] : undefined
      const speed = token.text === 'over' && Object.hasOwn(TIME, texts[at + 2] ?? '')
      if (value !== undefined && tokens[at + 1]?.isNumber && !speed) take('comparison', value, at, at + 1)
    })
  },
}
