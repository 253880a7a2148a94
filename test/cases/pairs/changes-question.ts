// Owns the minimal changes of what is asked: comparison, aspect, subject, kind of question, language, other words and their order.
import type { Changes } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

export const questionChanges: readonly Changes[] = [
  {
    slot: 'comparison',
    frames: p(`Is {} five cups of coffee harmful?
      Should we treat a systolic {} 140?
      Admit a child with saturations {} 92%?
      Platelets {} 50: can he have surgery?
      Bleeding that lasts {} a week
      Weight loss of {} 5% needs what?
      Heart rate {} 100 at rest
      Potassium {} 6 in clinic`),
    changes: p(`more than → less than
      over → under
      above → below
      at least → at most
      up to → more than
      < → >
      exactly → about
      ≤ → ≥
      no more than → no less than
      greater than → lower than
      just over → just under
      within → beyond
      only → over
      around → above
      below → about
      not above → above
      fewer than → more than
      under → at least
      exceeding → below
      up to → from
      nearly → over
      higher than → lower than
      ~ → >
      never over → over`),
  },
  {
    slot: 'aspect',
    frames: p(`{} of amiodarone
      {} of methotrexate in adults
      What is the {} of digoxin?
      {} of lamotrigine?
      {} of clozapine, please
      Summarise the {} of spironolactone
      {} of sodium valproate for a GP
      What do we know about {} of tramadol?`),
    changes: p(`dose → maximum dose
      side effects → contraindications
      dose → side effects
      interactions → side effects
      maximum dose → minimum dose
      monitoring → dose
      indications → contraindications
      starting dose → maintenance dose
      mechanism → dose
      overdose → dose
      risks → benefits
      common side effects → serious side effects
      half-life → dose
      contraindications → cautions
      loading dose → maintenance dose
      daily dose → single dose
      strengths → doses
      cost → dose
      usual dose → maximum dose
      missed dose → overdose
      onset → duration
      maximum daily dose → maximum single dose
      use → overuse
      effectiveness → safety`),
  },
  {
    slot: 'subject',
    frames: p(`Symptoms of {}
      How is {} diagnosed?
      First-line treatment of {}
      What are the causes of {}?
      Red flags in {}
      Can {} be prevented?
      Leaflet about {} for patients
      Is {} hereditary?`),
    changes: p(`hypothyroidism → hyperthyroidism
      hypokalaemia → hyperkalaemia
      hypertension → hypotension
      type 1 diabetes → type 2 diabetes
      hepatitis A → hepatitis B
      asthma → COPD
      gout → pseudogout
      Crohn's disease → ulcerative colitis
      stroke → transient ischaemic attack
      hepatitis C → hepatitis
      iron deficiency anaemia → pernicious anaemia
      DVT → PE
      measles → rubella
      shingles → chickenpox
      otitis media → otitis externa
      tonsillitis → laryngitis
      osteoarthritis → rheumatoid arthritis
      atrial fibrillation → atrial flutter
      vitamin B12 deficiency → vitamin D deficiency
      influenza A → influenza B
      hypoglycaemia → hyperglycaemia
      HIV → HPV
      chest pain → back pain
      Addison's disease → Cushing's syndrome
      scabies → rabies
      gallstones → kidney stones`),
  },
  {
    slot: 'kind',
    frames: p(`{} treat hypertension
      {} screen for bowel cancer
      {} give oxygen in COPD
      {} refer a child with stridor
      {} vaccinate against shingles
      {} repeat the blood test
      {} monitor lithium
      {} treat asymptomatic bacteriuria in the elderly`),
    changes: p(`when should I → how should I
      why should we → when should we
      can I → should I
      how do I → why do I
      who should I → when should I
      how often should I → how long should I
      is it safe to → is it useful to
      must I → may I
      what happens if I → why do I
      where do I → how do I
      should we → could we
      how soon do I → how often do I
      do I → did I
      can they → must they
      is it necessary to → is it possible to
      when do we → where do we
      which patients should I → when should I
      how many → how much
      should I → would I
      what if I → should I
      why would you → who would you
      how much should I → how often should I
      will they → did they
      how quickly should I → how long should I`),
  },
  {
    slot: 'word',
    frames: p(`What is the advice on {} with epilepsy?
      Does {} affect sleep?
      {} after hip replacement
      Asthma and {}
      Is {} allowed after a heart attack?
      Diabetes: {} guidance
      Can a patient on clozapine start {}?
      Fitness certificate for {}`),
    changes: p(`driving → diving
      alcohol → coffee
      flying → driving
      smoking → vaping
      swimming → running
      sex → work
      a bus driver → a taxi driver
      football → rugby
      fasting → feasting
      Ramadan → Lent
      cannabis → cocaine
      scuba diving → sky diving
      night shifts → day shifts
      a keto diet → a vegan diet
      spicy food → fatty food
      long flights → short flights
      grapefruit → cranberry
      climbing → cycling
      a pilot → a sailor
      hot baths → cold baths
      lifting → sitting
      red wine → white wine
      school → nursery
      a marathon → a walk`),
  },
  {
    slot: 'order',
    frames: p(`{}
      Please advise: {}
      {}, what do guidelines say?
      In primary care, {}
      {} in adults
      Question from a nurse: {}`),
    changes: p(`switch from sertraline to fluoxetine → switch from fluoxetine to sertraline
      does obesity cause asthma → does asthma cause obesity
      aspirin after clopidogrel → clopidogrel after aspirin
      what does hypothyroidism cause → what causes hypothyroidism
      start ramipril and stop amlodipine → start amlodipine and stop ramipril
      fever but no cough → cough but no fever
      metformin 500 mg with gliclazide 80 mg → metformin 80 mg with gliclazide 500 mg
      is apixaban better than warfarin → is warfarin better than apixaban
      vaccinate before splenectomy → splenectomy before vaccinate
      a mother with a child with diabetes → a child with a mother with diabetes
      side effects of treatment → treatment of side effects
      pain of treatment → treatment of pain
      increase bisoprolol before reducing digoxin → reducing bisoprolol before increase digoxin
      no vomiting and diarrhoea → vomiting and no diarrhoea
      does metformin treat obesity → does obesity treat metformin
      left pain and right weakness → right pain and left weakness
      insulin before breakfast and metformin after dinner → metformin before breakfast and insulin after dinner
      amoxicillin allergy and doxycycline treatment → doxycycline allergy and amoxicillin treatment
      high sodium and low potassium → low sodium and high potassium
      diabetes due to pancreatitis → pancreatitis due to diabetes
      ibuprofen 400 mg and paracetamol 1 g → ibuprofen 1 g and paracetamol 400 mg
      acute gout with chronic kidney disease → chronic gout with acute kidney disease
      rash then fever → fever then rash
      depression leading to insomnia → insomnia leading to depression`),
  },
  {
    slot: 'language',
    frames: p(`{}`),
    changes: p(`dose of paracetamol for a child → dose de paracétamol pour un enfant
      side effects of ramipril → effets secondaires du ramipril
      what is asthma → was ist Asthma
      treatment of pneumonia → Behandlung der Lungenentzündung
      dose of amoxicillin for children → dosis de amoxicilina para niños
      ibuprofen in pregnancy → ibuprofeno en el embarazo
      symptoms of diabetes → sintomi del diabete
      metformin side effects → effetti collaterali della metformina
      how to treat gout → como tratar a gota
      maximum dose of ibuprofen → dose máxima de ibuprofeno
      what is the dose of morphine → wat is de dosis morfine
      is aspirin safe in pregnancy → is aspirine veilig bij zwangerschap
      paracetamol dose → dawka paracetamolu
      warfarin and alcohol → варфарин и алкоголь
      asthma treatment → علاج الربو
      fever in a child → बच्चे में बुखार
      high blood pressure → 高血压
      dose of aspirin → アスピリンの用量
      what is epilepsy → qu'est-ce que l'épilepsie
      can I take ibuprofen → darf ich Ibuprofen nehmen
      insulin storage → conservación de la insulina
      warfarin → varfarina
      migraine treatment → traitement de la migraine
      cough for 3 weeks → tosse da 3 settimane
      penicillin allergy → allergie à la pénicilline
      diabetes and driving → Diabetes und Autofahren
      how is gout treated → comment traite-t-on la goutte
      when to stop warfarin → quand arrêter la warfarine
      vaccines for babies → vaccins pour les bébés
      dose of insulin → dosis de insulina
      chest pain → dolor de pecho
      sore throat → dolor de garganta
      back pain → mal di schiena
      headache → Kopfschmerzen
      stomach ache → mal de ventre
      blood pressure → pression artérielle
      heart attack → infarto de miocardio
      stroke → accident vasculaire cérébral
      kidney failure → insuficiencia renal
      liver disease → Lebererkrankung
      skin rash → éruption cutanée
      breathlessness → essoufflement
      fever → fièvre
      cough → toux
      cough → Husten
      fever → fiebre
      vomiting → vomissements
      diarrhoea → diarrhée
      rash → erupción
      pain → Schmerz
      dizziness → vertiges
      itching → picazón
      anaemia → anémie
      eczema → eczéma atopique
      gout → goutte
      measles → rougeole
      mumps → oreillons
      flu → grippe
      shingles → zona
      whooping cough → coqueluche
      chickenpox → varicela`),
  },
]
