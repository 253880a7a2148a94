// Owns the route slot: the way a medicine is given, in the words of the dose readers.
import { readRoutes } from '../doses/routes.ts'
import type { SlotReader } from './slot.ts'

const WAYS = [
  ...[
    'by mouth',
    'orally',
    'oral',
    'per os',
    'po',
    'sublingual',
    'sublingually',
    'under the tongue',
    'buccal',
    'buccally',
    'oromucosal',
    'nebulised',
  ],
  ...['nebuliser', 'inhaled', 'inhalation', 'intranasal', 'intranasally', 'nasally', 'intramuscular', 'intramuscularly', 'im', 'into the muscle'],
  ...['intravenous', 'intravenously', 'iv', 'into a vein', 'subcutaneous', 'subcutaneously', 'subcut', 'sc', 'under the skin', 'intraosseous'],
  ...['rectal', 'rectally', 'per rectum', 'pr', 'vaginally', 'per vaginam', 'pv', 'transdermal', 'transdermally', 'topical', 'topically'],
]
/** Ways that records have no dose for. */
const OTHERS = {
  intrathecal: 'intrathecal|intrathecally',
  epidural: 'epidural',
  'intra-articular': 'intra-articular|intraarticular',
  intradermal: 'intradermal|intradermally',
  nasogastric: 'nasogastric|nasogastric tube|by nasogastric tube',
  intravitreal: 'intravitreal',
  enteral: 'enteral|enterally',
  parenteral: 'parenteral|parenterally',
}

const phrases: Record<string, string> = { ...OTHERS }
for (const way of WAYS) {
  const route = readRoutes(way).join(' or ')
  if (route === '') throw new Error(`a way that the dose readers do not know: ${way}`)
  phrases[route] = phrases[route] === undefined ? way : `${phrases[route]}|${way}`
}

export const route: SlotReader = { slot: 'route', phrases }
