// Owns which language the page speaks. A second language is one more file of the type Messages; this is where it would be chosen.
import { enGB } from './messages/en-gb.ts'

export type Messages = typeof enGB
export const m: Messages = enGB
/** For dates and numbers: the same language as the words around them. */
export const locale = 'en-GB'
