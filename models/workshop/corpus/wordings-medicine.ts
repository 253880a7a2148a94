// Owns how each kind of fact about a medicine is asked for, in words: nouns, whole questions and telegrams. {n} is the name.
import type { FactKind } from './pair.ts'

/** Wordings of one kind. The frames of phrasings.ts are put around them. */
export interface Wordings {
  /** What is wanted, as the object of "tell me …" or "I need to know …". */
  readonly nouns: readonly string[]
  /** Whole questions. */
  readonly asks: readonly string[]
  /** Without the name: "max dose". */
  readonly shorts: readonly string[]
  /** Further orders, in the words of the paper ("Please analyse in detail …"). */
  readonly orders?: readonly string[]
}
export type MedicineKind = Extract<FactKind, `medicine.${string}`>

export const medicineWordings: Readonly<Record<MedicineKind, Wordings>> = {
  'medicine.class': {
    nouns: [
      'the drug class of {n}',
      'what kind of drug {n} is',
      'which group of medicines {n} belongs to',
      'what {n} is',
      'the class that {n} is in',
    ],
    asks: [
      'What is {n}?',
      'What class of drug is {n}?',
      'Which drug class does {n} belong to?',
      'What type of medicine is {n}?',
      'What sort of drug is {n}?',
    ],
    shorts: ['drug class', 'class', 'what kind of drug', 'type of medicine', 'which group'],
    orders: ['Please explain in detail what kind of medicine {n} is.'],
  },
  'medicine.uses': {
    nouns: ['the uses of {n}', 'what {n} is used for', 'the indications of {n}', 'when {n} is prescribed', 'which illnesses {n} treats'],
    asks: [
      ...['What is {n} used for?', 'What is {n} for?', 'What are the indications for {n}?', 'When is {n} prescribed?', 'What does {n} treat?'],
      ...['Why would someone take {n}?', 'In which conditions is {n} given?'],
    ],
    shorts: ['uses', 'indications', 'used for', 'what for', 'why prescribed'],
    orders: ['Please describe in detail the indications of {n}.'],
  },
  'medicine.adult-dose': {
    nouns: [
      ...['the adult dose of {n}', 'the usual dose of {n} for an adult', 'the adult dosage of {n}', 'how to dose {n} in adults'],
      ...['how much {n} an adult takes', 'the standard dose of {n}'],
    ],
    asks: [
      ...['What is the adult dose of {n}?', 'How much {n} should an adult take?', 'What is the usual dose of {n} for adults?', 'How do I dose {n}?'],
      ...[
        'What dose of {n} do I give an adult?',
        'How is {n} dosed in adults?',
        'How many mg of {n} and how often?',
        'How often is {n} taken and how much?',
      ],
    ],
    shorts: ['adult dose', 'dose', 'dosage', 'usual dose', 'dosing adult', 'dose in adults'],
    orders: ['Please explain in detail the usage and dosage of {n} for an adult.'],
  },
  'medicine.maximum': {
    nouns: [
      ...['the maximum dose of {n}', 'the highest daily dose of {n}', 'the daily limit for {n}', 'how much {n} is the most in one day'],
      ...['the ceiling dose of {n}', 'the upper limit of {n}'],
    ],
    asks: [
      ...[
        'What is the maximum dose of {n}?',
        'What is the highest daily dose of {n}?',
        'How much {n} is too much in one day?',
        'What is the daily limit for {n}?',
      ],
      ...['How high can I go with {n}?', 'What is the most {n} an adult can take in 24 hours?', 'What is the maximum daily dose of {n}?'],
    ],
    shorts: ['max dose', 'maximum dose', 'maximum', 'daily limit', 'highest dose', 'max per day', 'ceiling'],
    orders: ['Please state in detail the maximum permitted dose of {n}.'],
  },
  'medicine.child-dose': {
    nouns: [
      ...[
        'the dose of {n} for a child',
        'the paediatric dose of {n}',
        'how to dose {n} in children',
        'how much {n} a child gets',
        'the children’s dosage of {n}',
      ],
    ],
    asks: [
      ...[
        'What is the dose of {n} for a child?',
        'How much {n} do I give a child?',
        'What is the paediatric dose of {n}?',
        'How is {n} dosed in children?',
      ],
      ...['What dose of {n} do children get?', 'How much {n} for a child?', 'How do I prescribe {n} for a child?'],
    ],
    shorts: ['child dose', 'paediatric dose', 'dose children', 'dose in children', 'paeds dose', 'kids dose', 'pediatric dose'],
    orders: ['Please explain in detail the usage and dosage of {n} for children.'],
  },
  'medicine.contraindications': {
    nouns: [
      ...[
        'the contraindications of {n}',
        'when {n} must not be used',
        'who should not take {n}',
        'the reasons not to give {n}',
        'in whom {n} is contraindicated',
      ],
    ],
    asks: [
      ...['What are the contraindications of {n}?', 'When is {n} contraindicated?', 'Who should not take {n}?', 'When must I not give {n}?'],
      ...['In which patients should {n} be avoided?', 'Who cannot have {n}?', 'When should {n} not be prescribed?'],
    ],
    shorts: ['contraindications', 'contraindicated', 'not in', 'when not to use', 'who should avoid', 'CI'],
    orders: ['Please analyse in detail the contraindications of {n}.'],
  },
  'medicine.interactions': {
    nouns: [
      'the interactions of {n}',
      'what {n} interacts with',
      'which drugs must not go with {n}',
      'the drug interactions of {n}',
      'what to avoid with {n}',
    ],
    asks: [
      ...[
        'What does {n} interact with?',
        'Which drugs interact with {n}?',
        'What are the interactions of {n}?',
        'What should not be combined with {n}?',
      ],
      ...['Which medicines clash with {n}?', 'What must I look out for in the drug list before {n}?', 'Which combinations with {n} are a problem?'],
    ],
    shorts: ['interactions', 'interacts with', 'drug interactions', 'not together with', 'combinations to avoid', 'ddi'],
    orders: ['Please analyse in detail the drug interactions of {n}.'],
  },
  'medicine.pregnancy': {
    nouns: ['whether {n} can be used in pregnancy', 'the use of {n} in pregnancy', 'the pregnancy advice for {n}', 'how safe {n} is in pregnancy'],
    asks: [
      ...['Can {n} be used in pregnancy?', 'Is {n} safe in pregnancy?', 'May a pregnant woman take {n}?', 'What about {n} in pregnancy?'],
      ...['Can I prescribe {n} to a pregnant patient?', 'Is {n} allowed when pregnant?', 'Does {n} harm the unborn baby?'],
    ],
    shorts: ['pregnancy', 'in pregnancy', 'pregnant', 'safe in pregnancy', 'while pregnant'],
    orders: ['Please analyse in detail the safety of {n} during pregnancy.'],
  },
  'medicine.kidney': {
    nouns: ['the use of {n} in kidney disease', 'how {n} is changed in renal impairment', 'the renal dosing of {n}', 'what a low eGFR means for {n}'],
    asks: [
      ...[
        'How is {n} changed in kidney disease?',
        'Is {n} safe in renal impairment?',
        'What is the dose of {n} with a low eGFR?',
        'Do I reduce {n} in kidney failure?',
      ],
      ...['At what eGFR must {n} be changed?', 'Can {n} be given with poor kidney function?', 'Does {n} need renal dose adjustment?'],
    ],
    shorts: ['renal dose', 'kidney disease', 'renal impairment', 'low eGFR', 'CKD', 'renal failure'],
    orders: ['Please explain in detail how {n} is adjusted in renal insufficiency.'],
  },
  'medicine.side-effects': {
    nouns: ['the side effects of {n}', 'the adverse effects of {n}', 'what {n} can cause', 'the unwanted effects of {n}'],
    asks: [
      ...[
        'What are the side effects of {n}?',
        'Which adverse effects does {n} have?',
        'What problems can {n} cause?',
        'What side effects should I warn about with {n}?',
      ],
      ...['How does {n} harm people who take it?', 'What are the common adverse reactions to {n}?'],
    ],
    shorts: ['side effects', 'adverse effects', 'adverse reactions', 'unwanted effects', 'SE', 'ADR'],
    orders: ['Please describe in detail the adverse reactions of {n}.'],
  },
  'medicine.breastfeeding': {
    nouns: [
      'whether {n} can be used in breastfeeding',
      'the use of {n} while breastfeeding',
      'the breastfeeding advice for {n}',
      'how safe {n} is in lactation',
    ],
    asks: [
      ...['Can {n} be used in breastfeeding?', 'Is {n} safe while breastfeeding?', 'May a nursing mother take {n}?', 'What about {n} in lactation?'],
      ...['Does {n} pass into breast milk?', 'Can I prescribe {n} to a breastfeeding woman?'],
    ],
    shorts: ['breastfeeding', 'lactation', 'in breast milk', 'while breastfeeding', 'nursing mother'],
  },
  'medicine.liver': {
    nouns: [
      'the use of {n} in liver disease',
      'how {n} is changed in hepatic impairment',
      'the hepatic dosing of {n}',
      'what liver disease means for {n}',
    ],
    asks: [
      ...[
        'How is {n} changed in liver disease?',
        'Is {n} safe in hepatic impairment?',
        'Can {n} be given in cirrhosis?',
        'Do I reduce {n} in liver failure?',
      ],
      ...['What about {n} with a bad liver?', 'Does {n} need hepatic dose adjustment?'],
    ],
    shorts: ['liver disease', 'hepatic impairment', 'cirrhosis', 'hepatic dose', 'bad liver'],
  },
  'medicine.monitoring': {
    nouns: ['the monitoring of {n}', 'what to check during {n}', 'which blood tests {n} needs', 'how {n} is followed up'],
    asks: [
      ...[
        'What monitoring does {n} need?',
        'Which blood tests are needed with {n}?',
        'What do I check in a patient on {n}?',
        'How is {n} monitored?',
      ],
      ...['What should be watched during {n}?', 'Which checks does {n} need?'],
    ],
    shorts: ['monitoring', 'blood tests', 'what to check', 'checks', 'follow-up tests'],
  },
  'medicine.indication-dose': {
    nouns: ['the dose of {n} for {d}', 'the adult dose of {n} in {d}', 'how to dose {n} for {d}', 'how much {n} is given for {d}'],
    asks: [
      ...['What is the dose of {n} for {d}?', 'How much {n} do I give for {d}?', 'How is {n} dosed in {d}?', 'What dose of {n} is used for {d}?'],
      ...['For {d}, how much {n}?', 'In {d}, what is the dose of {n}?'],
    ],
    shorts: ['dose for {d}', '{d} dose', 'dosage in {d}', 'dose {d}'],
  },
  'medicine.age-dose': {
    nouns: ['the dose of {n} for {a}', 'how much {n} {a} gets', 'how to dose {n} in {a}', 'the amount of {n} for a patient aged {b}'],
    asks: [
      ...['What is the dose of {n} for {a}?', 'How much {n} do I give {a}?', 'How is {n} dosed at the age of {b}?', 'What dose of {n} does {a} get?'],
      ...['{a} needs {n}: how much?', 'How much {n} at {b}?'],
    ],
    shorts: ['dose {b}', '{b} dose', 'dose age {b}', 'dose for {a}'],
  },
  'medicine.interaction-with': {
    nouns: ['the interaction of {n} with {w}', 'what happens when {n} is taken with {w}', 'whether {n} goes with {w}', 'how {n} and {w} interact'],
    asks: [
      ...['Can {n} be taken with {w}?', 'Does {n} interact with {w}?', 'Is {n} safe together with {w}?', 'What happens if {n} is combined with {w}?'],
      ...['May I prescribe {n} to someone on {w}?', 'Can I add {w} to {n}?', 'Are {w} and {n} a problem together?'],
    ],
    shorts: ['with {w}', 'and {w}', '+ {w}', 'together with {w}', '{w} interaction'],
  },
}
