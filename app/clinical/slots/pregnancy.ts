// Owns the pregnancy slot: pregnancy with its weeks or trimester, lactation, and the time after birth.
import type { SlotReader } from './slot.ts'

const PREGNANT = new Set(['pregnant', 'pregnancy', 'gestation'])

export const pregnancy: SlotReader = {
  slot: 'pregnancy',
  phrases: {
    pregnancy: 'pregnancy|pregnant',
    'in pregnancy':
      'in pregnancy|during pregnancy|while pregnant|whilst pregnant|when pregnant|pregnant woman|pregnant women|pregnant patient|in pregnant woman|in pregnant women|in a pregnant woman|in pregnant patient|in a pregnant patient|for a pregnant woman|for pregnant women|if pregnant|expectant mother|pregnant mother',
    'early pregnancy': 'early pregnancy|early in pregnancy',
    'late pregnancy': 'late pregnancy|late in pregnancy',
    'first trimester':
      'first trimester|trimester 1|in the first trimester|in first trimester|in trimester 1|first trimester of pregnancy|in the first trimester of pregnancy|during the first trimester',
    'second trimester':
      'second trimester|trimester 2|in the second trimester|in second trimester|in trimester 2|second trimester of pregnancy|in the second trimester of pregnancy|during the second trimester',
    'third trimester':
      'third trimester|trimester 3|in the third trimester|in third trimester|in trimester 3|third trimester of pregnancy|in the third trimester of pregnancy|during the third trimester',
    breastfeeding: 'breastfeeding|breast feeding|lactation|lactating',
    'while breastfeeding':
      'nursing mother|breastfeeding mother|breastfeeding woman|breastfeeding women|in breastfeeding women|in a breastfeeding woman|in breastfeeding mother|for breastfeeding women|for a breastfeeding mother|during breastfeeding|while breastfeeding|whilst breastfeeding|when breastfeeding|during lactation|in breastfeeding|in lactation|while lactating|if breastfeeding',
    breastfeed: 'breastfeed|breast feed',
    labour: 'labour|in labour|during labour',
    postpartum: 'postpartum|post partum|postnatal|post natal|after delivery|after birth|after childbirth',
    'planning pregnancy': 'planning pregnancy|planning a pregnancy|trying to conceive|trying for a baby|preconception|before conception',
  },
  read({ tokens, texts }, take) {
    tokens.forEach((token, at) => {
      if (!token.isNumber) return
      const forty = texts[at + 1] === '/' && texts[at + 2] === '40'
      const unit = texts[at + 1] === 'week' || texts[at + 1] === 'wk' || texts[at + 1] === 'month'
      if (!forty && !unit) return
      let to = forty ? at + 3 : at + 2
      const named = texts[to] === 'of' || texts[to] === 'into' ? to + 1 : to
      if (PREGNANT.has(texts[named] ?? '')) to = named + 1
      else if (!forty) return
      const from = /^(?:at|in)$/.test(texts[at - 1] ?? '') ? at - 1 : at
      take('pregnancy', `${token.text} ${texts[at + 1] === 'month' ? 'months' : 'weeks'} pregnant`, from, to)
    })
  },
}
