// Owns the odd aspects: what can be asked of a name and stands in no record, thousands of them, so that a new one is known as one of them.
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { hash, pick, type Random } from './chance.ts'
import { aspect, HELD_EVERY, type Aspect } from './unknown-topics.ts'

const list = (words: string): readonly string[] => words.split('|')
/** Of anything. */
const ANY = list(
  'pronunciation|spelling|etymology|nickname|symbol|emoji|logo|slogan|popularity|reputation|anniversary|map|worldwide ranking|newest paper|textbook chapter|Latin name|' +
    'Greek root|plural|French word|German translation|Wikipedia article|film about|song about|museum|inventor|first mention|billing code|insurance code|tax rules|' +
    'research funding|study design|trial name|yearly numbers|share in hospitals|statistics in Asia|cost per patient|economics|budget|politics|newspaper story|website|' +
    'hashtag|podcast|exam marks|Nobel prize|award|committee|charity|conference|journal|registry|biobank|mouse model|computer model|algorithm|quality score|waiting list|' +
    'lawsuit|court case|ethics vote|petition|public opinion|advertisement|poster design|picture|drawing|video|photograph|nurse training|staff plan|opening hours|' +
    'telephone list|form number|file size|barcode|storage room|delivery time|import duty',
)
/** Things of everyday life: no sensible question, and exactly as unknown. */
const THINGS = list(
  'anchor|apron|arch|attic|avenue|axe|badge|bakery|balcony|balloon|banner|barn|basket|beach|bell|bench|blanket|bottle|bracelet|bridge|broom|bucket|butter|button|cabin|' +
    'candle|canoe|canvas|carpet|castle|ceiling|cellar|chapel|cherry|chimney|circus|cloud|coat|coin|comet|compass|copper|corner|cottage|cradle|crane|crown|cushion|dance|' +
    'desert|diamond|diary|dictionary|dinner|ditch|door|dragon|drum|dust|echo|elephant|engine|envelope|fairy tale|farm|feather|fence|ferry|festival|flag|flute|fog|' +
    'forest|fountain|frame|garden|garlic|gate|ghost|giant|glass|glove|grammar|gravel|guitar|hammer|harbour|harvest|hat|hedge|helmet|hill|holiday|honey|hotel|island|' +
    'jacket|jewel|jungle|kettle|kingdom|kitchen|kite|knot|ladder|lake|lamp|lantern|leather|lemon|library|lighthouse|lion|lock|magnet|marble|market day|mask|meadow|' +
    'melody|mirror|moon|motor|mountain|mystery|necklace|needlework|nest|newspaper|oak|ocean|opera|orchard|orchestra|oven|owl|paint|palace|paper|parade|parrot|passport|' +
    'path|pearl|pencil|penguin|piano|pillow|pirate|planet|plate|pocket|poem|pond|postcard|potato|prince|prison|puppet|puzzle|pyramid|queen|quilt|rabbit|railway|rainbow|' +
    'ribbon|riddle|river|robot|rocket|roof|rope|rose|saddle|sail|salad|sand|sandwich|satellite|scarf|school|shadow|shell|shop|silver|sky|soup|spoon|square|stadium|' +
    'stairs|station|statue|steam|storm|street|sugar|suitcase|sunset|sword|table|tailor|taxi|tea|tent|theatre|thunder|ticket|tiger|toast|tower|toy|train|treasure|' +
    'tunnel|umbrella|uncle|uniform|valley|vase|village|violin|volcano|wagon|wallet|waterfall|wedding|wheel|whistle|willow|window|winter|wizard|wolf|wool|yacht|zoo',
)
/** Before any of them. */
const KINDS_OF = list(
  'yearly|oldest|newest|first|second|local|national|secret|usual|average|total|official|largest|smallest|cheapest|best|worst|famous|modern|Roman|Victorian|digital|' +
    'printed|spoken|written|hidden|golden|public|private|royal|weekly|Sunday|English|Spanish|Chinese|summer|historic|imaginary|future|fastest',
)
const OWN: Readonly<Record<ClinicalRecord['kind'], readonly string[]>> = {
  medicine: list(
    'melting point|boiling point|solubility|density|molar mass|crystal form|synthesis|raw material|purity|pH|receptor affinity|plasma level|volume of distribution|enzyme|' +
      'isomers|packaging|tablet weight|tablet size|shape|smell|sweetener|dye|gluten content|batch number|expiry date|wholesale price|competitor|market share|export|' +
      'trade name in Japan|factory|shareholders|generic market|doping rules|street value|use in cattle|use in fish|use on plants|laboratory assay|waste disposal',
  ),
  condition: list(
    'geography|sex ratio|ethnic distribution|gene locus|protein structure|microscope picture|blood film|autopsy findings|ancient history|oldest patient|famous patients|' +
      'disability pension|sick pay rules|school attendance figures|travel insurance|life insurance|driving fine|military service rules|twin studies|animal form|' +
      'horse form|dog breeds with|evolution|eponym|first textbook|patient song|national day|awareness ribbon|death certificate wording|family tree',
  ),
  emergency: list(
    'ambulance bill|call volume|radio code|helicopter range|vehicle type|uniform|sirens|court ruling|insurance claim|witness statement|press release|film scene|' +
      'simulation mannequin|course fee|certificate|record holder|season|weekday pattern|night statistics|response time target',
  ),
  prevention: list(
    'reimbursement|invoice|advertising budget|celebrity campaign|parliament debate|cost per life year|supplier|tender|stock level|cold chain map|letter layout|app|' +
      'questionnaire length|opponents|protest|school poster|national record|start year|pilot town|ministry',
  ),
}
/** How one is asked for; {x} is the thing. One form for all, so that only the thing tells that it is unknown. */
export const oddAspect: Aspect = aspect(
  'the {x} of',
  ['What is the {x} of {n}?', 'Do you know the {x} of {n}?', 'Is there a {x} of {n}?', 'Where do I find the {x} of {n}?', 'Has {n} a {x}?'],
  ['{x}', 'the {x}', 'which {x}'],
)
const COMPOSED_SHARE = 0.4

/** What might be asked of a record of `kind`. A noun belongs to the tests or to training, with every adjective. */
export function oddThing(kind: ClinicalRecord['kind'], draws: Random, test: boolean): string {
  const lists = [OWN[kind], ANY, THINGS]
  for (;;) {
    const noun = pick(pick(lists, draws), draws)
    if ((hash(`odd ${noun}`) % HELD_EVERY === 0) === test) return draws.next() < COMPOSED_SHARE ? `${pick(KINDS_OF, draws)} ${noun}` : noun
  }
}
