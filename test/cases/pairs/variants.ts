// Owns the variants of questions in other words for the same thing: abbreviations, synonyms, spellings, brands, numbers, harmless orders.
import type { Changes } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

export const sameInOtherWords: readonly Changes[] = [
  {
    slot: 'abbreviation',
    frames: p(`First-line treatment of {}
      Red flags in a patient with {}
      What causes {}?`),
    changes: p(`COPD → chronic obstructive pulmonary disease
      T2DM → type 2 diabetes mellitus
      CKD → chronic kidney disease
      UTI → urinary tract infection
      GORD → gastro-oesophageal reflux disease
      DVT → deep vein thrombosis
      IBS → irritable bowel syndrome
      PCOS → polycystic ovary syndrome
      ADHD → attention deficit hyperactivity disorder
      TIA → transient ischaemic attack
      HTN → hypertension
      URTI → upper respiratory tract infection
      OSA → obstructive sleep apnoea
      AKI → acute kidney injury
      BPH → benign prostatic hyperplasia
      IHD → ischaemic heart disease
      SLE → systemic lupus erythematosus
      PMR → polymyalgia rheumatica`),
  },
  {
    slot: 'abbreviation',
    frames: p(`amoxicillin 500 mg {} for sinusitis
      Is ibuprofen {} too much?`),
    changes: p(`bd → twice daily
      tds → three times daily
      qds → four times daily
      po → by mouth
      prn → when required
      b.d. → bd
      q6h → every 6 hours
      t.d.s. → three times a day
      nocte → at night
      IV → intravenous
      IM → intramuscular
      bid → twice a day`),
  },
  {
    slot: 'synonym',
    frames: p(`What is the best treatment for {}?
      Symptoms of {}
      {} in a young adult: when to refer?`),
    changes: p(`heart attack → myocardial infarction
      high blood pressure → hypertension
      kidney failure → renal failure
      chickenpox → chicken pox
      hay fever → allergic rhinitis
      shingles → herpes zoster
      whooping cough → pertussis
      kidney stones → renal calculi
      underactive thyroid → hypothyroidism
      piles → haemorrhoids
      glandular fever → infectious mononucleosis
      low blood sugar → hypoglycaemia
      overactive thyroid → hyperthyroidism
      mini-stroke → transient ischaemic attack
      heartburn → acid reflux
      frozen shoulder → adhesive capsulitis
      bladder infection → cystitis
      tennis elbow → lateral epicondylitis`),
  },
  {
    slot: 'synonym',
    frames: p(`{} of lisinopril
      {} of allopurinol in adults
      What are the {} of mirtazapine?`),
    changes: p(`side effects → adverse effects
      dose → dosage
      side-effects → side effects
      maximum dose → max dose
      contraindications → contra-indications
      starting dose → initial dose
      maximum daily dose → max daily dose
      usual dose → standard dose
      adverse reactions → side effects
      half-life → half life
      minimum dose → lowest dose
      signs and symptoms of overdose → symptoms and signs of overdose`),
  },
  {
    slot: 'synonym',
    frames: p(`cetirizine dose for {}
      Is codeine allowed in {}?
      Causes of weight loss in {}`),
    changes: p(`children → kids
      a child → a kid
      babies → infants
      an older adult → an elderly person
      teenagers → adolescents
      a newborn → a neonate
      a 5 year old → a 5-year-old
      a 5 year old → a five year old
      a 3yo → a 3 year old
      a 40 year old man → a 40yo man
      women → females
      men → males
      adults → adult patients`),
  },
  {
    slot: 'synonym',
    frames: p(`Is codeine allowed in {}?
      Headache in {}: what to give?`),
    changes: p(`pregnancy → pregnant women
      renal impairment → kidney impairment
      the third trimester → third trimester
      breastfeeding → breast-feeding
      hepatic impairment → liver impairment
      lactation → breastfeeding
      CKD stage 3 → stage 3 CKD
      kidney failure → renal failure
      CKD 4 → CKD stage 4`),
  },
  {
    slot: 'synonym',
    frames: p(`How do I {} olanzapine?
      Is it safe to {} lithium suddenly?`),
    changes: p(`stop → discontinue
      start → commence
      increase → uptitrate
      start → initiate
      begin → start
      reduce → decrease
      give → administer
      cease → stop
      initiate → commence`),
  },
  {
    slot: 'spelling',
    frames: p(`Management of {}
      {} after a viral illness
      Could this be {}?`),
    changes: p(`anaemia → anemia
      diarrhoea → diarrhea
      oesophagitis → esophagitis
      haemorrhoids → hemorrhoids
      oedema → edema
      leukaemia → leukemia
      hypoglycaemia → hypoglycemia
      tumour → tumor
      haematuria → hematuria
      dyspnoea → dyspnea
      foetal distress → fetal distress
      paediatric asthma → pediatric asthma
      gynaecomastia → gynecomastia
      hyperkalaemia → hyperkalemia
      caesarean section → cesarean section`),
  },
  {
    slot: 'spelling',
    frames: p(`Dose of {} for an adult
      Does {} cause a rash?`),
    changes: p(`paracetamol → acetaminophen
      salbutamol → albuterol
      adrenaline → epinephrine
      furosemide → frusemide
      aciclovir → acyclovir
      beclometasone → beclomethasone
      cefalexin → cephalexin
      lidocaine → lignocaine
      ciclosporin → cyclosporine
      rifampicin → rifampin
      amoxicillin → amoxycillin
      glyceryl trinitrate → nitroglycerin
      mesalazine → mesalamine
      chlorphenamine → chlorpheniramine
      sulfasalazine → sulphasalazine`),
  },
  {
    slot: 'brand',
    frames: p(`How often can {} be taken?
      {} and alcohol
      Side effects of {} in the elderly`),
    changes: p(`Calpol → paracetamol
      Nurofen → ibuprofen
      Ventolin → salbutamol
      Lipitor → atorvastatin
      Augmentin → co-amoxiclav
      Plavix → clopidogrel
      Xarelto → rivaroxaban
      Losec → omeprazole
      Prozac → fluoxetine
      Zoloft → sertraline
      Glucophage → metformin
      Tamiflu → oseltamivir
      Panadol → paracetamol
      Lantus → insulin glargine
      Voltarol → diclofenac
      Advil → ibuprofen
      Eliquis → apixaban
      Flagyl → metronidazole
      Lasix → furosemide
      Valium → diazepam
      Tylenol → Calpol
      Xanax → alprazolam
      Crestor → rosuvastatin
      Keppra → levetiracetam`),
  },
  {
    slot: 'number format',
    frames: p(`Is {} of amoxicillin enough for a child?
      Gave {} an hour ago, can I repeat it?`),
    changes: p(`500 mg → 500mg
      0.5 g → 500 mg
      100 micrograms → 100 mcg
      1,000 mg → 1000 mg
      0,5 mg → 0.5 mg
      5 ml → 5mls
      100 µg → 100 mcg
      250 mg/5 ml → 250mg/5ml
      1 g → 1000 mg
      10 mg/kg → 10mg per kg
      5-10 mg → 5 to 10 mg
      two tablets → 2 tablets
      0.50 mg → 0.5 mg
      500 milligrams → 500 mg
      5–10 mg → 5-10 mg
      .5 mg → 0.5 mg
      1 gram → 1 g
      20 mmol → 20 mmols`),
  },
  {
    slot: 'word order',
    frames: p(`{}
      Please, {}?`),
    changes: p(`side effects of ramipril → ramipril side effects
      amoxicillin dose for a child → dose of amoxicillin for a child
      dose of ibuprofen in children → ibuprofen dose for children
      symptoms of sepsis → sepsis symptoms
      treatment of gout → gout treatment
      contraindications of bisoprolol → bisoprolol contraindications
      what is the dose of digoxin → dose of digoxin
      interaction between warfarin and aspirin → interaction between aspirin and warfarin
      what are the symptoms of measles → symptoms of measles
      maximum dose of codeine for adults → codeine maximum dose for adults
      complications of diabetes → diabetes complications
      allergic to penicillin, which antibiotic → penicillin allergy, which antibiotic`),
  },
  {
    slot: 'opening',
    frames: p(`{} what is the maximum dose of codeine?
      {} how is gout treated in chronic kidney disease?
      {} does ramipril cause a cough?`),
    changes: p(`→ please
      → Hello,
      → Can you tell me:
      → Hi,
      → Please tell me
      → Quick question:
      → Could you tell me:
      → Good morning,
      → I would like to know:`),
  },
]
