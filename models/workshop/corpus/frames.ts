// Owns the kinds of phrasing: the frames that are put around the wordings of a fact, and which kinds are never trained.
import type { FactKind } from './pair.ts'

export const trainedPhrasings = [
  ...(['direct', 'imperative', 'telegram', 'name-first', 'plain', 'story', 'indirect', 'synonym', 'seed', 'two-sentence', 'wrapped'] as const),
  ...(['shorthand', 'misspelt'] as const),
] as const
/** Held out whole: the proof that a new way of asking is understood. */
export const newPhrasings = ['exam', 'reported', 'form'] as const
export type Phrasing = (typeof trainedPhrasings)[number] | (typeof newPhrasings)[number]
/** How often a training pass draws each kind, relative to each other. */
export const DRAW: Readonly<Record<(typeof trainedPhrasings)[number], number>> = {
  ...{ direct: 3, imperative: 1.5, telegram: 2, 'name-first': 2.5, plain: 2, story: 1.5, indirect: 1.5, synonym: 2 },
  ...{ seed: 1, 'two-sentence': 1.5, wrapped: 2, shorthand: 1, misspelt: 0.7 },
}

/**
 * {ask} a whole question, {ask-} the same with a small first letter, {noun} what is wanted, {s} the telegram without the name, {S} the same with
 * a capital, {n} the name, {years} an adult's age. A frame without {n} in a part that names nothing gets the name from {ask} or {noun}.
 */
export const frames = {
  /** For any noun, and for one that begins with "the". */
  imperative: ['Tell me {noun}.', 'Explain {noun}.', 'Say {noun}.', 'Let me have {noun}.', 'Put into one sentence {noun}.', 'Help me recall {noun}.'],
  imperativeThe: [
    ...['Describe {noun}.', 'List {noun}.', 'Run me through {noun}.', 'Remind me of {noun}.', 'Sum up {noun}.', 'Details on {noun}, please.'],
    ...['Any information on {noun}?', 'What do you have on {noun}?', 'In brief, {noun}.'],
    'Give me {noun}.',
    'State {noun}.',
    'Show me {noun}.',
    'Write down {noun}.',
    'Look up {noun}.',
    'Summarise {noun}.',
  ],
  indirect: [
    ...['I need to know {noun}.', 'I would like to know {noun}.', 'Can you tell me {noun}?', 'I am not sure about {noun}.', 'Do you know {noun}?'],
    ...[
      'I cannot recall {noun}.',
      'What I do not know is {noun}.',
      'It all depends on {noun}.',
      'I keep forgetting {noun}.',
      'Do you happen to know {noun}?',
    ],
    ...['For the notes I need {noun}.', 'I am unsure of {noun}.', 'My question is {noun}.', 'May I know {noun}?', 'I should like to read {noun}.'],
    ...['I have forgotten {noun}.', 'I want to check {noun}.', 'Would you let me know {noun}?', 'Let us see {noun}.'],
  ],
  indirectThe: ['Could you remind me of {noun}?', 'I am looking for {noun}.', 'I have to explain {noun}.', 'I must decide on {noun}.'],
  telegram: [
    '{n} {s}',
    '{n} {s}?',
    '{s} {n}',
    '{s} {n}?',
    '{N} {s}?',
    '{S} {n}?',
    '{N} {s}',
    '{s} for {n}',
    '{n}, {s}',
    '{s}, {n}',
    '{n} / {s}',
    '{s} / {n}',
    '{s}: {n}',
    '({n}) {s}',
    '{n} ... {s}',
    '{S}, {n}?',
  ],
  'name-first': [
    '{N}: {s}?',
    '{N}: {s}',
    '{N} - {s}?',
    '{N}, {s}?',
    '{N} – {s}',
    '{N}. {S}?',
    '{N}? {S}.',
    '{N} ({s})',
    '{N}; {s}',
    '{N} … {s}?',
    '"{N}" {s}',
    '{N}, and {s}?',
    '{N} / {S}',
    '{N}! {S}?',
    'About {n}, {s}.',
    'On {n}: {s}.',
  ],
  seed: [
    ...['Please analyse in detail {noun}.', 'Please explain {noun} in detail.', 'Please describe {noun} comprehensively.'],
    ...['Please give a professional account of {noun}.', 'As a doctor, please explain {noun}.'],
  ],
  twoSentence: [
    ...['I have a question about {n}. {ask}', 'This is about {n}. {S}?', 'The topic is {n}. Tell me {noun}.', 'Help me with {n}. {ask}'],
    ...[
      'I am reading about {n}. I need this: {s}.',
      '{ask} It is about {n}.',
      '{S}, that is what I need. It is for {n}.',
      'Look at {n}. What about this: {s}?',
    ],
  ],
  wrapped: [
    ...['Hello, {ask-}', 'Hi. {ask} Thank you.', 'Please tell me: {ask-}', '{ask} Many thanks.', 'Quick question: {ask-}', 'Dear colleague, {ask-}'],
    ...[
      'Good morning! {ask}',
      '{ask} Short answer please.',
      '{ask} One line is enough.',
      'Before I go on: {ask-}',
      'So, {ask-}',
      'Sorry to ask again. {ask}',
    ],
    ...[
      'Next one. {ask}',
      '{ask} I am in a hurry.',
      'Just to be sure, {ask-}',
      '{ask} And nothing else.',
      'Please help. {S} {n}?',
      '{N} {s}, please.',
    ],
  ],
  shorthand: [
    ...[
      'whats {s} of {n}',
      '{n} {s} pls',
      'need {s} {n} asap',
      '{n} {s} quick',
      '? {s} {n}',
      'pls {s} for {n}',
      '{s}?? {n}',
      '{n}... {s}?',
      're {n}: {s}',
    ],
    ...['{n} & {s}', 'q: {n} {s}', 'pt on {n} - {s}', '{n} -> {s}'],
  ],
  exam: [
    ...[
      'Exam question: {ask}',
      'For two marks, state {noun}.',
      'Viva voce. {ask}',
      'Flash card: {n}. On the back of the card: {s}?',
      'Quiz: {n}, {s}.',
    ],
    ...['A student has to learn {noun}. What is the model answer?', 'Fill the gap: {n}, {s}: ____'],
  ],
  reported: [
    ...['The nurse on the phone wants to know {noun}.', 'My registrar keeps asking about {noun}.', 'Someone on the ward round said: “{ask}”'],
    ...['Pharmacy rang because nobody remembers {noun}.', 'The family would like to hear {noun}.', 'At handover they asked me this: {ask-}'],
  ],
  form: [
    ...[
      'Topic: {n}. Wanted: {s}.',
      'name={n}; field={s}',
      '[{s}] {n}',
      '{n} | {s} | ?',
      '{"name": "{n}", "want": "{s}"}',
      'Name: {n}\nQuestion: {s}',
      '#{s} @{n}',
    ],
  ],
} as const

/** Before a question of a record's kind: a patient and a situation. With {years} where any adult's age fits. */
export const stories: Readonly<Record<'medicine' | 'condition' | 'emergency' | 'prevention' | 'unnamed', readonly string[]>> = {
  medicine: [
    ...[
      'My patient takes {n}. {ask}',
      'I am about to prescribe {n}. {ask}',
      'A woman in my clinic asks about {n}. {S}?',
      'The discharge letter says {n}. {ask}',
    ],
    ...[
      'My patient is {years} and takes {n}. {ask}',
      'A man of {years} needs {n}. {ask}',
      'There is {n} on the drug chart. {S}?',
      'The patient was started on {n} last week. {ask}',
    ],
  ],
  condition: [
    ...['My patient has {n}. {ask}', 'I think this is {n}. {ask}', 'A patient came in with {n} this morning. {S}?', 'The letter says {n}. {ask}'],
    ...[
      'My patient is {years} and has {n}. {ask}',
      'Next patient: {n}. {S}?',
      'I have just diagnosed {n}. {ask}',
      'There is a case of {n} in the clinic. {ask}',
    ],
  ],
  emergency: [
    ...[
      'Someone here has {n}. {ask}',
      'The ambulance is far away and this is {n}. {ask}',
      'I am called to a case of {n}. {S}?',
      'It looks like {n}. {ask}',
    ],
    ...['A person of {years} with {n} is in the waiting room. {ask}', 'We have {n} in the treatment room. {S}?'],
  ],
  prevention: [
    ...[
      'A patient asks about {n}. {ask}',
      'I am planning {n} in the practice. {ask}',
      'My patient is {years} and mentions {n}. {ask}',
      'Today’s talk is on {n}. {S}?',
    ],
    ...['A mother has questions on {n}. {ask}', 'The practice wants to improve {n}. {ask}'],
  ],
  unnamed: [
    'My patient is {years}. {ask}',
    'Seen in clinic today. {ask}',
    'I am puzzled by a patient of {years}. {ask}',
    'Home visit this morning. {ask}',
  ],
}

/** Kinds in which an adult's age before the question would be another question, or no sense. */
export const ageless: ReadonlySet<string> = new Set([
  ...([
    'medicine.child-dose',
    'medicine.age-dose',
    'medicine.pregnancy',
    'medicine.breastfeeding',
    'emergency.drug-dose',
  ] as const satisfies readonly FactKind[]),
])
