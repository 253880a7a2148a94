// Owns the texts on which tokenizers are compared and small ones are trained: what a clinic types, and what breaks tokenizers.
import { seeded } from './random.ts'

const DRUGS = ['paracetamol', 'amoxicillin', 'metformin', 'ramipril', 'warfarin', 'levothyroxine', 'salbutamol', 'co-amoxiclav', 'azathioprine']
const UNITS = ['mg', 'micrograms', 'mg/kg', 'ml', 'units', '%', 'mmol/L', 'mL/min/1.73m²', 'µg']
const FORMS = [
  (drug: string, dose: string, unit: string) => `Give ${drug} ${dose} ${unit} every 8 hours.`,
  (drug: string, dose: string, unit: string) => `What's the maximum dose of ${drug}? (${dose}${unit})`,
  (drug: string, dose: string, unit: string) => `${drug.toUpperCase()}:\t${dose}  ${unit}\n- with food\n- not in pregnancy`,
  (drug: string, dose: string, unit: string) => `Patient can't take ${drug}; she'll need ${dose} ${unit} i.v. instead…`,
]
const AWKWARD = [
  '',
  ' ',
  '  ',
  '   leading and trailing   ',
  '\n',
  '\n\n\n',
  '\r\n',
  'line one\r\nline two\r\n\r\n  indented',
  '\t\ttabs\tbetween\t',
  'a\u00a0b\u2003c\u3000d',
  'x\u0085y',
  '1234567890',
  '0.5 1,000.25 10^6 1/2 ½ ² ³',
  'INR 2.5–3.5, HbA1c 48 mmol/mol (6.5%)',
  "I'm, you're, he's, we'll, they'd, I've, DON'T, It'S",
  "'s 't 're 'll ''",
  'naïve café Ångström Crohn’s',
  'Ménière Sjögren Guillain–Barré',
  '发热三天，咳嗽。',
  'Пациент принимает варфарин',
  'ibuprofène à 400 mg',
  'الم في الصدر',
  'हृदय रोग',
  '𝒳 𝔘𝔫𝔦 𐍈',
  '👍',
  '💊💉🩺',
  '👩‍⚕️ says hello 👨‍👩‍👧‍👦',
  'flag 🇬🇧🇫🇷',
  '🤒🤒🤒 fever',
  '°C ± ≥ ≤ × → µ',
  '…—–‘’“”',
  '!!!???...,,,;;;',
  'http://example.org/a?b=c&d=e#f',
  'name@example.org',
  '{"key": [1, 2.0, "three"], "x": null}',
  'def f(x):\n    return x**2  # comment\n',
  '        eight spaces',
  '                                 thirty-three spaces',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  'abababababababab',
  'supercalifragilisticexpialidocious',
  'zzz qqq xxx jjj',
  'MixedCASE camelCase snake_case kebab-case',
  '<s> </s> <unk> <|nothing|>',
  'literal <0x0A> byte',
  'C₁₇H₁₉NO₃',
  '\u200bzero\u200bwidth\ufeff',
  'null\u0001control\u001f',
  '▁ ▁▁ lower block',
  'Ġ Ċ letters that stand for bytes',
]

/** `count` of them, the same each time; every text is in NFC. */
export function texts(count: number): string[] {
  const random = seeded(7)
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const all = AWKWARD.map((text) => text.normalize('NFC'))
  while (all.length < count) {
    const dose = pick(['5', '12.5', '500', '1 g', '0.25', '75', '1000', '2.5-5'])
    const line = pick(FORMS)(pick(DRUGS), dose, pick(UNITS))
    all.push(random.uniform() < 0.3 ? `${line} ${pick(AWKWARD).normalize('NFC')} ${pick(AWKWARD).normalize('NFC')}` : line)
  }
  return all.slice(0, count)
}
