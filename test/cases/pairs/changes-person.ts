// Owns the minimal changes of the person: age, weight, sex, pregnancy, organs.
import type { Changes } from './build.ts'

const p = (text: string): string[] => text.trim().split(/\s*\n\s*/)

export const personChanges: readonly Changes[] = [
  {
    slot: 'age',
    frames: p(`ibuprofen dose for {}
      Can {} have aspirin?
      Normal heart rate in {}
      Is loratadine licensed for {}?
      What causes limping in {}?
      Fever without a focus in {}: what next?
      Which vaccines are due for {}?
      How much fluid does {} need?`),
    changes: p(`a 5 year old → a 6 year old
      a child → an adult
      a 3 month old → a 3 year old
      an infant → a toddler
      a newborn → an infant
      a 65 year old → a 56 year old
      an elderly patient → an adult
      a teenager → a child
      a 2 week old baby → a 2 month old baby
      a 12 year old → a 2 year old
      someone aged 45 → someone aged 54
      children under 5 → children over 5
      a 18 month old → an 8 month old
      adults → children
      a 1 year old → an 11 year old
      neonates → children
      a patient over 65 → a patient under 65
      a five year old → a nine year old
      an 80 year old → an 18 year old
      a preterm baby → a baby
      a young adult → an older adult
      a 6 month old → a 9 month old
      a 70yo → a 17yo
      a child aged 4 → a child aged 14`),
  },
  {
    slot: 'weight',
    frames: p(`paracetamol dose for a child weighing {}
      gentamicin for a patient of {}
      enoxaparin treatment dose, {}
      Maintenance fluids for a {} child
      What dose of amoxicillin for {}?
      ivermectin tablets needed for {}
      Is apixaban dose reduced at {}?
      Aciclovir IV in an adult, {}`),
    changes: p(`10 kg → 20 kg
      15 kg → 50 kg
      60 kg → 16 kg
      8 kg → 8.5 kg
      12kg → 21kg
      70 kg → 90 kg
      20 kg → 20 lb
      40 kg → 14 kg
      under 50 kg → over 50 kg
      3.5 kg → 35 kg
      100 kg → 110 kg
      25 kg → 52 kg
      <60 kg → >60 kg
      18 kg → 19 kg
      55 kg → 5.5 kg
      9 kg → 90 kg
      33 kg → 38 kg
      120 kg → 12 kg
      75 kg → 57 kg
      6 kg → 16 kg
      80 kg → 80 stone
      4 kg → 4.4 kg
      30 kg → 13 kg
      65 kg → 85 kg`),
  },
  {
    slot: 'sex',
    frames: p(`Normal haemoglobin for {}
      Osteoporosis screening in {}
      UTI treatment in {}
      What causes hair loss in {}?
      Can {} take finasteride?
      Gonorrhoea symptoms in {}
      Chest pain in {} aged 50
      Iron deficiency in {}: which tests?`),
    changes: p(`a man → a woman
      men → women
      males → females
      a boy → a girl
      a 60 year old man → a 60 year old woman
      my husband → my wife
      a young man → a young woman
      a male patient → a female patient
      an older man → an older woman
      boys → girls
      a gentleman → a lady
      a teenage boy → a teenage girl
      a trans man → a trans woman
      my son → my daughter
      male adults → female adults
      a man with diabetes → a woman with diabetes
      a father → a mother
      elderly men → elderly women
      a postmenopausal woman → a man
      his brother → his sister
      adult males → adult females
      a boy of 10 → a girl of 10
      a 30M → a 30F
      the male partner → the female partner`),
  },
  {
    slot: 'pregnancy',
    frames: p(`Is nitrofurantoin safe {}?
      Treatment of hypertension {}
      Can she have the flu vaccine {}?
      Which antihistamine {}?
      Paracetamol dose {}
      Asthma management {}
      Headache {}: what should I rule out?
      Metformin {}`),
    changes: p(`in pregnancy → in breastfeeding
      at 12 weeks pregnant → at 32 weeks pregnant
      in the first trimester → in the third trimester
      during pregnancy → after pregnancy
      in early pregnancy → in late pregnancy
      in pregnancy → 
      when breastfeeding → when not breastfeeding
      at 20/40 → at 30/40
      in pregnant women → in women
      in the second trimester → in the first trimester
      at 36 weeks pregnant → at 26 weeks pregnant
      postpartum → antepartum
      in pregnancy → before pregnancy
      during lactation → during labour
      planning pregnancy → in pregnancy
      in pregnant women → in breastfeeding women
      at 8 weeks pregnant → at 18 weeks pregnant
      in labour → in pregnancy
      while breastfeeding → 
      at 37 weeks → at 27 weeks
      in twin pregnancy → in pregnancy
      in ectopic pregnancy → in molar pregnancy
      at 28 weeks gestation → at 24 weeks gestation
      6 weeks postpartum → 6 weeks pregnant`),
  },
  {
    slot: 'organ',
    frames: p(`Metformin {}
      Dose of gabapentin {}
      Is morphine safe {}?
      Apixaban {}: which dose?
      Can I use naproxen {}?
      Allopurinol starting dose {}
      Trimethoprim {}
      Which analgesic {}?`),
    changes: p(`in renal impairment → in hepatic impairment
      with eGFR 30 → with eGFR 50
      with eGFR <30 → with eGFR >30
      in chronic kidney disease → in acute kidney injury
      in CKD stage 3 → in CKD stage 4
      on dialysis → 
      in renal failure → in heart failure
      in mild renal impairment → in severe renal impairment
      in liver failure → in kidney failure
      with creatinine clearance 45 ml/min → with creatinine clearance 15 ml/min
      in cirrhosis → in fatty liver
      with eGFR 45 → with eGFR 54
      in CKD 3a → in CKD 3b
      with normal renal function → with impaired renal function
      in hepatic impairment → 
      on haemodialysis → on peritoneal dialysis
      in Child-Pugh A → in Child-Pugh B
      with eGFR 15 to 30 → with eGFR 30 to 45
      with an eGFR of 60 → with an eGFR of 16
      in CKD2 → in CKD5
      in compensated cirrhosis → in decompensated cirrhosis
      in renal impairment → without renal impairment
      with GFR below 15 → with GFR above 15
      after kidney transplant → after liver transplant`),
  },
]
