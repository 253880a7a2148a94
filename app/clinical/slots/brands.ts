// Owns the words that standardising would make too general for the gate: brands that say more than their generic name, and lay words with a detail of their own.
import { keyOf } from '../term-forms.ts'
import { tokens } from '../term-tokens.ts'

/**
 * Brands that differ from their generic name, or from one another, in release, route, strength, salt, device or schedule. The gate keeps them
 * as typed. A brand that is the ordinary form of its medicine (Calpol, Ventolin, Lantus) is not here and equals the generic name.
 */
export const OWN_FORM = [
  // insulins and incretins
  ...'Toujeo|Fiasp|Abasaglar|Basaglar|Trurapi|Admelog|Ozempic|Wegovy|Rybelsus|Victoza|Saxenda|Byetta|Bydureon|Mounjaro|Zepbound'.split('|'),
  // release
  ...'OxyContin|Longtec|MST Continus|MST|MS Contin|Zomorph|Sevredol|Oramorph|DHC Continus|Codeine Contin|Adalat|Coracten|Adipine|Procardia'.split(
    '|',
  ),
  ...'Tildiem|Adizem|Cardizem|Slozem|Imdur|Isotard|Elantan|Monomil|Uniphyllin Continus|Slo-Phyllin|Nuelin SA|Theo-Dur|Phyllocontin'.split('|'),
  ...'Concerta|Equasym|Medikinet|Priadel|Camcolit|Lithobid|Liskonum|Depakote|Episenta|Circadin|Slenyto|Ceyesto|Macrobid|Cipro XR'.split('|'),
  ...'Feospan|Ferrograd|Slow Fe|Lyrinel|Kentera|Prograf|Advagraf|Adoport|Neoral|Sandimmun|Invega|Xeplion|Okedi|Mirapexin|Mirapex'.split('|'),
  // route, device, strength
  ...'EpiPen|Jext|Emerade|Auvi-Q|Buccolam|Epistatus|Nyxoid|Prenoxad|Diazemuls|Stesolid|Diastat|Buccastem|Cyanokit|Baqsimi|Gvoke'.split('|'),
  ...'Pulmicort|Rhinocort|Entocort|Budenofalk|Clenil|Qvar|Beconase|Becotide|Spiriva|Spiriva Respimat|Braltus|Rinatec|DuoResp Spiromax'.split('|'),
  ...'Fobumix|WockAIR|AirFluSal|Sirdupla|Solu-Cortef|Dioderm|Efcortelan|Cortef|Betnovate|Diprosone|Bettamousse|Betacap|Solu-Medrol'.split('|'),
  ...'Solu-Medrone|Metoject|Duopa|Imigran Radis|Sumavel|Soolantra|Nix|Elimite|Sitavig|Gyne-Lotrimin|Rozex|Zidoval|Metrogel|Fucithalmic'.split('|'),
  ...'Optrex Infected Eyes|Rectogesic|Nitrostat|Nitrolingual|Glytrin|Butrans|Temgesic|Subutex|Espranor|Duragesic|Durogesic|Matrifen'.split('|'),
  ...'Actiq|Abstral|Zinacef|Zinnat|Ceftin|Desmospray|Desmotabs|DesmoMelt|Noqdirna|Kwells|Scopoderm|Nebido|Tostran|Testogel'.split('|'),
  ...'Utrogestan|Prometrium|Cyclogest|Aloprim|Asacol|Pentasa|Salofalk|Octasa|Gaviscon Advance|Deltacortril|Slow-K|Sando-K|Kay-Cee-L'.split('|'),
  ...'Granpidam|Evzio|Efracea|Moxatag|Augmentin-Duo|Fortamet|Gralise|Horizant|Hemangeol|Biquelle|Spritam|Dilacort|Zlatal|Brochlor'.split('|'),
  ...'Chlorsig|Setofilm|Binosto|Preconceive|Lexpec|Ironorm|Vivitrol|Synflex|Anaprox'.split('|'),
  // one medicine sold for two purposes
  ...'Zyban|Revatio|Propecia|Rogaine|Regaine|Prolia|Xgeva|Aclasta|Reclast|Zometa|Cataflam|Motifene|Ecotrin|Renagel|Renvela'.split('|'),
  // combinations of several strengths, hormones
  ...'Solpadeine|Solpadol|Tylex|Kapake|Zapain|Microgynon|Rigevidon|Levest|Nordette|Yasmin|Yaz|Eloine|Marvelon|Gedarel|Mercilon'.split('|'),
  ...'Cilest|Lizinna|Mirena|Kyleena|Jaydess|Depo-Provera|Sayana Press|Provera|Depo-SubQ Provera|Primolut N|Utovlan|Noriday|Micronor'.split('|'),
  ...'Evorel|Oestrogel|Elleste Solo|Vagifem|Kliovance|Kliofem|Calcichew D3|Adcal-D3|Accrete D3|Calcichew|Adcal|Cacit|Tums'.split('|'),
  // units that cannot be exchanged, vaccines of several kinds, groups that are no medicine
  ...'Botox|Dysport|Xeomin|Avonex|Rebif|Zostavax|Shingrix|Gardasil|Cervarix|Bexsero|Trumenba|Nimenrix|Menveo|MenQuadfi|Rotarix'.split('|'),
  ...'RotaTeq|Engerix|Fendrix|Infanrix hexa|Vaxelis|Repevax|Boostrix|Priorix|M-M-RVAXPRO|Comirnaty|Spikevax|Typhim|Vivotif'.split('|'),
  ...'E45|Cetraben|Doublebase|Aveeno|Oilatum|Vaseline|Diprobase|Epaderm|Viscotears|Lacri-Lube|Systane|Hylo-Forte|Rennie|Maalox|Mylanta'.split('|'),
  ...'Nicorette|NiQuitin|Thorens|Desunin|InVita D3'.split('|'),
]
/** Standardising would take a detail away: which coil, which pill, eyes or skin, which salt. */
const OWN_DETAIL = [
  ...['the coil', 'copper coil', 'morning after pill', 'morning-after pill', 'plan b pill', 'yellow eyes', 'yellowing of the eyes'],
  ...[
    'yellowing of the skin',
    'cefuroxime axetil',
    'dexamethasone sodium phosphate',
    'fluticasone propionate',
    'car sickness',
    'carsickness',
    'sea sickness',
    'seasickness',
  ],
]

/** What `standardise` is told to leave as it is: keys of the terms above. */
export const KEPT: ReadonlySet<string> = new Set([...OWN_FORM, ...OWN_DETAIL].map((term) => keyOf(tokens(term))))
