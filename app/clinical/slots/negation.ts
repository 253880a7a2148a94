// Owns the negation slot: the words that deny. What each denies is kept by the order of the question.
import type { SlotReader } from './slot.ts'

export const negation: SlotReader = {
  slot: 'negation',
  phrases: {
    no: 'no|nil|zero evidence of',
    not: 'not',
    never: 'never',
    none: 'none',
    neither: 'neither',
    nor: 'nor',
    without: 'without|in the absence of',
    denies: 'deny|denied|denying|denies',
    absent: 'absent|absence|absence of',
    negative: 'negative|minus ve|ve minus',
    positive: 'positive|+ ve',
    'ruled out': 'ruled out|excluded',
    except: 'except|except for|apart from|other than|excluding',
    unlikely: 'unlikely',
    unable: 'unable|unable to',
    lack: 'lack|lack of|lacking',
    free: 'free|free of|free from',
  },
}
