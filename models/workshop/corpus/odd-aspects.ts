// Owns the odd aspects: what can be asked of a name and stands in no record, many and short, so that a new one is known as one of them.
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { aspect, type Aspect } from './unknown-topics.ts'

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
/** Ways in which one is asked for: `it` is "the smell". */
const asked = (noun: string): readonly string[] => [`What is the ${noun} of {n}?`, `Do you know the ${noun} of {n}?`, `Is there a ${noun} of {n}?`]

/** Of records of `kind`, in a fixed order. */
export const oddAspects = (kind: ClinicalRecord['kind']): Aspect[] =>
  [...OWN[kind], ...ANY].map((noun) => aspect(`the ${noun.replace(/ (about|with)$/, '')} of`, asked(noun.replace(/ (about|with)$/, '')), [noun]))
