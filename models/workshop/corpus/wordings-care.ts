// Owns how each kind of fact about a condition, an emergency or a prevention topic is asked for, in words. {n} is the name.
import type { FactKind } from './pair.ts'
import type { MedicineKind, Wordings } from './wordings-medicine.ts'

export const careWordings: Readonly<Record<Exclude<FactKind, MedicineKind>, Wordings>> = {
  'condition.features': {
    nouns: [
      'the features of {n}',
      'the symptoms of {n}',
      'how {n} presents',
      'the signs and symptoms of {n}',
      'how to recognise {n}',
      'the clinical picture of {n}',
    ],
    asks: [
      ...[
        'What are the symptoms of {n}?',
        'How does {n} present?',
        'What are the signs of {n}?',
        'How do I recognise {n}?',
        'What does {n} look like?',
      ],
      ...['What are the features of {n}?', 'When do I think of {n}?'],
    ],
    shorts: ['symptoms', 'features', 'signs', 'presentation', 'signs and symptoms', 'clinical picture'],
    orders: ['Please describe in detail the clinical features of {n}.'],
  },
  'condition.red-flags': {
    nouns: ['the red flags in {n}', 'the warning signs of {n}', 'the danger signs in {n}', 'when {n} is dangerous', 'the alarm symptoms in {n}'],
    asks: [
      ...[
        'What are the red flags in {n}?',
        'Which warning signs of {n} are urgent?',
        'When is {n} dangerous?',
        'What danger signs do I look for in {n}?',
      ],
      ...['Which alarm symptoms matter in {n}?', 'What must not be missed in {n}?'],
    ],
    shorts: ['red flags', 'warning signs', 'danger signs', 'alarm symptoms', 'not to miss'],
    orders: ['Please analyse in detail the warning signs of {n}.'],
  },
  'condition.treatment': {
    nouns: ['the treatment of {n}', 'how to treat {n}', 'the first-line therapy of {n}', 'the management of {n}', 'the treatment plan for {n}'],
    asks: [
      ...[
        'What is the treatment of {n}?',
        'How is {n} treated?',
        'What is first-line for {n}?',
        'How do I manage {n}?',
        'Which therapy comes first in {n}?',
      ],
      ...['What do I do for {n}?', 'What do I prescribe for {n}?'],
    ],
    shorts: ['treatment', 'management', 'first line', 'therapy', 'how to treat', 'rx'],
    orders: ['Please analyse in detail the treatment plans for a patient with {n}.', 'Please draw up a treatment plan for {n}.'],
  },
  'condition.refer': {
    nouns: ['when to refer {n}', 'the referral criteria for {n}', 'who with {n} needs a specialist', 'the reasons to refer {n}'],
    asks: [
      ...['When do I refer {n}?', 'Who with {n} needs a specialist?', 'When does {n} need referral?', 'What are the referral criteria for {n}?'],
      ...['Which patients with {n} go to hospital?', 'How soon do I refer {n}?'],
    ],
    shorts: ['referral', 'when to refer', 'refer', 'referral criteria', 'specialist when'],
    orders: ['Please explain in detail when a patient with {n} should be referred.'],
  },
  'condition.from-features': {
    nouns: [
      ...[
        'the possible diagnosis and treatment for a patient with {f}',
        'what {f} points to',
        'the likely diagnosis in a patient with {f}',
        'what to think of with {f}',
      ],
    ],
    asks: [
      ...[
        'What is the likely diagnosis with {f}?',
        'A patient has {f}. What could it be?',
        'What causes {f}?',
        'My patient has {f}. What do I think of?',
      ],
      ...['Which illness shows as {f}?', 'What is wrong with a patient who has {f}?'],
    ],
    shorts: ['{f} diagnosis', '{f} - cause', 'diagnosis: {f}', '{f}: what is it'],
    orders: [
      'Please analyse in detail the possible diagnosis and treatment plans for a patient with {f}.',
      'Please analyse the possible causes and the management of {f}.',
    ],
  },
  'condition.tests': {
    nouns: ['the tests for {n}', 'how {n} is investigated', 'which investigations {n} needs', 'the work-up of {n}'],
    asks: [
      ...[
        'Which tests do I order for {n}?',
        'How is {n} investigated?',
        'What is the work-up of {n}?',
        'What tests confirm {n}?',
        'Which investigations are needed in {n}?',
      ],
    ],
    shorts: ['tests', 'investigations', 'work-up', 'which tests', 'bloods and imaging'],
  },
  'condition.differentials': {
    nouns: ['the differential diagnosis of {n}', 'what else it can be instead of {n}', 'the differentials of {n}', 'what looks like {n}'],
    asks: [
      ...[
        'What is the differential diagnosis of {n}?',
        'What else could it be instead of {n}?',
        'What mimics {n}?',
        'What are the differentials for {n}?',
      ],
      ...['Which other illnesses look like {n}?'],
    ],
    shorts: ['differential diagnosis', 'differentials', 'ddx', 'what else', 'mimics'],
  },
  'condition.safety-net': {
    nouns: [
      'the safety-net advice for {n}',
      'when a patient with {n} should come back',
      'what to tell a patient with {n} to watch for',
      'the return advice for {n}',
    ],
    asks: [
      ...['What is the safety-net advice for {n}?', 'When should a patient with {n} come back?', 'What do I tell a patient with {n} to watch for?'],
      ...['What return advice goes with {n}?', 'When must someone with {n} be seen again?'],
    ],
    shorts: ['safety net', 'safety-netting', 'when to come back', 'return advice'],
  },
  'emergency.recognise': {
    nouns: ['how to recognise {n}', 'the signs of {n}', 'what {n} looks like', 'how {n} shows itself'],
    asks: [
      ...['How do I recognise {n}?', 'What are the signs of {n}?', 'What does {n} look like?', 'How do I know it is {n}?', 'When do I suspect {n}?'],
    ],
    shorts: ['signs', 'how to recognise', 'recognition', 'when to suspect', 'looks like'],
    orders: ['Please describe in detail how {n} is recognised.'],
  },
  'emergency.first-step': {
    nouns: ['the first step in {n}', 'what to do first in {n}', 'the very first action in {n}', 'the first thing to do for {n}'],
    asks: [
      ...[
        'What is the first step in {n}?',
        'What do I do first in {n}?',
        'What comes first in {n}?',
        'What is the very first action for {n}?',
        'How do I start with {n}?',
      ],
    ],
    shorts: ['first step', 'first action', 'do first', 'first thing', 'start'],
  },
  'emergency.steps': {
    nouns: [
      'the emergency steps for {n}',
      'what to do in {n}',
      'the emergency treatment of {n}',
      'how to manage {n} now',
      'the immediate management of {n}',
    ],
    asks: [
      ...[
        'What do I do in {n}?',
        'What are the emergency steps for {n}?',
        'How do I manage {n} right now?',
        'Someone has {n}. What now?',
        'What is the emergency treatment of {n}?',
      ],
      ...['How is {n} handled until the ambulance comes?'],
    ],
    shorts: ['emergency steps', 'what to do', 'emergency treatment', 'management', 'steps', 'protocol'],
    orders: ['Please explain step by step the emergency treatment of {n}.', 'Emergency: a patient with {n}. Please give the immediate measures.'],
  },
  'emergency.drug-dose': {
    nouns: ['the dose of {m} in {n}', 'how much {m} to give in {n}', 'the emergency dose of {m} for {n}', 'how {m} is given in {n}'],
    asks: [
      ...[
        'What is the dose of {m} in {n}?',
        'How much {m} do I give in {n}?',
        'How is {m} given in {n}?',
        'In {n}, what dose of {m}?',
        'Which dose of {m} is right for {n}?',
      ],
    ],
    shorts: ['{m} dose', 'dose of {m}', '{m}', 'how much {m}'],
  },
  'emergency.avoid': {
    nouns: ['what to avoid in {n}', 'the mistakes to avoid in {n}', 'what not to do in {n}', 'the warnings for {n}'],
    asks: [
      'What must I avoid in {n}?',
      'What should I not do in {n}?',
      'Which mistakes are made in {n}?',
      'What is dangerous to do in {n}?',
      'What is wrong to do in {n}?',
    ],
    shorts: ['avoid', 'what not to do', 'do not', 'mistakes', 'warnings'],
  },
  'prevention.who': {
    nouns: ['who {n} is for', 'who should be offered {n}', 'the target group of {n}', 'for whom {n} is meant'],
    asks: [
      'Who is {n} for?',
      'Who should be offered {n}?',
      'Who needs {n}?',
      'To whom do I offer {n}?',
      'Which patients benefit from {n}?',
      'For whom is {n} meant?',
    ],
    shorts: ['for whom', 'who', 'who needs it', 'target group', 'eligibility'],
    orders: ['Please explain in detail for whom {n} is recommended.'],
  },
  'prevention.measures': {
    nouns: ['the advice on {n}', 'what to do for {n}', 'the measures in {n}', 'what {n} involves', 'how {n} is done'],
    asks: [
      'What do I advise on {n}?',
      'What does {n} involve?',
      'How is {n} done?',
      'What are the measures in {n}?',
      'What do I need to know about {n}?',
      'What helps in {n}?',
    ],
    shorts: ['advice', 'measures', 'what to do', 'how', 'key points', 'recommendations'],
    orders: ['Please explain in detail the preventive measures of {n}.'],
  },
  'prevention.schedule': {
    nouns: ['the schedule of {n}', 'when {n} is due', 'how often {n} is needed', 'the timing of {n}'],
    asks: [
      'When is {n} due?',
      'What is the schedule for {n}?',
      'How often is {n} needed?',
      'At what age is {n} given?',
      'What are the intervals for {n}?',
      'When do I do {n}?',
    ],
    shorts: ['schedule', 'when', 'how often', 'timing', 'interval', 'at what age'],
  },
  'prevention.not-for': {
    nouns: ['who should not have {n}', 'when {n} is not suitable', 'the contraindications to {n}', 'the exceptions to {n}'],
    asks: [
      'Who should not have {n}?',
      'When is {n} not suitable?',
      'What are the contraindications to {n}?',
      'For whom is {n} wrong?',
      'When do I hold back {n}?',
    ],
    shorts: ['not for', 'who should not', 'contraindications', 'when not', 'exceptions'],
  },
}
