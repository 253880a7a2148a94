// Owns the renal and hepatic slot: how well kidneys and liver work, by name, stage and test value.
import type { Atom, Reading, SlotReader, Take, Token } from './slot.ts'

const TESTS: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['eGFR', ['estimated', 'glomerular', 'filtration', 'rate']],
  ['eGFR', ['egfr']],
  ['GFR', ['glomerular', 'filtration', 'rate']],
  ['GFR', ['gfr']],
  ['creatinine clearance', ['creatinine', 'clearance']],
  ['creatinine clearance', ['crcl']],
]
const FILLERS = new Set(['of', 'is', '=', 'at', ':'])
const COMPARED: Readonly<Record<string, string>> = {
  'less than': 'under',
  'more than': 'over',
  under: 'under',
  below: 'under',
  over: 'over',
  above: 'over',
}
const UNIT = ['ml', '/', 'min']
const AREA = ['/', '1.73', 'm2']

export const organ: SlotReader = {
  slot: 'organ',
  phrases: {
    'renal impairment':
      'kidney impairment|impaired kidney function|kidney insufficiency|reduced kidney function|poor kidney function|kidney dysfunction|kidney impaired|impaired kidney',
    'renal failure': 'kidney failure',
    'chronic kidney disease': 'chronic kidney disease',
    'acute kidney injury': 'acute kidney injury',
    'kidney disease': 'kidney disease',
    'end-stage renal disease': 'end stage kidney disease|end stage kidney failure',
    dialysis: 'dialysis|kidney dialysis',
    haemodialysis: 'haemodialysis',
    'peritoneal dialysis': 'peritoneal dialysis',
    'normal renal function': 'normal kidney function',
    'kidney transplant': 'kidney transplant',
    'hepatic impairment':
      'liver impairment|impaired liver function|liver insufficiency|reduced liver function|poor liver function|liver dysfunction|impaired liver',
    'hepatic failure': 'liver failure',
    'liver disease': 'liver disease',
    'Child-Pugh A': 'child-pugh a|child pugh a|child-pugh class a|child pugh class a',
    'Child-Pugh B': 'child-pugh b|child pugh b|child-pugh class b|child pugh class b',
    'Child-Pugh C': 'child-pugh c|child pugh c|child-pugh class c|child pugh class c',
    'acute liver failure': 'acute liver failure',
    'normal liver function': 'normal liver function',
    cirrhosis: 'cirrhosis',
    'decompensated cirrhosis': 'decompensated cirrhosis',
    'compensated cirrhosis': 'compensated cirrhosis',
  },
  read({ tokens, texts }, take) {
    tokens.forEach((token, at) => readStage(tokens, texts, at, token.text, take))
    for (let at = 0; at < tokens.length; at++) {
      const test = TESTS.find(([, words]) => words.every((word, k) => texts[at + k] === word))
      if (!test) continue
      const [name, words] = test
      let to = at + words.length
      while (FILLERS.has(texts[to] ?? '')) to++
      const two = COMPARED[`${texts[to] ?? ''} ${texts[to + 1] ?? ''}`]
      const compared = two ?? COMPARED[texts[to] ?? '']
      to += two !== undefined ? 2 : compared !== undefined ? 1 : 0
      const value = tokens[to]
      const between = texts[to + 1] === 'to' && tokens[to + 2]?.isNumber ? ` to ${texts[to + 2]!}` : ''
      if (!value?.isNumber) take('organ', name, at, at + words.length)
      else {
        let end = to + (between === '' ? 1 : 3)
        for (const part of [UNIT, AREA]) if (part.every((word, k) => texts[end + k] === word)) end += part.length
        take('organ', `${name} ${compared === undefined ? '' : `${compared} `}${value.text}${between}`, at, end)
      }
    }
  },
}

const KIDNEY = ['chronic', 'kidney', 'disease']

/** "CKD 3a", "CKD stage 3", "stage 3 CKD", "CKD3". */
function readStage(tokens: readonly Token[], texts: readonly string[], at: number, text: string, take: Take): void {
  const short = /^ckd([1-5][ab]?)$/.exec(text)?.[1]
  if (short !== undefined) return void take('organ', `CKD stage ${short}`, at, at + 1)
  if (!KIDNEY.every((word, k) => texts[at + k] === word)) return
  const behind = at + KIDNEY.length
  const number = texts[behind] === 'stage' || texts[behind] === 'g' ? behind + 1 : behind
  const stage = (place: number) => (tokens[place]?.isNumber && /^[1-5]$/.test(texts[place]!) ? texts[place]! : null)
  const letter = (place: number) => (/^[ab]$/.test(texts[place] ?? '') && tokens[place]!.glued ? texts[place]! : '')
  if (stage(number) !== null) {
    const part = letter(number + 1)
    take('organ', `CKD stage ${stage(number)}${part}`, at, number + 1 + part.length)
  } else if (texts[at - 2] === 'stage' && stage(at - 1) !== null) take('organ', `CKD stage ${stage(at - 1)}`, at - 2, behind)
  else if (texts[at - 3] === 'stage' && stage(at - 2) !== null && letter(at - 1) !== '')
    take('organ', `CKD stage ${stage(at - 2)}${letter(at - 1)}`, at - 3, behind)
}

/** "in renal impairment" is a state of the person; "renal impairment test" is a test. Atoms by place. */
export const withStates = ({ texts }: Reading, atoms: readonly Atom[]): Atom[] =>
  atoms.map((atom) => (atom.slot === 'organ' && texts[atom.from - 1] === 'in' ? { ...atom, value: `in ${atom.value}`, from: atom.from - 1 } : atom))
